"""Signed messages, made part by part so that a test can bend one part and leave the rest honest.

The canonical forms come from lxml, as in the guard; so that an error of both cannot hide, the tests of canonicalization
and a message of every shape here are held against libxmlsec's own verification, WSS4J and zeep.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from lxml.etree import _Element

from tests.messages import BASE64, DS, PAYLOAD, SOAP11, WSSE, WSU, Token, timestamp

X509_PROFILE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0"
MESSAGE_SECURITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0"
EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = f"{DS}enveloped-signature"
STR_TRANSFORM = f"{MESSAGE_SECURITY}#STR-Transform"
_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_PSS = "http://www.w3.org/2007/05/xmldsig-more#"

METHODS = {
    "rsa-sha1": f"{DS}rsa-sha1",
    "ecdsa-sha1": f"{_MORE}ecdsa-sha1",
    "hmac-sha1": f"{DS}hmac-sha1",
    **{
        f"{kind}-sha{bits}": f"{_MORE}{kind}-sha{bits}" for kind in ("rsa", "ecdsa", "hmac") for bits in (256, 384, 512)
    },
    **{f"rsa-pss-sha{bits}": f"{_PSS}sha{bits}-rsa-MGF1" for bits in (256, 384, 512)},
}
DIGESTS = {
    "md5": f"{_MORE}md5",
    "sha1": f"{DS}sha1",
    "sha256": "http://www.w3.org/2001/04/xmlenc#sha256",
    "sha384": f"{_MORE}sha384",
    "sha512": "http://www.w3.org/2001/04/xmlenc#sha512",
}
C14N = {
    "exc-c14n": EXC_C14N,
    "exc-c14n-with-comments": f"{EXC_C14N}WithComments",
    "c14n": "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    "c14n-with-comments": "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
    "c14n11": "http://www.w3.org/2006/12/xml-c14n11",
}
_HASHES = {
    "sha1": hashes.SHA1(), "sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512(),
}  # fmt: skip

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | bytes
"""Octets are a shared key."""


class Leaf(Protocol):
    """A key with its certificate."""

    @property
    def key(self) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey: ...
    @property
    def certificate(self) -> x509.Certificate: ...


@dataclass(frozen=True)
class Part:
    """One ds:Reference; every piece can be replaced by text of the test's own."""

    uri: str
    """``#id``."""
    digest: str = "sha256"
    c14n: str = "exc-c14n"
    prefixes: str | None = None
    """PrefixList; None leaves InclusiveNamespaces out."""
    transforms: str | None = None
    """The whole ds:Transforms, or nothing where it is empty; None: the canonicalization alone."""
    value: str | None = None
    """DigestValue in base64; None: the right one."""
    octets: bytes | None = None
    """What is digested; None: the canonical form of the element."""
    attributes: str = ""

    def transforms_xml(self) -> str:
        if self.transforms is not None:
            return self.transforms
        return f"<ds:Transforms>{algorithm('Transform', C14N[self.c14n], inclusive(self.prefixes))}</ds:Transforms>"


BODY = Part("#body")
TIMESTAMP = Part("#TS-1")


@dataclass(frozen=True, kw_only=True)
class Signing:
    """How a message is signed."""

    key: PrivateKey
    certificate: x509.Certificate | None = None
    parts: tuple[Part, ...] = (BODY, TIMESTAMP)
    method: str = "rsa-sha256"
    c14n: str = "exc-c14n"
    prefixes: str | None = None
    key_info: str = '<wsse:SecurityTokenReference><wsse:Reference URI="#X509-1"/></wsse:SecurityTokenReference>'
    """What is in ds:KeyInfo."""
    id: str = "SIG-1"
    replaced: Mapping[str, str] = field(default_factory=dict)
    """Text of the finished ds:Signature -> what stands in its place before it is signed."""
    appended: str = ""
    """After ds:KeyInfo."""
    value: str | None = None
    """SignatureValue in base64; None: the right one."""

    @classmethod
    def by(cls, leaf: Leaf, **changes: object) -> "Signing":
        """With the key and certificate of ``leaf``."""
        method = "rsa-sha256" if isinstance(leaf.key, rsa.RSAPrivateKey) else "ecdsa-sha256"
        return cls(**{"key": leaf.key, "certificate": leaf.certificate, "method": method, **changes})  # type: ignore[arg-type]


def algorithm(name: str, identifier: str, inner: str = "") -> str:
    """A ds element that names an algorithm."""
    return f'<ds:{name} Algorithm="{identifier}">{inner}</ds:{name}>'


def inclusive(prefixes: str | None) -> str:
    """InclusiveNamespaces, or nothing."""
    if prefixes is None:
        return ""
    return f'<ec:InclusiveNamespaces xmlns:ec="{EXC_C14N}" PrefixList="{prefixes}"/>'


def binary_token(*certificates: x509.Certificate, id: str = "X509-1", kind: str = "X509v3", octets: bytes = b"") -> str:
    """A wsse:BinarySecurityToken of one certificate, or of ``octets``."""
    octets = octets or certificates[0].public_bytes(Encoding.DER)
    return (
        f'<wsse:BinarySecurityToken wsu:Id="{id}" EncodingType="{BASE64}" ValueType="{X509_PROFILE}#{kind}">'
        f"{base64.b64encode(octets).decode()}</wsse:BinarySecurityToken>"
    )


