"""``wsguard send``: a test client. It secures a message, posts it, and says what the answer is worth."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from lxml import etree

from wsguard.cli.answered import Outcome, judged, tell
from wsguard.cli.arguments import Json
from wsguard.cli.screen import complain, print_json, printable, say
from wsguard.client import NotSecurable, Secured, Securing, ZeepSecurity, from_files, secure_request
from wsguard.client.http import Unreachable, check_url, post
from wsguard.client.wrapping import enveloped
from wsguard.explanation import plain
from wsguard.message.envelope import SOAP_1_1, SOAP_1_2, SoapVersion
from wsguard.names import PASSWORD, PASSWORD_DIGEST
from wsguard.policy.demands import AlgorithmDemands
from wsguard.policy.problems import ConfigError
from wsguard.policy.surroundings import Limits

_LIMITS: Final = Limits()
_OPTIONS: Final = {"trust.ca_files": "--ca"}
"""Arguments of ``from_files`` whose options are called otherwise."""


def send(
    url: Annotated[str, typer.Argument(metavar="URL", help="Address of the service.")],
    body: Annotated[Path, typer.Argument(metavar="BODY", help="An Envelope, or only what is in the Body, as XML.")],
    action: Annotated[str, typer.Option(help="SOAPAction.")] = "",
    soap12: Annotated[bool, typer.Option("--soap12", help="Make a SOAP 1.2 Envelope.")] = False,
    username: Annotated[str, typer.Option(help="Name in a UsernameToken.")] = "",
    password_env: Annotated[
        str, typer.Option(help="Environment variable with its password; without: a prompt, or standard input.")
    ] = "",
    password_text: Annotated[bool, typer.Option("--password-text", help="Send PasswordText.")] = False,
    timestamp: Annotated[int, typer.Option(metavar="SECONDS", help="Lifetime of a Timestamp; 0: none.")] = 300,
    sign: Annotated[Path | None, typer.Option(metavar="KEYFILE", help="Key that signs: PEM, PKCS#12, JKS.")] = None,
    key_password_env: Annotated[str, typer.Option(help="Environment variable with the password of key files.")] = "",
    alias: Annotated[str, typer.Option(help="Entry of the key file, where it has several.")] = "",
    key_identifier: Annotated[str, typer.Option(help="How the certificate is named.")] = "DirectReference",
    signature_algorithm: Annotated[str, typer.Option(help="Such as rsa-sha256; the usual one of the key.")] = "",
    encrypt_for: Annotated[Path | None, typer.Option(metavar="CERT", help="Certificate to encrypt for.")] = None,
    encryption: Annotated[str, typer.Option(help="Data encryption.")] = "aes256-gcm",
    key_transport: Annotated[str, typer.Option(help="Key transport.")] = "rsa-oaep-mgf1p",
    ca: Annotated[list[Path] | None, typer.Option(metavar="FILE", help="Authority of who signs the answer.")] = None,
    server_certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The one certificate that may sign the answer.")
    ] = None,
    server_subject: Annotated[str, typer.Option(help="Regular expression for its subject.")] = "",
    decrypt: Annotated[
        Path | None, typer.Option(metavar="KEYFILE", help="Key that opens the answer; the one that signs.")
    ] = None,
    expect: Annotated[
        str | None, typer.Option(help="signed,timestamp,confirmation,encrypted; what is done to the request.")
    ] = None,
    unsafe_unsigned: Annotated[
        bool, typer.Option("--unsafe-unsigned", help="Take an answer that nobody signed: it proves nothing.")
    ] = False,
    show_request: Annotated[bool, typer.Option("--show-request", help="Print what is sent.")] = False,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=0.001, help="How long to wait.")] = 30.0,
    as_json: Json = False,
) -> None:
    """Secure a message, send it, verify the answer. Exit status 1: it is a fault, or not what was expected."""
    with _misuse("URL"):
        check_url(url)
    envelope, version = _envelope(body, SOAP_1_2 if soap12 else SOAP_1_1)
    keys = {"password_env": key_password_env, "alias": alias}
    security = _security(
        username=username, password=_password(username) if username and not password_env else "",
        password_env=password_env, password_type="PasswordText" if password_text else "PasswordDigest",
        timestamp=timestamp, sign=_key(sign, keys), decrypt=_key(decrypt, keys), encrypt_for=encrypt_for,
        server_certificate=server_certificate, server_subject=server_subject, ca_files=ca or (),
        expect=None if expect is None else [word.strip() for word in expect.split(",")],
        unsafe_unsigned=unsafe_unsigned, algorithms=_algorithms(signature_algorithm, encryption, key_transport),
        key_identifier=key_identifier, signature_algorithm=signature_algorithm, encryption=encryption,
        key_transport=key_transport,
    )  # fmt: skip
    secured = _secured(envelope, security)
    shown = _shown(secured) if show_request else ""
    if shown and not as_json:
        say(f"{shown}\n")
    most = security.answers.limits.body_bytes
    try:
        with _misuse("URL or --action"):
            answer = post(url, secured.octets, version=version, action=action, timeout=timeout, most=most)
        outcome = judged(answer, security.answers, secured.sent, datetime.now(UTC))
    except Unreachable as error:
        outcome = Outcome("unreachable", seen=plain(str(error)))
    if as_json:
        print_json({**outcome.as_plain(), **({"request": shown} if shown else {})})
    else:
        tell(outcome)
    raise typer.Exit(0 if outcome.verdict == "accepted" else 1)


# --- What is asked for ------------------------------------------------------------------------------------------------


def _envelope(file: Path, version: SoapVersion) -> tuple[bytes, SoapVersion]:
    try:
        octets = file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}", param_hint="BODY") from error
    with _misuse("BODY"):
        return enveloped(octets, version, _LIMITS)


def _password(username: str) -> str:
    """What is typed, or the one line of standard input."""
    if sys.stdin.isatty():
        typed: str = typer.prompt(f"Password of {username}", hide_input=True, err=True)
        return typed
    text = sys.stdin.read().removesuffix("\n").removesuffix("\r")
    if not text or "\n" in text:
        raise typer.BadParameter("the password is the one line of standard input", param_hint="--username")
    return text


def _key(file: Path | None, others: dict[str, str]) -> dict[str, Any] | None:
    return None if file is None else {"file": file, **others}


def _algorithms(signature: str, encryption: str, key_transport: str) -> AlgorithmDemands | None:
    """The usual ones, and what is asked for: servers answer in the algorithms of the request."""
    usual = AlgorithmDemands()
    listed = {
        "signature": (*usual.signature, *filter(None, [signature])),
        "encryption": (*usual.encryption, encryption),
        "key_transport": (*usual.key_transport, key_transport),
    }
    with _misuse("an algorithm"):
        return AlgorithmDemands.model_validate(listed)


def _security(**arguments: Any) -> ZeepSecurity:  # noqa: ANN401 - those of from_files
    try:
        return from_files(**arguments)
    except ConfigError as error:
        for problem in error.problems:
            argument = problem.key.partition("[")[0]
            option = _OPTIONS.get(argument) or f"--{argument.replace('_', '-')}"
            complain(f"{option}: {problem.reason}" if argument else problem.reason)
        raise typer.Exit(2) from error


def _secured(envelope: bytes, security: ZeepSecurity) -> Secured:
    plan = security.securing
    assert isinstance(plan, Securing)  # that is what files yield
    with _misuse("BODY"):
        return secure_request(envelope, plan, datetime.now(UTC), _LIMITS)


def _shown(secured: Secured) -> str:
    """The request as it is sent, but for a password in the clear."""
    shown = etree.fromstring(secured.octets)
    for password in shown[0][0].iter(PASSWORD):
        if password.get("Type") != PASSWORD_DIGEST:
            password.text = "(not shown)"
    return printable(etree.tostring(shown, encoding="unicode"))


@contextmanager
def _misuse(hint: str) -> Iterator[None]:
    """Let what cannot be done be misuse.

    Raises:
        typer.BadParameter: (status 2) in the place of ``ValueError`` and ``NotSecurable``.
    """
    try:
        yield
    except (ValueError, NotSecurable) as error:
        raise typer.BadParameter(plain(str(error)), param_hint=hint) from error
