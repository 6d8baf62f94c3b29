"""The receiver of what ``secure`` made: the engine's parts, each in its turn as the engine gives it to them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from lxml import etree
from lxml.etree import _Element

from tests.messages import NOW, envelope
from tests.pki import Issued, authority, rsa_key
from wsguard.algorithms import Algorithms
from wsguard.certificates import CertificateReference, fits
from wsguard.encryption import DecryptionKey, Decryptor, OpenedPart, Path, at, path_of
from wsguard.explanation import Explanation
from wsguard.interfaces import TrustedCertificate
from wsguard.message.key_info import KeyInfo
from wsguard.message.parse import Tree, parse
from wsguard.names import (
    CANONICALIZATION_ALGORITHMS,
    DIGEST_ALGORITHMS,
    ENCRYPTED_DATA,
    ENCRYPTED_KEY,
    ENCRYPTION_ALGORITHMS,
    KEY_TRANSPORT_ALGORITHMS,
    SECURITY,
    SIGNATURE,
    SIGNATURE_ALGORITHMS,
    WSU_ID,
)
from wsguard.policy import Demands
from wsguard.policy.demands import AlgorithmDemands
from wsguard.policy.surroundings import Limits
from wsguard.securing import Securing, SigningKey, UsernameCredentials, secure
from wsguard.signature import AnybodysKey, MessageContext, SignatureVerifier

ROOT: Final = authority("Root")
ALICE: Final = ROOT.leaf("Alice", key=rsa_key())
"""Signs with RSA."""
ELLEN: Final = ROOT.leaf("Ellen")
"""Signs on P-256."""
SERVER: Final = ROOT.leaf("Server", key=rsa_key(1))
"""Opens what is encrypted."""
IDENTIFIERS: Final = ("DirectReference", "IssuerSerial", "SKIKeyIdentifier", "Thumbprint", "X509KeyIdentifier")
CREDENTIALS: Final = UsernameCredentials("alice", "secret")
LIFETIME: Final = timedelta(minutes=5)

MESSAGE = envelope(None)
ADDRESS = "{urn:h}To"
ADDRESSED = envelope('<h:To xmlns:h="urn:h" h:x="1">urn:here</h:To><h:Other xmlns:h="urn:h"/>')
TO_SERVER: dict[str, Any] = {"encrypt_for": SERVER.certificate}
ALL = ("Body", "Timestamp", "UsernameToken", ADDRESS)
ORDERS = (True, False)


def signing(one: Issued) -> SigningKey:
    """What signs as ``one``."""
    above = () if one.issuer is None else one.issuer.chain
    return SigningKey(one.key, one.certificate, above)


def plan(**changes: Any) -> Securing:
    """A Timestamp, signed with the Body by Alice, with ``changes``."""
    return Securing(**{"timestamp": LIFETIME, "sign": signing(ALICE), **changes})


def secured(octets: bytes, now: datetime = NOW, **changes: Any) -> bytes:
    """``octets`` as ``plan`` says."""
    return secure(octets, plan(**changes), now, Limits())


class Known:
    """Trusts the leaves of these tests."""

    def choose(
        self, reference: CertificateReference, demands: Demands, now: datetime, explanation: Explanation
    ) -> tuple[TrustedCertificate, ...]:
        chosen = []
        for one in (ALICE, ELLEN):
            presented = not reference.presented or reference.presented[0] == one.certificate
            if presented and fits(reference, one.certificate):
                public = one.key.public_key()
                chosen.append(
                    TrustedCertificate(
                        certificate=one.certificate,
                        public_key=public,
                        subject="CN=one",
                        sha256="",
                        identity="",
                        how="known",
                    )
                )
        assert chosen, reference
        return tuple(chosen)


@dataclass
class Received:
    """A message after every element of its Security header had its turn."""

    tree: Tree
    signed: dict[Path, bytes] = field(default_factory=dict)
    """Where what was signed stands, and what it looked like then."""
    opened: list[OpenedPart] = field(default_factory=list)

    @property
    def security(self) -> _Element:
        found = self.tree.root[0].find(SECURITY)
        assert found is not None
        return found

    @property
    def signed_names(self) -> list[str]:
        """The local names of what was signed, as it is now."""
        return [etree.QName(at(self.tree.root, path)).localname for path in self.signed]

    @property
    def encrypted_names(self) -> list[str]:
        """The local names of what was encrypted."""
        return [etree.QName(part.element(self.tree.root)).localname for part in self.opened]

    @property
    def envelope(self) -> bytes:
        """What was sent, without what securing added."""
        root = etree.fromstring(etree.tostring(self.tree.root, encoding="utf-8"))
        for element in (root[-1], *root[0]):
            element.attrib.pop(WSU_ID, None)
        root[0].remove(root[0][0])
        return etree.tostring(root, encoding="utf-8")


def _none(info: KeyInfo) -> AnybodysKey:
    raise AssertionError("nothing is signed by a symmetric key")


@cache
def _every(kind: str) -> tuple[str, ...]:
    names: Mapping[str, Iterable[str]] = {
        "signature": SIGNATURE_ALGORITHMS, "digest": DIGEST_ALGORITHMS, "encryption": ENCRYPTION_ALGORITHMS,
        "canonicalization": CANONICALIZATION_ALGORITHMS, "key_transport": KEY_TRANSPORT_ALGORITHMS,
    }  # fmt: skip
    return tuple(names[kind])


def received(octets: bytes, limits: Limits | None = None) -> Received:
    """What a receiver that holds the server's key makes of a message; it must be right."""
    limits, explanation = limits or Limits(), Explanation()
    listed = {kind: _every(kind) for kind in ("signature", "digest", "encryption", "canonicalization", "key_transport")}
    algorithms = Algorithms(AlgorithmDemands(**listed), NOW, spared=False)
    keys = [DecryptionKey("server.pem", SERVER.key, SERVER.certificate)]
    state = Decryptor(keys, {}, limits).message(algorithms, explanation)
    result = Received(parse(octets, None, ("utf-8",), limits))
    place = path_of(result.security)
    for number in range(len(result.security)):
        security = at(result.tree.root, place)
        element = security[number]
        assert element.tag != ENCRYPTED_DATA, "its EncryptedKey should have come before"
        if element.tag == ENCRYPTED_KEY:
            result.tree = state.open(element, result.tree, security)
        if element.tag == SIGNATURE:
            context = MessageContext(
                security=security, ids=result.tree.ids, demands=Demands(unsafe_unauthenticated=True),
                algorithms=algorithms, now=NOW, explanation=explanation, symmetric=_none,
            )  # fmt: skip
            verified = SignatureVerifier(Known(), {}, limits).verify(element, context, 0)
            result.signed = {path_of(one): etree.tostring(one, encoding="utf-8") for one in verified.covered}
    result.opened = state.opened
    return result
