"""The clients that are let through, and until when."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from wsguard.lint.finding import SOON, Finding, Look, Looker, Rule

LONG_REPORT: Final = timedelta(days=92)
"""A quarter: what a client's next release may take."""

_REPORTED: Final = Rule(
    name="lint.client_reported",
    risk="high",
    finds="what a client's messages lack is recorded and passed on",
    cure='set mode = "enforce" and take report_until out',
)
_REPORT_OVER: Final = Rule(
    name="lint.report_over",
    risk="low",
    finds="the time in which a client was only reported is over",
    cure='set mode = "enforce" and take report_until out',
)
_REPORT_ENDS: Final = Rule(
    name="lint.report_ends",
    risk="low",
    finds=f"the time in which a client is only reported ends within {SOON.days} days",
    cure="see in the audit what its messages still lack: wsguard audit list --outcome reported",
)
_REPORT_LONG: Final = Rule(
    name="lint.report_long",
    risk="medium",
    finds=f"a client is only reported for more than {LONG_REPORT.days} days to come",
    cure="set a nearer report_until; a date can be moved when it comes",
)
_SERVICE_UNKNOWN: Final = Rule(
    name="lint.client_service_unknown",
    risk="medium",
    finds="a client may call a service that there is not (with --app)",
    cure="mend the name, or take it out",
)

PEER_CATALOGUE: Final = (_REPORTED, _REPORT_OVER, _REPORT_ENDS, _REPORT_LONG, _SERVICE_UNKNOWN)


def _clients_are_let_through(look: Look) -> Iterator[Finding]:
    for index, client in enumerate(look.policy.client):
        mode, until, date = f"client[{index}].mode", f"client[{index}].report_until", client.report_until
        if date is None:
            continue
        if date < look.today:
            yield _REPORT_OVER.at(mode, f"{client.name}: what is missing was recorded and passed on until {date}")
            continue
        yield _REPORTED.at(mode, f"{client.name}: what is missing is recorded and passed on until {date}")
        if date - look.today <= SOON:
            yield _REPORT_ENDS.at(until, f"{client.name}: what is missing is refused after {date}")
        elif date - look.today > LONG_REPORT:
            yield _REPORT_LONG.at(until, f"{client.name}: nobody has to mend anything before {date}")


def _services_are_unknown(look: Look) -> Iterator[Finding]:
    if look.operations is None:
        return
    known = {*look.operations, *look.policy.services}
    for index, client in enumerate(look.policy.client):
        lost = [name for name in client.services if name not in known]
        if lost:
            text = f"{client.name} may call {', '.join(lost)}, and there is no such service"
            yield _SERVICE_UNKNOWN.at(f"client[{index}].services", text)


PEER_RULES: Final[tuple[Looker, ...]] = (_clients_are_let_through, _services_are_unknown)
