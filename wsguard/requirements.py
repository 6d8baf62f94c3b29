"""Step 6 of the engine: what must be signed and encrypted is, and who counts in a message.

One signature under one key that somebody is known by covers all ``signature.required_parts``; its signer is whose
message it is. Further signatures were verified and add nothing: otherwise any trusted client could sign a fresh
Timestamp beside somebody's old signed Body.
"""

from collections.abc import Collection, Sequence

from lxml.etree import _Element

from wsguard.clients import ClientTable, Peer
from wsguard.content import check_content_prefixes, check_homonyms, check_outer_names
from wsguard.coverage import Parts, misplaced
from wsguard.encryption import OpenedPart
from wsguard.faults import FailedCheck, InvalidSecurity, SecurityFault
from wsguard.interfaces import TrustedCertificate, UserKey
from wsguard.message.envelope import Envelope
from wsguard.message.lexical import name_of
from wsguard.names import SECURITY, XML_ID
from wsguard.policy import Demands
from wsguard.signature import AnybodysKey, OpenedLater, SharedKey, VerifiedSignature, inherited_attributes
from wsguard.sparing import Spared
from wsguard.verified import Principal


def missing(family: str, fault: type[SecurityFault]) -> SecurityFault:
    """The refusal of a message that lacks something altogether."""
    expected = {
        "timestamp": "a Timestamp",
        "username_token": "a UsernameToken",
        "signature": "a Signature",
        "encryption": "something encrypted",
    }
    return fault(f"{family}.missing", expected=expected[family], seen="none", setting=f"{family}.use")


def covering(
    signatures: Sequence[VerifiedSignature], parts: Parts, demands: Demands, spared: Spared
) -> Sequence[VerifiedSignature]:
    """The signatures that cover everything that must be signed: the signer of the first is whose message it is.

    A signature under a key that anybody can make is none of them, and no more is one under a user's key, which is the
    password once more. Where some client is in report mode and there is none, that is put off, and all count if they
    have one signer.

    Raises:
        InvalidSecurity: ``signature.missing``.
        FailedCheck: ``signature.coverage``.
    """
    required = demands.signature.required_parts
    known = [one for one in signatures if not isinstance(one.signer, AnybodysKey | UserKey)]
    found = [one for one in known if not parts.not_covered_by(one.covered, required)]
    if found or demands.signature.use != "required":
        return found
    if not signatures:
        spared.put_off(missing("signature", InvalidSecurity))
        return []
    fewest = min((parts.not_covered_by(one.covered, required) for one in known), key=len, default=required)
    spared.put_off(
        FailedCheck(
            "signature.coverage",
            expected=f"one signature over {', '.join(required)}",
            seen=f"none over {', '.join(fewest)}" if known else "one under a password, or a key that anybody can make",
            setting="signature.required_parts",
        )
    )
    return known if len({principal_of(one) for one in known}) == 1 else []


def covering_for_users(
    signatures: Sequence[VerifiedSignature], parts: Parts, demands: Demands
) -> Sequence[VerifiedSignature]:
    """The signatures under users' keys that cover ``signature.required_parts``, also where no signature is required.

    The signature is all that such a user shows: one that leaves out the Body could be put beside another Body.

    Raises:
        FailedCheck: ``signature.coverage``, there are some and none of them does.
    """
    required = demands.signature.required_parts
    by_users = [one for one in signatures if isinstance(one.signer, UserKey)]
    found = [one for one in by_users if not parts.not_covered_by(one.covered, required)]
    if by_users and not found:
        left = min((parts.not_covered_by(one.covered, required) for one in by_users), key=len)
        raise FailedCheck(
            "signature.coverage",
            expected=f"one signature of the user over {', '.join(required)}",
            seen=f"none over {', '.join(left)}",
            setting="signature.required_parts",
        )
    return found


