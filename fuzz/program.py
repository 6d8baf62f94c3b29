"""Octets read as a program: which genuine message, and what somebody does to it on the way.

The first octet chooses the message. Then come steps: an octet that chooses one, three for what it works on, and, for
those that write text, an octet of length with that many octets. So a few octets make a message that is well formed and
wrong in one place, keys may differ from run to run, and what no step touched is as it was signed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree
from lxml.etree import _Element

from tests.signature.mutations import CHANGES

MOST_STEPS: Final = 8
_MOST_OCTETS: Final = 40_000


@dataclass(frozen=True)
class Step:
    """One change: ``kind`` of ``_TREE`` or ``_OCTETS``."""

    kind: str
    one: int
    other: int
    number: int
    text: bytes = b""

    def written(self, kinds: Sequence[str]) -> bytes:
        """As it stands in a program."""
        head = bytes([kinds.index(self.kind), self.one, self.other, self.number])
        return head + bytes([len(self.text)]) + self.text if self.kind in WITH_TEXT else head


def _text(one: _Element, other: _Element, number: int) -> None:
    one.text = other.text


def _attribute(one: _Element, other: _Element, number: int) -> None:
    names = list(other.attrib)
    if names:
        one.set(names[number % len(names)], other.get(names[number % len(names)], ""))


def _bare(one: _Element, other: _Element, number: int) -> None:
    names = list(one.attrib)
    if names:
        del one.attrib[names[number % len(names)]]


_TREE: Final[dict[str, Callable[[_Element, _Element, int], None]]] = {
    **CHANGES, "text": _text, "attribute": _attribute, "bare": _bare,
}  # fmt: skip


def _overwritten(octets: bytes, start: int, count: int, text: bytes) -> bytes:
    return octets[:start] + text + octets[start + count :]


def _copied(octets: bytes, start: int, count: int, text: bytes) -> bytes:
    """A span from one place written at another, which the text names."""
    at = int.from_bytes(text[:2], "big") % (len(octets) + 1)
    return octets[:at] + octets[start : start + 4 * count] + octets[at:]


def _transcoded(octets: bytes, start: int, count: int, text: bytes) -> bytes:
    charset = ("utf-16", "utf-8-sig", "utf-16-be", "latin-1")[count % 4]
    return octets.decode("utf-8", "replace").encode(charset, "replace")


_OCTETS: Final[dict[str, Callable[[bytes, int, int, bytes], bytes]]] = {
    "overwrite": _overwritten, "copy": _copied, "transcode": _transcoded,
}  # fmt: skip
KINDS: Final = (*sorted(_TREE), *sorted(_OCTETS))
WITH_TEXT: Final = frozenset({"overwrite", "copy"})


def run(octets: bytes, messages: Sequence[bytes]) -> tuple[int, bytes]:
    """Which of ``messages`` a program chose, and what became of it."""
    chosen = (octets[0] if octets else 0) % len(messages)
    message = messages[chosen]
    for step in _steps(octets[1:]):
        message = _after(message, step)[:_MOST_OCTETS]
    return chosen, message


def _steps(octets: bytes) -> list[Step]:
    found: list[Step] = []
    while len(octets) >= 4 and len(found) < MOST_STEPS:
        kind, one, other, number = KINDS[octets[0] % len(KINDS)], *octets[1:4]
        octets, text = octets[4:], b""
        if kind in WITH_TEXT and octets:
            text, octets = octets[1 : 1 + octets[0]], octets[1 + octets[0] :]
        found.append(Step(kind, one, other, number, text))
    return found


def _after(octets: bytes, step: Step) -> bytes:
    if step.kind in _OCTETS:
        start = (step.one << 8 | step.other) % (len(octets) + 1)
        return _OCTETS[step.kind](octets, start, step.number, step.text)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(octets, parser)
        _TREE[step.kind](_chosen(root, step.one), _chosen(root, step.other), step.number)
    except (etree.LxmlError, ValueError):
        return octets
    return etree.tostring(root, encoding="utf-8")


def _chosen(root: _Element, number: int) -> _Element:
    """Every second one is at the top of the tree, where attacks are made."""
    every = [one for one in root.iter("*") if number % 2 == 0 or len(list(one.iterancestors())) <= 3]
    return every[number // 2 % len(every)]


TEXTS: Final = (
    b"<!-- x -->", b"&#13;", b"<![CDATA[]]>", b' xmlns:xs="urn:echo"', b' xmlns="urn:evil"', b' xml:id="body"',
    b'<x xmlns="urn:x"/>', b' wsu:Id="body"', b"evil", b"=", b" ", b"\n", b"&amp;", b"sha1", b"rsa-sha1",
    b"\xef\xbb\xbf",
)  # fmt: skip
"""What is written over octets in seeds."""


def seeds(messages: Sequence[bytes], mark: bytes) -> list[bytes]:
    """Each message as it is, and with an octet behind the last ``mark`` changed; then every step on one of them."""
    count = len(messages)
    plain = [bytes([number]) for number in range(count)]
    marked = [(number, message.rfind(mark) + len(mark)) for number, message in enumerate(messages)]
    plain += [bytes([number]) + Step("overwrite", at >> 8, at & 255, 1, b"X").written(KINDS) for number, at in marked]
    trees = [Step(kind, one, other, 1) for kind in sorted(_TREE) for one, other in ((3, 5), (9, 2), (8, 13))]
    octets = [Step("overwrite", 4 * at, 40, at % 3, text) for at, text in enumerate(TEXTS)]
    others = [Step("copy", 2, 0, 60, b"\5\5"), *(Step("transcode", 0, 0, number) for number in range(4))]
    steps = [step.written(KINDS) for step in (*trees, *octets, *others)]
    return [*plain, *(bytes([number % count]) + step for number, step in enumerate(steps))]
