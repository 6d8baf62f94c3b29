"""What a refusal says: outwardly one of the standard's few sentences, inwardly the whole reason.

``str()`` of every fault here is a constant of this file and safe for the wire. ``check``, ``expected``, ``seen`` and
``setting`` are for the explanation and the audit only: they may quote the sender.

Two families (WSS 1.1 §12; SOAP 1.1 §4.4.1, SOAP 1.2 part 1 §5.4.6): a ``SecurityFault`` blames the Security header, a
``MessageFault`` blames the message as HTTP or SOAP. ``StoreUnavailable`` blames ourselves.
"""

from http import HTTPStatus
from typing import ClassVar, Final

from wsguard.checks import CHECKS
from wsguard.names import WSSE


class Fault(Exception):
    """A request is refused. Never raised itself: one of its subclasses says whom the fault code blames."""

    code: ClassVar[str]
    """Local name of the fault code; a wsse code where ``namespace`` is set, else SOAP 1.1's name for it."""
    namespace: ClassVar[str | None] = None
    """Namespace of ``code``; ``None``: the envelope's own."""
    sentence: ClassVar[str]
    """The fixed text for the peer."""

    def __init__(
        self, check: str, *, expected: str, seen: str, setting: str = "", status: HTTPStatus | None = None
    ) -> None:
        """
        Args:
            check: name of the check that refused, one of ``wsguard.checks.CHECKS``.
            expected: what would have passed.
            seen: what the message had; may quote the sender.
            setting: key path of the setting that decided, if one did.
            status: HTTP status where HTTP and not SOAP is at fault; ``None``: the SOAP binding's own.

        Raises:
            ValueError: no such check.
        """
        if check not in CHECKS:
            raise ValueError(f"unknown check {check!r}")
        super().__init__(self.sentence)
        self.check: Final = check
        self.expected: Final = expected
        self.seen: Final = seen
        self.setting: Final = setting
        self.status: Final = status


class MessageFault(Fault):
    """The message is not the SOAP over HTTP that this service takes."""

    code = "Client"
    sentence = "The message could not be processed"


class VersionMismatch(MessageFault):
    """The Envelope is in a namespace that is no SOAP version of ours."""

    code = "VersionMismatch"
    sentence = "The SOAP version of the message is not supported"


class StoreUnavailable(Fault):
    """Something the guard needs for its verdict is away, so there is no verdict: fail closed."""

    code = "Server"
    sentence = "The service is temporarily unavailable"

    def __init__(self, seen: str, *, setting: str = "") -> None:
        super().__init__("store.unavailable", expected="an answer from the store", seen=seen, setting=setting)


class InternalFault(Fault):
    """The guard itself failed: a defect of ours. The request is refused."""

    code = "Server"
    sentence = "The message could not be processed for a reason of the service's own"

    def __init__(self, seen: str) -> None:
        super().__init__("internal.error", expected="a verdict", seen=seen)


class UnsecuredAnswer(Fault):
    """The application's answer cannot be secured as demanded, so the peer does not get it."""

    code = "Server"
    sentence = "The answer could not be secured"

    def __init__(self, seen: str, *, setting: str = "response") -> None:
        super().__init__("response.not_secured", expected="an answer that can be secured", seen=seen, setting=setting)


class SecurityFault(Fault):
    """The Security header, or the lack of one, is at fault."""

    namespace = WSSE


class UnsupportedSecurityToken(SecurityFault):
    """A token of a kind that is not taken here."""

    code = "UnsupportedSecurityToken"
    sentence = "An unsupported token was provided"


class UnsupportedAlgorithm(SecurityFault):
    """An algorithm that is not on the list."""

    code = "UnsupportedAlgorithm"
    sentence = "An unsupported signature or encryption algorithm was used"


class InvalidSecurity(SecurityFault):
    """The Security header is missing, misplaced or misshapen. Also the one answer of ``faults.detail = "unified"``."""

    code = "InvalidSecurity"
    sentence = "An error was discovered processing the <wsse:Security> header"


class InvalidSecurityToken(SecurityFault):
    """A token that cannot be read, or that the policy does not take as it is."""

    code = "InvalidSecurityToken"
    sentence = "An invalid security token was provided"


class FailedAuthentication(SecurityFault):
    """Nobody is who the token says."""

    code = "FailedAuthentication"
    sentence = "The security token could not be authenticated or authorized"


class FailedCheck(SecurityFault):
    """Signature or decryption failed; one answer for both."""

    code = "FailedCheck"
    sentence = "The signature or decryption was invalid"


class SecurityTokenUnavailable(SecurityFault):
    """A reference to a token that is not here."""

    code = "SecurityTokenUnavailable"
    sentence = "Referenced security token could not be retrieved"


class MessageExpired(SecurityFault):
    """The message is outside its window, or was seen before."""

    code = "MessageExpired"
    sentence = "The message has expired"
