"""Whatever senders choose anew in each message, nothing of it is kept: objects are counted, and no time is looked at.

What is remembered for a while has its end by the clock, which goes on here by a minute with each message.
"""

import gc
import logging
import sys
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from prometheus_client import CollectorRegistry

import wsguard
from tests.conftest import Watch
from tests.guard_encryption.sealing import sealing, signed_then_encrypted
from tests.guarding import Clock, environ_for
from tests.guarding import call as ask
from tests.messages import NOW, envelope, message, security, sent_at, timestamp
from tests.pki import authority
from tests.signature.signatures import ALICE, ROOT
from tests.signing import Signing, signed
from wsguard.certificates.decoding import decode
from wsguard.certificates.naming import name_key
from wsguard.message.interning import MOST_KEPT
from wsguard.message.parse import parsers
from wsguard.middleware import Guard
from wsguard.names import X509_V3
from wsguard.signature.value import _xmlsec_key
from wsguard.stores.secrets_at_rest import new_master_key
from wsguard.stores.users_sql import SqlUserStore
from wsguard.tokens.username import _origin
from wsguard.trust.verdicts import Verdicts

STEP: Final = timedelta(minutes=1)
CACHED: Final = 32
"""Entries of each cache whose size can be given; the others are filled before."""
WARMING: Final = 150
MANY: Final = 300
"""For certificates: more than are kept, since one that was looked at holds more than one that was not."""
CERTIFIED: Final = frozenset({"authorities", "clients"})
COUNTED: Final = 500
MOST: Final = COUNTED * 3 // 4
"""Blocks. An object for each message would be more. What is left comes and goes: sqlite3 notices only after 200 more of
them which cursors are closed."""
MOST_OCTETS: Final = COUNTED * 256
"""Half of what the smallest objects would take that are no blocks."""
TOKENS: Final = 128
KEYS: Final = 256
ADDRESSES: Final = 1024
"""Entries of caches: of tokens with certificates; of names in messages, and of keys; of addresses."""


@dataclass(frozen=True)
class Kept:
    """What Python has in memory."""

    blocks: int
    """Of its own allocator: objects of at most 512 octets, and what belongs to them."""
    octets: int
    """Of everything that was made since tracemalloc was started."""


Keeping = Callable[[Callable[[int], None], int, int], Kept]
"""What is kept of the calls for numbers from the first to the second, after those below the first."""


@pytest.fixture
def keeping(watch: Watch) -> Iterator[Keeping]:
    # Of what is logged pytest keeps every line.
    logging.disable()
    tracemalloc.start(1)
    fill_caches()

    def now() -> Kept:
        # The tests keep each secret, to find it in what is told.
        assert watch.leaks() == []
        watch.begin()
        gc.collect()
        return Kept(sys.getallocatedblocks(), tracemalloc.get_traced_memory()[0])

    def keeping(post: Callable[[int], None], first: int, last: int) -> Kept:
        for number in range(first):
            post(number)
        before = now()
        for number in range(first, last):
            post(number)
        after = now()
        return Kept(after.blocks - before.blocks, after.octets - before.octets)

    yield keeping
    tracemalloc.stop()
    logging.disable(logging.NOTSET)


def fill_caches() -> None:
    """Those whose size is a constant are full from now on."""
    for one in (name_key, _xmlsec_key, decode, _origin):
        one.cache_clear()
    key = ROOT.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for number in range(KEYS):
        name_key(f"CN=Filling {number}")
        _xmlsec_key(key + b"\n" * number)
    for number in range(TOKENS):
        decode(ROOT.leaf(f"Filling {number}", key=ALICE.key).der, X509_V3)
    parsers.kept = MOST_KEPT + 1
    for number in range(ADDRESSES):
        _origin(f"198.51.{number // 256}.{number % 256}")


