"""The messages of a proof, made by the product's own outbound side in three steps that an attack may come between:
what says who sends it and when, the signature, and the encryption.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from lxml import etree

from wsguard.names import SECURITY, SIGNATURE, SOAP11, TIMESTAMP, WSA_ACTIONS
from wsguard.policy.demands import PasswordType
from wsguard.policy.surroundings import Limits
from wsguard.proving.cast import SharedSecret
from wsguard.proving.recipients import Recipient
from wsguard.proving.symmetric import encrypt_under, sign_again
from wsguard.proving.users import Person
from wsguard.securing import Securing, SigningKey, UsernameCredentials
from wsguard.securing.draft import Draft, read_draft
from wsguard.securing.elements import add_token
from wsguard.securing.encrypting import encrypted
from wsguard.securing.signing import sign
from wsguard.securing.tokens import add_timestamp, add_username_token

Change = Callable[[Draft], None]
"""What an attack does to a message in one of its states."""

SOAP: Final = SOAP11
PROOF: Final = "urn:wsguard:proof"
UNSIGNED: Final = f"{{{PROOF}}}Unsigned"
"""A header block of every message, that is never signed."""
_LIMITS: Final = Limits()


def unchanged(draft: Draft) -> None:
    """No attack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithms:
    """Short names."""

    signature: str = ""
    digest: str = "sha256"
    canonicalization: str = "exc-c14n"
    encryption: str = "aes256-gcm"
    key_transport: str = "rsa-oaep-mgf1p"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message before it is written."""

    operation: str
    """``{namespace}name``."""
    marker: str
    """Text in the Body, by which it is known again."""
    soap: str = SOAP
    """Namespace of its version."""
    blocks: tuple[str, ...] = ()
    """``{namespace}name`` of header blocks that must be there."""
    actor: str = ""

    created: datetime
    lifetime: timedelta | None
    """From Created to Expires; None: there is no Timestamp."""
    person: Person
    password_type: PasswordType | Literal[""] = ""
    signer: SigningKey | None = field(default=None, repr=False)
    """Signs; also where a shared key takes its place in the end."""
    secret: SharedSecret | None = None
    """The shared key that signs."""
    send_chain: bool = False
    signed_parts: tuple[str, ...] = ()
    prefixes: bool = True
    """Sign the bindings of prefixes in content too."""
    recipient: Recipient | None = None
    encrypted_parts: tuple[str, ...] = ()
    inside: bool = False
    """Encrypt what is in the operation in the place of what is in the Body."""
    algorithms: Algorithms = Algorithms()

    drafted: Change = unchanged
    """Before there is a Security header's content."""
    unsigned: Change = unchanged
    """Before it is signed."""
    signed: Change = unchanged
    """Between signature and encryption."""

    @property
    def envelope(self) -> bytes:
        """The message before anything is secured."""
        namespace, _, name = self.operation[1:].rpartition("}")
        blocks = "".join(block(one, self.operation) for one in self.blocks)
        role = "actor" if self.soap == SOAP else "role"
        return (
            f'<S:Envelope xmlns:S="{self.soap}" xmlns:e="{PROOF}:envelope" e:unsigned="unsigned">'
            f'<S:Header e:unsigned="unsigned"><p:Unsigned xmlns:p="{PROOF}">unsigned</p:Unsigned>{blocks}'
            f'<w:Security xmlns:w="{SECURITY[1:].partition("}")[0]}" S:{role}="{PROOF}:another"/></S:Header>'
            f'<S:Body><o:{name} xmlns:o="{_quoted(namespace)}"><o:proof>{self.marker}</o:proof></o:{name}></S:Body>'
            "</S:Envelope>"
        ).encode()

    def write(self) -> bytes:
        """The message as it is sent, in UTF-8.

        Raises:
            NotSecurable, ValueError: it cannot be made.
        """
        plan = self._plan()
        draft = read_draft(self.envelope, plan, _LIMITS, secrets.token_bytes)
        self.drafted(draft)
        if self.lifetime is not None:
            add_timestamp(draft, self.created, self.lifetime)
        if self.password_type:
            kind: PasswordType = self.password_type
            add_username_token(draft, self.created, UsernameCredentials(self.person.name, self.person.password, kind))
        self.unsigned(draft)
        if self.signer is not None:
            self._sign(draft, plan, self.signer)
        self.signed(draft)
        return self._encrypted(draft, plan)

    def sign_too(self, draft: Draft) -> None:
        """Put this letter's Signature, with the signer's certificate, into the draft of another.

        Raises:
            NotSecurable, ValueError: it cannot be made.
        """
        if self.signer is not None:
            self._sign(draft, self._plan(), self.signer)

    def _plan(self) -> Securing:
        certificate = None if self.recipient is None else self.recipient.certificate
        return Securing(
            timestamp=timedelta(hours=1),
            username=UsernameCredentials(self.person.name, self.person.password),
            sign=self.signer,
            signed_parts=self.signed_parts,
            signature_algorithm="" if self.secret else self.algorithms.signature,
            digest=self.algorithms.digest,
            canonicalization=self.algorithms.canonicalization,
            key_identifier="Thumbprint" if self.secret else "DirectReference",
            send_chain=self.send_chain,
            encrypt_for=certificate,
            encrypted_parts=self.encrypted_parts if self.signer else _without(self.encrypted_parts, "Signature"),
            encryption=self.algorithms.encryption,
            key_transport=self.algorithms.key_transport,
            encryption_key_identifier="IssuerSerial" if self.recipient is None else self.recipient.identifier,
            actor=self.actor,
        )

    def _sign(self, draft: Draft, plan: Securing, signer: SigningKey) -> None:
        if self.secret is None:
            add_token(draft, signer.certificate, signer.chain if self.send_chain else ())
        parts = [element for name in self.signed_parts for element in draft.parts(name)]
        bounds = draft.limits if self.prefixes else draft.limits.model_copy(update={"prefix_list": 0})
        sign(replace(draft, limits=bounds), plan, signer, parts, len(draft.security))
        if self.secret is not None:
            signature = draft.security.findall(SIGNATURE)[-1]
            sign_again(signature, self.algorithms.signature, self.secret.name, self.secret.octets)

    def _encrypted(self, draft: Draft, plan: Securing) -> bytes:
        if self.recipient is None:
            return etree.tostring(draft.root, encoding="UTF-8")
        now = _read_again(draft)
        now = replace(now, body=now.body[0]) if self.inside else now
        place = sum(1 for element in now.security[:1] if element.tag == TIMESTAMP)
        if self.recipient.certificate is not None:
            return encrypted(now, plan, self.recipient.certificate, place)
        name, secret = self.recipient.name, self.recipient.secret
        return encrypt_under(now, self.encrypted_parts, self.algorithms.encryption, name, secret, place)


def _read_again(draft: Draft) -> Draft:
    """The draft of what is there now, each part by its place: an attack may have put another Body there."""
    root = etree.fromstring(etree.tostring(draft.root))
    header, body = root[0], root[-1]
    actor = draft.security.get(draft.version.actor)
    ours = next(one for one in header if one.tag == SECURITY and one.get(draft.version.actor) == actor)
    return replace(draft, root=root, header=header, body=body, security=ours)


def block(name: str, operation: str) -> str:
    """A header block ``{namespace}name`` of a message for ``operation``."""
    namespace, _, local = name[1:].rpartition("}")
    # WS-Addressing: an action of another operation would be refused.
    text = operation[1:].replace("}", "/") if name in WSA_ACTIONS else f"{PROOF}:block"
    return f'<b:{local} xmlns:b="{_quoted(namespace)}">{_quoted(text)}</b:{local}>'


def _quoted(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def _without(parts: Sequence[str], part: str) -> tuple[str, ...]:
    return tuple(one for one in parts if one != part) or ("Body",)
