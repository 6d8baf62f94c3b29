"""A client of the club: zeep, as anybody would use it, and the octets of what it sends."""

# mypy: disallow-untyped-calls=False
# Most of zeep has no types.

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import xmlsec
import zeep
from lxml import etree
from requests import Response, Session
from zeep.exceptions import Error, Fault
from zeep.helpers import serialize_object
from zeep.transports import Transport
from zeep.wsse.signature import BinarySignature, Signature
from zeep.wsse.username import UsernameToken
from zeep.wsse.utils import WSU, get_security_header

from sample_service.certificates import KeyPair
from wsguard.client import AnswerRefused, UnverifiedFault

LIFETIME: Final = timedelta(minutes=5)
"""From Created to Expires."""
_INCIDENT: Final = re.compile(r"\[(\w{26})\]")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A message and what came back."""

    octets: bytes
    """The body of the request, to the last byte."""
    answer: str
    """What the service returned, or its fault, in one line."""
    incident: str
    """The identifier in the guard's fault; empty where the service answered."""

    @property
    def sha256(self) -> str:
        """The digest of ``octets``, in hexadecimal: what the audit has of them."""
        return hashlib.sha256(self.octets).hexdigest()


class ClubClient:
    """Calls the club."""

    def __init__(self, address: str, certificates: Path | None = None) -> None:
        """Read the WSDL, which the guard lets pass.

        Args:
            address: of the club.
            certificates: directory with the keys of those who sign; None where nobody does.

        Raises:
            requests.RequestException: there is none at ``address``.
        """
        self._transport: Final = _Recorder()
        self._zeep: Final = zeep.Client(f"{address}?wsdl", transport=self._transport)
        self._address: Final = address
        self.certificates: Final = Path() if certificates is None else certificates

    def close(self) -> None:
        """Close the connections. The client is not used again."""
        self._transport.session.close()

    @property
    def operations(self) -> list[str]:
        """The operations that the WSDL describes."""
        return sorted(self._binding.all())

    def call(self, operation: str, security: object = None, **arguments: object) -> Exchange:
        """Call an operation.

        Args:
            operation: its name in the WSDL.
            security: what zeep calls ``wsse``; None sends no Security header.
            arguments: of the operation.
        """
        self._zeep.wsse = security
        return self._exchange(lambda: self._zeep.service[operation](**arguments))

    def message(self, operation: str, security: object = None, **arguments: object) -> Any:  # noqa: ANN401 - an Element
        """The envelope that ``call`` would send, for whoever wants to change it first."""
        self._zeep.wsse = security
        return self._zeep.create_message(self._zeep.service, operation, **arguments)

    def post(self, octets: bytes, operation: str, *, action: str | None = None) -> Exchange:
        """Send octets as they are.

        Args:
            octets: a whole message.
            operation: whose answer is expected.
            action: the SOAPAction, where it is another than that of ``operation``.
        """
        named = operation if action is None else action
        return self._exchange(lambda: self._read(self._post(octets, named), operation))

    def lose_the_answer(self, octets: bytes, operation: str) -> None:
        """Send octets as they are, and do not look at what comes back."""
        self._post(octets, operation)

    @property
    def _binding(self) -> Any:  # noqa: ANN401 - zeep has no type for it
        (binding,) = self._zeep.wsdl.bindings.values()
        return binding

    def _post(self, octets: bytes, action: str) -> Response:
        headers = {"SOAPAction": f'"{action}"', "Content-Type": "text/xml; charset=utf-8"}
        return self._transport.post(self._address, octets, headers)

    def _read(self, response: Response, operation: str) -> object:
        return self._binding.process_reply(self._zeep, self._binding.get(operation), response)

    def _exchange(self, call: Callable[[], object]) -> Exchange:
        try:
            answer = in_one_line(serialize_object(call()))
        except Fault as fault:
            answer = f"{fault.code}: {fault.message}"
        except UnverifiedFault as fault:
            # The guard could not tell whose the message was, so it had nobody to sign and encrypt for.
            answer = f"{fault.unverified_code}: {fault.unverified_text} (not signed)"
        except AnswerRefused as error:
            answer = f"an answer that does not count: {error}"
        except Error as error:
            answer = f"no SOAP: {error}"
        incident = _INCIDENT.search(answer)
        return Exchange(
            self._transport.sent, _INCIDENT.sub("", answer).rstrip(), incident[1] if incident is not None else ""
        )