def check_places(signatures: Sequence[VerifiedSignature], envelope: Envelope) -> None:
    """Demand that everything these signatures cover stands where it means something.

    Raises:
        FailedCheck: ``signature.coverage``.
    """
    for signature in signatures:
        element = misplaced(signature.covered, envelope)
        if element is not None:
            parent = element.getparent()
            raise FailedCheck(
                "signature.coverage",
                expected="signed elements in the Body, as header blocks, or in our Security header",
                seen=f"{name_of(element)} in {'nothing' if parent is None else name_of(parent)}",
            )


def principal_of(signature: VerifiedSignature) -> tuple[Principal, str]:
    """The signer, and the identity of the certificate where there is one.

    Raises:
        ValueError: the signature is under a key that anybody can make, or a user's.
    """
    signer = signature.signer
    if isinstance(signer, TrustedCertificate):
        return Principal(signer.subject, "certificate"), signer.identity
    if isinstance(signer, SharedKey):
        return Principal(signer.name, "shared_key"), ""
    raise ValueError("neither a certificate's key nor a shared one")


def peer_of(
    user: Principal | None, signature: VerifiedSignature | None, parts: Parts, demands: Demands, clients: ClientTable
) -> Peer:
    """Who counts: beside a signer only a user that the signature covers, or that one entry names with the signer.

    Raises:
        FailedCheck: ``signature.coverage``, both are demanded, and nothing binds them to each other.
    """
    if signature is None or isinstance(signature.signer, UserKey):
        return Peer(user=user)
    signer, certificate = principal_of(signature)
    bound = user is not None and (
        "UsernameToken" in parts.covered_by(signature.covered) or clients.binds(user, signer, certificate)
    )
    if user is not None and not bound and "required" == demands.username_token.use == demands.signature.use:
        raise FailedCheck(
            "signature.coverage",
            expected="a UsernameToken that the signature covers, or a [[client]] entry that names both",
            seen=f"{user.name} beside {signer.name}",
            setting="client",
        )
    return Peer(user if bound else None, signer, certificate)


def check_encryption(
    opened: Sequence[OpenedPart],
    parts: Parts,
    root: _Element,
    signature: VerifiedSignature | None,
    demands: Demands,
    spared: Spared,
) -> frozenset[str]:
    """The parts that were encrypted altogether, where they are those that must be.

    Args:
        opened: what was encrypted.
        parts: of the message after everything was opened.
        root: of the same.
        signature: the one that counts.
        demands: of the service.
        spared: takes what a client in report mode is spared.

    Raises:
        InvalidSecurity: ``encryption.missing``, ``encryption.forbidden``.
        FailedCheck: ``encryption.coverage``; ``signature.coverage``, something encrypted is not signed and must be.
    """
    encryption = demands.encryption
    if opened and encryption.use == "forbidden":
        raise InvalidSecurity(
            "encryption.forbidden", expected="nothing encrypted", seen="something", setting="encryption.use"
        )
    elements = [part.element(root) for part in opened]
    whole = [element for element, part in zip(elements, opened, strict=True) if not part.content]
    hidden = parts.inside_of(elements, whole)
    if encryption.use == "required":
        left = tuple(part for part in encryption.required_parts if part not in hidden)
        if not opened:
            spared.put_off(missing("encryption", InvalidSecurity))
        elif left:
            spared.put_off(
                FailedCheck(
                    "encryption.coverage",
                    expected=f"{', '.join(encryption.required_parts)} encrypted",
                    seen=f"{', '.join(left)} in the clear, at least in part",
                    setting="encryption.required_parts",
                )
            )
    covered = signature.covered if signature is not None else ()
    if encryption.require_signed_encrypted_data and not all(_is_inside(element, covered) for element in elements):
        raise FailedCheck(
            "signature.coverage",
            expected="a signature over everything that is encrypted",
            seen="something encrypted that it does not cover",
            setting="encryption.require_signed_encrypted_data",
        )
    return hidden


