"""What verification yields. Built by ``SecurityEngine.process`` and nowhere else."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from lxml.etree import _Element

MESSAGE_KEY: Final = "wsguard.message"
"""Key of the ``VerifiedMessage`` in the environ that the application gets."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who was authenticated."""

    name: str
    """The username, the subject of the certificate (RFC 4514), or the name of the shared key."""
    kind: Literal["username", "certificate", "shared_key"]
    services: frozenset[str] = frozenset()
    """Services that this user may call; empty: all."""


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A wsu:Timestamp inside its window."""

    created: datetime | None
    expires: datetime | None

    @property
    def ends(self) -> bool:
        """Whether it says anything: an empty one is well-formed where the policy demands neither of the two."""
        return self.created is not None or self.expires is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedMessage:
    """A message that met every demand, or that is exempt from them. ``environ["wsguard.message"]``."""

    incident: str
    """Identifier of this request, also in its audit record."""
    service: str
    """Name of the service; empty where none claims the operation."""
    operation: str
    """``{namespace}name`` of the Body's child."""
    soap_version: Literal["1.1", "1.2"]
    exempt: bool
    """No demand applied: ``principal`` is None whatever the message said."""
    principal: Principal | None = None
    """Whose message it is: the signer where a signature covers everything that must be signed, else the user."""
    username: str = ""
    """User of a UsernameToken that counts: one without a signer beside it, or bound to the signer."""
    client: str = ""
    """Name of the ``[[client]]`` entry that fits."""
    reported: tuple[str, ...] = ()
    """Checks that failed and were only recorded, because the client is in report mode."""
    certificate: bytes | None = field(default=None, repr=False)
    """The signer's certificate in DER."""
    signed_parts: frozenset[str] = frozenset()
    """What that signer signed, as ``signature.required_parts`` names it."""
    encrypted_parts: frozenset[str] = frozenset()
    legacy: tuple[str, ...] = ()
    """Algorithms in it that only a dated permission allows."""
    timestamp: Timestamp | None = None
    octets: bytes = field(repr=False)
    """The envelope that the application gets, in UTF-8 without XML declaration."""
    tree: _Element = field(repr=False, compare=False)
    """What those octets were made of. It is the application's: nothing looks at it again."""
