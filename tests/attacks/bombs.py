"""G: messages that cost whoever parses them much more than whoever sends them. The names are those of WS-Attacker."""

from collections.abc import Callable
from itertools import islice, product
from typing import Final

from tests.attacks.cases import Built, Chapter
from tests.attacks.tokens import user, with_token
from tests.messages import envelope, security, timestamp

BOMBS: Final = Chapter("G", "token")

COERCIVE: Final = "WS-Attacker: Coercive Parsing"
OVERSIZE: Final = "WS-Attacker: XML Flooding, oversize payload"
LARGE: Final = 100_000
"""Octets, about, where nothing else is said."""


def filled(inside: str) -> bytes:
    """An honest message with this in its operation."""
    return with_token(user(), body=f'<e:Echo xmlns:e="urn:echo">{inside}</e:Echo>')


def marked(attributes: str) -> bytes:
    """An honest message with these attributes on its operation."""
    return with_token(user(), body=f'<e:Echo xmlns:e="urn:echo" {attributes}/>')


# --- Depth ------------------------------------------------------------------------------------------------------------


@BOMBS.each_refused(
    "limits.depth", {"63 elements": 63, "253 elements": 253, "10,000 elements": 10_000}, source=COERCIVE
)
def the_body_nests(depth: int) -> Built:
    return filled("<x>" * depth + "</x>" * depth)


@BOMBS.refused("limits.depth", source=COERCIVE)
def a_header_nests_10000_elements() -> Built:
    return envelope(security(timestamp(), user().xml()) + "<x>" * 10_000 + "</x>" * 10_000)


@BOMBS.refused("limits.depth", source=COERCIVE)
def the_security_header_nests_10000_elements() -> Built:
    return with_token(user(), "<x>" * 10_000 + "</x>" * 10_000)


@BOMBS.each_refused(
    "limits.elements", {"elements": "<x>", "elements in namespaces": '<x xmlns="u">'}, source=COERCIVE, isolated=True
)
def the_body_nests_and_never_ends(tag: str) -> Built:
    return with_token(user()).partition(b"</S:Body>")[0] + tag.encode() * 100_000


@BOMBS.refused("limits.depth", source=COERCIVE)
def elements_nest_and_each_declares_a_namespace() -> Built:
    return filled("".join(f'<x xmlns:p{i}="u:{i}">' for i in range(4_000)) + "</x>" * 4_000)


# --- Number -----------------------------------------------------------------------------------------------------------


@BOMBS.each_refused(
    "limits.elements",
    {"empty ones": "<x/>", "typed ones": '<x t:t="1" xmlns:t="u"/>', "pairs": "<x></x>"},
    source="WS-Attacker: XML Element Count",
)
def there_are_60000_elements(element: str) -> Built:
    return filled(element * 60_000)


@BOMBS.refused("limits.elements", source="WS-Attacker: XML Element Count")
def there_are_60000_header_blocks() -> Built:
    return envelope(security(timestamp(), user().xml()) + "<x/>" * 60_000)


@BOMBS.refused("limits.elements", source="WS-Attacker: XML Element Count")
def there_are_60000_tokens() -> Built:
    return with_token(user(), "<x/>" * 60_000)


@BOMBS.each_refused(
    "limits.attributes_per_element",
    {"101": 101, "10,000": 10_000},
    source="WS-Attacker: XML Attribute Count",
)
def the_number_of_attributes_is(number: int) -> Built:
    return marked(" ".join(f'a{i}=""' for i in range(number)))


def colliding(pairs: tuple[str, str], length: int) -> Callable[[int], str]:
    """Names that have one hash, as attributes."""

    def make(number: int) -> str:
        return " ".join(f'{"".join(name)}=""' for name in islice(product(pairs, repeat=length), number))

    return make


COLLISIONS: Final[dict[str, Callable[[int], str]]] = {
    "DJBX31A, of Java": colliding(("tt", "uU"), 13),
    "DJBX33A, of libxml2 and PHP": colliding(("Ez", "FY"), 13),
}


