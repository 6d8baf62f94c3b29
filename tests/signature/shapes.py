"""Signed messages of several shapes, each made once: what random changes are made to."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Final

from tests.messages import PAYLOAD, SOAP12, WSSE, Token
from tests.signature.signatures import ALICE, rsa_client
from tests.signing import (
    BODY,
    EXC_C14N,
    STR_TRANSFORM,
    TIMESTAMP,
    X509_PROFILE,
    Part,
    Signing,
    algorithm,
    signed,
)
from wsguard.names import SOAP11_ENCODING, XSD, XSI

_PARAMETERS = f"<wsse:TransformationParameters>{algorithm('CanonicalizationMethod', EXC_C14N)}"
STR_OCTETS: Final = (
    f"<ds:Transforms>{algorithm('Transform', STR_TRANSFORM, f'{_PARAMETERS}</wsse:TransformationParameters>')}"
    "</ds:Transforms>"
)
TYPED: Final = (
    f'<e:Echo xmlns:e="urn:echo" xmlns:xsi="{XSI}"><e:text xsi:type="xs:string">hello</e:text>'
    '<e:text xsi:type="e:Text">one</e:text></e:Echo>'
)
BLOCK: Final = '<h:Block wsu:Id="block" xmlns:h="urn:h">b</h:Block><h:Other xmlns:h="urn:h"/>'
IN_X509_DATA: Final = (
    f"<ds:X509Data><ds:X509Certificate>{base64.b64encode(ALICE.der).decode()}</ds:X509Certificate></ds:X509Data>"
)


def _dereferencing() -> bytes:
    thumbprint = base64.b64encode(hashlib.sha1(ALICE.der).digest()).decode()
    key_info = (
        '<wsse:SecurityTokenReference wsu:Id="STR-1"><wsse:KeyIdentifier ValueType="http://docs.oasis-open.org/wss/'
        f'oasis-wss-soap-message-security-1.1#ThumbprintSHA1">{thumbprint}</wsse:KeyIdentifier>'
        "</wsse:SecurityTokenReference>"
    )
    token = (
        f'<wsse:BinarySecurityToken xmlns="" xmlns:wsse="{WSSE}" ValueType="{X509_PROFILE}#X509v3">'
        f"{base64.b64encode(ALICE.der).decode()}</wsse:BinarySecurityToken>"
    ).encode()
    parts = (BODY, TIMESTAMP, Part("#STR-1", transforms=STR_OCTETS, octets=token))
    return signed(replace(Signing.by(ALICE, parts=parts, key_info=key_info), certificate=None))


SHAPES: Final[dict[str, Callable[[], bytes]]] = {
    "as most clients send": lambda: signed(Signing.by(ALICE)),
    "RSA, with types and a PrefixList": lambda: signed(
        Signing.by(rsa_client(), parts=(Part("#body", prefixes="xs"), Part("#TS-1", prefixes="wsse S")), prefixes="S"),
        body=TYPED,
        envelope_attributes=f'xmlns:xs="{XSD}"',
    ),
    "with blocks and a user": lambda: signed(
        Signing.by(ALICE, parts=(BODY, TIMESTAMP, Part("#block"), Part("#UT-1"))), token=Token(), header=BLOCK
    ),
    "inclusive": lambda: signed(
        Signing.by(ALICE, parts=(Part("#body", c14n="c14n"), Part("#TS-1", transforms="", c14n="c14n")), c14n="c14n")
    ),
    "STR-Transform": _dereferencing,
    "SOAP 1.2, X509Data and a comment": lambda: signed(
        Signing.by(ALICE, key_info=IN_X509_DATA), soap=SOAP12, body=PAYLOAD.replace("hello", "hel<!-- - -->lo")
    ),
    "types that nothing signs": lambda: signed(
        Signing.by(ALICE), body=TYPED, envelope_attributes=f'xmlns:xs="{XSD}" xmlns:unused="{SOAP11_ENCODING}"'
    ),
    "UTF-16": lambda: signed(Signing.by(ALICE)).decode().encode("utf-16"),
}


@cache
def shape(name: str) -> bytes:
    """The message of this shape: the same whenever it is asked for."""
    return SHAPES[name]()
