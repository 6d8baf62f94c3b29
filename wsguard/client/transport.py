"""A transport for zeep that lets no answer past ``wsse=``: zeep asks it about neither empty ones nor attachments.

zeep's own also sends a request again to wherever it is redirected, and reads an answer as long as it lasts. Where a
WSDL binds an operation to plain HTTP, zeep asks nobody at all: the request goes as it is.
"""

from contextlib import closing
from typing import TYPE_CHECKING, Any

from wsguard.client.answers import usual_limits
from wsguard.client.refusals import AnswerRefused
from wsguard.securing import NotSecurable

if TYPE_CHECKING:
    from zeep.transports import Transport

_CHUNK = 65_536


def zeep_transport(*, most: int = usual_limits().body_bytes, **options: Any) -> "Transport":  # noqa: ANN401 - zeep's
    """For ``zeep.Client(wsdl, wsse=..., transport=...)``, where every operation has an answer.

    Of an empty answer (HTTP 201, 202) zeep makes ``None``, and it hands on the attachments of one in several parts:
    anybody on the way can send those. This transport refuses both with ``AnswerRefused``. So it does with an answer
    that sends us elsewhere: a request was secured for one service, and is for no other. WSDL may be anywhere. An
    operation that the WSDL binds to plain HTTP is ``NotSecurable``.

    Messages are not logged: they may have a password in them.

    Args:
        most: octets of an answer, inflated; a longer one is not read to its end.
        options: those of ``zeep.Transport``.

    Raises:
        ImportError: zeep is not installed.
    """
    try:
        from zeep.transports import Transport
        from zeep.wsdl.utils import etree_to_string
    except ImportError as error:
        raise ImportError('zeep is not installed: pip install "wsguard[client]"') from error

    class Answered(Transport):
        """Refuses what zeep would not verify."""

        def get(self, address: Any, params: Any, headers: Any) -> Any:  # noqa: ANN401 - zeep has no types
            raise _unsecured()

        def post(self, address: Any, message: Any, headers: Any) -> Any:  # noqa: ANN401 - zeep has no types
            raise _unsecured()

        def post_xml(self, address: Any, envelope: Any, headers: Any) -> Any:  # noqa: ANN401 - zeep has no types
            response: Any = self.session.post(
                address,
                data=etree_to_string(envelope),  # type: ignore[no-untyped-call]
                headers=headers,
                timeout=self.operation_timeout,
                allow_redirects=False,
                stream=True,
                # Before requests itself looks where to, and reads that answer to its end to do so.
                hooks={"response": [_refuse_redirect, *self.session.hooks["response"]]},
            )
            with closing(response):
                _read(response, most)
            _demand_one_part(response)
            return response

    return Answered(**options)  # type: ignore[no-untyped-call]


def _refuse_redirect(response: Any, **_: Any) -> None:  # noqa: ANN401 - a requests.Response
    """
    Raises:
        AnswerRefused: it says to ask somewhere else.
    """
    if response.is_redirect:
        response.close()
        seen = f"HTTP {response.status_code} to somewhere else"
        raise AnswerRefused("envelope.malformed", expected="an answer", seen=seen)


def _read(response: Any, most: int) -> None:  # noqa: ANN401 - a requests.Response
    """Give ``response`` its content.

    Raises:
        AnswerRefused: there are more than ``most`` octets.
    """
    content = bytearray()
    for chunk in response.iter_content(_CHUNK):
        content += chunk
        if len(content) > most:
            raise AnswerRefused("limits.body_bytes", expected=f"at most {most} bytes", seen="more")
    # What requests itself does when it is asked for the content.
    response._content = bytes(content)


def _demand_one_part(response: Any) -> None:  # noqa: ANN401 - a requests.Response
    """
    Raises:
        AnswerRefused: there is no answer, or it has attachments.
    """
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if not response.content:
        raise AnswerRefused("envelope.malformed", expected="an answer", seen=f"HTTP {response.status_code} without one")
    if media_type.startswith("multipart/"):
        raise AnswerRefused("http.content_type", expected="one part that is all signed", seen=media_type)


def _unsecured() -> NotSecurable:
    return NotSecurable("the WSDL binds the operation to plain HTTP, which has no place for security")
