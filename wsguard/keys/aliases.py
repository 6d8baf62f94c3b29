"""Which entry of a keystore is meant."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol, TypeVar

from wsguard.keys.errors import KeyFileError

_SHOWN: Final = 10


class Named(Protocol):
    """An entry of a keystore."""

    @property
    def alias(self) -> str:
        """Its name in the keystore; empty where it has none."""


_E = TypeVar("_E", bound=Named)


def entry_meant(path: Path, alias: str, entries: Sequence[_E]) -> _E:
    """The one of ``entries``, all private keys, that ``alias`` names; without alias the only one.

    Aliases ignore case, as keytool's do, but one that fits exactly goes before others.

    Raises:
        KeyFileError: none or several are meant. The text names those that there are.
    """
    if not entries:
        raise KeyFileError(f"{path}: no private key in it")
    found = _named(alias, entries) if alias else entries
    if not found:
        raise KeyFileError(f"{path}: no private key in it has the alias {alias!r}; there is {_listed(entries)}")
    if len(found) > 1:
        raise KeyFileError(f"{path}: several private keys in it, set alias to the one to use: {_listed(entries)}")
    return found[0]


def _named(alias: str, entries: Sequence[_E]) -> list[_E]:
    exact = [entry for entry in entries if entry.alias == alias]
    return exact or [entry for entry in entries if entry.alias.casefold() == alias.casefold()]


def _listed(entries: Sequence[Named]) -> str:
    """Their aliases, escaped: they are the file's words."""
    names = [repr(entry.alias) for entry in entries[:_SHOWN]]
    left = len(entries) - len(names)
    return ", ".join(names) + (f" and {left} more" if left else "")
