"""``wsguard doctor``: whether this machine can do what the guard needs."""

import os
import sqlite3
import ssl
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Annotated, Final, Literal

import cryptography
import typer
import xmlsec
from cryptography.hazmat.backends.openssl import backend
from lxml import etree

from wsguard.audit import open_audit
from wsguard.cli.algorithms import try_all
from wsguard.cli.arguments import CONFIG_VARIABLE, Json, read_policy
from wsguard.cli.closable import Closable
from wsguard.cli.screen import print_json, print_table
from wsguard.faults import StoreUnavailable
from wsguard.keys import KeyFileError, load_key, out_of_date
from wsguard.opening import audit_urls, location, open_user_table
from wsguard.policy import Policy
from wsguard.policy.problems import ConfigError
from wsguard.stores import open_replay
from wsguard.version import __version__

State = Literal["fine", "warning", "failed", "missing"]

SYNCHRONIZED: Final = Path("/run/systemd/timesync/synchronized")
"""systemd-timesyncd(8): made once the clock was set from the network."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was looked at."""

    group: Literal["version", "algorithm", "clock", "file", "key", "store"]
    name: str
    state: State
    text: str


def doctor(
    config: Annotated[
        Path | None,
        typer.Argument(metavar="[CONFIG]", envvar=CONFIG_VARIABLE, help="Look at its files and stores too."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Look at libraries, algorithms and clock, and at the files and stores of CONFIG. Exit 1 if something fails."""
    policy = read_policy(config, as_json=as_json) if config else None
    items = [*versions(), *algorithms(), *clock(datetime.now(UTC))]
    if policy is not None:
        items += [*secret_files(policy), *keys(policy), *stores(policy)]
    fine = all(item.state != "failed" for item in items)
    if as_json:
        print_json({"ok": fine, "items": [asdict(item) for item in items]})
    else:
        print_table("wsguard doctor", ("What", "Name", "State", "Text"), _rows(items), lines=False)
    if not fine:
        raise typer.Exit(1)


def _rows(items: list[Item]) -> Iterator[tuple[str, ...]]:
    """All algorithms that work are one line."""
    works = [item.name for item in items if item.group == "algorithm" and item.state == "fine"]
    for item in items:
        if item.name in works[:1]:
            yield (item.group, f"{len(works)} tried", "fine", ", ".join(works))
        elif item.name not in works:
            yield (item.group, item.name, item.state, item.text)


# --- Libraries --------------------------------------------------------------------------------------------------------


def versions() -> Iterator[Item]:
    """The versions that matter, and whether lxml and xmlsec share one libxml2."""
    lxml_runs, xmlsec_runs = etree.LIBXML_VERSION, xmlsec.get_libxml_version()
    yield Item("version", "wsguard", "fine", __version__)
    yield Item("version", "python", "fine", sys.version.split()[0])
    yield Item("version", "lxml", "fine", _dotted(etree.LXML_VERSION))
    yield _compiled("lxml's libxml2", etree.LIBXML_COMPILED_VERSION, lxml_runs)
    yield Item("version", "xmlsec", "fine", metadata.version("xmlsec"))
    yield _libxmlsec()
    yield _compiled("xmlsec's libxml2", xmlsec.get_libxml_compiled_version(), xmlsec_runs)
    yield _same_libxml2(lxml_runs, xmlsec_runs)
    yield Item("version", "cryptography", "fine", cryptography.__version__)
    yield Item("version", "cryptography's OpenSSL", "fine", backend.openssl_version_text())
    yield Item("version", "python's OpenSSL", "fine", ssl.OPENSSL_VERSION)
    yield Item("version", "SQLite", "fine", sqlite3.sqlite_version)
    for name in ("pydantic", "werkzeug", "SQLAlchemy", "redis", "spyne"):
        yield _installed(name)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _libxmlsec() -> Item:
    ask = getattr(xmlsec, "get_libxmlsec_version", None)
    if ask is None:
        return Item("version", "libxmlsec", "missing", "this xmlsec does not say")
    return Item("version", "libxmlsec", "fine", _dotted(ask()))


def _compiled(name: str, compiled: tuple[int, ...], runs: tuple[int, ...]) -> Item:
    state: State = "fine" if compiled[:2] == runs[:2] else "warning"
    return Item("version", name, state, f"{_dotted(runs)} (compiled for {_dotted(compiled)})")


def _same_libxml2(lxml_runs: tuple[int, ...], xmlsec_runs: tuple[int, ...]) -> Item:
    """python-xmlsec hands lxml's nodes to libxmlsec: two libxml2 of different layout corrupt memory."""
    if lxml_runs == xmlsec_runs:
        return Item("version", "one libxml2 for both", "fine", _dotted(lxml_runs))
    text = f"lxml has {_dotted(lxml_runs)}, xmlsec {_dotted(xmlsec_runs)}: install builds that share one"
    return Item("version", "one libxml2 for both", "failed", text)


def _installed(name: str) -> Item:
    try:
        return Item("version", name, "fine", metadata.version(name))
    except metadata.PackageNotFoundError:
        return Item("version", name, "missing", "not installed")


def algorithms() -> Iterator[Item]:
    """Every algorithm that a configuration may list, tried."""
    for name, reason in try_all().items():
        yield Item("algorithm", name, "missing" if reason else "fine", reason or "works")


# --- Clock ------------------------------------------------------------------------------------------------------------


def clock(now: datetime) -> Iterator[Item]:
    """Whether the clock can be right: a Timestamp is judged by it."""
    installed = datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)
    if now < installed:
        text = (
            f"{now:%Y-%m-%d %H:%M:%S} UTC is before wsguard was installed, {installed:%Y-%m-%d %H:%M:%S}: set the clock"
        )
        yield Item("clock", "time", "failed", text)
    else:
        yield Item("clock", "time", "fine", f"{now:%Y-%m-%d %H:%M:%S} UTC")
    if SYNCHRONIZED.exists():
        yield Item("clock", "synchronized", "fine", "set from the network by systemd-timesyncd")
    else:
        yield Item("clock", "synchronized", "missing", "systemd-timesyncd did not set it; see that something does")


# --- Files and stores of a configuration ------------------------------------------------------------------------------


def secret_files(policy: Policy) -> Iterator[Item]:
    """Whether anybody else can read the files of ``policy`` that hold secrets."""
    for setting, path in _secrets(policy):
        try:
            mode = path.stat().st_mode & 0o777
        except OSError as error:
            yield Item("file", str(path), "failed", f"{setting}: {error.strerror}")
            continue
        if mode & 0o077:
            yield Item("file", str(path), "failed", f"{setting}: mode {mode:04o}, others can read it: chmod 600")
        else:
            yield Item("file", str(path), "fine", f"{setting}: mode {mode:04o}")


def _secrets(policy: Policy) -> Iterator[tuple[str, Path]]:
    if policy.users.url.startswith("toml:"):
        yield "users.url", Path(policy.users.url.removeprefix("toml:"))
    for name in ("users", "replay", "audit"):
        if path := getattr(policy, name).url_file:
            yield f"{name}.url_file", path
    keys = [(f"keys.decrypt[{index}]", key) for index, key in enumerate(policy.keys.decrypt)]
    for setting, key in [*keys, *([("keys.sign", policy.keys.sign)] if policy.keys.sign else [])]:
        yield f"{setting}.file", key.file
        if key.password_file:
            yield f"{setting}.password_file", key.password_file
    for index, shared in enumerate(policy.keys.shared):
        if shared.key_file:
            yield f"keys.shared[{index}].key_file", shared.key_file


def keys(policy: Policy) -> Iterator[Item]:
    """Whether our own keys can be read, with the passwords that the environment has now."""
    named = [(f"keys.decrypt[{index}]", key) for index, key in enumerate(policy.keys.decrypt)]
    if policy.keys.sign is not None:
        named.append(("keys.sign", policy.keys.sign))
    for setting, key in named:
        try:
            pair = load_key(key)
        except KeyFileError as error:
            yield Item("key", setting, "failed", str(error))
            continue
        if pair.certificate is None:
            yield Item("key", setting, "fine", "no certificate")
            continue
        reason = out_of_date(pair.certificate, datetime.now(UTC))
        until = f"certificate valid until {pair.certificate.not_valid_after_utc:%Y-%m-%d}"
        yield Item("key", setting, "failed" if reason else "fine", reason or until)


def stores(policy: Policy) -> Iterator[Item]:
    """Whether the stores of ``policy`` can be opened and written to. Nothing is made that is not there yet.

    A database that the doctor made would belong to whoever called the doctor, and not to the service.
    """
    open_users = partial(open_user_table, section=policy.users)
    yield from _store("users", lambda: (location(policy.users, "users"),), open_users)
    yield from _store(
        "replay", lambda: (location(policy.replay, "replay"),), partial(open_replay, settings=policy.replay)
    )
    yield from _store(
        "audit", lambda: audit_urls(policy.audit), lambda url: open_audit([url], deadline=policy.audit.deadline)
    )


def _store(section: str, urls: Callable[[], tuple[str, ...]], open_store: Callable[[str], Closable]) -> Iterator[Item]:
    setting = f"{section}.url"
    try:
        for url in urls():
            yield Item("store", setting, *_opens(url, open_store))
    except ConfigError as error:
        yield Item("store", setting, "failed", str(error))


def _opens(url: str, open_store: Callable[[str], Closable]) -> tuple[State, str]:
    file = _file_of(url)
    if file is not None and not file.exists() and not url.startswith("toml:"):
        return _absent(file)
    try:
        open_store(url).close()
    except StoreUnavailable as error:
        return "failed", error.seen
    except ValueError as error:
        return "failed", str(error)
    # Only the scheme is shown: the rest of a URL may be a secret.
    return "fine", f"{url.partition(':')[0]}: opens"


def _file_of(url: str) -> Path | None:
    for scheme in ("sqlite:///", "jsonl:", "toml:"):
        if url.startswith(scheme):
            return Path(url.removeprefix(scheme))
    return None


def _absent(file: Path) -> tuple[State, str]:
    if os.access(file.parent, os.W_OK | os.X_OK):
        return "fine", f"{file} is made when the service starts; its directory is writable"
    return "failed", f"{file} is not there, and its directory is not writable"
