"""What becomes of an answer before it leaves: Timestamp, Signature, encryption, as ``[response]`` says.

1. The answers of exempt requests are left alone.
2. An answer that cannot be secured as demanded is never sent as it is: whoever asks here gets ``NotSecurable``.
3. It is encrypted for the signer of the request, whose certificate was validated in that very request, or for the
   client that the configuration names. The guard's own faults are constant text: where no recipient of theirs was
   validated in this request, or nothing can be encrypted for its key, they are signed only.
4. A client is answered in the algorithms that it used, as far as it was permitted to; else in the first listed ones.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from wsguard.certificates.foreign import FOREIGN
from wsguard.exchange import Exchange
from wsguard.faults import Fault
from wsguard.message.envelope import read_outline
from wsguard.message.parse import parse
from wsguard.policy import Policy
from wsguard.policy.demands import ResponseDemands
from wsguard.securing import NotSecurable, Securing, SigningKey, secure

_LIFETIME_OF_AN_ANSWER: Final = timedelta(minutes=5)
"""CXF's and WSS4J's default of a Timestamp's lifetime."""
_USUAL_ENCRYPTION: Final = "aes256-gcm"
"""Where none is listed, so that clients encrypt nothing, and answers are encrypted all the same."""
_CHARSETS: Final = ("utf-8", "utf-16", "us-ascii", "iso-8859-1")


class AnswerSecurer:
    """Secures the answers of one configuration. Immutable; the same object serves all threads."""

    def __init__(self, policy: Policy, key: SigningKey | None, recipients: Mapping[str, x509.Certificate]) -> None:
        """
        Args:
            policy: the configuration.
            key: what answers are signed with; None where none is.
            recipients: name of a ``[[client]]`` entry -> its certificate.
        """
        self._limits: Final = policy.limits
        self._key: Final = key
        self._recipients: Final = recipients

    def secures(self, exchange: Exchange) -> bool:
        """Whether the answer of ``exchange`` is to be changed at all."""
        response = exchange.demands.response
        return not exchange.exempt and (response.timestamp or response.sign or bool(response.encrypt))

    def answer(self, octets: bytes, exchange: Exchange, now: datetime) -> bytes:
        """The application's answer, secured; its own faults only where ``response.secure_faults`` says so.

        Returns:
            ``octets`` themselves where they are left alone.

        Raises:
            NotSecurable: it cannot be.
        """
        response = exchange.demands.response
        if not response.secure_faults and self._is_fault(octets):
            return octets
        recipient = self._recipient(exchange)
        if response.encrypt and recipient is None:
            raise NotSecurable("it must be encrypted, and the request was signed by nobody that it could be for")
        return secure(octets, self._plan(exchange, response, recipient), now, self._limits)

    def fault(self, octets: bytes, exchange: Exchange, now: datetime) -> bytes:
        """A fault of the guard's own, secured as far as there is somebody to secure it for.

        One for a message that was decrypted and refused is the same whatever came out: as its service was seen before,
        and for nobody in particular.

        Raises:
            NotSecurable: it cannot be.
        """
        if exchange.sealed:
            exchange = Exchange(exchange.plain)
        response = exchange.demands.response
        recipient = self._recipient(exchange)
        if recipient != exchange.recipient or (recipient is not None and not _can_be_encrypted_for(recipient)):
            recipient = None
        if exchange.exempt or not response.secure_faults:
            return octets
        if not (response.timestamp or response.sign or recipient is not None):
            return octets
        return secure(octets, self._plan(exchange, response, recipient), now, self._limits)

    def _is_fault(self, octets: bytes) -> bool:
        try:
            limits = self._limits.model_copy(update={"body_bytes": self._limits.response_bytes})
            outline = read_outline(parse(octets, None, _CHARSETS, limits), "")
        except Fault:
            return False
        return [child.tag for child in outline.body] == [f"{{{outline.version.namespace}}}Fault"]

    def _recipient(self, exchange: Exchange) -> x509.Certificate | None:
        encrypt = exchange.demands.response.encrypt
        return exchange.recipient if encrypt == "useReqSigCert" else self._recipients.get(encrypt)

    def _plan(self, exchange: Exchange, response: ResponseDemands, recipient: x509.Certificate | None) -> Securing:
        try:
            return self._securing(exchange, response, recipient)
        except ValueError as error:
            raise NotSecurable(str(error)) from None

    def _securing(self, exchange: Exchange, response: ResponseDemands, recipient: x509.Certificate | None) -> Securing:
        algorithms = exchange.demands.algorithms
        return Securing(
            timestamp=_LIFETIME_OF_AN_ANSWER if response.timestamp else None,
            sign=self._key if response.sign else None,
            signed_parts=tuple(part for part in response.signed_parts if part != "Timestamp" or response.timestamp),
            key_identifier=response.key_identifier,
            signature_confirmations=exchange.signature_values if response.signature_confirmation else None,
            encrypt_for=recipient,
            encryption=exchange.encryption or next(iter(algorithms.encryption), _USUAL_ENCRYPTION),
            key_transport=exchange.key_transport or _for_certificates(algorithms.key_transport),
        )


def _for_certificates(key_transport: tuple[str, ...]) -> str:
    return next((name for name in key_transport if name.startswith("rsa-")), "rsa-oaep-mgf1p")


def _can_be_encrypted_for(certificate: x509.Certificate) -> bool:
    try:
        return isinstance(certificate.public_key(), rsa.RSAPublicKey)
    except FOREIGN:
        return False
