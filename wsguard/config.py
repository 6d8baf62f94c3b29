"""From ``wsguard.toml`` to a ``Policy``: every mistake at once, each with file and key path."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from wsguard.policy import BASE, Demands, Policy
from wsguard.policy.demands import OVERRIDABLE
from wsguard.policy.problems import ConfigError, Problem


def load_policy(path: str | os.PathLike[str]) -> Policy:
    """Read a configuration file.

    Args:
        path: of a TOML file; what it names relatively is relative to its directory.

    Raises:
        ConfigError: it cannot be read, or is wrong in any way.
    """
    file = Path(path)
    try:
        raw = tomllib.loads(_text_of(file))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError([Problem("", f"cannot be read: {error}", str(file))]) from None
    try:
        return Policy.model_validate(raw, context={BASE: file.absolute().parent})
    except ValidationError as error:
        raise ConfigError(_problems(error, raw)).in_file(str(file)) from None


LARGEST: Final = 1_048_576
"""Octets of a configuration file: a thousand clients with a service each have 200,000."""
MOST_PARTS: Final = 32
"""Of a dotted key: tomllib takes time in the square of them, seconds for 20,000. Ours have four."""

_PART: Final = r"""(?:[\w-]++|"(?:[^"\\\n]|\\.){0,256}+"|'[^'\n]*+')"""
_MANY_PARTS: Final = re.compile(rf"(?<![\w-])(?:{_PART}[ \t]*+\.[ \t]*+){{{MOST_PARTS}}}")


def _text_of(file: Path) -> str:
    """The text of a configuration that takes no longer to read than it should.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not UTF-8, or too much.
    """
    with file.open("rb") as opened:
        octets = opened.read(LARGEST + 1)
    if len(octets) > LARGEST:
        raise ValueError(f"larger than {LARGEST} octets")
    # As in a file that is opened as text; tomllib takes no other line breaks.
    text = octets.decode("utf-8").replace("\r\n", "\n")
    if _MANY_PARTS.search(text):
        raise ValueError(f"a key of more than {MOST_PARTS} parts")
    return text


def _problems(error: ValidationError, raw: Mapping[str, Any]) -> list[Problem]:
    """One problem for each mistake in the file: what a service only inherits is reported where it stands."""
    errors = error.errors(include_url=False, include_input=False, include_context=False)
    places = [details["loc"] for details in errors]
    impossible_at_top = _impossible_at_top(raw)
    found = {Problem("", reason): None for reason in impossible_at_top}
    for details in errors:
        place, reason = details["loc"], _reason(details["type"], details["msg"])
        of_a_service = place[:1] == ("services",) and len(place) > 1
        inherited = of_a_service and (reason in impossible_at_top if len(place) == 2 else not _stands_in(raw, place))
        # A list whose items are refused counts as too short: that is no further mistake.
        follows = details["type"] == "too_short" and any(
            other[: len(place)] == place and len(other) > len(place) for other in places
        )
        if not inherited and not follows:
            found[Problem(_key(place), reason)] = None
    return list(found)


def _impossible_at_top(raw: Mapping[str, Any]) -> frozenset[str]:
    """What contradicts itself in the sections that services inherit."""
    try:
        Demands.model_validate({key: value for key, value in raw.items() if key in OVERRIDABLE})
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False, include_context=False)
        return frozenset(_reason(details["type"], details["msg"]) for details in errors if not details["loc"])
    return frozenset()


def _stands_in(raw: Any, place: tuple[str | int, ...]) -> bool:  # noqa: ANN401 - TOML of any shape
    """Whether the file has something at ``place``."""
    for step in place:
        if isinstance(raw, dict) and step not in raw:
            return False
        if isinstance(raw, dict | list):
            raw = raw[step]  # type: ignore[index]  # pydantic numbers the items of lists
    return True


def _key(place: tuple[str | int, ...]) -> str:
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


_REASONS: Final = {
    "extra_forbidden": "unknown key",
    "missing": "is missing",
}


def _reason(kind: str, message: str) -> str:
    return _REASONS.get(kind) or message.removeprefix("Value error, ")


def read_secret(env: str, file: Path | None, key: str) -> str | None:
    """The secret that ``…_env`` or ``…_file`` names; None where neither does.

    Args:
        env: name of an environment variable, or empty.
        file: a file whose one trailing line break is not part of the secret.
        key: key path of the section, for the error.

    Raises:
        ConfigError: the variable is not set, the file cannot be read, or there is nothing in it: an empty secret is a
            mistake, and must not turn into a default.
    """
    if env:
        value = os.environ.get(env)
        if value is None:
            raise ConfigError([Problem(f"{key}_env", f"the environment has no variable {env}")])
        if not value:
            raise ConfigError([Problem(f"{key}_env", f"the variable {env} is empty")])
        return value
    if file is None:
        return None
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([Problem(f"{key}_file", f"cannot be read: {error}")]) from None
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise ConfigError([Problem(f"{key}_file", f"{file} is empty")])
    return secret
