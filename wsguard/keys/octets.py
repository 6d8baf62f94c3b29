"""Octets read one after the other. Nothing is taken that is not there."""

from typing import Final, NamedTuple

_SEQUENCE: Final = 0x30


class Malformed(ValueError):
    """Octets are not what their format says. Never leaves this room: ``KeyFileError`` stands for it."""


class Octets:
    """A place in octets, from the start to the end of them."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    @property
    def left(self) -> int:
        """How many were not taken yet."""
        return len(self._octets) - self._at

    def take(self, count: int) -> bytes:
        """The next ``count`` ones.

        Raises:
            Malformed: there are fewer.
        """
        if count > self.left:
            raise Malformed("it ends too early")
        self._at += count
        return self._octets[self._at - count : self._at]

    def number(self, size: int) -> int:
        """The unsigned number in the next ``size`` ones, highest first.

        Raises:
            Malformed: there are fewer.
        """
        return int.from_bytes(self.take(size), "big")


class Element(NamedTuple):
    """One DER value."""

    tag: int
    content: bytes
    whole: bytes
    """With tag and length."""

    def inner(self, tag: int = _SEQUENCE, *, least: int = 1) -> "list[Element]":
        """The values that this one is made of.

        Raises:
            Malformed: it has another tag than ``tag``, there are fewer than ``least``, or they are not DER.
        """
        inner = elements(self.content) if self.tag == tag else []
        if self.tag != tag or len(inner) < least:
            raise Malformed("a DER value of another kind")
        return inner


def element(octets: bytes) -> Element:
    """The DER value that ``octets`` are.

    Raises:
        Malformed: they are not one.
    """
    found = elements(octets)
    if len(found) != 1:
        raise Malformed("not one DER value")
    return found[0]


def elements(octets: bytes) -> list[Element]:
    """The DER values that ``octets`` consist of (X.690 §8.1, §10.1); tags above 30 and open lengths are not read.

    Raises:
        Malformed: they are something else.
    """
    source, found = Octets(octets), []
    while source.left:
        head = source.take(2)
        tag, length = head
        if tag & 0x1F == 0x1F or length == 0x80:
            raise Malformed("a form that DER has not, or that is not read")
        if length > 0x80:
            size = source.take(length & 0x7F)
            head, length = head + size, int.from_bytes(size, "big")
        content = source.take(length)
        found.append(Element(tag, content, head + content))
    return found
