"""What attacks of the classes A to D are made of is accepted as long as nothing is wrong with it."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.attacks.cases import SiteName
from tests.attacks.key_names import by_identifier, by_thumbprint, naming, thumbprint
from tests.attacks.people import ISSUING, by, key_identifier, rsa_authority, small_exponent, with_chain
from tests.attacks.places import Making
from tests.attacks.sites import SHARED
from tests.attacks.tokens import user
from tests.attacks.values import FORGERIES, SHA256_INFO, forged
from tests.pki import ec_key
from tests.signature.key_infos import embedded, issuer_serial, x509_data
from tests.signature.key_infos import key_identifier as in_key_identifier
from tests.signature.shapes import TYPED
from tests.signature.signatures import ALICE, BOB, ROOT, both_sign, honest, rsa_client
from tests.signing import BODY, TIMESTAMP, Part, Signing, signed
from wsguard.names import XSD

WITH_USER = (BODY, TIMESTAMP, Part("#UT-1"))
CAROL = Signing(key=SHARED.encode(), method="hmac-sha256", key_info="<ds:KeyName>carol</ds:KeyName>")

COUNTERPARTS: dict[str, tuple[SiteName, Callable[[], bytes]]] = {
    "Body and Timestamp signed": ("signed", lambda: honest().encode()),
    "a signed header block": (
        "signed",
        lambda: signed(
            Signing.by(ALICE, parts=(BODY, TIMESTAMP, Part("#H"))), header='<h:H xmlns:h="urn:h" wsu:Id="H">1</h:H>'
        ),
    ),
    "a prefix in the content": (
        "signed",
        lambda: signed(Signing.by(ALICE), body=TYPED, envelope_attributes=f'xmlns:xs="{XSD}"'),
    ),
    "an Id beyond ASCII": (
        "signed",
        lambda: signed(Signing.by(ALICE, parts=(Part("#bödy"), TIMESTAMP)), body_attributes='wsu:Id="bödy"'),
    ),
    "an Id of SignedInfo": (
        "signed",
        lambda: signed(Signing.by(ALICE, replaced={"<ds:SignedInfo>": '<ds:SignedInfo Id="SI">'})),
    ),
    "two signatures": (
        "signed",
        lambda: both_sign(Signing.by(ALICE), Signing.by(BOB, parts=(Part("#SIG-A"),))),
    ),
    "RSA": ("signed", lambda: by(rsa_client())),
    "RSA with PSS": ("signed", lambda: signed(Signing.by(rsa_client(), method="rsa-pss-sha256"))),
    "RSA with the exponent 3": ("signed", lambda: by(small_exponent())),
    "P-521": ("signed", lambda: by(ROOT.leaf("Alice", key=ec_key(ec.SECP521R1())))),
    "a chain": ("signed", lambda: with_chain(ISSUING.leaf("Alice"), ISSUING)),
    "a chain of an RSA authority": ("signed", lambda: with_chain(rsa_authority().leaf("Alice"), rsa_authority())),
    "X509Data": ("signed", lambda: signed(Signing.by(ALICE, key_info=x509_data(ALICE)))),
    "a KeyIdentifier": ("signed", lambda: signed(Signing.by(ALICE, key_info=in_key_identifier(ALICE)))),
    "an embedded token": ("signed", lambda: signed(Signing.by(ALICE, key_info=embedded(ALICE)))),
    "a certificate that was not revoked": ("revoking", lambda: by(ALICE)),
    "a signed UsernameToken": ("both", lambda: signed(Signing.by(ALICE, parts=WITH_USER), token=user())),
    "a client and her user": ("clients", lambda: signed(Signing.by(ALICE, parts=WITH_USER), token=user())),
    "a client": ("clients", lambda: by(BOB)),
    "an HMAC under the shared key": ("every", lambda: signed(CAROL)),
    "SHA-1 where it is permitted": (
        "every",
        lambda: signed(Signing.by(ALICE, method="ecdsa-sha1", parts=(Part("#body", digest="sha1"), TIMESTAMP))),
    ),
    "issuer and serial number": ("every", lambda: naming(issuer_serial(ALICE), ALICE)),
    "a key identifier": ("every", lambda: naming(by_identifier(key_identifier(ALICE)), ALICE)),
    "a thumbprint": ("every", lambda: naming(by_thumbprint(thumbprint(ALICE)), ALICE)),
    "a subject": (
        "every",
        lambda: naming("<ds:X509Data><ds:X509SubjectName>CN=Alice</ds:X509SubjectName></ds:X509Data>", ALICE),
    ),
}


@pytest.mark.parametrize("name", COUNTERPARTS)
def test_without_the_attack_it_is_accepted(name: str, make: Making) -> None:
    site, build = COUNTERPARTS[name]
    place = make(site)
    answer = place.post(build())
    assert answer.status == "200 OK", answer.record
    assert len(place.echo.handed) == 1


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_value_has_a_block_that_starts_and_ends_like_a_right_one(name: str) -> None:
    """So it fits for whoever looks at these parts of it only; no private key was there to make it."""
    digest = bytes(range(31)) + b"\x1f"
    prefix, suffix = FORGERIES[name][1](digest)
    cube = (int.from_bytes(forged(prefix, suffix), "big") ** 3).to_bytes(256, "big")
    assert (cube[: len(prefix)], cube[256 - len(suffix) :]) == (prefix, suffix)
    assert digest in prefix + suffix
    assert (SHA256_INFO + digest in cube) is ("parameters" not in name)
