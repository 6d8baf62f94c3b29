"""A guard over real stores, what it handed on and recorded, and what must hold of all that."""

import gc
import hashlib
import logging
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import wsguard
from tests.guarding import USERS, Clock, environ_for
from tests.messages import NOW
from tests.reliability.load import THREADS, Load, Reply, Sent, under_load
from wsguard.audit import open_reader
from wsguard.audit.memory import MemoryAudit
from wsguard.interfaces import AuditReader, AuditRecord, AuditSink, ReplayStore, UserStore
from wsguard.stores.users_memory import MemoryUserStore

NAME = re.compile(rb"<e:text>([0-9a-f]{16})</e:text>")
INCIDENT = re.compile(rb"\[([^\]\s]+)\]")
DESCRIPTORS = Path("/proc/self/fd")
SLACK = 2.0
"""Seconds beyond a deadline: a question that was answered just before, and one for a busy machine."""
_ALL = 10_000_000
SETTLING = 10.0
"""Seconds."""


@dataclass
class Handed:
    """An application that counts the messages that it was handed, by name."""

    names: Counter[str] = field(default_factory=Counter)
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        name = NAME.search(environ["wsgi.input"].read())
        assert name is not None
        with self._counting:
            self.names[name[1].decode()] += 1
        start_response("200 OK", [("Content-Type", "text/xml")])
        return [b"<ok/>"]


