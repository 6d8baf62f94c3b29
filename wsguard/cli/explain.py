"""``wsguard explain``: what the guard says of a captured message, or said of a recorded one."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from wsguard.case import Request
from wsguard.checks import CHECKS
from wsguard.cli.arguments import Config, Json, read_policy, say_problems
from wsguard.cli.audit import open_audit_reader, print_explanation, print_record
from wsguard.cli.check import describe
from wsguard.cli.digested import digested_as_plain, print_digested, write_digested
from wsguard.cli.screen import complain, print_json, say
from wsguard.explaining import Explainer, Verdict
from wsguard.explanation import plain
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import UserStore
from wsguard.opening import location, open_user_table
from wsguard.policy import Policy
from wsguard.policy.problems import ConfigError, Problem

_CAPTURED = "captured"
"""Stands for the incident of a message that is not served."""


def explain(
    config: Config,
    message: Annotated[
        Path | None, typer.Argument(metavar="[MESSAGE]", help="The body of a captured request, as it was sent.")
    ] = None,
    incident: Annotated[str, typer.Option(help="Explain a recorded request instead.")] = "",
    app: Annotated[str, typer.Option(help="MODULE:ATTR of the spyne application.")] = "",
    at: Annotated[str, typer.Option(help="Judge as at this time (ISO 8601; UTC where it has no zone).")] = "",
    path: Annotated[str, typer.Option(help="The path it was sent to.")] = "/",
    charset: Annotated[str, typer.Option(help="charset of its Content-Type.")] = "",
    action: Annotated[str, typer.Option(help="Its SOAPAction.")] = "",
    octets: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the canonical octets of each signed part into DIR.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say check by check what the guard makes of a message. Nothing is remembered; exit status 1: it is refused."""
    if (message is None) == (not incident):
        raise typer.BadParameter("MESSAGE or --incident is expected")
    policy = read_policy(config, as_json=as_json)
    if message is None:
        _explain_incident(config, incident, as_json)
        return
    request = Request(
        incident=_CAPTURED,
        octets=_octets(message),
        path=path,
        charset=charset or None,
        actions=(action,),
    )
    with closing(_users(config, policy, as_json)) as users:
        verdict = _explainer(config, policy, users, app, as_json).explain(request, _moment(at))
    files = write_digested(verdict.digested, octets) if octets is not None else []
    if as_json:
        print_json({**_as_plain(verdict), "octets": list(map(str, files))})
    else:
        _print(verdict)
        for file in files:
            say(f"What was digested is in {file}.")
    raise typer.Exit(0 if verdict.fault is None else 1)


def _explain_incident(config: Path, incident: str, as_json: bool) -> None:
    with open_audit_reader(config) as reader:
        record = reader.find(incident)
    if record is None:
        complain(f"There is no record of incident {incident}.")
        raise typer.Exit(1)
    if as_json:
        print_json(record.as_dict())
    else:
        print_record(record)
    raise typer.Exit(1 if record.outcome in ("rejected", "error") else 0)


def _users(config: Path, policy: Policy, as_json: bool) -> UserStore:
    try:
        return open_user_table(location(policy.users, "users"), policy.users)
    except ConfigError as error:
        refused = error
    except StoreUnavailable as error:
        refused = ConfigError([Problem("users.url", error.seen)])
    except ValueError as error:
        refused = ConfigError([Problem("users.url", str(error))])
    say_problems(config, refused.in_file(str(config)), as_json=as_json)
    raise typer.Exit(2)


def _explainer(config: Path, policy: Policy, users: UserStore, app: str, as_json: bool) -> Explainer:
    application = describe(app) if app else None
    try:
        return Explainer(policy, application, users)
    except ConfigError as error:
        refused = error
    except ValueError as error:
        refused = ConfigError([Problem("users.url", str(error))])
    say_problems(config, refused.in_file(str(config)), as_json=as_json)
    raise typer.Exit(2)


def _octets(message: Path) -> bytes:
    try:
        return message.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{message} cannot be read: {error.strerror}", param_hint="MESSAGE") from error


def _moment(text: str) -> datetime:
    if not text:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter("a time in ISO 8601 is expected", param_hint="--at") from error


def _as_plain(verdict: Verdict) -> dict[str, object]:
    fault = verdict.fault
    return {
        "verdict": "accepted" if fault is None else "refused",
        "check": "" if fault is None else fault.check,
        "cure": "" if fault is None else CHECKS[fault.check].cure,
        "service": verdict.explanation.facts.service,
        "operation": verdict.explanation.facts.operation,
        "username": verdict.explanation.facts.username,
        "certificate_subject": verdict.explanation.facts.certificate_subject,
        "certificate_sha256": verdict.explanation.facts.certificate_sha256,
        "explanation": verdict.explanation.as_list(),
        "digested": digested_as_plain(verdict.digested),
    }


def _print(verdict: Verdict) -> None:
    facts = verdict.explanation.facts
    print_explanation(verdict.explanation.as_list(), verdict.fault.check if verdict.fault else "")
    if verdict.digested:
        print_digested(verdict.digested)
    if verdict.fault is not None:
        say(f"Refused by {verdict.fault.check}.")
        return
    how = "exempt" if verdict.message is not None and verdict.message.exempt else "accepted"
    principal = verdict.message.principal if verdict.message is not None else None
    who = f" from {plain(principal.name)}" if principal is not None else ""
    say(f"{how.capitalize()}: {facts.operation}{who}, if it was never seen before: a replay is not looked for.")
