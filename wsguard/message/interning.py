"""The names that libxml2 keeps, bounded: beyond the bound documents are parsed where their names go with them.

libxml2 keeps every name, prefix and namespace of a document in a dictionary, once, and takes none out. lxml has one
dictionary for each thread, as long as the thread lives. So whoever never uses a name twice would fill the memory, with
messages that are refused as well as with others.
"""

import random
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from typing import Final, TypeVar

from lxml import etree
from lxml.etree import _Element

MOST_KEPT: Final = 4_194_304
"""Octets of names that a thread may keep, by estimate: twenty thousand. A large WSDL has some thousand."""
A_NAME: Final = 200
"""Octets that a name takes beside its text: 48 in libxml2, whose table is half empty at times, and the rest here."""
FIRST: Final = 100
"""Documents of a thread that are all looked at: they bring the names that a service has."""
LOOKED_AT: Final = 10
"""Later documents of which one, on average, is looked at, and what is new counts for all: looking takes as long as
parsing. A name that is met late counts for so many until it is met again: then it was no new one each time."""
LARGE: Final = 4_194_304
"""Octets of a document that is always looked at; of half as many every second one is."""

T = TypeVar("T")

_random: Final = random.SystemRandom()


class ThreadParser(threading.local):
    """One hardened parser a thread: a shared one makes threads wait for each other."""

    def __init__(self) -> None:
        self.kept = 0.0
        """Octets of names that this thread keeps, by estimate."""
        self._parser = _new_parser()
        self._counted: dict[bytes, float] = {}
        """Name -> the octets that it counts for."""
        self._parsed = 0

    def parse(self, document: bytes) -> _Element:
        """The root of ``document``, in UTF-8.

        Raises:
            etree.LxmlError: it is not well-formed.
        """
        if self.full:
            self._counted.clear()
            return parse_apart(document)
        try:
            root = etree.fromstring(document, self._parser)
        except Exception:
            # libxml2 reads on behind most errors: each word may have been taken for a name.
            self._count(_found(document, _WORD, *_KEPT_ELSEWHERE), 1)
            raise
        self._parsed += 1
        chance = 1.0 if self._parsed <= FIRST else min(1.0, max(1 / LOOKED_AT, len(document) / LARGE))
        # Nobody may know which one is looked at.
        if chance == 1.0 or _random.random() < chance:
            self._count(_found(document, _ELEMENT, _ATTRIBUTE, *_KEPT_ELSEWHERE), 1 / chance)
        return root

    @property
    def full(self) -> bool:
        """Whether this thread keeps as many names as it may: documents come from other threads."""
        return self.kept > MOST_KEPT

    def _count(self, names: Iterable[bytes], each: float) -> None:
        """Count the names of a document: one that is new for ``each`` of its kind, one that is met again for itself.

        Only until there are too many: one document may have more than there is memory for.
        """
        met: set[bytes] = set()
        for name in names:
            if name in met:
                continue
            if self.full:
                return
            met.add(name)
            before, octets = self._counted.get(name, 0.0), len(name) + A_NAME
            now = octets if before else octets * each
            self._counted[name] = now
            self.kept += now - before


def _found(document: bytes, *patterns: re.Pattern[bytes]) -> Iterator[bytes]:
    return (match[1] for pattern in patterns for match in pattern.finditer(document))


# Each may run over text that a sender chose: nothing is given back, and what one match looks at no other one does.
_WORD: Final = re.compile(rb"([^\s<>/='\"&;]++)")
_ELEMENT: Final = re.compile(rb"<\??+([^\s<>/!?]++)")
"""Its name with the prefix; or the target of a processing instruction."""
_ATTRIBUTE: Final = re.compile(rb"\s([^\s<>/='\"]++)\s*+=\s*+['\"]")
_KEPT_ELSEWHERE: Final = (
    # Looked for from each "xmlns", also in a value or text: what seems to be a value there may end where one begins.
    re.compile(rb"xmlns(?<=[\s'\"]xmlns)(?=(?::[^\s<>/='\"]*+)?+\s*+=\s*+(\"[^\"]*+\"))"),
    re.compile(rb"xmlns(?<=[\s'\"]xmlns)(?=(?::[^\s<>/='\"]*+)?+\s*+=\s*+('[^']*+'))"),
    # Text of 16 to 59 octets that is white space (xmlSAX2TextNode); a carriage return at its start is not among them.
    re.compile(rb">([ \t\r\n]{16,60}+)<"),
)
"""Namespaces, and what is kept though it is no name."""


def parse_apart(document: bytes) -> _Element:
    """The root of ``document``, parsed by a thread of its own: its dictionary ends with it and with the document.

    Raises:
        etree.LxmlError: it is not well-formed.
    """
    return _apart(lambda: etree.fromstring(document, _new_parser()))


def knowing(prefixes: Iterable[str], work: Callable[[], T]) -> T:
    """What ``work`` returns in a thread whose dictionary has ``prefixes``, or raises there.

    lxml's canonicalization looks for them in the dictionary of the thread that it runs in, and not in the document's.
    """

    def knows() -> T:
        parser = _new_parser()
        for prefix in prefixes:
            # What is no prefix stands before no name, so that it need not be known.
            with suppress(etree.XMLSyntaxError):
                etree.fromstring(f"<a xmlns:{prefix}='urn:a'/>".encode(), parser)
        return work()

    return _apart(knows)


def _apart(work: Callable[[], T]) -> T:
    done: list[Future[T]] = [Future()]

    def run() -> None:
        try:
            done[0].set_result(work())
        except Exception as error:  # noqa: BLE001 - it is raised by the thread that waits
            done[0].set_exception(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join()
    # What is raised has this frame, and with it the document: both would be kept until somebody looks for cycles.
    return done.pop().result()


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
