"""The kinds of value that a policy is made of: checked on the way in, resolved against the file they stand in."""

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

Presence = Literal["required", "optional", "forbidden"]
"""Whether a message must, may or must not carry something."""

Seconds = Annotated[int, Field(strict=True, ge=0, le=1_000_000_000)]
PositiveSeconds = Annotated[int, Field(strict=True, ge=1, le=1_000_000_000)]
Count = Annotated[int, Field(strict=True, ge=1, le=2**40)]
Switch = Annotated[bool, Field(strict=True)]
Day = Annotated[date, Field(strict=True)]
Text = Annotated[str, Field(strict=True)]
Name = Annotated[str, Field(strict=True, min_length=1, max_length=200)]

BASE: Final = "base"
"""Key of the validation context that holds the directory relative paths start from."""


class Section(BaseModel):
    """A section of the configuration: frozen, and without a key that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


def at_most_one(section: Section, *keys: str) -> bool:
    """Whether one of ``keys`` is given in ``section``.

    Raises:
        ValueError: more than one is.
    """
    given = [key for key in keys if key in section.model_fields_set and getattr(section, key)]
    if len(given) > 1:
        raise ValueError(f"only one of {', '.join(given)}")
    return bool(given)


def _resolve(path: Path, info: ValidationInfo) -> Path:
    base = (info.context or {}).get(BASE)
    return path if base is None else Path(base) / path


def _name(value: object) -> Path:
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("a file name is expected")
    return Path(value)


File = Annotated[Path, BeforeValidator(_name), AfterValidator(_resolve)]
"""A file named in the configuration, relative to the directory of the file that names it."""


_SECRET_IN_URL = re.compile(
    r"^[a-z0-9+]+://[^@\s]*:[^@\s]*@|[?&](?:(?:sentinel_)?password|passwd|pwd|passfile|sslpassword|odbc_connect)=",
    re.IGNORECASE,
)


def _url(value: str, info: ValidationInfo) -> str:
    """Refuse a URL that holds a password, and resolve the file in one that names a file."""
    if _SECRET_IN_URL.search(value):
        raise ValueError("a URL with a password in it is a secret: use url_env or url_file")
    for scheme in ("toml:", "jsonl:"):
        if value.startswith(scheme):
            name = value.removeprefix(scheme)
            if not name:
                raise ValueError(f"{scheme} is followed by a file name")
            return scheme + str(_resolve(Path(name), info))
    match = re.fullmatch(r"(sqlite(?:\+\w+)?:///)([^?]*)(\?.*)?", value)
    if match and match[2] and match[2] != ":memory:":
        return match[1] + str(_resolve(Path(match[2]), info)) + (match[3] or "")
    return value


Url = Annotated[str, Field(strict=True), AfterValidator(_url)]
"""Where a store is; relative files in it are resolved, passwords refused."""

QNAME_PATTERN = re.compile(r"\{([^{}\s]+)\}([^{}\s:]+)")


def _operation(value: str) -> str:
    if not QNAME_PATTERN.fullmatch(value):
        raise ValueError('an operation is written "{namespace}name", or "{namespace}*" for all of a namespace')
    return value


Operation = Annotated[str, Field(strict=True), AfterValidator(_operation)]


def _path(value: str) -> str:
    if not value.startswith("/") or re.search(r"[%;\\?#\x00-\x20\x7f]|//|/\.\.?(/|$)", value):
        raise ValueError('a path is written as the server decodes it, for example "/soap/member"')
    return value


UrlPath = Annotated[str, Field(strict=True), AfterValidator(_path)]


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return value


Pattern = Annotated[str, Field(strict=True), AfterValidator(_pattern)]
