"""What a client's arguments name, read: keys, certificates, credentials. What fails is a ``ValueError`` for people."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from pydantic import ValidationError

from wsguard.config import read_secret
from wsguard.keys import KeyPair, load_certificates, load_key
from wsguard.policy.demands import PasswordType, TrustDemands
from wsguard.policy.surroundings import KeyFile
from wsguard.securing import UsernameCredentials

FileName = str | os.PathLike[str]
Names = FileName | Sequence[FileName]
"""One file, or several."""
Key = FileName | Mapping[str, Any] | KeyFile
"""A file; or as ``[keys]`` of ``wsguard.toml`` has it: ``{"file": …, "password_env": …, "alias": …}``."""
SINGLE: Final = (str, os.PathLike, Mapping, KeyFile)
"""The kinds of one ``Key``; anything else is several."""


def several(names: Names) -> tuple[Path, ...]:
    """The files, also where one is named only."""
    return tuple(map(Path, (names,) if isinstance(names, str | os.PathLike) else names))


def own_key(source: Key) -> KeyPair:
    """A private key, and its certificate where the file has it.

    Raises:
        ValueError: it cannot be read, or ``source`` has an entry that it should not.
    """
    return load_key(_key_file(source))


def certificate(file: FileName) -> x509.Certificate:
    """The first certificate of a file: the leaf, where a chain follows.

    Raises:
        ValueError: there is none that can be read.
    """
    return load_certificates(Path(file))[0]


def credentials(
    username: str, password: str, env: str, file: FileName | None, password_type: PasswordType
) -> UsernameCredentials | None:
    """Who the client says to be; None where it says nothing.

    Raises:
        ConfigError, ValueError: there is not exactly one place for the password, or nothing in it.
    """
    places = sum((bool(password), bool(env), file is not None))
    if not username and not places:
        return None
    if not username or places != 1:
        raise ValueError("a username and one of password, password_env and password_file go together")
    found = password or read_secret(env, None if file is None else Path(file), "password")
    return UsernameCredentials(username, found or "", password_type)


def trust_in(authorities: Names, intermediates: Names, crls: Names, subject: str) -> TrustDemands:
    """Whose signatures are believed, as ``[trust]`` says it.

    Raises:
        ValueError: ``subject`` is no regular expression.
    """
    try:
        return TrustDemands(
            ca_files=several(authorities),
            intermediate_files=several(intermediates),
            crl_files=several(crls),
            subject_cert_constraints=(subject,) if subject else (),
        )
    except ValidationError as error:
        raise _told(error) from None


def _key_file(source: Key) -> KeyFile:
    if isinstance(source, KeyFile):
        return source
    try:
        return KeyFile.model_validate(source if isinstance(source, Mapping) else {"file": Path(source)})
    except ValidationError as error:
        raise _told(error) from None


def _told(error: ValidationError) -> ValueError:
    """The mistakes in one line, without the values: one of them may be a password in the wrong place."""
    errors = error.errors(include_url=False, include_input=False, include_context=False)
    mistakes = [(".".join(map(str, one["loc"][:1])), one["msg"].removeprefix("Value error, ")) for one in errors]
    return ValueError("; ".join(": ".join(filter(None, mistake)) for mistake in mistakes))
