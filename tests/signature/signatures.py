"""What tests of signatures share: one small PKI, a guard that demands signatures, and an honest message to bend."""

import base64
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from cryptography import x509

from tests.guarding import Guarded
from tests.messages import DS, PAYLOAD, SOAP11, WSSE, WSU, timestamp
from tests.pki import Issued, authority, rsa_key
from tests.signing import Signing, binary_token, sign, signed, unsigned
from tests.trust.trusting import as_pem
from wsguard.verified import VerifiedMessage

ROOT: Final = authority("Root")
ALICE: Final = ROOT.leaf("Alice")
"""A client, with a key on P-256."""
BOB: Final = ROOT.leaf("Bob")
"""Another client."""
STRANGER: Final = authority("Root").leaf("Alice")
"""Somebody whose authority has the name of ours and another key, and who has the name of a client."""

NAMESPACES: Final = f'xmlns:S="{SOAP11}" xmlns:wsu="{WSU}" xmlns:wsse="{WSSE}" xmlns:ds="{DS}"'
"""Those that ``tests.signing`` declares on the Envelope."""
SIGNED_BODY: Final = f'<S:Body wsu:Id="body">{PAYLOAD}</S:Body>'
"""As it stands in ``honest()``."""
BOTH: Final = frozenset({"Body", "Timestamp"})
"""What Alice signs in it."""
EVIL: Final = PAYLOAD.replace("hello", "evil")
"""What the attacker wants done."""


@cache
def rsa_client() -> Issued:
    """A client with an RSA key; such keys take long to make."""
    return ROOT.leaf("Rosa", key=rsa_key())


def honest(**changes: Any) -> str:
    """What Alice sends, as text: Body and Timestamp signed."""
    return signed(Signing.by(ALICE), **changes).decode()


def bent(text: str, *changes: tuple[str, str]) -> bytes:
    """``text`` with each first text replaced by the second; each must be there once."""
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text.encode()


def rewritten(message: bytes, write: Callable[[bytes], bytes]) -> bytes:
    """``message`` with another SignatureValue, made of the right one."""
    text = message.decode()
    start = text.index("<ds:SignatureValue>") + len("<ds:SignatureValue>")
    end = text.index("</ds:SignatureValue>")
    value = base64.b64encode(write(base64.b64decode(text[start:end]))).decode()
    return (text[:start] + value + text[end:]).encode()


def refers_to(id: str, value_type: str = "") -> str:
    """A wsse:SecurityTokenReference to the token with this Id."""
    kind = f' ValueType="{value_type}"' if value_type else ""
    return f'<wsse:SecurityTokenReference><wsse:Reference URI="#{id}"{kind}/></wsse:SecurityTokenReference>'


def both_sign(alice: Signing, bob: Signing, more: str = "", **envelope: str) -> bytes:
    """A message with two signatures, Alice's (``SIG-A``) before Bob's (``SIG-B``), each with its certificate.

    Args:
        more: further children of the Security header.
    """
    alice = replace(alice, id="SIG-A", key_info=refers_to("X509-A"))
    bob = replace(bob, id="SIG-B", key_info=refers_to("X509-B"))
    tokens = binary_token(ALICE.certificate, id="X509-A") + binary_token(BOB.certificate, id="X509-B")
    return sign(unsigned(tokens, "@SIG-A@", "@SIG-B@", timestamp(), more, **envelope), alice, bob)


class SignedGuard(Guarded):
    """A guard that demands a signature over Body and Timestamp, and takes a UsernameToken where there is one."""

    def accepted(self, octets: bytes, **environ: Any) -> VerifiedMessage:
        """What the application is told of a message, which must be accepted."""
        before = len(self.echo.handed)
        answer = self.post(octets, **environ)
        assert (answer.status, answer.check) == ("200 OK", "")
        assert len(self.echo.handed) == before + 1
        message: VerifiedMessage = self.echo.handed[-1][0]["wsguard.message"]
        return message

    def refusal(self, octets: bytes, **environ: Any) -> str:
        """The check that refuses a message, which must leave one record and no trace in the application."""
        handed, records = len(self.echo.handed), len(self.records)
        answer = self.post(octets, **environ)
        assert len(self.echo.handed) == handed, "the application saw it"
        assert [record.outcome for record in self.records[records:]] == ["rejected"]
        return answer.check


Guarding = Callable[..., SignedGuard]
"""Makes a guard: keywords are sections of the policy, each merged into the default one. In [trust] and [[client]],
certificates and lists stand where the policy has files."""


def guarding(directory: Path) -> Guarding:
    """Makes guards whose files are in ``directory``."""

    def file(*contents: Issued | x509.Certificate | x509.CertificateRevocationList) -> Path:
        path = directory / f"{len(list(directory.iterdir()))}.pem"
        path.write_bytes(b"".join(map(as_pem, contents)))
        return path

    def make(**policy: Any) -> SignedGuard:
        trust = {"ca_files": [ROOT], **policy.pop("trust", {})}
        trust = {
            key: [file(one) for one in value] if key.endswith(("_files", "_certificates")) else value
            for key, value in trust.items()
        }
        clients = [
            {**entry, "certificate": file(entry["certificate"])} if "certificate" in entry else entry
            for entry in policy.pop("client", ())
        ]
        return SignedGuard(
            trust=trust,
            client=clients,
            signature={"use": "required", **policy.pop("signature", {})},
            username_token={"use": "optional", **policy.pop("username_token", {})},
            **policy,
        )

    return make
