"""Every refusal is one line in the log that nobody can forge, and a flood of refusals is no flood of lines."""

import logging
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.guarding import Guarded
from tests.messages import NOW, Token, digest, envelope, message, security, stamp, timestamp
from wsguard.explanation import plain
from wsguard.interfaces import AuditRecord
from wsguard.refusal_log import BURST, RATE, RefusalLog


class Lines(logging.Handler):
    """Collects what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.written.append(record)

    @property
    def texts(self) -> list[str]:
        return [logging.Formatter().format(record) for record in self.written]


@pytest.fixture(scope="module")
def handler() -> Iterator[Lines]:
    """Installed on the logger itself, so that nothing that others configure comes between."""
    lines, logger = Lines(), logging.getLogger("wsguard")
    logger.addHandler(lines)
    yield lines
    logger.removeHandler(lines)
    lines.close()


@pytest.fixture
def lines(handler: Lines) -> Lines:
    handler.written.clear()
    return handler


@dataclass
class Seconds:
    """A monotonic clock that a test sets."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def refusal(check: str = "timestamp.expired", seen: str = "late", **changes: Any) -> AuditRecord:
    explanation = [{"check": check, "outcome": "refused", "expected": "x", "seen": seen, "setting": ""}]
    given = {"incident": "01h", "time": NOW, "outcome": "rejected", "check": check, "explanation": explanation}
    return AuditRecord(**{**given, **changes})


LINE = re.compile(
    r'incident [0-9a-z]+: [a-z_.]+: service="(.*)" client="(.*)" username="(.*)" remote="(.*)" seen="(.*)"'
)
QUOTED = re.compile(r'(?:[^"\\]|\\.)*')


# --- The line ---------------------------------------------------------------------------------------------------------


def test_a_refusal_is_one_line_with_everything_that_leads_to_its_record(lines: Lines) -> None:
    shop = {"name": "shop", "username": "bob"}
    orders = {"operations": ["{urn:echo}Echo"]}
    guarded = Guarded(services={"Orders": orders}, client=[shop])
    assert guarded.post(message(username="bob", password="hunter2")).status == "200 OK"
    lines.written.clear()
    answer = guarded.post(message(username="bob", password="hunter2"))
    assert answer.record is not None
    expected = (
        f"incident {answer.record.incident}: replay.nonce: "
        'service="Orders" client="shop" username="bob" remote="192.0.2.7" seen="it was"'
    )
    assert lines.texts == [expected]
    assert [(line.name, line.levelname) for line in lines.written] == [("wsguard.refusal", "WARNING")]


def test_what_is_not_refused_has_no_line(lines: Lines) -> None:
    guarded = Guarded(
        exempt=[{"operations": ["{urn:leads}Submit"]}],
        client=[{"name": "new", "username": "alice", "mode": "report", "report_until": NOW.date()}],
    )
    lines.written.clear()
    accepted = guarded.post(message())
    exempt = guarded.post(envelope(None, '<l:Submit xmlns:l="urn:leads"/>'))
    reported = guarded.post(envelope(security(Token(nonce=b"another nonce...").xml())))
    assert {answer.status for answer in (accepted, exempt, reported)} == {"200 OK"}
    assert lines.texts == []


def test_a_verdict_that_the_guard_could_not_reach_is_an_error(lines: Lines) -> None:
    RefusalLog().judged(refusal("store.unavailable", outcome="error"), {})
    assert [line.levelname for line in lines.written] == ["ERROR"]


def test_a_wrong_password_is_told_without_any_secret(lines: Lines) -> None:
    nonce = b"a nonce of 16 by"
    sent = message(nonce=nonce, password="open sesame")
    assert Guarded().post(sent).check == "username_token.authentication"
    text = "\n".join(lines.texts)
    assert 'username="alice"' in text
    secrets = ("open sesame", "secret", digest(nonce, stamp(), "open sesame"), "YSBub25jZSBvZiAxNiBieQ")
    assert [secret for secret in secrets if secret in text] == []


@pytest.mark.parametrize(
    "hostile", ["a\nincident 1: b", "\x1b[2Jx", "\u202egnp.exe", "\u2028x", "\x85", "\ud800", "x\\", "\\x"]
)
def test_a_hostile_name_stays_inside_its_quotes(hostile: str, lines: Lines) -> None:
    RefusalLog().judged(refusal(username=hostile, service=hostile, client=hostile, remote_addr=hostile), {})
    (text,) = lines.texts
    assert text.isprintable()
    match = LINE.fullmatch(text)
    assert match is not None
    assert set(match.groups()[:4]) == {plain(hostile)}


def test_what_is_escaped_already_is_not_escaped_again(lines: Lines) -> None:
    RefusalLog().judged(refusal(username=plain("a\nb\\c")), {})
    assert 'username="a\\nb\\\\c"' in lines.texts[0]