def check_opened_for_nobody(opened: Sequence[OpenedPart], envelope: Envelope) -> None:
    """Of a message that nobody vouches for, demand that whoever made it knew all that was opened.

    Ciphertext does not say whose it is: somebody could put what he saw in another's message into one of his own, and
    ask an operation that anybody may call for what came out. Under one key that is not his he can do nothing of the
    kind: the Body is of it too, and he cannot make another.

    Args:
        opened: what was encrypted.
        envelope: after it was opened.

    Raises:
        FailedCheck: ``encryption.coverage``.
    """
    if not opened:
        return
    first = envelope.body[0]
    inside = any(
        element is envelope.body or (element is first and not part.content)
        for part in opened
        for element in (part.element(envelope.root),)
    )
    if not inside or len({part.secret.octets for part in opened}) > 1:
        raise FailedCheck(
            "encryption.coverage",
            expected="the Body and all else under one key, in a message that nobody vouches for",
            seen="parts under several keys" if inside else "parts without the Body",
        )


def _is_inside(element: _Element, covered: Collection[_Element]) -> bool:
    return element in covered or any(ancestor in covered for ancestor in element.iterancestors())


def check_meaning(
    envelope: Envelope,
    signature: VerifiedSignature,
    demands: Demands,
    namespaces: Collection[str],
    homonyms: Collection[str] = (),
) -> None:
    """Demand that what was signed means what it meant to the signer: no prefix, and no key, could have been exchanged.

    Args:
        envelope: the message.
        signature: the one that counts.
        demands: of the service.
        namespaces: those that are expected in content beside ``handoff.namespaces`` and the operation's.
        homonyms: names of types that are in several of these.

    Raises:
        FailedCheck: ``signature.coverage``.
    """
    expected = {*namespaces, *demands.handoff.namespaces, envelope.operation[1:].rpartition("}")[0]}
    for opened in signature.opened_later:
        if _is_inside(opened.element, signature.covered):
            _check_key(opened)
    for element, method in signature.covered.items():
        if element is not envelope.body and element.getparent() is not envelope.header:
            continue
        prefixes = method.prefixes if method.exclusive else None
        check_content_prefixes(element, prefixes, expected)
        check_homonyms(element, prefixes, homonyms)
        for opened in signature.opened_later:
            if _is_inside(opened.element, (element,)):
                check_outer_names(opened.element, opened.content, prefixes, demands.handoff.namespaces)


def _check_key(opened: OpenedLater) -> None:
    """A signature over ciphertext says nothing of the key: of a few octets of CBC, something comes out of others too.

    Raises:
        FailedCheck: ``signature.coverage``.
    """
    if not opened.authentic:
        raise FailedCheck(
            "signature.coverage",
            expected="so few octets signed before they are encrypted, or encrypted with AES-GCM",
            seen=f"{name_of(opened.element)}, signed as ciphertext of another algorithm",
            setting="algorithms.encryption",
        )


def keep_inherited(envelope: Envelope, signature: VerifiedSignature) -> None:
    """Put the ``xml:*`` attributes that Body and header blocks inherit, and that were signed with them, on these.

    Inclusive canonicalization does not say where they stood: who carries the message may have moved ``xml:lang`` from
    the Body to the Envelope, whose attributes are not handed on. An ``xml:id`` is no other element's.
    """
    for element, method in signature.covered.items():
        if method.exclusive or (element is not envelope.body and element.getparent() is not envelope.header):
            continue
        for name, value in inherited_attributes(element, method.name).items():
            if name != XML_ID and element.get(name) is None:
                element.set(name, value)


def unsigned_blocks(envelope: Envelope, signature: VerifiedSignature, demands: Demands) -> list[_Element]:
    """The header blocks that the signature does not cover, where they are to be taken out."""
    if envelope.header is None or demands.handoff.unsigned_headers == "keep":
        return []
    return [block for block in envelope.header if block.tag != SECURITY and block not in signature.covered]
