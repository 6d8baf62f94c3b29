"""``wsguard check``: what a configuration demands, and what deserves a second look."""

import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer

from wsguard.cli.arguments import Config, Json, read_policy, say_problems
from wsguard.cli.closable import Closable
from wsguard.cli.profile import ProfileOption, is_met, print_profile, profile_report, profile_rows
from wsguard.cli.proved import print_proof, proof_report, proved, stands
from wsguard.cli.screen import complain, print_json, print_table, say
from wsguard.cli.second_look import second_look
from wsguard.faults import StoreUnavailable
from wsguard.interfaces import Application
from wsguard.lint import Finding
from wsguard.middleware import Guard
from wsguard.opening import location, master_keys, open_user_table, unreadable_keys
from wsguard.policy import Demands, Exemption, Policy
from wsguard.policy.demands import TimestampDemands, UsernameTokenDemands
from wsguard.policy.problems import ConfigError, Problem
from wsguard.policy.surroundings import Location
from wsguard.routing import ServiceTable, Target
from wsguard.spyne import introspect
from wsguard.stores import open_replay

COLUMNS: Final = ("Service and operations", "Timestamp", "UsernameToken", "Signature", "Encryption")
_SQLITE: Final = "sqlite:///"
DEMANDS: Final = {"unsafe_unauthenticated", "timestamp", "username_token", "signature", "encryption"}


