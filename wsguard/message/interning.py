"""The names that libxml2 keeps, given back before somebody's names fill the memory.

libxml2 keeps every name, prefix and namespace of a document in a dictionary, once, and takes none out. lxml has one
dictionary for each thread, as long as the thread lives. So whoever never uses a name twice would fill the memory, with
messages that are refused as well as with others.
"""

import ctypes
import threading
from typing import Any, Final, cast

from lxml import etree

MOST_OCTETS: Final = 1_048_576
"""Of documents, the last one aside, that a thread parses with one dictionary: names take six times their text. The next
one costs some 20 µs."""

_DICTIONARY: Final = "_ParserDictionaryContext"
"""What lxml calls its own among what Python keeps for a thread (lxml 5.3 to 6.1, src/lxml/parser.pxi)."""
_PARSED: Final = "wsguard.message.interning"
"""Octets parsed with that dictionary: beside it, since a threading.local may be one of a green thread."""

# A prototype of our own: others may give that of ctypes.pythonapi another result. The reference is borrowed, and
# py_object as the result would give it back.
_state_of_this_thread: Final = ctypes.PYFUNCTYPE(ctypes.c_void_p)(("PyThreadState_GetDict", ctypes.pythonapi))


class ThreadParser(threading.local):
    """One hardened parser a thread: a shared one makes threads wait for each other."""

    def __init__(self) -> None:
        self._parser = _new_parser()

    def for_octets(self, count: int) -> etree.XMLParser:
        """The parser for a document of ``count`` octets, with a dictionary that is not too large."""
        kept = _kept_for_this_thread()
        parsed = kept.get(_PARSED, 0)
        if parsed > MOST_OCTETS:
            _forget(kept)
            # With its first document it brings the thread's next dictionary; an old one would bring the old one.
            self._parser, parsed = _new_parser(), 0
        kept[_PARSED] = parsed + count
        return self._parser


def _new_parser() -> etree.XMLParser:
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        no_network=True,
        remove_comments=True,
        remove_pis=False,
        huge_tree=False,
    )
    # lxml's canonicalization ignores a prefix that is not in its dictionary of names, of which each thread has one.
    # The empty prefix, which "#default" in a PrefixList is, gets there by an xmlns="" and by nothing else.
    etree.fromstring(b'<a xmlns=""/>', parser)
    return parser


def _kept_for_this_thread() -> dict[str, Any]:
    address = _state_of_this_thread()
    return {} if address is None else cast(dict[str, Any], ctypes.cast(address, ctypes.py_object).value)


def _forget(kept: dict[str, Any]) -> None:
    """Leave the dictionary to the documents and parsers that have it."""
    # In the same place lxml keeps what etree.set_default_parser was given: an application may have hardened it.
    default = etree.get_default_parser()
    kept.pop(_DICTIONARY, None)
    etree.set_default_parser(default)
