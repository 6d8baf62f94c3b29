"""Checks of messages that look away, exemptions that are too wide, and records that are lost."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lxml import etree

from tests.proving.breaks import Break, Patch, nothing, original, without
from wsguard.algorithms import _NAMES, Algorithms
from wsguard.engine import SecurityEngine
from wsguard.message.lexical import local_name
from wsguard.message.parse import ID_NAMES
from wsguard.middleware import Guard
from wsguard.routing import ServiceTable


def ignoring(what: str) -> Break:
    """A Timestamp of which one half says nothing."""
    check = original("wsguard.timestamp._check_window")

    def half(timestamp: Any, demands: Any, now: Any) -> None:
        check(replace(timestamp, **{what: None}), demands, now)

    return without("wsguard.timestamp._check_window", half)


def signatures_together(patch: Patch) -> None:
    """Several signatures may share what must be signed."""
    covering = original("wsguard.judging.covering")

    def together(signatures: Any, parts: Any, demands: Any, spared: Any) -> Any:
        covered = {element for one in signatures for element in one.covered}
        if signatures and not parts.not_covered_by(covered, demands.signature.required_parts):
            return signatures
        return covering(signatures, parts, demands, spared)

    patch.setattr("wsguard.judging.covering", together)


def any_codec(patch: Patch) -> None:
    def to_utf8(octets: bytes, charset: str | None, allowed: object) -> bytes:
        text = octets.decode(charset or "utf-8", "replace")
        return text.partition("?>")[2].encode() if text.startswith("<?xml") else text.encode()

    patch.setattr("wsguard.message.parse.to_utf8", to_utf8)


def first_of_an_id(patch: Patch) -> None:
    def ids(root: Any, _: object) -> dict[str, Any]:
        named = [
            (one.get(name), one) for one in root.iter() for name in map(str, one.attrib) if local_name(name) in ID_NAMES
        ]
        return dict(reversed(named))

    patch.setattr("wsguard.message.parse._ids", ids)


def received_octets(patch: Patch) -> None:
    _assembling(patch, lambda message, case: replace(message, octets=case.request.octets))


def received_tree(patch: Patch) -> None:
    _assembling(patch, lambda message, case: replace(message, tree=etree.fromstring(case.request.octets)))


def _assembling(patch: Patch, change: Callable[[Any, Any], Any]) -> None:
    assemble = SecurityEngine._assemble
    patch.setattr(
        SecurityEngine, "_assemble", lambda engine, judged, case: change(assemble(engine, judged, case), case)
    )


def whole_tree(envelope: Any, **_: object) -> bytes:
    return etree.tostring(envelope.root)


def another_answer(patch: Patch) -> None:
    """Faults that say nothing of the record."""
    answer = original("wsguard.middleware.answer")

    def nameless(fault: Any, version: Any, incident: str, detail: Any) -> Any:
        return answer(fault, version, "", detail)

    patch.setattr("wsguard.middleware.answer", nameless)


def too_wide(matches: Callable[[str, str, str, str], bool]) -> Break:
    """An exemption of more than it names."""

    def widened(patch: Patch) -> None:
        claimed = ServiceTable._claimed

        def wide(table: ServiceTable, path: str, operation: str) -> Any:
            for target in table.targets:
                exempt = (*target.operations, "")[0], (*target.paths, "")[0]
                if target.kind == "exempt" and matches(operation, exempt[0], path, exempt[1]):
                    return target
            return claimed(table, path, operation)

        patch.setattr(ServiceTable, "_claimed", wide)

    return widened


def several_operations(patch: Patch) -> None:
    """The first child of the Body decides, whatever stands beside it."""
    patch.setattr("wsguard.message.envelope._check_body", nothing)
    resolve = ServiceTable.resolve
    patch.setattr(ServiceTable, "resolve", lambda table, path, operation, others=(): resolve(table, path, operation))


def recorded_twice(patch: Patch) -> None:
    write = Guard._write
    patch.setattr(
        Guard, "_write", lambda guard, record, serving: write(guard, record, serving) or write(guard, record, serving)
    )


def any_algorithm(patch: Patch) -> None:
    """Whatever is known may be used."""
    patch.setattr(Algorithms, "admit", lambda algorithms, kind, identifier: _NAMES[kind].get(identifier, identifier))
    patch.setattr(Algorithms, "judge", lambda *_: ())


def first_operation(operation: str, exempt: str, path: str, exempt_path: str) -> bool:
    return bool(exempt) and operation.startswith(exempt)


def namespace(operation: str, exempt: str, path: str, exempt_path: str) -> bool:
    return bool(exempt) and operation.partition("}")[0] == exempt.partition("}")[0]


def by_local_name(operation: str, exempt: str, path: str, exempt_path: str) -> bool:
    return bool(exempt) and local_name(operation) == local_name(exempt)


def path_prefix(operation: str, exempt: str, path: str, exempt_path: str) -> bool:
    return bool(exempt_path) and path.startswith(exempt_path)


def everything(operation: str, exempt: str, path: str, exempt_path: str) -> bool:
    return True
