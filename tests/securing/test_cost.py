"""Cost grows with the message, whatever the message is made of. The bounds are many times what it takes."""

import time

import pytest

from tests.messages import SOAP11, envelope
from tests.securing.receiving import SERVER, secured
from wsguard.names import XSI

WIDE = "".join(f'<e:item n="{n}">{n}</e:item>' for n in range(40_000))
"""1 MB, in a namespace that is declared outside of it: moving it is quadratic (FACTS X8)."""
PAYLOADS = {
    "elements": f'<e:Echo xmlns:e="urn:echo">{WIDE}</e:Echo>',
    "text": f'<e:Echo xmlns:e="urn:echo">{"x" * 1_000_000}</e:Echo>',
    "children": WIDE[: WIDE.index("<e:item", 400_000)],
    "types": '<e:Echo xmlns:e="urn:echo">' + "<x y:type='e:T'/>" * 40_000 + "</e:Echo>",
}


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("first", [True, False])
def test_a_megabyte_is_quick(payload: str, first: bool) -> None:
    message = envelope(None, PAYLOADS[payload])
    message = message.replace(b"<S:Envelope", f'<S:Envelope xmlns:y="{XSI}" xmlns:e="urn:echo"'.encode())
    assert SOAP11.encode() in message
    started = time.process_time()
    secured(message, encrypt_for=SERVER.certificate, sign_before_encrypting=first)
    assert time.process_time() - started < 1
