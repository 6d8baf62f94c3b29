"""Attacks through what needs no security: a guarded operation dressed as an exempt one, and what lies next to it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from lxml import etree

from wsguard.message.lexical import local_name
from wsguard.names import WSA_2005
from wsguard.proving.case import Case
from wsguard.proving.catalogue import handoff, when
from wsguard.proving.catalogue.control import Attack, Control
from wsguard.proving.catalogue.shapes import recoded
from wsguard.proving.letters import SOAP
from wsguard.proving.posting import Sent
from wsguard.proving.rows import ACCEPTED
from wsguard.routing import Target

_STRUCTURE: Final = ("envelope.structure",)
_ACTION: Final = ("envelope.soap_action",)
_UNSECURED: Final = ("security.missing", "operation.unknown", "http.path")
"""What keeps an unsecured message out: of whichever target it is, it is not of the exempt one."""


def _open(case: Case) -> Iterator[Attack]:
    yield Attack("nothing secured", (ACCEPTED,), case.bare())


def _guarded(case: Case) -> Iterator[tuple[Target, str]]:
    for target in case.scene.guarded:
        operation = case.scene.operation_of(target)
        if operation != case.scene.operation_of(case.target):
            yield target, operation


def _on_its_path(case: Case) -> Iterator[Attack]:
    for _, operation in _guarded(case):
        yield Attack(f"{operation} on the exempt path", _UNSECURED, case.bare(operation))


def _second(case: Case) -> Iterator[Attack]:
    for _, operation in _guarded(case):
        yield Attack(f"{operation} as second child", _STRUCTURE, _with_second(case, operation, {}, {}))
        sent = _with_second(case, operation, {"id": "proof"}, {"href": "#proof"})
        # Of a service with a path of its own nothing may stand in a message on another.
        yield Attack(f"{operation} referred to by href", (*_STRUCTURE, "operation.unknown"), sent)


def _with_second(case: Case, operation: str, second: dict[str, str], first: dict[str, str]) -> Sent:
    sent = case.bare()
    root = etree.fromstring(sent.octets)
    for name, value in first.items():
        root[-1][0].set(name, value)
    etree.SubElement(root[-1], operation, second)
    return replace(sent, octets=etree.tostring(root))


def _in_the_header(case: Case) -> Iterator[Attack]:
    for _, operation in _guarded(case):
        sent = case.bare()
        root = etree.fromstring(sent.octets)
        root[-1][0].set("href", "#proof")
        etree.SubElement(root[0], operation).set("id", "proof")
        how = f"{operation} in a header, referred to by href"
        yield Attack(how, _STRUCTURE, replace(sent, octets=etree.tostring(root)))


def _two_bodies(case: Case) -> Iterator[Attack]:
    for _, operation in _guarded(case):
        sent = case.bare()
        root = etree.fromstring(sent.octets)
        etree.SubElement(etree.SubElement(root, f"{{{SOAP}}}Body"), operation)
        yield Attack(f"{operation} in a second Body", _STRUCTURE, replace(sent, octets=etree.tostring(root)))


def _actions(case: Case) -> Iterator[Attack]:
    for _, operation in _guarded(case):
        namespace, _, name = operation[1:].rpartition("}")
        if name == local_name(case.scene.operation_of(case.target)):
            continue
        action = f"{namespace}/{name}"
        sent = case.bare(environ={"HTTP_SOAPACTION": f'"{action}"'})
        yield Attack(f"with the SOAPAction of {operation}", _ACTION, sent)
        kind = f'text/xml; charset=utf-8; action="{action}"'
        yield Attack(f"with the action= of {operation}", _ACTION, case.bare(environ={"CONTENT_TYPE": kind}))
        root = etree.fromstring(sent.octets)
        etree.SubElement(root[0], f"{{{WSA_2005}}}Action").text = action
        addressed = replace(case.bare(), octets=etree.tostring(root))
        yield Attack(f"with the wsa:Action of {operation}", _ACTION, addressed)


def _exempt_action(case: Case) -> Iterator[Attack]:
    namespace, _, name = case.scene.operation_of(case.target)[1:].rpartition("}")
    for _, operation in _guarded(case):
        sent = case.bare(operation, environ={"HTTP_SOAPACTION": f'"{namespace}/{name}"'})
        how = f"{operation} with the exempt SOAPAction"
        yield Attack(how, (*_ACTION, *_UNSECURED), sent)


def _charsets(case: Case) -> Iterator[Attack]:
    for _, operation in _guarded(case):
        sent, hidden = case.bare(), etree.tostring(etree.Element(operation)).decode()
        # To a reader of ASCII the guarded operation is part of the exempt one's text.
        octets = sent.octets.replace(f">{case.marker}<".encode(), f">{hidden.encode('utf-7').decode()}<".encode())
        sent = replace(sent, octets=octets, environ={"CONTENT_TYPE": "text/xml; charset=utf-7"})
        yield Attack(f"{operation} in UTF-7", ("envelope.encoding",), sent)
    yield Attack("in EBCDIC", ("envelope.encoding",), recoded(case.bare(), "cp037", "ibm037"))
    yield Attack("in UTF-16 called UTF-8", ("envelope.encoding",), recoded(case.bare(), "utf-16", "utf-8"))


def _neighbours(case: Case) -> Iterator[Attack]:
    target = case.target
    for operation in target.operations[:1]:
        if operation.endswith("}*"):
            other = f"{operation[:-2]}/proof}}{'call'}"
            yield Attack(f"an operation of {other[1:].partition('}')[0]}", _UNSECURED, case.bare(other))
        else:
            namespace, _, name = operation[1:].rpartition("}")
            for other in (f"{{{namespace}}}{name}Proof", f"{{{namespace}/proof}}{name}", f"{{{namespace}}}{name[:-1]}"):
                if not other.endswith("}"):
                    yield Attack(f"{other}, which is not exempt", _UNSECURED, case.bare(other))
    for path in target.paths[:1]:
        alike = (f"{path}/", path.swapcase())
        others = (one for one in alike if one.strip("/") and one not in target.paths)
        for other in (f"{path.rstrip('/')}/proof", f"{path}proof", *others):
            yield Attack(f"on {other}, which is not exempt", _UNSECURED, case.bare(path=other))


def _paths(case: Case) -> Iterator[Attack]:
    path = case.scene.path_of(case.target).rstrip("/")
    for odd in ("//", "/../", "/%2e%2e/", "/;a=b/", "/\\"):
        yield Attack(f"on {path}{odd}", ("http.path",), case.bare(path=f"{path}{odd}"))


def _something_is_guarded_here(case: Case) -> bool:
    """What is next to an exemption is judged by the top of the file."""
    policy, target = case.scene.policy, case.target
    return not policy.unsafe_unauthenticated and bool(target.operations or target.paths)


CONTROLS: Final = (
    Control("exemption", when.always, _open),
    Control("exemption.path", when.always, _on_its_path),
    Control("exemption.second_child", when.always, _second),
    Control("exemption.href", when.always, _in_the_header),
    Control("exemption.two_bodies", when.always, _two_bodies),
    Control("exemption.soap_action", when.always, _actions),
    Control("exemption.other_body", when.always, _exempt_action),
    Control("exemption.charset", when.always, _charsets),
    Control("exemption.width", _something_is_guarded_here, _neighbours),
    Control("exemption.odd_path", when.always, _paths),
    Control("exemption.environ", when.always, handoff.spoofed),
    Control("exemption.record", handoff.records_or_refuses, handoff.unrecorded),
)
"""For exempt targets only, whose messages carry nothing."""