@BOMBS.each_refused(
    "limits.attributes_per_element", COLLISIONS, source="WS-Attacker: Hash Collision; CVE-2012-0841, CVE-2011-4858"
)
def the_names_of_attributes_collide_in_the_hash_of(make: Callable[[int], str]) -> Built:
    return marked(make(3_000))


@BOMBS.refused("limits.namespaces", source="WS-Attacker: Hash Collision; CVE-2012-0841")
def the_names_of_prefixes_collide() -> Built:
    names = islice(product(("Ez", "FY"), repeat=13), 3_000)
    return marked(" ".join(f'xmlns:{"".join(name)}="u"' for name in names))


@BOMBS.each_refused("limits.namespaces", {"65": 65, "4,000": 4_000}, source="CVE-2023-44483 and others, c14n")
def the_number_of_namespaces_is(number: int) -> Built:
    return marked(" ".join(f'xmlns:n{i}="u:{i}"' for i in range(number)))


@BOMBS.refused("envelope.duplicate_id")
def an_id_stands_on_20000_elements() -> Built:
    return filled('<x Id="i"/>' * 20_000)


# --- Length -----------------------------------------------------------------------------------------------------------

PIECES: Final[dict[str, Callable[[], bytes]]] = {
    "the Body": lambda: filled("x" * 2_200_000),
    "a header": lambda: envelope(security(timestamp(), user().xml()) + f"<x>{'x' * 2_200_000}</x>"),
    "the Security header": lambda: with_token(user(), "<x/>" + " " * 2_200_000),
    "white space behind the Envelope": lambda: with_token(user()) + b" " * 2_200_000,
    "white space in front": lambda: b" " * 2_200_000 + with_token(user()),
    "a comment": lambda: filled(f"<!--{'x' * 2_200_000}-->"),
    "an attribute": lambda: marked(f'a="{"x" * 2_200_000}"'),
    "a CDATA section": lambda: filled(f"<![CDATA[{'x' * 2_200_000}]]>"),
}


@BOMBS.each_refused("limits.body_bytes", PIECES, source=OVERSIZE)
def two_megabytes_are_filled_by(make: Callable[[], bytes]) -> Built:
    return make()


OVERLONG: Final[dict[str, Callable[[], bytes]]] = {
    "an element": lambda: filled(f"<{'x' * LARGE}/>"),
    "an attribute": lambda: marked(f'{"x" * LARGE}=""'),
    "a prefix": lambda: marked(f'xmlns:{"x" * 40_000}="u"'),
    "a namespace": lambda: marked(f'xmlns="{"u" * LARGE}"'),
    "a reference": lambda: filled(f"&{'x' * LARGE};"),
    "an operation": lambda: with_token(user(), body=f'<{"x" * LARGE} xmlns="urn:echo"/>'),
}


@BOMBS.each_refused("envelope.malformed", OVERLONG, source="WS-Attacker: XML Overlong Names")
def the_name_is_too_long_of(make: Callable[[], bytes]) -> Built:
    return make()


UNENDING: Final[dict[str, str]] = {
    "comments": "<!--",
    "CDATA sections": "<![CDATA[",
    "declarations": "<!",
    "ampersands": "&",
    "end tags": "</x>",
}


@BOMBS.each_refused("envelope.malformed", UNENDING, isolated=True)
def a_body_is_full_of(piece: str) -> Built:
    return filled(piece * (LARGE // len(piece)))


@BOMBS.refused("limits.elements", isolated=True)
def a_message_is_full_of_angle_brackets() -> Built:
    return b"<" * LARGE


@BOMBS.refused("envelope.structure", isolated=True)
def a_body_is_full_of_instructions() -> Built:
    return filled("<?x?>" * (LARGE // 5))


EVERY: Final = (*BOMBS,)
