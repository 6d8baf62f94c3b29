"""Apache WSS4J on the same messages, where it is here: one Java thread, as fast as its compiler makes it."""

import subprocess
from base64 import b64decode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12

from bench.orders import message
from bench.profiles import CLIENT, PASSWORD, ROOT, SERVER, Profile
from tests.interop.java import CLASS_PATH, REMEDY, prepare
from tests.interop.stacks import Missing, program

ALIAS: Final = "server"
OPTIONS: Final = ("-Dorg.apache.commons.logging.Log=org.apache.commons.logging.impl.NoOpLog",)
"""Not those of the interop tests, which keep the compiler from its best."""
GOALS: Final = {"UsernameToken + Timestamp": 1.0, "signed Body and Timestamp": 1.5, "signed and encrypted": 1.5}
"""Messages in the time in which WSS4J takes one."""


@dataclass(frozen=True)
class Race:
    """One kind of message, by both."""

    what: str
    ours: float
    """Microseconds of the engine."""
    theirs: float

    @property
    def ratio(self) -> float:
        """How many messages we take in the time in which WSS4J takes one."""
        return self.theirs / self.ours

    @property
    def goal(self) -> float:
        """What the design has for it."""
        return GOALS[self.what]


def races(made: Iterable[Profile], ours: dict[str, float], octets: int, rounds: int) -> list[Race]:
    """A race for each profile; none where WSS4J is not here.

    Args:
        made: the profiles.
        ours: microseconds of the engine, by the name of the profile.
        octets: of the message before it is secured.
        rounds: that are measured.
    """
    try:
        prepare()
    except Missing:
        return []
    plain = message(octets)
    questions = [{"envelope": profile.message(plain).decode(), "rounds": rounds} for profile in made]
    names = [profile.name for profile in made]
    with TemporaryDirectory() as directory:
        answers = _ask(questions, _material(Path(directory)))
        return [Race(name, ours[name], int(one) / 1000) for name, one in zip(names, answers, strict=True)]


def _material(directory: Path) -> dict[str, str]:
    (directory / "ca.pem").write_bytes(ROOT.pem)
    (directory / "client.pem").write_bytes(CLIENT.pem)
    # As Java 8 and later read it.
    builder = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(2048).hmac_hash(hashes.SHA1())  # noqa: S303
    builder = builder.key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
    key, certificate = SERVER.key, SERVER.certificate
    store = pkcs12.serialize_key_and_certificates(
        ALIAS.encode(), key, certificate, None, builder.build(PASSWORD.encode())
    )
    (directory / "server.p12").write_bytes(store)
    return {
        "operation": "time",
        "trust": str(directory / "ca.pem"),
        "known": str(directory / "client.pem"),
        "keystore": str(directory / "server.p12"),
        "alias": ALIAS,
        "password": PASSWORD,
        "secret": PASSWORD,
    }


def _ask(questions: Iterable[dict[str, object]], material: dict[str, str]) -> Iterator[str]:
    lines = "".join(urlencode({**material, **question}) + "\n" for question in questions)
    command = [program("java", REMEDY), *OPTIONS, "-cp", CLASS_PATH, "wss4j.Main"]
    done = subprocess.run(command, input=lines, capture_output=True, encoding="ascii", check=True)  # noqa: S603
    for line in done.stdout.splitlines():
        word, _, encoded = line.partition(" ")
        text = b64decode(encoded).decode()
        if word != "ok":
            raise RuntimeError(text)
        yield text
