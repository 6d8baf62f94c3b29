"""Signatures in a thread that keeps no more names: messages come from other threads, digests stay the same."""

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from lxml import etree

from tests.signature.signatures import ALICE, guarding
from tests.signing import BODY, TIMESTAMP, Signing, signed
from wsguard.message.interning import MOST_KEPT, knowing, parse_apart
from wsguard.message.parse import parsers
from wsguard.signature.canonical import canonical_octets
from wsguard.signature.reading import Canonicalization


@pytest.mark.parametrize("full", [True, False], ids=["full", "room for names"])
@pytest.mark.parametrize("c14n", ["exc-c14n", "c14n"])
@pytest.mark.parametrize("listing", [False, True], ids=["no list", "a list"])
def test_a_signature_is_verified_in_it(tmp_path: Path, c14n: str, listing: bool, full: bool) -> None:
    # One that is in no dictionary of names but that of the thread that parses this message.
    alone = f"of-{uuid4().hex}"
    listed = f"S wsu wsse #default ds {alone}" if listing and c14n == "exc-c14n" else None
    parts = tuple(replace(part, c14n=c14n, prefixes=listed) for part in (BODY, TIMESTAMP))
    signing = Signing.by(ALICE, parts=parts, c14n=c14n, prefixes=listed)
    declared = f'xmlns="urn:default" xmlns:{alone}="urn:unused"'
    octets = knowing([alone], lambda: signed(signing, envelope_attributes=declared))
    guard = guarding(tmp_path)(algorithms={"canonicalization": ["exc-c14n", "c14n"]})
    parsers.kept = MOST_KEPT + 1 if full else 0
    guard.accepted(octets)
    assert guard.refusal(octets.replace(b"hello", b"other")) == "signature.digest"


@pytest.mark.parametrize("listing", [False, True], ids=["no list", "a list"])
@pytest.mark.parametrize("name", ["exc-c14n", "c14n"])
def test_names_of_what_is_digested_in_it_are_not_kept(name: str, listing: bool) -> None:
    """lxml copies the element to write its canonical form, and what it copies gets names of the thread."""
    new = f"new-{uuid4().hex}"
    parsers.kept = MOST_KEPT + 1
    element = parsers.parse(f"<a><{new}e {new}a=''/></a>".encode())[0]
    canonical_octets(element, Canonicalization(name, ("p",) if listing else ()))
    assert not is_known(f"{new}e")
    assert not is_known(f"{new}a")
    etree.fromstring(f"<{new}e {new}a=''/>")
    assert is_known(f"{new}e")
    assert is_known(f"{new}a")


def is_known(prefix: str) -> bool:
    """Whether it is in the dictionary of this thread: canonicalization of a part leaves out what is not."""
    part = parse_apart(f"<a><p:b xmlns:p='urn:p' xmlns:{prefix}='urn:q'/></a>".encode())[0]
    octets = etree.tostring(part, method="c14n", exclusive=True, inclusive_ns_prefixes=[prefix])
    return b"urn:q" in octets
