"""One target under atheris: ``python -m fuzz.watched TARGET [libFuzzer's options and directories]``.

Fails with libFuzzer's exit status where an input breaks something; ``python -m fuzz.replay`` shows what.
"""

import sys
import warnings

import atheris
from cryptography.utils import CryptographyDeprecationWarning

from fuzz.targets import target


def main() -> None:
    """Fuzz until an option or a finding ends it."""
    name, *options = sys.argv[1:]
    with atheris.instrument_imports(include=["wsguard"]):
        chosen = target(name)
    # What cryptography says of odd certificates goes to standard error once a process, and is no finding each time.
    warnings.simplefilter("ignore", CryptographyDeprecationWarning)
    # cryptography says so, once, of a subject whose country has not two letters.
    warnings.filterwarnings("ignore", "Attribute's length must be", UserWarning)
    # Whatever is made once is made before the first input is timed.
    for seed in chosen.seeds():
        chosen.judge(seed)

    def judge(octets: bytes) -> None:
        chosen.judge(octets)

    # The name of the program is how libFuzzer starts itself again for a merge: through a shell, in a new process.
    atheris.Setup([f"{sys.executable} -m fuzz.watched {name}", *options], judge)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
