"""The chain over the entries of an audit: pure arithmetic on plain data.

Every entry carries ``writer``, ``seq``, ``prev`` and ``mac``. One that was changed no longer has its own mac; one that
was removed, swapped or slipped in breaks the numbers or the macs of its neighbours. With a key nobody without it can
make a mac; without one a chain shows mishaps and careless hands, and not somebody who calculates it anew.

What no chain can show: that the newest entries of a writer are gone, unless a later checkpoint names them; and that all
entries of a writer are gone, unless a checkpoint names one.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

LINK: Final = ("writer", "seq", "prev", "mac")
"""The fields that chain an entry."""


@dataclass(frozen=True, slots=True)
class Link:
    """Where a writer stands: its newest entry; number 0 and no mac before the first."""

    writer: str
    seq: int = 0
    mac: str = ""


def sealed(content: Mapping[str, Any], after: Link, key: bytes | None) -> dict[str, Any]:
    """``content`` as the entry that follows ``after``."""
    entry = {**content, "writer": after.writer, "seq": after.seq + 1, "prev": after.mac, "mac": ""}
    entry["mac"] = mac_of(entry, key)
    return entry


def mac_of(entry: Mapping[str, Any], key: bytes | None) -> str:
    """The mac that ``entry`` must have, in hexadecimal: of its ``prev`` and of everything in it but its mac.

    Raises:
        TypeError: ``entry`` is no plain data.
        ValueError: neither.
        RecursionError: it is nested too deeply.
    """
    octets = str(entry.get("prev", "")).encode("utf-8", "surrogatepass") + b"\n" + _canonical(entry)
    return hmac.digest(key, octets, "sha256").hex() if key else sha256(octets).hexdigest()


def is_genuine(entry: Mapping[str, Any], key: bytes | None) -> bool:
    """Whether ``entry`` has the mac that it must have."""
    try:
        return hmac.compare_digest(mac_of(entry, key), str(entry.get("mac", "")))
    except (TypeError, ValueError, RecursionError):
        return False


def link_of(entry: Mapping[str, Any]) -> Link | None:
    """Where ``entry`` says that it stands, or None where it says nothing that makes sense."""
    writer, seq, prev, mac = (entry.get(name) for name in LINK)
    whole = isinstance(writer, str) and isinstance(prev, str) and isinstance(mac, str)
    if not whole or not isinstance(seq, int) or isinstance(seq, bool) or seq < 1:
        return None
    return Link(str(writer), seq, str(mac))


def _canonical(entry: Mapping[str, Any]) -> bytes:
    content = {name: value for name, value in entry.items() if name != "mac"}
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode("ascii")
