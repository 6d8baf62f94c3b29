"""Whatever was signed, and whatever happens to it on its way: the application sees what was signed, or nothing."""

import base64
import hashlib
import re
from dataclasses import replace
from functools import cache
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.signature.mutations import PLANS, PREFIXES, Document, Forgetful, Plan, Seen, changed, documents, seen, types
from tests.signature.shapes import SHAPES, shape
from tests.signature.signatures import ALICE, Guarding, SignedGuard
from tests.signing import (
    C14N,
    TIMESTAMP,
    Part,
    Signing,
    canonical,
    signed,
)
from wsguard.names import SOAP11_ENCODING, XSD, XSI
from wsguard.verified import VerifiedMessage

PREFIX_LISTS: Final = st.lists(st.sampled_from((*PREFIXES[1:], "#default", "S", "e", "h", "nobody")), max_size=4)


@pytest.fixture(scope="module")
def patient(guarded: Guarding) -> SignedGuard:
    """Judges the same message again and again."""
    return guarded(
        replay_store=Forgetful(),
        algorithms={"canonicalization": list(C14N)},
        trust={"known_certificates": [ALICE]},
    )


def digest_values(octets: bytes) -> list[bytes]:
    """The DigestValues of a message, in order."""
    return [base64.b64decode(value) for value in re.findall(rb"DigestValue>([^<]+)<", octets)]


def digest_of(element: etree._Element, prefixes: str | None) -> bytes:
    """SHA-256 of its canonical form."""
    return hashlib.sha256(canonical(element, "exc-c14n", prefixes)).digest()


# --- What is verified is what is handed off ---------------------------------------------------------------------------


@settings(max_examples=250, deadline=None)
@given(documents(), st.none() | PREFIX_LISTS)
def test_the_digest_of_what_is_handed_off_is_the_one_that_was_signed(
    patient: SignedGuard, document: Document, listed: list[str] | None
) -> None:
    prefixes = None if listed is None else " ".join(listed)
    parts = (Part("#body", prefixes=prefixes), TIMESTAMP, Part("#block", prefixes=prefixes))
    octets = signed(Signing.by(ALICE, parts=parts, prefixes=prefixes), **document.envelope())
    patient.accepted(octets)
    handed = etree.fromstring(patient.handed)
    body, _, block = digest_values(octets)
    assert digest_of(handed[-1], prefixes) == body
    assert [digest_of(one, prefixes) for one in handed[0]] == [block]


# --- Whatever is changed ----------------------------------------------------------------------------------------------

VALUE: Final = re.compile(rb"(?<=DigestValue>|natureValue>)[A-Za-z0-9+/=]+")


def posted(guard: SignedGuard, octets: bytes) -> tuple[Seen, VerifiedMessage] | None:
    """What the application sees of a message, and is told; None where it is refused, as every refusal must be."""
    guard.echo.handed.clear()
    guard.records.clear()
    answer = guard.post(octets, CONTENT_TYPE="text/xml")
    if not guard.echo.handed:
        assert [record.outcome for record in guard.records] == ["rejected"]
        assert etree.QName(etree.fromstring(answer.body)[-1][0]).localname == "Fault"
        return None
    assert guard.records == []
    ((environ, given_on),) = guard.echo.handed
    return seen(given_on), replace(environ["wsguard.message"], incident="", octets=b"")


def accepted(guard: SignedGuard, name: str) -> tuple[Seen, VerifiedMessage]:
    """The same of a shape as it was signed."""
    found = posted(guard, shape(name))
    assert found is not None
    return found


@pytest.mark.parametrize("name", SHAPES)
def test_each_shape_is_accepted_as_it_is(patient: SignedGuard, name: str) -> None:
    assert accepted(patient, name)[0].outside


@settings(max_examples=1500, deadline=None)
@given(
    st.sampled_from(sorted(SHAPES)),
    st.integers(0, 8000),
    st.sampled_from(["replace", "insert", "delete"]),
    st.integers(0, 255) | st.sampled_from(b"<>\"'&:=/# \n\rAa0!-"),
)
def test_a_single_changed_byte_is_refused_or_changes_nothing(
    patient: SignedGuard, name: str, place: int, how: str, byte: int
) -> None:
    octets = shape(name)
    place %= len(octets)
    put = b"" if how == "delete" else bytes([byte])
    found = posted(patient, octets[:place] + put + octets[place + (how != "insert") :])
    assert found in (None, accepted(patient, name))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted({*SHAPES} - {"UTF-16"})), st.integers(0, 1000), st.sampled_from(b"AQgw+/09"))