HOSTILE = st.text(st.characters() | st.sampled_from('\n\r\x1b\x00"\\\u202e\u2066\u2028\x9b='), max_size=60)


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
@example("\\", '" client="admin', '\\" client="admin', "", "\\\\")
def test_no_text_forges_a_line(
    handler: Lines, service: str, client: str, username: str, remote: str, seen: str
) -> None:
    handler.written.clear()
    record = refusal(seen=seen, service=service, client=client, username=username, remote_addr=remote)
    RefusalLog().judged(record, {})
    (text,) = handler.texts
    assert text.isprintable()
    assert len(text) < 5 * 60 * len("\\U0010ffff") + 200
    rest = text.removeprefix("incident 01h: timestamp.expired: ")
    for name in ("service", "client", "username", "remote", "seen"):
        assert rest.startswith(f'{name}="')
        rest = rest.removeprefix(f'{name}="')
        match = QUOTED.match(rest)
        assert match is not None
        rest = rest[match.end() :].removeprefix('"').removeprefix(" ")
    assert rest == ""


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\u202e\u2066\u2028'"), max_size=40))
def test_whatever_name_a_message_carries_the_log_prints_one_line(handler: Lines, name: str) -> None:
    escaped = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    guarded = Guarded()
    handler.written.clear()
    assert guarded.post(envelope(security(timestamp(), Token(username=f"x{escaped}").xml()))).check
    assert len(handler.texts) == 1
    assert handler.texts[0].isprintable()


# --- No flood ---------------------------------------------------------------------------------------------------------


def test_a_flood_is_cut_to_its_burst_and_then_to_its_rate(lines: Lines) -> None:
    clock = Seconds()
    log = RefusalLog(monotonic=clock)
    for _ in range(10 * BURST):
        log.judged(refusal(), {})
    assert len(lines.texts) == BURST
    clock.now += 0.5
    for _ in range(10 * BURST):
        log.judged(refusal(), {})
    assert len(lines.texts) == BURST + RATE / 2


def test_a_check_that_floods_takes_no_line_from_another(lines: Lines) -> None:
    log = RefusalLog(monotonic=Seconds())
    for _ in range(BURST + 1):
        log.judged(refusal(), {})
    log.judged(refusal("replay.nonce"), {})
    assert len(lines.texts) == BURST + 1
    assert ": replay.nonce: " in lines.texts[-1]


def test_once_a_second_it_says_how_many_were_left_out(lines: Lines) -> None:
    clock = Seconds()
    log = RefusalLog(monotonic=clock, rate=10.0, burst=1)
    for _ in range(8):
        log.judged(refusal(), {})
    clock.now += 0.99
    log.judged(refusal("replay.nonce", outcome="accepted"), {})
    assert len(lines.texts) == 1
    clock.now += 0.01
    log.judged(refusal("replay.nonce", outcome="accepted"), {})
    assert lines.texts[1:] == ["timestamp.expired: 7 more refusals in 1.0 s, without a line each"]
    log.judged(refusal("replay.nonce", outcome="accepted"), {})
    assert len(lines.texts) == 2


def test_what_was_left_out_is_said_at_the_latest_when_the_guard_is_closed(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Seconds()
    monkeypatch.setattr("wsguard.middleware.RefusalLog", lambda: RefusalLog(monotonic=clock))
    guarded = Guarded()
    lines.written.clear()
    for _ in range(BURST + 3):
        assert guarded.post(b"").check == "envelope.malformed"
    assert len(lines.texts) == BURST
    guarded.guard.close()
    assert lines.texts[BURST:] == ["envelope.malformed: 3 more refusals in 0.0 s, without a line each"]


def test_every_refusal_of_many_threads_is_either_a_line_or_counted(lines: Lines) -> None:
    log = RefusalLog(monotonic=Seconds(), burst=5)

    def refuse() -> None:
        for _ in range(100):
            log.judged(refusal(), {})

    threads = [threading.Thread(target=refuse) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    log.close()
    assert len(lines.texts) == 5 + 1
    assert lines.texts[-1].startswith("timestamp.expired: 795 more refusals")


@pytest.mark.parametrize("wrong", [{"rate": 0.0}, {"rate": -1.0}, {"burst": 0}])
def test_a_log_that_could_never_write_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="rate is more than 0, burst at least 1"):
        RefusalLog(**wrong)


def test_a_log_that_fails_changes_no_verdict(monkeypatch: pytest.MonkeyPatch, lines: Lines) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(RefusalLog, "judged", fail)
    answer = Guarded().post(envelope(None))
    assert (answer.status, answer.check) == ("500 Internal Server Error", "security.missing")
    assert "an observer failed" in lines.texts[-1]