# --- Ever new ---------------------------------------------------------------------------------------------------------


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Takes everything, and keeps nothing."""
    start_response("200 OK", [("Content-Type", "text/xml")])
    return [b"<ok/>"]


@dataclass(frozen=True)
class Scene:
    """A guard with stores on the disk, and everything beside it that sees messages."""

    guard: Guard
    clock: Clock
    users: SqlUserStore
    registry: CollectorRegistry

    def post(self, octets: bytes, **environ: Any) -> str:
        """The HTTP status."""
        return ask(self.guard, environ_for(octets, **environ)).status


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    from wsguard.metrics import PrometheusObserver

    monkeypatch.setattr("wsguard.trust.judging.Verdicts", partial(Verdicts, most=CACHED))
    (tmp_path / "files").mkdir()
    policy = sealing(tmp_path / "files")(encryption={"use": "optional"}).policy
    stores = {
        "replay": policy.replay.model_copy(update={"url": f"sqlite:///{tmp_path}/replay.db"}),
        "audit": policy.audit.model_copy(update={"url": [f"sqlite:///{tmp_path}/audit.db"]}),
        # A user's password or a signature: either is demanded of a message that has it, and one at least.
        "signature": policy.signature.model_copy(update={"use": "optional"}),
        "unsafe_unauthenticated": True,
    }
    registry, clock = CollectorRegistry(), Clock()
    with closing(SqlUserStore(f"sqlite:///{tmp_path}/users.db", [new_master_key()], cache_size=CACHED)) as users:
        users.add("alice", "secret")
        guard = wsguard.guard(
            application,
            policy.model_copy(update=stores),
            clock=clock,
            users=users,
            observers=[PrometheusObserver(registry, clock=clock)],
        )
        yield Scene(guard, clock, users, registry)
        guard.close()


Sent = tuple[bytes, dict[str, Any]]


def _of_a_user(number: int) -> Sent:
    return message(nonce=b"nonce %d" % number), {}


def _of_nobody(number: int) -> Sent:
    return message(username=f"user {number}"), {"REMOTE_ADDR": f"2001:db8:{number:x}::1"}


def _with_a_wrong_password(number: int) -> Sent:
    return message(password=f"{number}"), {"REMOTE_ADDR": f"2001:db8:{number:x}::1"}


def _with_names(number: int) -> Sent:
    n = number
    body = f'<o{n}:p{n} xmlns:o{n}="urn:{n}" a{n}="" Id="i{n}"><q{n}/></o{n}:p{n}>'
    path = {"PATH_INFO": f"/soap/{number}", "HTTP_SOAPACTION": f'"urn:{number}#p"', "HTTP_HOST": f"h{number}.example"}
    return message(nonce=b"nonce %d" % number, body=body), path


def _of_unknown_tokens(number: int) -> Sent:
    return envelope(security(timestamp(), f'<t{number} xmlns="urn:{number}"/>')), {}


def _not_well_formed(number: int) -> Sent:
    return f"<a{number} b{number}=''".encode(), {}


def _not_xml(number: int) -> Sent:
    return b"", {"CONTENT_TYPE": f"text/x-{number}", "HTTP_X_OF_MINE": str(number)}


def _of_a_stranger(number: int) -> Sent:
    return signed(Signing.by(authority(f"Root {number}").leaf(f"Stranger {number}"))), {}


def _of_a_client(number: int) -> Sent:
    return signed(Signing.by(ROOT.leaf(f"Client {number}"))), {}


def _by_names_of_certificates(number: int) -> Sent:
    data = (
        "<ds:X509Data><ds:X509IssuerSerial>"
        f"<ds:X509IssuerName>CN=Root {number}</ds:X509IssuerName><ds:X509SerialNumber>{number}</ds:X509SerialNumber>"
        f"</ds:X509IssuerSerial><ds:X509SubjectName>CN=Somebody {number}</ds:X509SubjectName></ds:X509Data>"
    )
    return signed(Signing.by(ALICE, certificate=None, key_info=data)), {}


def _by_names_of_keys(number: int) -> Sent:
    return signed(Signing.by(ALICE, certificate=None, key_info=f"<ds:KeyName>key {number}</ds:KeyName>")), {}


def _encrypted(number: int) -> Sent:
    return signed_then_encrypted().replace(b"EK-1", b"EK-%d" % number), {}


EVER_NEW: Final[dict[str, tuple[Callable[[int], Sent], str]]] = {
    "nonces": (_of_a_user, "200"),
    "users": (_of_nobody, "500"),
    "addresses and passwords": (_with_a_wrong_password, "500"),
    "names of everything": (_with_names, "200"),
    "tokens": (_of_unknown_tokens, "500"),
    "faults": (_not_well_formed, "500"),
    "types of content": (_not_xml, "415"),
    "authorities": (_of_a_stranger, "500"),
    "clients": (_of_a_client, "200"),
    "names of certificates": (_by_names_of_certificates, "500"),
    "names of keys": (_by_names_of_keys, "500"),
    "ciphertext": (_encrypted, "200"),
}


@pytest.mark.parametrize("what", EVER_NEW)
def test_nothing_is_kept_of_what_is_ever_new(scene: Scene, keeping: Keeping, what: str) -> None:
    make, status = EVER_NEW[what]

    def post(number: int) -> None:
        scene.clock.now = NOW + number * STEP
        with sent_at(scene.clock.now):
            octets, environ = make(number)
        answer = scene.post(octets, **environ)
        assert answer.startswith(status), answer

    warming = MANY if what in CERTIFIED else WARMING
    kept = keeping(post, warming, warming + COUNTED)
    assert kept.blocks < MOST, kept
    assert kept.octets < MOST_OCTETS, kept


def test_what_is_bounded_by_a_number_keeps_to_it(scene: Scene) -> None:
    fill_caches()
    metrics: list[set[str]] = []
    for number in range(2 * CACHED):
        scene.clock.now = NOW + number * STEP
        for make, _ in EVER_NEW.values():
            with sent_at(scene.clock.now):
                octets, environ = make(number)
            scene.post(octets, **environ)
        if number in (CACHED, 2 * CACHED - 1):
            metrics.append(_series(scene.registry))
    assert metrics[0] == metrics[1]
    assert len(scene.users._unknown) <= CACHED
    assert len(scene.users._known) <= CACHED
    assert decode.cache_info().currsize == decode.cache_info().maxsize == TOKENS
    assert name_key.cache_info().currsize == name_key.cache_info().maxsize == KEYS
    assert _xmlsec_key.cache_info().currsize == _xmlsec_key.cache_info().maxsize == KEYS


def _series(registry: CollectorRegistry) -> set[str]:
    return {f"{one.name} {sorted(one.labels.items())}" for metric in registry.collect() for one in metric.samples}


# --- The counting itself ----------------------------------------------------------------------------------------------


def test_one_small_object_for_each_message_would_be_seen(keeping: Keeping) -> None:
    held: list[object] = []
    assert keeping(lambda number: held.append(f"small {number}"), WARMING, WARMING + COUNTED).blocks >= MOST


def test_one_large_object_for_each_message_would_be_seen(keeping: Keeping) -> None:
    held: list[object] = []
    assert keeping(lambda number: held.append(bytes(513)), WARMING, WARMING + COUNTED).octets >= MOST_OCTETS