def test_no_character_of_a_digest_or_value_can_be_another(
    patient: SignedGuard, name: str, place: int, character: int
) -> None:
    octets = shape(name)
    # The last group of base64 has bits that nobody reads.
    places = [at for found in VALUE.finditer(octets) for at in range(found.start(), found.end() - 4)]
    at = places[place % len(places)]
    other = octets[:at] + bytes([character]) + octets[at + 1 :]
    assert other == octets or posted(patient, other) is None


def signed_in(octets: bytes) -> set[bytes]:
    """What a signature refers to, wherever it stands."""
    root = etree.fromstring(octets, etree.XMLParser(remove_comments=True))
    ids = {reference.get("URI", "")[1:] for reference in root.iter("{*}Reference")}
    return {canonical(one) for one in root.iter("*") if ids.intersection(map(str, one.attrib.values()))}


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(sorted(SHAPES)), PLANS)
def test_moved_copied_wrapped_and_renamed_elements_are_refused_or_what_is_seen_was_signed(
    patient: SignedGuard, name: str, plan: Plan
) -> None:
    original, told = accepted(patient, name)
    found = posted(patient, changed(shape(name), plan))
    if found is not None:
        assert replace(found[0], blocks=original.blocks) == original
        assert signed_in(shape(name)).issuperset(found[0].blocks)
        assert (found[1].principal, found[1].timestamp) == (told.principal, told.timestamp)


@pytest.mark.parametrize("what", ["Block", "UsernameToken"])
def test_what_was_signed_cannot_be_hidden_in_a_block_that_was_not(patient: SignedGuard, what: str) -> None:
    original = shape("with blocks and a user").decode()
    (element,) = re.findall(rf"<\w+:{what} .*?</\w+:{what}>", original)
    block = f'<w:W xmlns:w="urn:w">{element}</w:W>'
    hidden = original.replace(element, "").replace("<S:Header>", f"<S:Header>{block}")
    assert posted(patient, hidden.encode()) is None


# --- Types in content -------------------------------------------------------------------------------------------------

EXPECTED: Final = frozenset({XSD, SOAP11_ENCODING, "urn:echo"})
TYPES: Final = (
    f'<e:Echo xmlns:e="urn:echo" xmlns:xsi="{XSI}" xmlns:own="{XSD}"><e:a xsi:type="xs:string"><e:b/></e:a>'
    '<e:c xsi:type="e:Text"/><e:d xsi:type="own:int"/><e:f xsi:type="plain"/><e:g><e:h xsi:type=" xs:int "/></e:g>'
    "</e:Echo>"
)
START_TAG: Final = re.compile(r"<\w+:\w+")


def rebound(text: str, tag: int, prefix: str, namespace: str) -> str:
    """``text`` with ``prefix`` bound to ``namespace`` by one of its start tags."""
    matches = list(START_TAG.finditer(text))
    at = matches[tag % len(matches)].end()
    end = text.index(">", at)
    declaration = f'xmlns:{prefix}="' if prefix else 'xmlns="'
    if declaration in text[at:end]:
        value = text.index(declaration, at) + len(declaration)
        return text[:value] + namespace + text[text.index('"', value) :]
    return f'{text[:at]} {declaration}{namespace}"{text[at:]}'


@cache
def typed(prefixes: str | None) -> str:
    parts = (Part("#body", prefixes=prefixes), TIMESTAMP)
    return signed(Signing.by(ALICE, parts=parts), body=TYPES, envelope_attributes=f'xmlns:xs="{XSD}"').decode()


BINDINGS: Final = st.tuples(
    st.integers(0, 60), st.sampled_from(("xs", "e", "own", "", "xsi")), st.sampled_from(("urn:evil", *EXPECTED))
)


@settings(max_examples=500, deadline=None)
@given(BINDINGS, st.sampled_from([None, "xs", "own #default", "xs e own #default"]))
def test_a_prefix_that_is_bound_anew_is_refused_or_means_what_is_expected(
    patient: SignedGuard, binding: tuple[int, str, str], prefixes: str | None
) -> None:
    before = types(etree.fromstring(typed(prefixes).encode()))
    if posted(patient, rebound(typed(prefixes), *binding).encode()) is not None:
        after = types(etree.fromstring(patient.handed))
        assert [name for _, name in after] == [name for _, name in before]
        moved = [space for (space, _), (old, _) in zip(after, before, strict=True) if space != old]
        assert EXPECTED.issuperset(moved), "exclusive canonicalization signs no prefixes of values"
        listed = [prefix.replace("#default", "") for prefix in (prefixes or "").split()]
        assert not moved or binding[1] not in listed, "a PrefixList signs them"
