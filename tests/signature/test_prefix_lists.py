"""InclusiveNamespaces: what a PrefixList may look like, and what it does to what is signed."""

import pytest

from tests.signature.signatures import ALICE, BOTH, Guarding, SignedGuard, bent
from tests.signing import TIMESTAMP, Part, Signing, signed

XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:default"'


def listing(prefixes: str, **changes: object) -> bytes:
    """Signed by Alice with this PrefixList for the Body."""
    return signed(
        Signing.by(ALICE, parts=(Part("#body", prefixes=prefixes), TIMESTAMP), **changes), envelope_attributes=XS
    )


@pytest.mark.parametrize(
    ("prefixes", "written"),
    [
        pytest.param("", "", id="empty"),
        pytest.param("", " ", id="a space"),
        pytest.param("xs", "xs", id="one prefix"),
        pytest.param("xs S wsu", "xs S wsu", id="several"),
        pytest.param("#default", "#default", id="the default namespace"),
        pytest.param("#default xs", "#default xs", id="the default namespace and a prefix"),
        pytest.param("xs S", "xs xs S xs", id="one several times"),
        pytest.param("xs S", "  xs   S  ", id="spaces around them"),
        pytest.param("xs S", "\txs\n  S\r\n", id="tabs and line feeds"),
        pytest.param("xs S wsu", "&#9;xs&#10;S&#13;wsu&#10;", id="tabs and line feeds as references"),
        pytest.param("xs", "nobody xs", id="one that is not declared"),
        pytest.param("", "nobody", id="only one that is not declared"),
        pytest.param("", "xml", id="the prefix xml"),
        pytest.param("", "xs:int", id="what is no prefix"),
    ],
)
def test_prefix_lists_of_honest_clients_are_taken(guard: SignedGuard, prefixes: str, written: str) -> None:
    replaced = {f'PrefixList="{prefixes}"': f'PrefixList="{written}"'}
    assert guard.accepted(listing(prefixes, replaced=replaced)).signed_parts == BOTH


@pytest.mark.parametrize("prefixes", [pytest.param("xs S", id="prefixes"), pytest.param("#default", id="default")])
def test_a_prefix_list_of_signed_info_is_taken_too(guard: SignedGuard, prefixes: str) -> None:
    sent = signed(Signing.by(ALICE, prefixes=prefixes), envelope_attributes=XS)
    assert guard.accepted(sent).signed_parts == BOTH


def test_a_listed_prefix_is_signed_although_no_name_uses_it(guard: SignedGuard) -> None:
    rebound = bent(listing("xs").decode(), ("http://www.w3.org/2001/XMLSchema", "urn:evil"))
    assert guard.refusal(rebound) == "signature.digest"


def test_a_listed_default_namespace_is_signed_although_no_name_uses_it(guard: SignedGuard) -> None:
    assert guard.refusal(bent(listing("#default").decode(), ("urn:default", "urn:evil"))) == "signature.digest"


def test_a_listed_prefix_of_signed_info_is_signed_too(guard: SignedGuard) -> None:
    sent = signed(Signing.by(ALICE, prefixes="xs"), envelope_attributes=XS).decode()
    assert guard.refusal(bent(sent, ("http://www.w3.org/2001/XMLSchema", "urn:evil"))) == "signature.value"


def test_a_prefix_list_that_was_changed_changes_what_was_signed(guard: SignedGuard) -> None:
    assert guard.refusal(bent(listing("xs S").decode(), ("xs S", "xs"))) == "signature.value"


def test_thirty_two_prefixes_are_taken_and_one_more_is_not(guard: SignedGuard) -> None:
    guard.accepted(listing(" ".join(f"p{n}" for n in range(32))))
    assert guard.refusal(listing(" ".join(f"p{n}" for n in range(33)))) == "limits.prefix_list"


def test_the_limit_is_for_signed_info_too(guard: SignedGuard) -> None:
    many = Signing.by(ALICE, prefixes=" ".join(f"p{n}" for n in range(33)))
    assert guard.refusal(signed(many)) == "limits.prefix_list"


def test_the_limit_is_the_policys(guarded: Guarding) -> None:
    assert guarded(limits={"prefix_list": 1}).refusal(listing("xs S")) == "limits.prefix_list"
    guarded(limits={"prefix_list": 1}).accepted(listing("xs xs"))
