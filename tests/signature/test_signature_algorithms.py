"""Algorithms of signatures: what is listed, what has a dated permission, and nothing else in any place."""

from datetime import date, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.messages import DS, NOW
from tests.pki import ec_key
from tests.signature.signatures import ALICE, BOB, BOTH, ROOT, Guarding, SignedGuard, honest, rsa_client
from tests.signing import BODY, C14N, DIGESTS, METHODS, TIMESTAMP, Part, Signing, signed

TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)


def digested(name: str) -> bytes:
    """Signed by Alice, with this digest method of the Body."""
    return signed(Signing.by(ALICE, parts=(Part("#body", digest=name), TIMESTAMP)))


def canonicalized(name: str) -> bytes:
    """Signed by Alice, with this transform of the Body."""
    return signed(Signing.by(ALICE, parts=(Part("#body", c14n=name), TIMESTAMP)))


# --- Listed -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "method",
    ["rsa-sha256", "rsa-sha384", "rsa-sha512", "rsa-pss-sha256", "rsa-pss-sha384", "rsa-pss-sha512"],
)
def test_an_rsa_method_is_taken(guard: SignedGuard, method: str) -> None:
    assert guard.accepted(signed(Signing.by(rsa_client(), method=method))).signed_parts == BOTH


@pytest.mark.parametrize("method", ["ecdsa-sha256", "ecdsa-sha384", "ecdsa-sha512"])
def test_an_ecdsa_method_is_taken(guard: SignedGuard, method: str) -> None:
    assert guard.accepted(signed(Signing.by(ALICE, method=method))).signed_parts == BOTH


@pytest.mark.parametrize(
    "curve",
    [
        pytest.param(ec.SECP256R1(), id="P-256"),
        pytest.param(ec.SECP384R1(), id="P-384"),
        pytest.param(ec.SECP521R1(), id="P-521"),
    ],
)
def test_every_curve_is_taken(guard: SignedGuard, curve: ec.EllipticCurve) -> None:
    guard.accepted(signed(Signing.by(ROOT.leaf("Alice", key=ec_key(curve)))))


@pytest.mark.parametrize("name", ["sha256", "sha384", "sha512"])
def test_a_digest_method_is_taken(guard: SignedGuard, name: str) -> None:
    guard.accepted(digested(name))


@pytest.mark.parametrize("name", ["exc-c14n-with-comments", "c14n", "c14n-with-comments", "c14n11"])
def test_other_canonicalizations_are_taken_where_they_are_listed(guarded: Guarding, name: str) -> None:
    guard = guarded(algorithms={"canonicalization": ["exc-c14n", name]})
    guard.accepted(canonicalized(name))
    guard.accepted(signed(Signing.by(ALICE, c14n=name)))


# --- Not listed -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(digested("sha1"), id="sha1"),
        pytest.param(canonicalized("c14n"), id="c14n of a part"),
        pytest.param(canonicalized("c14n11"), id="c14n11 of a part"),
        pytest.param(canonicalized("exc-c14n-with-comments"), id="with comments of a part"),
        pytest.param(signed(Signing.by(ALICE, c14n="c14n")), id="c14n of SignedInfo"),
        pytest.param(signed(Signing.by(ALICE, c14n="c14n-with-comments")), id="with comments of SignedInfo"),
        pytest.param(signed(Signing.by(ALICE, method="ecdsa-sha1")), id="ecdsa-sha1"),
        pytest.param(signed(Signing.by(rsa_client(), method="rsa-sha1")), id="rsa-sha1"),
        pytest.param(
            signed(Signing(key=b"k" * 32, method="hmac-sha256", key_info="<ds:KeyName>k</ds:KeyName>")), id="hmac"
        ),
    ],
)
def test_an_algorithm_that_is_not_listed_is_refused(guard: SignedGuard, message: bytes) -> None:
    assert guard.refusal(message) == "signature.algorithm"


def test_one_weak_digest_among_several_is_refused(guard: SignedGuard) -> None:
    sent = signed(Signing.by(ALICE, parts=(BODY, Part("#TS-1", digest="sha1"))))
    assert guard.refusal(sent) == "signature.algorithm"


UNKNOWN = [
    pytest.param("http://www.w3.org/2001/04/xmldsig-more#rsa-md5", id="rsa-md5"),
    pytest.param("http://www.w3.org/2001/04/xmldsig-more#md5", id="md5"),
    pytest.param("http://www.w3.org/2001/04/xmldsig-more#hmac-md5", id="hmac-md5"),
    pytest.param(f"{DS}dsa-sha1", id="dsa-sha1"),
    pytest.param("http://www.w3.org/2009/xmldsig11#dsa-sha256", id="dsa-sha256"),
    pytest.param("http://www.w3.org/2007/05/xmldsig-more#rsa-pss", id="PSS with parameters"),
    pytest.param("http://www.w3.org/2001/04/xmlenc#ripemd160", id="ripemd160"),
    pytest.param("http://www.w3.org/2001/04/xmldsig-more#sha224", id="sha224"),
    pytest.param("", id="none"),
    pytest.param("rsa-sha256", id="a short name"),
    pytest.param(METHODS["rsa-sha256"].upper(), id="another case"),
    pytest.param(f" {METHODS['ecdsa-sha256']}", id="white space before it"),
    pytest.param(f"{DIGESTS['sha256']}&#9;", id="white space behind it"),
]


