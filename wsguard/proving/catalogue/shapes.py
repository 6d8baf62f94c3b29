"""Attacks with the shape of the message, which an application or a parser may read otherwise than the guard did."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Final

from lxml import etree

from wsguard.message.lexical import local_name
from wsguard.names import SECURITY, WSU_ID
from wsguard.proving.case import Case
from wsguard.proving.catalogue import when
from wsguard.proving.catalogue.control import Attack, Builder, Control, changed
from wsguard.proving.letters import PROOF, SOAP
from wsguard.proving.posting import Sent
from wsguard.proving.rows import ACCEPTED
from wsguard.securing.draft import Draft

_DOCTYPE: Final = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///dev/null">]>'
_STRUCTURE: Final = ("envelope.structure",)


def _unsecured(case: Case) -> Iterator[Attack]:
    yield Attack("no Security header at all", ("security.missing",), case.bare())


def _anonymous(case: Case) -> Iterator[Attack]:
    parts = tuple(part for part in case.encrypted_parts if part not in ("UsernameToken", "Signature")) or ("Body",)
    sent = case.sent(password_type="", signer=None, secret=None, signed_parts=(), encrypted_parts=parts)
    how = "everything that is demanded, but nobody's"
    yield Attack(how, ("username_token.missing", "signature.missing"), sent)


def _other_actor(draft: Draft) -> None:
    draft.security.set(draft.version.actor, f"{PROOF}:somebody")


def _for_somebody(case: Case) -> Iterator[Attack]:
    if case.honest.recipient is None:
        sent = case.sent(signed=_other_actor)
        yield Attack("a Security header for somebody else", ("security.missing",), sent)


def _two_headers(draft: Draft) -> None:
    another = draft.header.makeelement(SECURITY)
    for name, value in draft.security.attrib.items():
        another.set(name, value)
    draft.header.append(another)


def _unknown_token(draft: Draft) -> None:
    etree.SubElement(draft.security, "{urn:oasis:names:tc:SAML:2.0:assertion}Assertion")


def _same_id(draft: Draft) -> None:
    for _ in range(2):
        etree.SubElement(draft.header, f"{{{PROOF}}}Block").set(WSU_ID, "Id-twice")


def _same_id_otherwise(draft: Draft) -> None:
    etree.SubElement(draft.header, f"{{{PROOF}}}Block").set(WSU_ID, "Id-twice")
    etree.SubElement(draft.header, f"{{{PROOF}}}Block").set("ID", "Id-twice")


def _two_operations(draft: Draft) -> None:
    draft.body.append(deepcopy(draft.body[0]))


def _unqualified(draft: Draft) -> None:
    operation = draft.body[0]
    draft.body.replace(operation, operation.makeelement(local_name(str(operation.tag))))


def _a_fault(draft: Draft) -> None:
    draft.body.replace(draft.body[0], draft.body.makeelement(f"{{{SOAP}}}Fault"))


def _referring(draft: Draft) -> None:
    draft.body[0].set("href", "#wsguard-proof")
    etree.SubElement(draft.header, f"{{{PROOF}}}Block").set("id", "wsguard-proof")


def _deep(case: Case) -> Iterator[Attack]:
    depth = case.scene.policy.limits.depth

    def nest(draft: Draft) -> None:
        element = etree.SubElement(draft.header, f"{{{PROOF}}}Deep")
        for _ in range(depth):
            element = etree.SubElement(element, f"{{{PROOF}}}Deep")

    yield Attack(f"elements nested {depth + 3} deep", ("limits.depth",), case.sent(signed=nest))


def _before_the_envelope(how: str, octets: bytes, *demanded: str) -> Builder:
    def attacks(case: Case) -> Iterator[Attack]:
        sent = case.sent()
        yield Attack(how, demanded, replace(sent, octets=octets + sent.octets))

    return attacks


def _instructions(case: Case) -> Iterator[Attack]:
    sent = case.sent()
    for where, text in (("a header block", "unsigned"), ("the operation", case.marker)):
        octets = sent.octets.replace(f">{text}<".encode(), f">{text[:4]}<?proof x?>{text[4:]}<".encode())
        if octets != sent.octets:
            yield Attack(f"a processing instruction in {where}", _STRUCTURE, replace(sent, octets=octets))


def _comments(case: Case) -> Iterator[Attack]:
    """What a parser gives as two texts is one: who looks at the first only sees another name than who signed it."""
    sent = case.sent()
    octets = sent.octets
    for text in filter(None, (case.marker, case.honest.sender.person.name if when.from_a_user(case) else "")):
        octets = octets.replace(f">{text}<".encode(), f">{text[:4]}<!-- -->{text[4:]}<".encode())
    if octets != sent.octets:
        yield Attack("none: texts with comments in them", (ACCEPTED,), replace(sent, octets=octets))


# --- Charsets ---------------------------------------------------------------------------------------------------------


def recoded(sent: Sent, codec: str, charset: str | None) -> Sent:
    """``sent`` in another charset, and what HTTP says of it."""
    content_type = f"text/xml; charset={charset}" if charset else "text/xml"
    octets = sent.octets.decode().encode(codec, "xmlcharrefreplace")
    environ = {**sent.environ, "CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(len(octets))}
    return replace(sent, octets=octets, environ=environ)


def _charsets(case: Case) -> Iterator[Attack]:
    demanded = ("envelope.encoding",)
    honest = case.sent()
    yield Attack("in UTF-7", demanded, recoded(honest, "utf-7", "utf-7"))
    yield Attack("in EBCDIC", demanded, recoded(honest, "cp037", "ibm037"))
    yield Attack("in UTF-16 called UTF-8", demanded, recoded(honest, "utf-16", "utf-8"))
    yield Attack("in UTF-32", (*demanded, "limits.body_bytes"), recoded(honest, "utf-32", "utf-32"))
    declared = b'<?xml version="1.0" encoding="iso-8859-1"?>' + honest.octets
    how = "in UTF-8, as HTTP says, and in ISO-8859-1, as it says itself"
    sent = replace(honest, octets=declared)
    yield Attack(how, demanded, sent)
    kind = "text/xml; charset=utf-8; charset*=utf-8''utf-8"
    sent = replace(honest, environ={"CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(honest.octets))})
    yield Attack("in two charsets by one Content-Type", demanded, sent)
    broken = honest.octets.replace(case.marker.encode(), b"\xc0\xbc") if case.honest.recipient is None else b""
    if broken:
        yield Attack("with octets that are no UTF-8", demanded, replace(honest, octets=broken))


# --- SOAPAction -------------------------------------------------------------------------------------------------------


def other_actions(case: Case) -> list[tuple[str, str]]:
    """Operations of other targets, by their full names, and how a SOAPAction spells them."""
    own = case.scene.operation_of(case.target)
    found = []
    for target in case.scene.targets:
        named = [one for one in target.operations if not one.endswith("}*") and local_name(one) != local_name(own)]
        if target is not case.target and named:
            namespace, _, name = named[0][1:].rpartition("}")
            found.append((named[0], f"{namespace}/{name}"))
    return found


def _actions(case: Case) -> Iterator[Attack]:
    for operation, action in other_actions(case):
        sent = case.sent(environ={"HTTP_SOAPACTION": f'"{action}"'})
        yield Attack(f"with the SOAPAction of {operation}", ("envelope.soap_action",), sent)


CONTROLS: Final = (
    Control("security.presence", when.always, _unsecured, each="target"),
    Control("authentication", when.always, _anonymous, each="target"),
    Control("security.actor", when.always, _for_somebody, each="target"),
    Control(
        "security.one",
        when.always,
        changed("two Security headers", "security.duplicate", signed=_two_headers),
        each="target",
    ),
    Control(
        "security.understood",
        when.always,
        changed("a token of another kind", "security.unknown_token", signed=_unknown_token),
        each="target",
    ),
    Control("id.twice", when.always, changed("an Id twice", "envelope.duplicate_id", signed=_same_id)),
    Control(
        "id.spelling",
        when.always,
        changed("the same in another attribute", "envelope.duplicate_id", signed=_same_id_otherwise),
        each="target",
    ),
    Control(
        "envelope.doctype",
        when.always,
        _before_the_envelope("a DOCTYPE that names a file", _DOCTYPE, "envelope.doctype"),
        each="target",
    ),
    Control(
        "envelope.instruction",
        when.always,
        _before_the_envelope("a processing instruction", b"<?proof x?>", *_STRUCTURE),
        each="target",
    ),
    Control("envelope.instructions", when.always, _instructions, each="target"),
    Control("envelope.comments", when.always, _comments, each="target"),
    Control(
        "envelope.operations",
        when.always,
        changed("two operations in the Body", *_STRUCTURE, drafted=_two_operations),
        each="target",
    ),
    Control(
        "envelope.namespace",
        when.always,
        changed("an operation without namespace", "operation.unknown", drafted=_unqualified),
        each="target",
    ),
    Control("envelope.fault", when.always, changed("a Fault as request", *_STRUCTURE, drafted=_a_fault), each="target"),
    Control(
        "envelope.href",
        when.always,
        changed("a reference out of the Body", *_STRUCTURE, drafted=_referring),
        each="target",
    ),
    Control("envelope.depth", when.always, _deep, each="target"),
    Control("envelope.charset", when.always, _charsets, each="target"),
    Control("envelope.soap_action", when.always, _actions, each="target"),
)
