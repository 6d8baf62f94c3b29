"""A transport for zeep that lets no answer past ``wsse=``: zeep asks it about neither empty ones nor attachments."""

from typing import TYPE_CHECKING, Any

from wsguard.client.refusals import AnswerRefused

if TYPE_CHECKING:
    from zeep.transports import Transport


def zeep_transport(**options: Any) -> "Transport":  # noqa: ANN401 - those of zeep
    """For ``zeep.Client(wsdl, wsse=..., transport=...)``, where every operation has an answer.

    Of an empty answer (HTTP 201, 202) zeep makes ``None``, and it hands on the attachments of one in several parts:
    anybody on the way can send those. This transport refuses both with ``AnswerRefused``.

    Args:
        options: those of ``zeep.Transport``.

    Raises:
        ImportError: zeep is not installed.
    """
    try:
        from zeep.transports import Transport
    except ImportError as error:
        raise ImportError('zeep is not installed: pip install "wsguard[client]"') from error

    class Answered(Transport):
        """Refuses what zeep would not verify."""

        def post_xml(self, address: Any, envelope: Any, headers: Any) -> Any:  # noqa: ANN401 - zeep has no types
            response: Any = super().post_xml(address, envelope, headers)  # type: ignore[no-untyped-call]
            media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            if not response.content:
                seen = f"HTTP {response.status_code} without one"
                raise AnswerRefused("envelope.malformed", expected="an answer", seen=seen)
            if media_type.startswith("multipart/"):
                raise AnswerRefused("http.content_type", expected="one part that is all signed", seen=media_type)
            return response

    return Answered(**options)  # type: ignore[no-untyped-call]