@pytest.mark.parametrize("identifier", UNKNOWN)
@pytest.mark.parametrize(
    "honest_one",
    [
        pytest.param(f'SignatureMethod Algorithm="{METHODS["ecdsa-sha256"]}"', id="as signature"),
        pytest.param(f'CanonicalizationMethod Algorithm="{C14N["exc-c14n"]}"', id="as canonicalization"),
        pytest.param(f'Transform Algorithm="{C14N["exc-c14n"]}"', id="as transform"),
        pytest.param(f'DigestMethod Algorithm="{DIGESTS["sha256"]}"', id="as digest"),
    ],
)
def test_an_unknown_algorithm_is_refused_in_every_place(guard: SignedGuard, identifier: str, honest_one: str) -> None:
    """Before anything is computed, so it does not matter that the value does not fit any more."""
    name = honest_one.split(" ")[0]
    sent = honest()
    assert honest_one in sent
    assert guard.refusal(sent.replace(honest_one, f'{name} Algorithm="{identifier}"').encode()) == "signature.algorithm"


@pytest.mark.parametrize(
    ("place", "identifier"),
    [
        pytest.param("SignatureMethod", DIGESTS["sha256"], id="a digest for a signature"),
        pytest.param("DigestMethod", METHODS["rsa-sha256"], id="a signature for a digest"),
        pytest.param("DigestMethod", C14N["exc-c14n"], id="a canonicalization for a digest"),
        pytest.param("CanonicalizationMethod", DIGESTS["sha256"], id="a digest for a canonicalization"),
        pytest.param("CanonicalizationMethod", f"{DS}enveloped-signature", id="a transform for a canonicalization"),
    ],
)
def test_an_algorithm_is_taken_only_for_what_it_is_for(guard: SignedGuard, place: str, identifier: str) -> None:
    sent = honest()
    at = sent.index(f"<ds:{place} Algorithm=")
    end = sent.index(">", at)
    other = f'{sent[:at]}<ds:{place} Algorithm="{identifier}"{sent[end:]}'
    assert guard.refusal(other.encode()) == "signature.algorithm"


# --- Dated permissions ------------------------------------------------------------------------------------------------

CLIENTS = ({"name": "A", "certificate": ALICE}, {"name": "B", "certificate": BOB})


def permitting(guarded: Guarding, algorithm: str, until: date, *clients: str) -> SignedGuard:
    """A guard with a permission, that records what it accepts only where it must."""
    permission: dict[str, Any] = {"algorithm": algorithm, "until": until, "clients": list(clients)}
    return guarded(algorithms={"legacy": [permission]}, client=CLIENTS)


@pytest.mark.parametrize("until", [pytest.param(TODAY, id="the last day"), pytest.param(date.max, id="before it")])
def test_a_permission_is_good_until_its_day_and_every_use_is_recorded(guarded: Guarding, until: date) -> None:
    guard = permitting(guarded, "sha1", until, "A")
    answer = guard.post(digested("sha1"))
    assert answer.record is not None
    assert (answer.status, answer.record.outcome, answer.record.client) == ("200 OK", "accepted", "A")
    assert answer.check == "signature.algorithm"
    assert [r["seen"] for r in answer.record.explanation if r["check"] == "signature.algorithm"] == [
        "sha1, by a dated permission"
    ]
    assert guard.echo.handed[0][0]["wsguard.message"].legacy == ("sha1",)


def test_what_needs_no_permission_is_not_recorded(guarded: Guarding) -> None:
    guard = permitting(guarded, "sha1", TODAY, "A")
    assert guard.accepted(honest().encode()).legacy == ()
    assert guard.records == []


def test_after_its_day_a_permission_is_none(guarded: Guarding) -> None:
    assert permitting(guarded, "sha1", YESTERDAY, "A").refusal(digested("sha1")) == "signature.algorithm"


def test_a_permission_is_not_for_other_clients(guarded: Guarding) -> None:
    guard = permitting(guarded, "sha1", TODAY, "B")
    assert guard.refusal(digested("sha1")) == "signature.algorithm"
    bob = signed(Signing.by(BOB, parts=(Part("#body", digest="sha1"), TIMESTAMP)))
    assert guard.post(bob).status == "200 OK"


def test_a_permission_for_nobody_in_particular_is_for_all(guarded: Guarding) -> None:
    assert permitting(guarded, "sha1", TODAY).post(digested("sha1")).status == "200 OK"


def test_a_permission_is_for_one_algorithm(guarded: Guarding) -> None:
    guard = permitting(guarded, "sha1", TODAY)
    assert guard.refusal(signed(Signing.by(rsa_client(), method="rsa-sha1"))) == "signature.algorithm"


@pytest.mark.parametrize(
    ("algorithm", "signing"),
    [
        pytest.param("rsa-sha1", Signing.by(rsa_client(), method="rsa-sha1"), id="rsa-sha1"),
        pytest.param("ecdsa-sha1", Signing.by(ALICE, method="ecdsa-sha1"), id="ecdsa-sha1"),
        pytest.param("c14n", Signing.by(ALICE, c14n="c14n"), id="c14n"),
    ],
)
def test_every_kind_of_algorithm_may_be_permitted(guarded: Guarding, algorithm: str, signing: Signing) -> None:
    guard = guarded(algorithms={"legacy": [{"algorithm": algorithm, "until": TODAY}]})
    answer = guard.post(signed(signing))
    assert answer.record is not None
    assert (answer.status, answer.record.outcome) == ("200 OK", "accepted")