def check(
    config: Config,
    app: Annotated[
        str, typer.Option("--app", metavar="MODULE:ATTR", help="The application, for its services and operations.")
    ] = "",
    profile: ProfileOption = None,
    prove: Annotated[
        bool, typer.Option("--prove", help="Attack it too, and fail unless every control really refuses.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check a configuration: exit 0 fine, 1 a finding of high risk or a control that does not hold, 2 refused."""
    application = describe(app) if app else None
    policy = read_policy(config, as_json=as_json)
    try:
        targets = effective_targets(policy, application, offline=not app)
        proof = proved(policy, application) if prove else None
    except ConfigError as error:
        say_problems(config, error.in_file(str(config)), as_json=as_json)
        raise typer.Exit(2) from error
    now = datetime.now(UTC)
    today = now.date()
    found = second_look(policy, application.operations if application else None, now)
    rows = profile_rows(profile, policy, targets, today)
    if as_json:
        report = {**_report(config, policy, targets, found, today), **profile_report(rows)}
        print_json({**report, **proof_report(proof, ok=report["ok"])})
    else:
        _print_report(config, policy, targets, found, today)
        print_profile(rows)
        print_proof(config, proof)
    if _is_risky(found) or not is_met(rows) or not stands(proof):
        raise typer.Exit(1)


# --- What would be refused, and what is in force ----------------------------------------------------------------------


def effective_targets(policy: Policy, application: Application | None, *, offline: bool) -> tuple[Target, ...]:
    """What ``policy`` makes of the application: every service and exemption, and last what holds for the rest.

    Args:
        policy: as it was read.
        application: what introspection found.
        offline: no application was named, so a service known by its name alone is listed without operations.

    Raises:
        ConfigError: a guard would refuse to start: with every reason that can be found without opening what it writes.
    """
    problems = [*unreadable_keys(policy), *_unusable_stores(policy)]
    try:
        targets = ServiceTable(policy, application, offline=offline).targets
    except ConfigError as error:
        raise ConfigError([*problems, *error.problems]) from error
    if problems:
        raise ConfigError(problems)
    return (*_unresolved(policy, targets), *targets)


def _unusable_stores(policy: Policy) -> Iterator[Problem]:
    """Of a SQLite file that opening would make only the kind is looked at."""
    kinds: tuple[tuple[str, Location, Callable[[str], Closable]], ...] = (
        ("users", policy.users, partial(open_user_table, section=policy.users)),
        ("replay", policy.replay, partial(open_replay, settings=policy.replay)),
    )
    for name, section, open_store in kinds:
        try:
            url = location(section, name)
            if not url.startswith(_SQLITE) or (name == "users" and Path(url.removeprefix(_SQLITE)).exists()):
                open_store(url).close()
            elif name == "users":
                master_keys(policy.users)
        except ConfigError as error:
            yield from error.problems
        except StoreUnavailable as error:
            yield Problem(f"{name}.url", error.seen)
        except ValueError as error:
            yield Problem(f"{name}.url", str(error))


def _unresolved(policy: Policy, targets: tuple[Target, ...]) -> Iterator[Target]:
    listed = {target.service for target in targets}
    for index, entry in enumerate(policy.exempt):
        if entry.service not in listed:
            listed.add(entry.service)
            yield Target(entry.service, "exempt", policy, key=f"exempt[{index}]", exemption=entry)
    for name, service in policy.services.items():
        if name not in listed:
            yield Target(name, "guarded", service, key=f"services.{name}")


# --- The application --------------------------------------------------------------------------------------------------


def describe(app: str) -> Application | None:
    """What the application that ``MODULE:ATTR`` names can do; None, and the user is told, if it is not spyne's.

    Raises:
        typer.BadParameter: it cannot be imported.
    """
    found = import_application(app)
    # The guard keeps what it stands in front of to itself; the command line is the one that may ask.
    application = introspect(found.application if isinstance(found, Guard) else found)
    if application is None:
        complain(f"{app} is no spyne application that could be recognised: services are taken from the file alone.")
    return application


def import_application(app: str) -> object:
    """The object that ``MODULE:ATTR`` names, imported with the working directory first on the path.

    Raises:
        typer.BadParameter: it is written otherwise, or importing it failed.
    """
    module_name, _, attributes = app.partition(":")
    if not (module_name and attributes):
        raise typer.BadParameter("MODULE:ATTR is expected, for example service:application", param_hint="--app")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found: object = importlib.import_module(module_name)
        for attribute in attributes.split("."):
            found = getattr(found, attribute)
    except Exception as error:
        reason = f"importing {app} failed: {type(error).__name__}: {error}"
        raise typer.BadParameter(reason, param_hint="--app") from error
    return found


# --- JSON -------------------------------------------------------------------------------------------------------------


def _is_risky(found: list[Finding]) -> bool:
    return any(finding.risk == "high" for finding in found)


def _is_overdue(exemption: Exemption, today: date) -> bool:
    return exemption.review is not None and exemption.review < today


def _report(
    config: Path, policy: Policy, targets: tuple[Target, ...], found: list[Finding], today: date
) -> dict[str, object]:
    exemptions = [{**entry.model_dump(mode="json"), "overdue": _is_overdue(entry, today)} for entry in policy.exempt]
    return {
        "config": str(config),
        "ok": not _is_risky(found),
        "matrix": [_line(target) for target in targets],
        "exemptions": exemptions,
        "findings": [asdict(finding) for finding in found],
    }


def _line(target: Target) -> dict[str, object]:
    return {
        "service": target.service,
        "verdict": target.kind,
        "setting": target.key,
        "operations": list(target.operations),
        "paths": list(target.paths),
        "demands": None if target.kind == "exempt" else target.demands.model_dump(mode="json", include=DEMANDS),
    }


# --- Tables -----------------------------------------------------------------------------------------------------------


def _print_report(config: Path, policy: Policy, targets: tuple[Target, ...], found: list[Finding], today: date) -> None:
    print_table(f"What {config} demands", COLUMNS, [_row(target) for target in targets])
    if policy.exempt:
        columns = ("Exempt", "Reason", "Owner", "Review")
        print_table("What needs no security", columns, [_exemption(entry, today) for entry in policy.exempt])
    if found:
        columns = ("Risk", "Setting", "What it means", "Cure")
        rows = [(item.risk, f"{item.setting}\n{item.rule}", item.text, item.cure) for item in found]
        print_table("What deserves a second look", columns, rows)
    say("A finding of high risk: exit status 1." if _is_risky(found) else "No finding of high risk.")


def _row(target: Target) -> tuple[str, ...]:
    title = target.service or target.key or "whatever no service claims"
    lines = [title, *(f"  {operation}" for operation in target.operations), *(f"  on {path}" for path in target.paths)]
    cells = ("exempt",) * 4 if target.kind == "exempt" else _cells(target.demands)
    return ("\n".join(lines), *cells)


def _cells(demands: Demands) -> tuple[str, ...]:
    return (
        _timestamp(demands.timestamp),
        _username_token(demands.username_token),
        _parts(demands.signature.use, demands.signature.required_parts),
        _parts(demands.encryption.use, demands.encryption.required_parts),
    )


def _window(window: TimestampDemands | UsernameTokenDemands) -> str:
    return f"{window.time_to_live} s old, {window.future_time_to_live} s ahead"


def _timestamp(demands: TimestampDemands) -> str:
    if demands.use == "forbidden":
        return demands.use
    needs = [name for name in ("Created", "Expires") if getattr(demands, f"require_{name.lower()}")]
    lines = [demands.use, f"with {', '.join(needs)}" if needs else "", _window(demands)]
    return "\n".join([*filter(None, lines), f"{demands.max_lifetime} s long"])


def _username_token(demands: UsernameTokenDemands) -> str:
    if demands.use == "forbidden":
        return demands.use
    return "\n".join([demands.use, *demands.password_types, _window(demands)])


def _parts(use: str, parts: tuple[str, ...]) -> str:
    return "\n".join([use, *parts]) if use == "required" else use


def _exemption(entry: Exemption, today: date) -> tuple[str, ...]:
    what = "\n".join(filter(None, [entry.service, *entry.operations, *(f"on {path}" for path in entry.paths)]))
    review = str(entry.review or "never")
    return (
        what,
        entry.reason or "none given",
        entry.owner or "nobody",
        review + " OVERDUE" * _is_overdue(entry, today),
    )
