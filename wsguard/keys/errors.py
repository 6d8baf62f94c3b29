"""What is said of a key file that cannot be used."""

from pathlib import Path
from typing import Final, NoReturn

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509 import InvalidVersion

FOREIGN: Final = (ValueError, TypeError, UnsupportedAlgorithm, InvalidVersion)
"""What ``cryptography`` raises for something that it cannot read."""


class KeyFileError(ValueError):
    """A key file of the configuration cannot be used. The text is for the operator and holds no secret."""


def refused_password(path: Path, password: bytes | None) -> KeyFileError:
    """The error for a ``path`` that did not open with ``password``."""
    if password is None:
        return KeyFileError(f"{path}: no password was given, and the key needs one: set password_env or password_file")
    return KeyFileError(f"{path}: wrong password, or the file is damaged")


def nothing(path: Path, what: str) -> NoReturn:
    """Say that there is no ``what`` in ``path``.

    Raises:
        KeyFileError: always.
    """
    raise KeyFileError(f"{path}: no {what} in it")
