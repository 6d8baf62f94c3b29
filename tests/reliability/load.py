"""Clients that send valid messages all the time, and write down what came of each."""

import base64
import hashlib
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.messages import BASE64, PROFILE, envelope, security, stamp, timestamp

THREADS = 8
SCALE = int(os.environ.get("RELIABILITY_SCALE", "1"))
"""How many times longer each part of a scene lasts; ``make reliability`` sets it."""
LONG_ONLY = pytest.mark.skipif(SCALE == 1, reason="make reliability")
"""Slow, and of a kind that others stand for."""
PATIENCE = 60.0
"""Seconds that anything here may take before it is broken."""
BACK_OFF = 0.01
"""Seconds that a client waits after a refusal."""


@dataclass(frozen=True)
class Reply:
    """What a client got."""

    status: int
    body: bytes
    retry_after: str = ""


@dataclass(frozen=True)
class Sent:
    """A message, and what came of it."""

    name: str
    """Stands in its body, and in no other."""
    octets: bytes
    began: float
    """Of the monotonic clock."""
    seconds: float
    reply: Reply | None
    """None: the connection was lost."""

    @property
    def status(self) -> int:
        return self.reply.status if self.reply is not None else 0


Post = Callable[[bytes], Reply | None]


def fresh(life: float = 300) -> tuple[str, bytes]:
    """A valid message of alice's, as of the sender's clock, and its name.

    Args:
        life: seconds until it expires.
    """
    name, nonce, created = secrets.token_hex(8), secrets.token_bytes(16), stamp()
    digest = base64.b64encode(hashlib.sha1(nonce + created.encode() + b"secret").digest()).decode()
    token = (
        "<wsse:UsernameToken><wsse:Username>alice</wsse:Username>"
        f'<wsse:Password Type="{PROFILE}#PasswordDigest">{digest}</wsse:Password>'
        f'<wsse:Nonce EncodingType="{BASE64}">{base64.b64encode(nonce).decode()}</wsse:Nonce>'
        f"<wsu:Created>{created}</wsu:Created></wsse:UsernameToken>"
    )
    body = f'<e:Echo xmlns:e="urn:echo"><e:text>{name}</e:text></e:Echo>'
    return name, envelope(security(timestamp(expires=stamp(life)), token), body)


class Load:
    """Threads that send fresh messages until they are told to stop."""

    def __init__(self, post: Post, make: Callable[[], tuple[str, bytes]] = fresh, threads: int = THREADS) -> None:
        self._post = post
        self._make = make
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self.sent: list[Sent] = []
        self._threads = [threading.Thread(target=self._send) for _ in range(threads)]

    def until(self, status: int, count: int = THREADS) -> None:
        """Until ``count`` messages, sent from now on, have got this answer."""
        since, wanted = time.monotonic(), count * SCALE

        def enough() -> bool:
            return sum(sent.status == status and sent.began >= since for sent in self.sent) >= wanted

        with self._changed:
            assert self._changed.wait_for(enough, PATIENCE * SCALE), f"no {count} answers with {status}"

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a request hangs"

    def _send(self) -> None:
        while not self._stopping.is_set():
            name, octets = self._make()
            began = time.monotonic()
            reply = self._post(octets)
            sent = Sent(name, octets, began, time.monotonic() - began, reply)
            with self._changed:
                self.sent.append(sent)
                self._changed.notify_all()
            if sent.status != 200:
                self._stopping.wait(BACK_OFF)


@contextmanager
def under_load(post: Post, threads: int = THREADS) -> Iterator[Load]:
    """A load that has begun to be served; it stops at the end."""
    load = Load(post, threads=threads)
    load.start()
    try:
        load.until(200)
        yield load
    finally:
        load.stop()