class _Recorder(Transport):
    """zeep's transport, which keeps the last message and asks no proxy."""

    sent = b""

    def __init__(self) -> None:
        session = Session()
        session.trust_env = False
        super().__init__(session=session, timeout=30, operation_timeout=30)

    def post(self, address: str, message: bytes, headers: Mapping[str, str]) -> Response:
        """Keep ``message`` and send it."""
        self.sent = message
        response: Response = super().post(address, message, headers)
        return response


def credentials(
    username: str,
    password: str,
    *,
    age: timedelta = timedelta(0),
    digest: bool = True,
    timestamp: object | None = None,
) -> UsernameToken:
    """A Security header with a UsernameToken and a Timestamp.

    Args:
        username: who calls.
        password: that of ``username``.
        age: how long ago the message was made; negative for one from the future.
        digest: False sends the password itself.
        timestamp: another one than usual.
    """
    created = datetime.now(UTC) - age
    return UsernameToken(
        username,
        password,
        use_digest=digest,
        created=created,
        zulu_timestamp=True,
        timestamp_token=dated(created) if timestamp is None else timestamp,
    )


def dated(created: datetime) -> Any:  # noqa: ANN401 - zeep's element makers have no types
    """A wsu:Timestamp with Created and Expires."""
    instants = (("Created", created), ("Expires", created + LIFETIME))
    return WSU.Timestamp(*(WSU(name, instant.strftime("%Y-%m-%dT%H:%M:%SZ")) for name, instant in instants))


def undated() -> Any:  # noqa: ANN401 - zeep's element makers have no types
    """A wsu:Timestamp without Created and Expires, as the vendor allows it."""
    return WSU.Timestamp()


class TimestampOnly:
    """A Security header with a Timestamp and nobody's token."""

    def apply(self, envelope: Any, headers: Any) -> tuple[Any, Any]:  # noqa: ANN401 - zeep's interface
        """Put it into ``envelope``."""
        get_security_header(envelope).append(dated(datetime.now(UTC)))
        return envelope, headers

    def verify(self, envelope: object) -> None:
        """Answers carry no security."""


class Signed:
    """A Security header with a Timestamp and a signature: zeep's own, which covers the Body and the Timestamp."""

    def __init__(
        self,
        keys: KeyPair,
        *,
        kind: type[Signature] = BinarySignature,
        sha1: bool = False,
        signs_timestamp: bool = True,
    ) -> None:
        """
        Args:
            keys: the signer's.
            kind: ``BinarySignature`` sends the certificate in a BinarySecurityToken, ``Signature`` inside KeyInfo.
            sha1: zeep's defaults, where nobody names algorithms.
            signs_timestamp: False adds the Timestamp when everything is signed.
        """
        constants = xmlsec.constants
        methods = (None, None) if sha1 else (constants.TransformRsaSha256, constants.TransformSha256)
        self._signature = kind(str(keys.key), str(keys.certificate), None, *methods)
        self._signs_timestamp = signs_timestamp

    def apply(self, envelope: Any, headers: Any) -> tuple[Any, Any]:  # noqa: ANN401 - zeep's interface
        """Put it into ``envelope``; zeep signs a Timestamp that is there already."""
        security, timestamp = get_security_header(envelope), dated(datetime.now(UTC))
        if self._signs_timestamp:
            security.append(timestamp)
        self._signature.apply(envelope, headers)
        if not self._signs_timestamp:
            security.append(timestamp)
        return envelope, headers

    def verify(self, envelope: object) -> None:
        """Answers carry no security."""


def octets(envelope: Any) -> bytes:  # noqa: ANN401 - an Element
    """The bytes that zeep would send."""
    return etree.tostring(envelope, encoding="utf-8", xml_declaration=True)


def in_one_line(value: object) -> str:
    """The values of an answer, for people."""
    if isinstance(value, Mapping):
        return ", ".join(in_one_line(part) for part in value.values() if part is not None)
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return "; ".join(in_one_line(part) for part in value)
    return str(value)
