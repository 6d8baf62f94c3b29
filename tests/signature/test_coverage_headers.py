"""Header blocks and tokens that must be signed, and those that were not."""

import pytest
from cryptography.hazmat.primitives import hashes
from lxml import etree

from tests.messages import WSSE
from tests.pki import Issued
from tests.signature.key_infos import identifier, in_base64, referring
from tests.signature.signatures import ALICE, BOB, ROOT, Guarding, SignedGuard, bent, both_sign, honest
from tests.signing import (
    BODY,
    EXC_C14N,
    STR_TRANSFORM,
    TIMESTAMP,
    Part,
    Signing,
    algorithm,
    binary_token,
    canonical,
    signed,
)
from wsguard.names import THUMBPRINT_SHA1, X509_V3

H = '<h:H xmlns:h="urn:h" wsu:Id="H">1</h:H>'
SECOND_H = '<h:H xmlns:h="urn:h" wsu:Id="H2">2</h:H>'
REQUIRED = {"required_parts": ["Body", "Timestamp", "{urn:h}H"]}
ALL = (BODY, TIMESTAMP, Part("#H"))


@pytest.fixture
def demanding(guarded: Guarding) -> SignedGuard:
    """A guard that demands a signed ``{urn:h}H``."""
    return guarded(signature=REQUIRED)


# --- Demanded ---------------------------------------------------------------------------------------------------------


def test_a_signed_header_block_is_covered_and_handed_on(demanding: SignedGuard) -> None:
    message = demanding.accepted(signed(Signing.by(ALICE, parts=ALL), header=H))
    assert message.signed_parts == {"Body", "Timestamp", "{urn:h}H"}
    assert H.encode() in demanding.handed


@pytest.mark.parametrize(
    ("header", "parts"),
    [
        pytest.param("", (BODY, TIMESTAMP), id="none"),
        pytest.param(H, (BODY, TIMESTAMP), id="unsigned"),
        pytest.param(H + SECOND_H, ALL, id="the second of two unsigned"),
        pytest.param(SECOND_H + H, ALL, id="the first of two unsigned"),
        pytest.param(f'<w:W xmlns:w="urn:w">{H}</w:W>', ALL, id="signed, in another block"),
        pytest.param(f'<w:W xmlns:w="urn:w">{H}</w:W>{SECOND_H}', ALL, id="signed elsewhere, another in its place"),
        pytest.param('<h:I xmlns:h="urn:h" wsu:Id="H">1</h:I>', ALL, id="another name"),
        pytest.param('<h:H xmlns:h="urn:h2" wsu:Id="H">1</h:H>', ALL, id="another namespace"),
        pytest.param('<H wsu:Id="H">1</H>', ALL, id="no namespace"),
    ],
)
def test_a_header_block_that_must_be_signed(demanding: SignedGuard, header: str, parts: tuple[Part, ...]) -> None:
    assert demanding.refusal(signed(Signing.by(ALICE, parts=parts), header=header)) == "signature.coverage"


def test_two_signed_header_blocks_of_one_name_are_covered(demanding: SignedGuard) -> None:
    demanding.accepted(signed(Signing.by(ALICE, parts=(*ALL, Part("#H2"))), header=H + SECOND_H))


def test_a_header_block_that_another_client_signed_is_not_covered(demanding: SignedGuard) -> None:
    """Two trusted signers do not make one."""
    sent = both_sign(Signing.by(ALICE), Signing.by(BOB, parts=(Part("#H"),)), header=H)
    assert demanding.refusal(sent) == "signature.coverage"


def test_a_block_in_the_body_is_no_header_block(demanding: SignedGuard) -> None:
    body = f'<e:Echo xmlns:e="urn:echo">{H}</e:Echo>'
    assert demanding.refusal(signed(Signing.by(ALICE, parts=ALL), body=body)) == "signature.coverage"


# --- Not demanded -----------------------------------------------------------------------------------------------------


