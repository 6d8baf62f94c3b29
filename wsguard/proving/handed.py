"""Whether what an application was handed is what was sent, and nothing else."""

from collections.abc import Iterator

from lxml import etree
from lxml.etree import _Element

from wsguard.names import ENCRYPTED_DATA, SECURITY
from wsguard.proving.answered import flaws
from wsguard.proving.case import Case
from wsguard.proving.letters import UNSIGNED
from wsguard.proving.posting import Outcome, Sent
from wsguard.verified import MESSAGE_KEY, VerifiedMessage


def differences(case: Case, sent: Sent, outcome: Outcome) -> list[str]:
    """What is wrong with a message that was taken.

    Args:
        case: it.
        sent: as it was sent.
        outcome: with one hand-off.
    """
    environ, octets = outcome.handed[-1]
    message = environ.get(MESSAGE_KEY)
    wrong = [] if len(outcome.handed) == 1 else [f"handed on {len(outcome.handed)} times"]
    wrong += flaws(case, sent, outcome)
    try:
        root = etree.fromstring(octets)
        wrong += _of_the_envelope(case, root, etree.fromstring(sent.original))
        # spyne is handed the tree, and every other application the octets.
        if isinstance(message, VerifiedMessage) and _canonical(message.tree) != _canonical(root):
            wrong.append("the tree that was handed on is not that of the octets")
    except (etree.LxmlError, ValueError, IndexError):
        wrong.append("what was handed on is no envelope")
    wrong += _of_the_message(case, message) if isinstance(message, VerifiedMessage) else ["no verified message"]
    if isinstance(message, VerifiedMessage) and _is_recorded(case, message) and len(outcome.records) != 1:
        wrong.append(f"{len(outcome.records)} audit records")
    return wrong


def _is_recorded(case: Case, message: VerifiedMessage) -> bool:
    everything = case.scene.policy.audit.record == "all"
    return everything or message.exempt or bool(message.reported or message.legacy)


def _of_the_envelope(case: Case, handed: _Element, original: _Element) -> Iterator[str]:
    demands, exempt = case.demands, case.target.kind == "exempt"
    bodies = [element for element in handed if str(element.tag).endswith("}Body")]
    if len(bodies) != 1 or _canonical(bodies[0][0]) != _canonical(original[-1][0]) or len(bodies[0]) != 1:
        yield "another Body was handed on"
    actors = [one.get(case.version.actor, "") for one in handed.iter(SECURITY)]
    foreign = [actor for actor in actors if actor not in ("", case.scene.policy.actor)]
    if foreign:
        yield "a Security header for somebody else was handed on"
    if len(actors) > len(foreign) and (exempt or demands.handoff.remove_security_header):
        yield "the Security header was handed on"
    if next(handed.iter(ENCRYPTED_DATA), None) is not None:
        yield "ciphertext was handed on"
    drops = demands.handoff.unsigned_headers == "drop" and demands.signature.use == "required" and not exempt
    if drops and next(handed.iter(UNSIGNED), None) is not None:
        yield "a header block that nobody signed was handed on"
    if demands.signature.use == "required" and not exempt and (handed.attrib or handed[0].attrib):
        yield "attributes of the Envelope that nobody signed were handed on"


def _canonical(element: _Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True)


def _of_the_message(case: Case, message: VerifiedMessage) -> Iterator[str]:
    if message.service != case.target.service:
        yield f"taken for one of {message.service or 'no service'}"
    if message.exempt != (case.target.kind == "exempt"):
        yield "taken for exempt" if message.exempt else "not taken for exempt"
    if case.way is None:
        if message.principal is not None:
            yield "nobody sent it, and it is somebody's"
        return
    way = case.way
    if way.authenticates and message.principal is None:
        yield "nobody's, though it says whose it is"
    named = way.password_type and not way.signed_by
    if named and message.username != way.sender.person.name:
        yield "taken for another user's"
    signs = way.signed_by and case.demands.signature.use == "required"
    if signs and message.principal is not None and message.principal.kind == "username":
        yield "not taken for the signer's"
    if way.authenticates and message.client not in way.sender.taken_for:
        yield "taken for another client's"
