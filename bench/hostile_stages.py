"""How far hostile messages get, and what one of them takes of the processor and of memory.

Each goes to a process of its own that has judged small ones before: how far its memory grows, and the least processor
time of some more tries.
"""

import ctypes
import gc
import json
import os
import resource
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIEnvironment

from bench.hostile import IN_HEADERS, IN_THE_BODY, Shape
from tests.guard_encryption.sealing import content_of, for_server, sealed, sealing
from tests.guarding import Guarded, environ_for
from tests.messages import SOAP11, Token, message, timestamp
from tests.signature.mutations import Forgetful
from tests.signature.signatures import ALICE, guarding
from tests.signing import Signing, binary_token, sign, signed, unsigned

TRIES: Final = 3
LEAST_BOUND: Final = 12 * 2_097_152
"""Bytes of memory that any message may take; a larger one 12 times its size."""


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Takes everything, and keeps nothing."""
    start_response("200 OK", [("Content-Type", "text/xml")])
    return [b"<ok/>"]


@dataclass(frozen=True)
class Stage:
    """How far messages get, and the guard that they are for."""

    name: str
    guard: Guarded
    make: Callable[[Shape, int], bytes]
    shapes: Sequence[Shape]

    def post(self, octets: bytes, shape: Shape) -> str:
        """Judge a message; the check that refused it, or "accepted"."""
        records = len(self.guard.records)
        environ = environ_for(octets, **shape.environ)
        for _ in self.guard.guard(environ, lambda status, headers, exc_info=None: lambda data: None):
            pass
        return self.guard.records[-1].check if len(self.guard.records) > records else "accepted"

    def warm(self) -> None:
        """What is done once is done."""
        for _ in range(3):
            self.post(self.make(HONEST, 1_000), HONEST)


HONEST: Final = IN_THE_BODY[0]


def _plain(shape: Shape, size: int) -> bytes:
    return f'<S:Envelope xmlns:S="{SOAP11}"><S:Body>{shape.operation_of(size)}</S:Body></S:Envelope>'.encode()


def _in_headers(shape: Shape, size: int) -> bytes:
    security = (timestamp(), Token().xml(), shape.security(size))
    return unsigned(*security, header=shape.header(size), envelope_attributes=shape.envelope).encode()


def _of_a_user(shape: Shape, size: int) -> bytes:
    return message(body=shape.operation_of(size))


def _of_a_signer(shape: Shape, size: int) -> bytes:
    return signed(Signing.by(ALICE), body=shape.operation_of(size), header=shape.header(size))


def _encrypted(shape: Shape, size: int) -> bytes:
    security = ("@EK-1@", binary_token(ALICE.certificate), "@SIG-1@", timestamp())
    # In base64 it is a third longer.
    text = sign(unsigned(*security, body=shape.operation_of(size * 3 // 4)), Signing.by(ALICE)).decode()
    return sealed(text, (content_of(text), for_server()))


def stages(directory: Path) -> tuple[Stage, ...]:
    """Every stage; ``directory`` is for files."""
    for name in ("signed", "sealed"):
        (directory / name).mkdir()
    common: dict[str, Any] = {"replay_store": Forgetful(), "http": {"content_encodings": ["gzip"]}}
    users = Guarded(application, **common)
    signers = guarding(directory / "signed")(application=application, **common)
    sealers = sealing(directory / "sealed")(application=application, **common)
    return (
        Stage("nobody's", users, _plain, IN_THE_BODY),
        Stage("headers of anybody", users, _in_headers, IN_HEADERS),
        Stage("a user's", users, _of_a_user, IN_THE_BODY),
        Stage("signed", signers, _of_a_signer, IN_THE_BODY),
        Stage("signed and encrypted", sealers, _encrypted, IN_THE_BODY),
    )


# --- Measuring --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cost:
    """What one message took."""

    octets: int
    check: str
    seconds: float
    """Of the processor."""
    memory: int
    """Bytes."""

    @property
    def milliseconds(self) -> float:
        """For each 100 KB; a smaller message counts as that."""
        return self.seconds * 1e3 / max(1.0, self.octets / 1e5)

    @property
    def too_much(self) -> bool:
        """Whether it is more than the project promises."""
        return self.milliseconds > 50 or self.memory > max(12 * self.octets, LEAST_BOUND)


def measure(stage: Stage, shape: Shape, size: int) -> Cost:
    """What a message of about ``size`` octets takes."""
    octets, check, seconds, memory = in_child(lambda: _measured(stage, shape, size))
    return Cost(octets, check, seconds, memory)


def _measured(stage: Stage, shape: Shape, size: int) -> list[Any]:
    # mallopt(M_MMAP_THRESHOLD): what made the message raises it otherwise, and leaves holes that count as memory.
    ctypes.CDLL(None).mallopt(-3, 131_072)
    octets = shape.encode(stage.make(shape, size))
    stage.warm()
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _memory("VmRSS")
    check = stage.post(octets, shape)
    grown = _memory("VmHWM") - before
    return [len(octets), check, min(_seconds(stage, octets, shape) for _ in range(TRIES)), grown]


def _seconds(stage: Stage, octets: bytes, shape: Shape) -> float:
    gc.collect()
    started = time.process_time()
    stage.post(octets, shape)
    return time.process_time() - started


def _memory(name: str) -> int:
    """Bytes that the process has in memory, ``VmRSS``, or had at most since that was reset, ``VmHWM``."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition(f"{name}:")[2].split()[0]) * 1024


def in_child(work: Callable[[], list[Any]], seconds: int | None = 120) -> list[Any]:
    """What ``work`` returns, in JSON, from a process that is forked for it.

    Args:
        work: what to do there.
        seconds: of the processor, that it has; None: as many as it takes.

    Raises:
        RuntimeError: the process came to another end.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            if seconds is not None:
                resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
            os.write(writer, json.dumps(work()).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as answer:
        text = answer.read()
    if os.waitpid(child, 0)[1]:
        raise RuntimeError("the process that measures was ended")
    return list(json.loads(text))
