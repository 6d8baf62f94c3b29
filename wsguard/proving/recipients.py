"""For whom the proof encrypts: the configured keys, by their public halves, and the keys that both sides know."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from wsguard.encryption.methods import KEY_LENGTHS
from wsguard.opening import Keyring
from wsguard.policy.demands import KeyIdentifier
from wsguard.proving.authorities import Authority, named


@dataclass(frozen=True, slots=True)
class Recipient:
    """A key that messages are encrypted for."""

    name: str
    """Its setting, or the name of the shared key."""
    certificate: x509.Certificate | None = None
    """Of an RSA key; None for a shared key."""
    identifier: KeyIdentifier = "IssuerSerial"
    """How it is named."""
    secret: bytes = field(default=b"", repr=False)
    """The shared key."""

    def usable(self, kind: str, names: Sequence[str]) -> tuple[str, ...]:
        """Those of ``names`` that go with this key, authenticated encryption first."""
        if kind == "key_transport":
            return tuple(name for name in names if name.startswith("rsa-"))
        fitting = [name for name in names if not self.secret or KEY_LENGTHS[name] == len(self.secret)]
        return tuple(sorted(fitting, key=lambda name: not name.endswith("-gcm")))


def recipients(keyring: Keyring, now: datetime) -> tuple[Recipient, ...]:
    """Everybody the proof can encrypt for: RSA keys first, then shared ones."""
    found = []
    for key in keyring.material.decrypt:
        if not isinstance(key.private_key, rsa.RSAPrivateKey):
            continue
        if key.certificate is not None:
            found.append(Recipient(key.name, key.certificate))
            continue
        # It has a name of its own only: the identifier that RFC 5280 §4.2.1.2 makes of the key.
        certificate = Authority.make(named(), now).certify(named(), key.private_key.public_key())
        found.append(Recipient(key.name, certificate, "SKIKeyIdentifier"))
    return (*found, *(Recipient(name, secret=octets) for name, octets in sorted(keyring.material.shared.items())))