class Unrecorded(logging.Handler):
    """Incidents of which the log says that they were not recorded."""

    def __init__(self) -> None:
        super().__init__()
        self.incidents: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        found = re.match(r"incident (\S+): not recorded", record.getMessage())
        if found is not None:
            self.incidents.add(found[1])


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What came of a scene; each is also a promise."""

    requests: int
    accepted: int
    unavailable: int
    """Answered with 503."""
    lost: int
    """Connections that ended without an answer: of servers that were killed."""
    slowest: float
    """Seconds."""
    taken_again: int
    """Accepted messages that were taken once more when they were sent again at the end."""


class Scene:
    """One guard in this process."""

    def __init__(
        self,
        replay: str | ReplayStore,
        directory: Path,
        *,
        deadline: int = 1,
        keep: int = 3600,
        wait_replicas: int = 0,
        audit: str | AuditSink = "",
        users: UserStore | None = None,
        **policy: Any,
    ) -> None:
        """
        Args:
            replay: its URL, or the store itself.
            directory: for the audit.
            deadline: seconds, of the replay store and of the audit.
            keep: seconds that it remembers at least.
            wait_replicas: of Redis.
            audit: its URL, or the audit itself; empty: a file in ``directory``.
            users: where alice is; None: in memory.
            policy: more of it.
        """
        url = replay if isinstance(replay, str) else "memory://"
        self.audit = audit or f"jsonl:{directory / 'audit.jsonl'}"
        audit_url = self.audit if isinstance(self.audit, str) else "memory://"
        self.directory = directory
        self.deadline = deadline
        self.application = Handed()
        self.clock = Clock(NOW)
        self.unrecorded = Unrecorded()
        self.guard = wsguard.guard(
            self.application,
            wsguard.Policy.model_validate(
                {
                    "users": {"url": "memory://"},
                    "replay": {"url": url, "deadline": deadline, "keep": keep, "wait_replicas": wait_replicas},
                    "audit": {"url": audit_url, "record": "all", "deadline": deadline},
                    **policy,
                }
            ),
            clock=self.clock,
            users=users or MemoryUserStore(USERS),
            replay=None if isinstance(replay, str) else replay,
            audit=None if isinstance(self.audit, str) else self.audit,
        )
        logging.getLogger("wsguard").addHandler(self.unrecorded)

    def post(self, octets: bytes) -> Reply:
        """What a client gets."""
        started: list[tuple[str, dict[str, str]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:
            started.append((status, dict(headers)))

        body = b"".join(self.guard(environ_for(octets), start_response))
        status, headers = started[-1]
        return Reply(int(status[:3]), body, headers.get("Retry-After", ""))

    def load(self, threads: int = THREADS) -> Any:
        """A load on it, that has begun."""
        return under_load(self.post, threads)

    def judge(self, load: Load, *, deadline: float | None = None, forgotten: bool = False) -> Measured:
        """What was measured, if everything holds that is always promised.

        Args:
            load: it is over.
            deadline: seconds, where it is not that of the replay store alone.
            forgotten: the store lost what it knew, as documented, so messages may be taken once more at the end.
        """
        handed, records = Counter(self.application.names), self.records()
        again = judge(load.sent, handed, records, self.unrecorded.incidents, self.post)
        assert forgotten or not again
        slowest = max(sent.seconds for sent in load.sent)
        assert slowest <= (deadline or self.deadline) + SLACK, f"a request took {slowest:.2f} s"
        return Measured(
            requests=len(load.sent),
            accepted=sum(sent.status == 200 for sent in load.sent),
            unavailable=sum(sent.status == 503 for sent in load.sent),
            lost=sum(sent.reply is None for sent in load.sent),
            slowest=slowest,
            taken_again=again,
        )

    @property
    def store(self) -> ReplayStore:
        """The replay store."""
        given: ReplayStore = self.guard._source.current().parts["replay"][1]  # type: ignore[assignment]
        return given

    def records(self) -> list[AuditRecord]:
        """Everything that the audit has."""
        audit = self.guard.audit
        if isinstance(audit, MemoryAudit):
            return list(audit.records)
        if isinstance(audit, AuditReader):
            return audit.read(limit=_ALL)
        assert isinstance(self.audit, str)
        return records_of(self.audit)

    def close(self) -> None:
        logging.getLogger("wsguard").removeHandler(self.unrecorded)
        self.guard.close()


def records_of(url: str) -> list[AuditRecord]:
    reader = open_reader([url])
    try:
        return reader.read(limit=_ALL)
    finally:
        getattr(reader, "close", lambda: None)()


def judge(
    sent: list[Sent],
    handed: Counter[str],
    records: list[AuditRecord],
    unrecorded: set[str],
    post: Callable[[bytes], Reply | None],
) -> int:
    """How many accepted messages are taken once more, where everything else holds.

    Args:
        sent: in the load.
        handed: how often each was handed on.
        records: what the audit has.
        unrecorded: incidents that the log says are not there.
        post: sends to the guard after it recovered.
    """
    assert {one.status for one in sent} <= {0, 200, 503}
    for one in sent:
        if one.reply is not None and one.status == 503:
            assert (one.reply.retry_after, b"Fault>" in one.reply.body) == ("5", True)
    accepted = [one for one in sent if one.status == 200]
    assert {one.name: handed[one.name] for one in accepted} == {one.name: 1 for one in accepted}
    assert [one.name for one in sent if handed[one.name] > (one.status != 503)] == [], "refused, and handed on"
    _judge_records(sent, handed, records, unrecorded)
    taken = [one.name for one in accepted if (reply := post(one.octets)) is not None and reply.status == 200]
    return len(taken)


def _judge_records(sent: list[Sent], handed: Counter[str], records: list[AuditRecord], unrecorded: set[str]) -> None:
    kept: dict[str, list[AuditRecord]] = {}
    for record in records:
        kept.setdefault(record.message_sha256, []).append(record)
    for one in sent:
        own = kept.get(hashlib.sha256(one.octets).hexdigest(), [])
        outcomes = Counter(record.outcome for record in own)
        assert max(outcomes.values(), default=0) <= 1, "recorded twice"
        if handed[one.name]:
            assert outcomes["accepted"] == 1, "served without a record"
        if one.reply is not None and one.status == 503 and not outcomes["error"]:
            found = INCIDENT.search(one.reply.body)
            assert found is not None
            assert found[1].decode() in unrecorded, "refused without a trace"


@contextmanager
def nothing_left_open() -> Iterator[None]:
    """When the context ends there are as many threads and open files as when it began."""
    gc.collect()
    before = _held()
    yield
    until = time.monotonic() + SETTLING
    while True:
        gc.collect()
        threads, files = _held()
        if threads <= before[0] and files <= before[1]:
            return
        assert time.monotonic() < until, f"threads and open files: {before}, then {(threads, files)}"
        time.sleep(0.05)


def open_files() -> int:
    """Of this process."""
    return sum(1 for _ in DESCRIPTORS.iterdir())


def _held() -> tuple[int, int]:
    return threading.active_count(), open_files()