def unsigned(
    *security: str,
    body: str = PAYLOAD,
    header: str = "",
    soap: str = SOAP11,
    body_attributes: str = 'wsu:Id="body"',
    envelope_attributes: str = "",
) -> str:
    """An envelope with a place for the signature: ``@SIG-1@`` in one of ``security``."""
    return (
        f'<S:Envelope xmlns:S="{soap}" xmlns:wsu="{WSU}" xmlns:wsse="{WSSE}" xmlns:ds="{DS}" {envelope_attributes}>'
        f'<S:Header>{header}<wsse:Security S:mustUnderstand="1">{"".join(security)}</wsse:Security></S:Header>'
        f"<S:Body {body_attributes}>{body}</S:Body></S:Envelope>"
    )


def signed(signing: Signing, *, token: Token | None = None, stamp: str | None = None, **envelope: str) -> bytes:
    """What an honest client sends: BinarySecurityToken, Signature, Timestamp, and a UsernameToken if one is given."""
    tokens = binary_token(signing.certificate) if signing.certificate is not None else ""
    user = "" if token is None else token.xml().replace("<wsse:UsernameToken>", '<wsse:UsernameToken wsu:Id="UT-1">')
    security = (tokens, f"@{signing.id}@", timestamp() if stamp is None else stamp, user)
    return sign(unsigned(*security, **envelope), signing)


def sign(envelope: str, *signings: Signing) -> bytes:
    """Put each signature in its place, ``@id@``, in turn: a later one may sign an earlier one."""
    for signing in signings:
        envelope = _sign(envelope, signing)
    return envelope.encode()


def _sign(envelope: str, signing: Signing) -> str:
    references = "".join(
        f'<ds:Reference URI="{part.uri}" {part.attributes}>{part.transforms_xml()}'
        f"{algorithm('DigestMethod', DIGESTS[part.digest])}"
        f"<ds:DigestValue>@digest-{index}@</ds:DigestValue></ds:Reference>"
        for index, part in enumerate(signing.parts)
    )
    text = (
        f'<ds:Signature Id="{signing.id}"><ds:SignedInfo>'
        f"{algorithm('CanonicalizationMethod', C14N[signing.c14n], inclusive(signing.prefixes))}"
        f"{algorithm('SignatureMethod', METHODS.get(signing.method, signing.method))}{references}</ds:SignedInfo>"
        f"<ds:SignatureValue>@value@</ds:SignatureValue><ds:KeyInfo>{signing.key_info}</ds:KeyInfo>"
        f"{signing.appended}</ds:Signature>"
    )
    for old, new in signing.replaced.items():
        assert old in text, old
        text = text.replace(old, new)
    envelope = envelope.replace(f"@{signing.id}@", text)
    tree = _tree(envelope)
    for index, part in enumerate(signing.parts):
        envelope = envelope.replace(f"@digest-{index}@", part.value or _digest(tree, part))
    return envelope.replace("@value@", signing.value or _value(_tree(envelope), signing))


def _tree(envelope: str) -> _Element:
    return etree.fromstring(envelope.encode(), etree.XMLParser(remove_comments=True))


def _digest(tree: _Element, part: Part) -> str:
    octets = part.octets
    if octets is None:
        found = tree.xpath("//*[@*[local-name()='Id' or local-name()='id' or local-name()='ID']=$id]", id=part.uri[1:])
        octets = canonical(found[0], part.c14n, part.prefixes) if found else b""
    return base64.b64encode(hashlib.new(part.digest, octets).digest()).decode()


def canonical(element: _Element, c14n: str = "exc-c14n", prefixes: str | None = None) -> bytes:
    """The canonical form of ``element``, by lxml."""
    if not c14n.startswith("exc-"):
        # Of a part of a tree lxml writes xmlns="" where a default namespace from above applies.
        whole = etree.tostring(element, encoding="utf-8", with_tail=False)
        return etree.tostring(etree.fromstring(whole), method="c14n")
    listed = ["" if prefix == "#default" else prefix for prefix in (prefixes or "").split()]
    return etree.tostring(element, method="c14n", exclusive=True, inclusive_ns_prefixes=listed)


def _value(tree: _Element, signing: Signing) -> str:
    (signature,) = tree.xpath("//ds:Signature[@Id=$id]", id=signing.id, namespaces={"ds": DS})
    octets = canonical(signature[0], signing.c14n, signing.prefixes)
    return base64.b64encode(value_of(signing.key, signing.method, octets)).decode()


def value_of(key: PrivateKey, method: str, octets: bytes) -> bytes:
    """The SignatureValue over ``octets``."""
    name = method.rpartition("-")[2]
    if isinstance(key, bytes):
        return hmac.digest(key, octets, name)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        length = (key.curve.key_size + 7) // 8
        r, s = decode_dss_signature(key.sign(octets, ec.ECDSA(_HASHES[name])))
        return r.to_bytes(length, "big") + s.to_bytes(length, "big")
    if method.startswith("rsa-pss-"):
        scheme = padding.PSS(padding.MGF1(_HASHES[name]), padding.PSS.DIGEST_LENGTH)
        return key.sign(octets, scheme, _HASHES[name])
    return key.sign(octets, padding.PKCS1v15(), _HASHES[name])
