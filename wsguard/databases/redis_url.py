"""The URL of a Redis or Valkey server, of its Sentinels, or of a Cluster."""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote

_SCHEME: Final = re.compile(r"(redis)(s?)(?:\+(unix|sentinel|cluster))?://")
_PARTS: Final = re.compile(r"(?:([^@/?#]*)@)?([^@/?#]*)(/[^@?#]*)?(?:\?([^#]*))?")
_HOST: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?")
_DATABASE: Final = re.compile(r"[0-9]{1,4}")
_LAST_PORT: Final = 65535
_OF_SENTINELS: Final = ("sentinel_username", "sentinel_password")


@dataclass(frozen=True, kw_only=True, slots=True)
class RedisUrl:
    """The parts of a URL that was found to be one."""

    kind: str
    """``server``, ``unix``, ``sentinel`` or ``cluster``."""
    tls: bool
    hosts: tuple[tuple[str, int], ...] = ()
    """Host and port of the server, of each Sentinel, or of some servers of the Cluster."""
    path: str = ""
    """The file of the socket."""
    service: str = ""
    """What the Sentinels call the servers."""
    database: int = 0
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    sentinel_username: str | None = field(default=None, repr=False)
    sentinel_password: str | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The URL without what is secret in it."""
        kind = "" if self.kind == "server" else f"+{self.kind}"
        hosts = ",".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts)
        place = "".join(f"/{part}" for part in (self.service, self.database) if part)
        return f"redis{'s' if self.tls else ''}{kind}://{hosts}{self.path}{place}"

    def without_secrets(self, text: str) -> str:
        """``text`` with stars in the place of passwords."""
        for secret in (self.password, self.sentinel_password):
            text = text.replace(secret, "***") if secret else text
        return text


def is_redis(url: str) -> bool:
    """Whether ``url`` is written as one of Redis."""
    return _SCHEME.match(url) is not None


def parsed_redis_url(url: str) -> RedisUrl:
    """The parts of ``url``.

    Args:
        url: ``redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]``, ``redis+unix://[USER:PASSWORD@]/FILE``,
            ``redis+sentinel://[USER:PASSWORD@]HOST,HOST/SERVICE[/DATABASE][?sentinel_password=PASSWORD]`` or
            ``redis+cluster://[USER:PASSWORD@]HOST,HOST``; with TLS ``rediss``. What is no letter or digit in a name or
            password is written as %XX.

    Raises:
        ValueError: it has another form. It is not quoted: it may be a secret.
    """
    scheme = _SCHEME.match(url)
    parts = _PARTS.fullmatch(url, scheme.end()) if scheme else None
    if scheme is None or parts is None:
        raise ValueError("a Redis URL in which @, /, ? or # of a password is not written as %XX, or no Redis URL")
    kind, (who, hosts, path, query) = scheme[3] or "server", (part or "" for part in parts.groups())
    username, password = _credentials(who)
    options = _options(query, _OF_SENTINELS if kind == "sentinel" else ())
    service, database = _place(kind, path.removeprefix("/").split("/")) if kind != "unix" else ("", 0)
    if kind == "unix" and (hosts or len(path) < 2 or scheme[2]):
        raise ValueError("the socket of a Redis server is written redis+unix:///FILE, and has no TLS")
    return RedisUrl(
        kind=kind,
        tls=bool(scheme[2]),
        hosts=() if kind == "unix" else _hosts(kind, hosts),
        path=unquote(path) if kind == "unix" else "",
        service=service,
        database=database,
        username=username,
        password=password,
        sentinel_username=options.get("sentinel_username"),
        sentinel_password=options.get("sentinel_password"),
    )


def _credentials(who: str) -> tuple[str | None, str | None]:
    username, colon, password = who.partition(":")
    if username and not colon:
        raise ValueError("a Redis URL with a user and no password; a password alone is written :PASSWORD@")
    return unquote(username) or None, unquote(password) or None


def _options(query: str, known: tuple[str, ...]) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    # An option may switch off what must not be, as redis-py's ssl_cert_reqs=none does.
    if (query and not options) or options.keys() - set(known):
        raise ValueError(f"a Redis URL with other options than {', '.join(known) or 'none'}")
    return options


def _hosts(kind: str, text: str) -> tuple[tuple[str, int], ...]:
    matches = [_HOST.fullmatch(host) for host in text.split(",")]
    found = tuple((match[1] or match[2], int(match[3] or _port(kind))) for match in matches if match)
    if len(found) < len(matches) or any(not 0 < port <= _LAST_PORT for _, port in found):
        raise ValueError("a Redis URL with a host that is none; hosts are written HOST:PORT, with commas between")
    if kind == "server" and len(found) > 1:
        raise ValueError("a Redis URL with several hosts is written redis+sentinel:// or redis+cluster://")
    return found


def _port(kind: str) -> int:
    return 26379 if kind == "sentinel" else 6379


def _place(kind: str, path: list[str]) -> tuple[str, int]:
    """Service and database."""
    service = unquote(path.pop(0)) if kind == "sentinel" else ""
    if kind == "sentinel" and not service:
        raise ValueError("after the Sentinels of a Redis URL comes the name that they know the servers by: /SERVICE")
    database = path.pop(0) if path else ""
    if path or (database and not _DATABASE.fullmatch(database)) or (kind == "cluster" and database):
        raise ValueError("the path of a Redis URL is the number of a database; a Cluster has none")
    return service, int(database or 0)
