"""A: what was signed is moved aside, and something else stands in its place."""

from typing import Final

from tests.attacks.cases import Built, Chapter
from tests.signature.signatures import EVIL, SIGNED_BODY, bent, honest

WRAPPING: Final = Chapter("A", "signed")

XSW = "McIntosh and Austel, XML signature element wrapping attacks, 2005"
EVIL_BODY: Final = f"<S:Body>{EVIL}</S:Body>"


@WRAPPING.refused("signature.coverage", source=XSW)
def the_signed_body_is_moved_into_a_header_of_the_senders_own() -> Built:
    text = honest()
    return bent(text, (SIGNED_BODY, EVIL_BODY), ("<S:Header>", f"<S:Header><wrap>{SIGNED_BODY}</wrap>"))