def test_an_unsigned_header_block_is_not_handed_on(guard: SignedGuard) -> None:
    guard.accepted(honest(header=H + SECOND_H).encode())
    assert b"urn:h" not in guard.handed


def test_of_two_blocks_the_signed_one_is_handed_on(guard: SignedGuard) -> None:
    guard.accepted(signed(Signing.by(ALICE, parts=ALL), header=SECOND_H + H))
    assert H.encode() in guard.handed
    assert b">2<" not in guard.handed


def test_a_block_that_only_another_client_signed_is_not_handed_on(guard: SignedGuard) -> None:
    guard.accepted(both_sign(Signing.by(ALICE), Signing.by(BOB, parts=(Part("#H"),)), header=H))
    assert b"urn:h" not in guard.handed


def test_a_signed_element_in_a_block_that_is_not_signed_is_refused(guard: SignedGuard) -> None:
    """It may have been a block, or a Timestamp, that somebody put aside."""
    header = f'<w:W xmlns:w="urn:w">{H}</w:W>'
    assert guard.refusal(signed(Signing.by(ALICE, parts=ALL), header=header)) == "signature.coverage"


def test_unsigned_header_blocks_are_kept_where_the_policy_says_so(guarded: Guarding) -> None:
    guard = guarded(handoff={"unsigned_headers": "keep"})
    guard.accepted(honest(header=H).encode())
    assert H.encode() in guard.handed


def test_where_no_signature_is_demanded_nothing_is_dropped(guarded: Guarding) -> None:
    guard = guarded(signature={"use": "optional"}, unsafe_unauthenticated=True)
    guard.accepted(honest(header=H).encode())
    assert H.encode() in guard.handed


def test_a_security_header_for_somebody_else_is_never_handed_on(guarded: Guarding) -> None:
    guard = guarded(handoff={"unsigned_headers": "keep", "remove_security_header": False})
    foreign = '<wsse:Security S:actor="urn:else" wsu:Id="H"><w:W xmlns:w="urn:w"/></wsse:Security>'
    guard.accepted(signed(Signing.by(ALICE, parts=ALL), header=foreign))
    assert b"urn:w" not in guard.handed


def test_a_signed_security_header_for_somebody_else_is_no_part(guard: SignedGuard) -> None:
    foreign = '<wsse:Security S:actor="urn:else" wsu:Id="H"/>'
    assert guard.accepted(signed(Signing.by(ALICE, parts=ALL), header=foreign)).signed_parts == {"Body", "Timestamp"}


def test_an_action_that_is_not_signed_must_still_fit(guarded: Guarding) -> None:
    guard = guarded(services={"Echo": {"operations": ["{urn:echo}Echo", "{urn:echo}Delete"]}})
    action = '<a:Action xmlns:a="http://www.w3.org/2005/08/addressing">urn:echo/Delete</a:Action>'
    assert guard.refusal(honest(header=action).encode()) == "envelope.soap_action"


# --- BinarySecurityToken ----------------------------------------------------------------------------------------------

TOKEN_REQUIRED = {"required_parts": ["Body", "Timestamp", "BinarySecurityToken"]}
DEREFERENCED = (
    f'<ds:Transforms><ds:Transform Algorithm="{STR_TRANSFORM}"><wsse:TransformationParameters>'
    f"{algorithm('CanonicalizationMethod', EXC_C14N)}"
    "</wsse:TransformationParameters></ds:Transform></ds:Transforms>"
)
REFERENCE = '<wsse:SecurityTokenReference wsu:Id="STR-1"><wsse:Reference URI="#X509-1"/></wsse:SecurityTokenReference>'


def dereferenced(**changes: object) -> bytes:
    """Alice signs her certificate through the reference to it."""
    tokens = Signing.by(ALICE, parts=(Part("#X509-1"),))
    octets = canonical_token(signed(tokens))
    parts = (BODY, TIMESTAMP, Part("#STR-1", transforms=DEREFERENCED, octets=octets))
    return signed(Signing.by(ALICE, parts=parts, key_info=REFERENCE, **changes))


