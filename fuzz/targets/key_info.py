"""The inside of the ds:KeyInfo of a signed message, which no signature covers.

Invariant: refused, or the signer is Alice, by her own certificate: nobody else's key made the SignatureValue.
"""

import base64
import hashlib
from functools import cache
from typing import Final

from fuzz import keys
from fuzz.guarded import Fuzzed
from fuzz.target import Target, demand
from tests.encrypting import KEY_INFOS
from tests.messages import DS, WSSE, timestamp
from tests.pki import Issued
from tests.signing import Signing, binary_token, sign, unsigned

_PLACE: Final = b"<ds:KeyInfo>@</ds:KeyInfo>"


@cache
def _message() -> bytes:
    tokens = (binary_token(one.certificate, id=f"X509-{number}") for number, one in enumerate(_PEOPLE, 1))
    text = unsigned(*tokens, "@SIG-1@", timestamp())
    return sign(text, Signing.by(keys.ALICE, key_info="@"))


_PEOPLE: Final = (keys.ALICE, keys.MALLORY, keys.STRANGER)


@cache
def _guard() -> Fuzzed:
    known = [keys.file(f"known-{number}.pem", one.pem) for number, one in enumerate(_PEOPLE)]
    return Fuzzed(
        trust={"ca_files": [keys.file("root.pem", keys.ROOT.pem)], "known_certificates": known},
        signature={"use": "required"},
        username_token={"use": "optional"},
    )


def judge(octets: bytes) -> bool:
    """Hold one KeyInfo against the invariant."""
    outcome = _guard().post(_message().replace(_PLACE, b"<ds:KeyInfo>" + octets + b"</ds:KeyInfo>"))
    message = outcome.message
    if message is None:
        return False
    demand(message.certificate == keys.ALICE.der, "the signer's certificate is Alice's")
    demand(message.principal and message.principal.name == "CN=Alice", "the principal is Alice")
    return True


def _inside(text: str) -> bytes:
    return text.partition(">")[2].rpartition("<")[0].replace(f' xmlns:ds="{DS}"', "").encode()


def _of(one: Issued) -> list[bytes]:
    forms = [_inside(make(one.certificate)) for name, make in KEY_INFOS.items() if name != "none"]
    thumbprint = base64.b64encode(hashlib.sha256(one.der).digest())
    return [*forms, b"<ds:KeyName>%b</ds:KeyName>" % thumbprint[:20]]


def seeds() -> list[bytes]:
    """Every form that names a certificate, of three people, and two together."""
    forms = [form for one in _PEOPLE for form in _of(one)]
    both = forms[1].replace(b"</ds:X509Data>", b"") + forms[5].replace(b"<ds:X509Data>", b"")
    namespaced = b'<w:SecurityTokenReference xmlns:w="%b"><w:Reference URI="#X509-2"/>' % WSSE.encode()
    embedded = (
        "<wsse:SecurityTokenReference><wsse:Embedded>"
        f"{binary_token(keys.ALICE.certificate, id='X509-9')}</wsse:Embedded></wsse:SecurityTokenReference>"
    )
    value = (
        b"<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue>"
    )
    return [
        *forms, both, namespaced + b"</w:SecurityTokenReference>", embedded.encode(), value + b"</ds:KeyValue>",
        forms[0].replace(b"CN=Root", b"2.5.4.3=\\#0c04526f6f74"), forms[0].replace(b"CN=Root", b'CN = "ro\\6ft"'),
    ]  # fmt: skip


TARGET: Final = Target(name="key_info", judge=judge, seeds=seeds, dictionary="key_info")
