"""From a plan and a message to a secured message: the order of everything.

Receivers work through a Security header from the top (WSS 1.1 §5), so its order says in which order it was made.

Sign, then encrypt: Timestamp, SignatureConfirmation, EncryptedKey, UsernameToken, BinarySecurityToken, Signature.
Encrypt, then sign: Timestamp, SignatureConfirmation, BinarySecurityToken, Signature, EncryptedKey, UsernameToken.
Either way the Timestamp is first; wherever nothing forbids it the Signature is last: gSOAP asks for both. A token of
the recipient's stands before the EncryptedKey that refers to it.
"""

import secrets
from datetime import datetime
from typing import Final

from cryptography import x509
from lxml import etree
from lxml.etree import _Element

from wsguard.encryption.places import at, path_of
from wsguard.names import SIGNATURE_CONFIRMATION
from wsguard.policy.surroundings import Limits
from wsguard.securing.draft import Draft, Random, read_draft
from wsguard.securing.elements import add_token
from wsguard.securing.encrypting import encrypted
from wsguard.securing.plan import Securing, SigningKey
from wsguard.securing.refusals import NotSecurable
from wsguard.securing.signing import sign
from wsguard.securing.tokens import (
    PasswordKey,
    add_confirmations,
    add_salted_token,
    add_timestamp,
    add_username_token,
)

_DECLARATION: Final = b'<?xml version="1.0" encoding="UTF-8"?>\n'


def secure(
    octets: bytes, plan: Securing, now: datetime, limits: Limits, *, random: Random = secrets.token_bytes
) -> bytes:
    """A SOAP message with a Security header of ours, secured as ``plan`` says.

    Args:
        octets: a SOAP 1.1 or 1.2 message in UTF-8, UTF-16, US-ASCII or ISO-8859-1, without a Security header for the
            plan's actor. Comments in it are dropped; Ids that are there stay.
        plan: how.
        now: aware; Created of Timestamp and UsernameToken.
        limits: ``response_bytes`` bounds the octets, the others what the message is made of.
        random: yields random octets: those of Ids, nonce, session key and initialisation vectors.

    Returns:
        UTF-8 with XML declaration.

    Raises:
        NotSecurable: it cannot be done; nothing of the message may be sent.
        ValueError: ``now`` is naive or at the end of time.
    """
    if now.tzinfo is None:
        raise ValueError("now must be aware")
    draft = read_draft(octets, plan, limits, random)
    try:
        return _DECLARATION + _secured(draft, plan, now)
    except (etree.LxmlError, MemoryError) as error:
        raise NotSecurable(f"libxml2 does not write it: {type(error).__name__}") from None


def _secured(draft: Draft, plan: Securing, now: datetime) -> bytes:
    if plan.timestamp is not None:
        add_timestamp(draft, now, plan.timestamp)
    if plan.signature_confirmations is not None:
        add_confirmations(draft, plan.signature_confirmations)
    if plan.encrypt_for is not None and plan.encryption_key_identifier == "DirectReference":
        add_token(draft, plan.encrypt_for)
    if plan.sign is not None and plan.encrypt_for is not None and not plan.sign_before_encrypting:
        return _encrypted_and_signed(draft, plan, now, plan.sign, plan.encrypt_for)
    place = len(draft.security)
    key: SigningKey | PasswordKey | None = plan.sign
    if plan.username is not None and plan.username.signs:
        key = add_salted_token(draft, plan.username)
    elif plan.username is not None:
        add_username_token(draft, now, plan.username)
    if isinstance(key, SigningKey):
        _add_signers_token(draft, plan, key)
    if key is not None:
        sign(draft, plan, key, _signed(draft, plan), len(draft.security))
    return _written(draft.root) if plan.encrypt_for is None else encrypted(draft, plan, plan.encrypt_for, place)


def _encrypted_and_signed(
    draft: Draft, plan: Securing, now: datetime, key: SigningKey, recipient: x509.Certificate
) -> bytes:
    _add_signers_token(draft, plan, key)
    place = len(draft.security)
    if plan.username is not None:
        add_username_token(draft, now, plan.username)
    signed = _signed(draft, plan)
    after = draft.again(encrypted(draft, plan, recipient, place))
    # What was encrypted has something in its place, and nothing else moved.
    sign(after, plan, key, [at(after.root, path_of(element)) for element in signed], place)
    return _written(after.root)


def _add_signers_token(draft: Draft, plan: Securing, key: SigningKey) -> None:
    if plan.key_identifier == "DirectReference":
        add_token(draft, key.certificate, key.chain if plan.send_chain else ())


def _signed(draft: Draft, plan: Securing) -> list[_Element]:
    """What the Signature covers. WSS 1.1 §8.5: SignatureConfirmations are always among it."""
    parts = [element for name in plan.signed_parts for element in draft.parts(name)]
    return [*parts, *draft.security.findall(SIGNATURE_CONFIRMATION)]


def _written(root: _Element) -> bytes:
    return etree.tostring(root, encoding="UTF-8", xml_declaration=False)
