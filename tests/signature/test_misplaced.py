"""What was signed, put where nobody looks: every digest is right, and something else stands in its place."""

import re

import pytest

from tests.messages import Token
from tests.signature.key_infos import issuer_serial, referring
from tests.signature.signatures import ALICE, Guarding, bent
from tests.signing import Part, Signing, signed

IN_KEY_INFO = "the KeyInfo"
PLACES = {
    "the Header": ("<wsse:Security ", "{}"),
    "a header for somebody else": ("<wsse:Security ", '<wsse:Security S:actor="urn:else">{}</wsse:Security>'),
    IN_KEY_INFO: ("</wsse:SecurityTokenReference></ds:KeyInfo>", "<wsse:Embedded>{}</wsse:Embedded>"),
}
"""Before which text, and how."""


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("token", ["Timestamp", "UsernameToken"])
def test_a_signed_token_outside_of_our_security_header_is_refused(guarded: Guarding, token: str, place: str) -> None:
    guard = guarded(
        signature={"required_parts": ["Body"]}, timestamp={"use": "optional"}, trust={"known_certificates": [ALICE]}
    )
    parts = (Part("#body"), Part("#TS-1"), Part("#UT-1"))
    signing = Signing.by(ALICE, parts=parts, key_info=referring(issuer_serial(ALICE)))
    message = signed(signing, token=Token()).decode()
    (element,) = re.findall(rf"<\w+:{token} .*?</\w+:{token}>", message)
    before, inside = PLACES[place]
    moved = bent(message, (element, "")).decode()
    check = "signature.malformed" if place == IN_KEY_INFO else "signature.coverage"
    assert guard.refusal(bent(moved, (before, inside.format(element) + before))) == check
