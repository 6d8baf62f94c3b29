"""A client's security from the names of files: everything is read once, and every mistake is told at once.

What is done to a request is expected of its answer: a Timestamp, a signature that confirms the request's, encryption.
``expect`` says otherwise. A signature is expected always, unless ``unsafe_unsigned`` says otherwise.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any, Final

from wsguard.client.answers import Answers, usual_limits
from wsguard.client.plugin import ZeepSecurity
from wsguard.client.reading import SINGLE, FileName, Key, Names, certificate, credentials, own_key, trust_in
from wsguard.interfaces import DecryptionKey
from wsguard.opening import Attempt
from wsguard.policy.demands import AlgorithmDemands, PasswordType, TimestampDemands
from wsguard.policy.problems import ConfigError, Problem
from wsguard.policy.surroundings import Limits
from wsguard.securing import Securing, SigningKey, UsernameCredentials
from wsguard.trust.material import MaterialLoader

EXPECTATIONS: Final = ("signed", "timestamp", "confirmation", "encrypted")
"""What can be expected of answers."""


def from_files(
    *,
    username: str = "",
    password: str = "",
    password_env: str = "",
    password_file: FileName | None = None,
    password_type: PasswordType = "PasswordDigest",  # noqa: S107 - a kind of password
    timestamp: int = 300,
    sign: Key | None = None,
    encrypt_for: FileName | None = None,
    server_certificate: FileName | None = None,
    ca_files: Names = (),
    intermediate_files: Names = (),
    crl_files: Names = (),
    server_subject: str = "",
    decrypt: Key | Sequence[Key] | None = None,
    expect: Collection[str] | None = None,
    unsafe_unsigned: bool = False,
    algorithms: AlgorithmDemands | None = None,
    namespaces: tuple[str, ...] = (),
    limits: Limits | None = None,
    **securing: Any,  # noqa: ANN401 - each field of Securing has a type of its own, which it checks
) -> ZeepSecurity:
    """What ``zeep.Client(wsdl, wsse=...)`` takes, from files.

    Args:
        username: of a UsernameToken; empty: there is none.
        password: of the same; or
        password_env: the environment variable that holds it; or
        password_file: the file that does, one line break at its end aside.
        password_type: ``PasswordDigest``, ``PasswordText``, or ``DerivedKey``: no password is sent, and the message is
            signed with a key that is made of it.
        timestamp: seconds that the request's Timestamp lasts; 0: it has none.
        sign: the key that signs, with its certificate: PEM, PKCS#12 or JKS.
        encrypt_for: the server's certificate, for whose key the Body is encrypted, and a PasswordText with its token.
        server_certificate: the one certificate that may sign answers. Without ``ca_files`` it needs no chain.
        ca_files: authorities of those that may sign answers. One that certifies clients too makes each of them a
            server: narrow it by ``server_certificate`` or ``server_subject``.
        intermediate_files: authorities between, that answers may leave out.
        crl_files: their revocation lists; a stale one refuses.
        server_subject: regular expression that all of the subject of who signs answers must match (RFC 4514).
        decrypt: the keys that answers may be encrypted for; None: the one that signs.
        expect: some of ``EXPECTATIONS``; None: what is done to the request, or nothing with ``unsafe_unsigned``.
        unsafe_unsigned: take answers that nobody signed.
        algorithms: what is taken in answers; None: what a guard takes by default.
        namespaces: those that ``xsi:type`` in answers may be in, beside their own and XML Schema's.
        limits: bounds on one answer; ``body_bytes`` is that of its octets. None: a guard's, and 16 MiB.
        securing: further fields of ``Securing``: ``signed_parts``, ``encrypted_parts``, ``key_identifier``, ….

    Raises:
        ConfigError: with every mistake, each under the argument that makes it.
    """
    attempt = Attempt()
    user = attempt("username", credentials, username, password, password_env, password_file, password_type)
    signing = None if sign is None else attempt("sign", _signing_key, sign)
    recipient = None if encrypt_for is None else attempt("encrypt_for", certificate, encrypt_for)
    server = None if server_certificate is None else attempt("server_certificate", certificate, server_certificate)
    trust = attempt("server_subject", trust_in, ca_files, intermediate_files, crl_files, server_subject)
    trusted = None if trust is None else MaterialLoader(attempt).material(trust, "")
    opening = _decryption_keys(attempt, sign if decrypt is None else decrypt, "sign" if decrypt is None else "decrypt")
    usual = _usual(timestamp=timestamp != 0, signed=_signs(sign, user), encrypted=encrypt_for is not None)
    wanted = attempt("expect", _wanted, expect, usual, unsafe_unsigned=unsafe_unsigned)
    if attempt.problems or trust is None or trusted is None or wanted is None:
        raise ConfigError(_once(attempt.problems))
    plan = attempt(
        "", Securing,
        timestamp=_lifetime(timestamp), username=user, sign=signing, encrypt_for=recipient,
        **{"signed_parts": _signed_parts(timestamp, user), "encrypted_parts": _encrypted_parts(user), **securing},
    )  # fmt: skip
    answers = attempt(
        "", Answers,
        trusted=trusted, server_certificate=server, trust=trust, unsafe_unsigned=unsafe_unsigned, decrypt=opening,
        algorithms=algorithms or AlgorithmDemands(), namespaces=namespaces, limits=limits or usual_limits(),
        **_demands(wanted),
    )  # fmt: skip
    made = None if plan is None or answers is None else attempt("", ZeepSecurity, plan, answers)
    if made is None:
        raise ConfigError(_once(attempt.problems))
    return made


def _signing_key(source: Key) -> SigningKey:
    pair = own_key(source)
    if pair.certificate is None:
        raise ValueError("there is no certificate beside the key, by which the server could know it")
    return SigningKey(pair.private_key, pair.certificate, pair.chain)


def _decryption_keys(attempt: Attempt, keys: Key | Sequence[Key] | None, key: str) -> tuple[DecryptionKey, ...]:
    sources: Sequence[Any] = () if keys is None else [keys] if isinstance(keys, SINGLE) else keys
    pairs = [attempt(key, own_key, source) for source in sources]
    return tuple(DecryptionKey(key, pair.private_key, pair.certificate) for pair in pairs if pair is not None)


def _signs(sign: Key | None, user: UsernameCredentials | None) -> bool:
    return sign is not None or (user is not None and user.signs)


def _usual(*, timestamp: bool, signed: bool, encrypted: bool) -> tuple[str, ...]:
    done = {"signed": True, "timestamp": timestamp, "confirmation": signed, "encrypted": encrypted}
    return tuple(name for name, there in done.items() if there)


def _wanted(expect: Collection[str] | None, usual: Collection[str], *, unsafe_unsigned: bool) -> frozenset[str]:
    if expect is None:
        return frozenset() if unsafe_unsigned else frozenset(usual)
    unknown = [name for name in expect if name not in EXPECTATIONS]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is not one of {', '.join(EXPECTATIONS)}")
    if unsafe_unsigned and not {"signed", "confirmation"}.isdisjoint(expect):
        raise ValueError("signed and confirmation contradict unsafe_unsigned")
    if not unsafe_unsigned and "signed" not in expect:
        raise ValueError("an answer that nobody signed proves nothing; unsafe_unsigned takes it nevertheless")
    return frozenset(expect)


def _demands(wanted: frozenset[str]) -> dict[str, Any]:
    """The fields of ``Answers`` that ``wanted`` decides."""
    dated = "timestamp" in wanted
    return {
        "timestamp": TimestampDemands(use="required" if dated else "optional"),
        "signed_parts": ("Body", "Timestamp") if dated else ("Body",),
        "encrypted_parts": ("Body",) if "encrypted" in wanted else (),
        "signature_confirmation": "confirmation" in wanted,
    }


def _lifetime(seconds: int) -> timedelta | None:
    return timedelta(seconds=seconds) if seconds else None


def _signed_parts(timestamp: int, user: UsernameCredentials | None) -> tuple[str, ...]:
    """All there is: what is not signed can be taken out of one message and put into another."""
    there = {"Body": True, "Timestamp": timestamp != 0, "UsernameToken": user is not None}
    return tuple(part for part, is_there in there.items() if is_there)


def _encrypted_parts(user: UsernameCredentials | None) -> tuple[str, ...]:
    """A password that is sent as it is goes where the Body goes."""
    in_the_clear = user is not None and user.password_type == "PasswordText"  # noqa: S105 - a kind of password
    return ("Body", "UsernameToken") if in_the_clear else ("Body",)


def _once(problems: Sequence[Problem]) -> list[Problem]:
    """Each mistake once: the key that signs is the one that opens, too."""
    return list(dict.fromkeys(problems))