def canonical_token(message: bytes) -> bytes:
    """Its token's, with the default namespace that WSS 1.1 §8.3 has written."""
    (token,) = etree.fromstring(message).iter("{*}BinarySecurityToken")
    return canonical(token).replace(b"<wsse:BinarySecurityToken ", b'<wsse:BinarySecurityToken xmlns="" ', 1)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(signed(Signing.by(ALICE, parts=(BODY, TIMESTAMP, Part("#X509-1")))), id="directly"),
        pytest.param(dereferenced(), id="through its reference"),
    ],
)
def test_a_signed_certificate_is_covered(guarded: Guarding, message: bytes) -> None:
    guard = guarded(signature=TOKEN_REQUIRED)
    assert guard.accepted(message).signed_parts == {"Body", "Timestamp", "BinarySecurityToken"}


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(honest().encode(), id="not signed"),
        pytest.param(
            signed(Signing.by(ALICE, parts=(BODY, TIMESTAMP, Part("#STR-1")), key_info=REFERENCE)),
            id="the reference, and not what it leads to",
        ),
        pytest.param(
            signed(
                Signing.by(
                    ALICE, parts=(BODY, TIMESTAMP, Part("#KI")), replaced={"<ds:KeyInfo>": '<ds:KeyInfo Id="KI">'}
                )
            ),
            id="the KeyInfo",
        ),
    ],
)
def test_an_unsigned_certificate_is_not_covered(guarded: Guarding, message: bytes) -> None:
    assert guarded(signature=TOKEN_REQUIRED).refusal(message) == "signature.coverage"


def test_of_two_certificates_both_must_be_signed(guarded: Guarding) -> None:
    sent = both_sign(Signing.by(ALICE, parts=(BODY, TIMESTAMP, Part("#X509-A"))), Signing.by(BOB))
    assert guarded(signature=TOKEN_REQUIRED).refusal(sent) == "signature.coverage"


def test_a_signed_reference_that_leads_to_another_certificate_now_is_refused(guard: SignedGuard) -> None:
    other = bent(dereferenced().decode(), ('Reference URI="#X509-1"', 'Reference URI="#TS-1"'))
    assert guard.refusal(other) == "certificate.unavailable"


def test_a_signed_certificate_that_was_replaced_is_refused(guard: SignedGuard) -> None:
    """By another for the same key, so that the value still fits."""
    again = binary_token(ROOT.leaf("Alice", key=ALICE.key).certificate)
    replaced = bent(dereferenced().decode(), (binary_token(ALICE.certificate), again))
    assert guard.refusal(replaced) == "signature.digest"


# --- A certificate that is not in the message -------------------------------------------------------------------------


def test_the_signers_own_certificate_may_be_signed_through_its_thumbprint(guarded: Guarding) -> None:
    """WSS 1.1 §8.3: what is digested is a token made of it. No token of the message is covered by that."""
    guard = guarded(trust={"known_certificates": [ALICE, BOB]})
    assert guard.accepted(with_thumbprint(ALICE)).signed_parts == {"Body", "Timestamp"}
    assert guard.refusal(with_thumbprint(BOB)) == "signature.reference"


def with_thumbprint(meant: Issued) -> bytes:
    """Alice signs the token that stands for a certificate."""
    value = f'ValueType="{X509_V3}">{in_base64(meant.der)}</wsse:BinarySecurityToken>'
    octets = f'<wsse:BinarySecurityToken xmlns="" xmlns:wsse="{WSSE}" {value}'.encode()
    thumbprint = identifier(meant.certificate.fingerprint(hashes.SHA1()), THUMBPRINT_SHA1)
    reference = referring(thumbprint, 'wsu:Id="STR-1"')
    header = f'<h:H xmlns:h="urn:h">{reference}</h:H>'
    parts = (BODY, TIMESTAMP, Part("#STR-1", transforms=DEREFERENCED, octets=octets))
    return signed(Signing.by(ALICE, parts=parts), header=header)
