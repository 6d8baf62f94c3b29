"""What was signed while it was ciphertext: after it is opened, a signature covers what came of it, and nothing else."""

import base64
from pathlib import Path

import pytest

from tests.encrypting import Encryption, reference_list, to_id
from tests.guarding import Answer
from tests.messages import PAYLOAD, timestamp
from tests.pki import rsa_key
from tests.signature.signatures import ALICE, ROOT, SignedGuard, guarding
from tests.signing import BODY, TIMESTAMP, Part, Signing, binary_token, sign, unsigned

SERVER = ROOT.leaf("Server", key=rsa_key(7), usage=None)
HEADER = "{urn:h}H"


@pytest.fixture
def guard(tmp_path: Path) -> SignedGuard:
    """A guard that opens what is encrypted for the server, and demands a signed Body and Timestamp."""
    return _guard(tmp_path)


def _guard(tmp_path: Path, *parts: str) -> SignedGuard:
    (tmp_path / "server.pem").write_bytes(SERVER.key_pem + SERVER.pem)
    return guarding(tmp_path)(
        signature={"required_parts": [*(parts or ("Body", "Timestamp"))]},
        keys={"decrypt": [{"file": tmp_path / "server.pem"}]},
    )


def encrypt_then_sign(encryption: Encryption, *parts: Part, body: str = "{}", header: str = "") -> bytes:
    """A message whose Signature comes before the EncryptedKey: the ciphertext is signed."""
    fixed = encryption.fixed()
    text = unsigned(
        binary_token(ALICE.certificate),
        "@SIG-1@",
        timestamp(),
        fixed.key_xml(),
        body=body.format(fixed.data_xml()),
        header=header.format(fixed.data_xml()),
    )
    return sign(text, Signing.by(ALICE, parts=parts))


def test_a_body_that_was_signed_as_ciphertext_is_covered(guard: SignedGuard) -> None:
    octets = encrypt_then_sign(Encryption.for_(SERVER), BODY, TIMESTAMP)
    message = guard.accepted(octets)
    assert (message.signed_parts, message.encrypted_parts) == (frozenset({"Body", "Timestamp"}), frozenset({"Body"}))
    assert PAYLOAD.encode() in guard.handed


def test_signed_content_says_nothing_of_the_element_that_holds_it(guard: SignedGuard) -> None:
    """The attributes of the Body were signed by nobody."""
    octets = encrypt_then_sign(Encryption.for_(SERVER), Part("#ED-1"), TIMESTAMP)
    assert guard.refusal(octets) == "signature.coverage"


@pytest.mark.parametrize("plaintext", [b"", b"only text", b"<!-- nothing -->"], ids=["nothing", "text", "a comment"])
def test_signed_content_that_holds_no_element_leaves_nothing_covered(tmp_path: Path, plaintext: bytes) -> None:
    guard = _guard(tmp_path, "Body", "Timestamp", HEADER)
    octets = encrypt_then_sign(
        Encryption.for_(SERVER, plaintext=plaintext),
        BODY,
        TIMESTAMP,
        Part("#ED-1"),
        body=PAYLOAD,
        header='<h:H xmlns:h="urn:h">{}</h:H>',
    )
    assert guard.refusal(octets) == "signature.coverage"


def test_what_was_signed_inside_of_ciphertext_covers_nothing_that_takes_its_place(tmp_path: Path) -> None:
    """The KeyInfo of the data is its second child; so is, after it was opened, an element that nobody signed."""
    guard = _guard(tmp_path, "Body", "Timestamp", HEADER)
    inner = '<h:H xmlns:h="urn:h"><a/><b/></h:H>'
    key_info = to_id("EK-1").replace("<ds:KeyInfo", '<ds:KeyInfo Id="KI-1"')
    encryption = Encryption.for_(SERVER, plaintext=inner.encode(), kind="Element", data_key_info=key_info)
    octets = encrypt_then_sign(encryption, BODY, TIMESTAMP, Part("#KI-1"), body=PAYLOAD, header="{}")
    assert guard.refusal(octets) == "signature.coverage"
    signed = encrypt_then_sign(encryption, BODY, TIMESTAMP, Part("#ED-1"), body=PAYLOAD, header="{}")
    assert guard.accepted(signed).signed_parts == {"Body", "Timestamp", HEADER}


def test_a_signature_that_is_revealed_where_the_header_was_already_read_is_verified(tmp_path: Path) -> None:
    """gSOAP sends the EncryptedKey after what it opens."""
    guard = guarding(tmp_path)(signature={"use": "optional"}, unsafe_unauthenticated=True, **_keys(tmp_path))
    honest = sign(
        unsigned(binary_token(ALICE.certificate), "@SIG-1@", timestamp(), body=PAYLOAD), Signing.by(ALICE)
    ).decode()
    start, end = honest.index("<ds:Signature "), honest.index("</ds:Signature>") + len("</ds:Signature>")
    assert _sealed(guard, honest, start, end, honest[start:end]).check == ""
    value_at = honest.index("<ds:SignatureValue>") + len("<ds:SignatureValue>")
    value = honest[value_at : honest.index("</ds:SignatureValue>")]
    wrong = base64.b64encode(bytes(len(base64.b64decode(value)))).decode()
    bad = honest[start:end].replace(value, wrong)
    assert _sealed(guard, honest, start, end, bad).check == "signature.value"


def _keys(tmp_path: Path) -> dict[str, object]:
    (tmp_path / "server.pem").write_bytes(SERVER.key_pem + SERVER.pem)
    return {"keys": {"decrypt": [{"file": tmp_path / "server.pem"}]}}


def _sealed(guard: SignedGuard, honest: str, start: int, end: int, signature: str) -> Answer:
    """Send ``honest`` with ``signature`` encrypted in its place, and the EncryptedKey at the end of the header."""
    encryption = Encryption.for_(SERVER, plaintext=signature.encode(), kind="Element").fixed()
    text = honest[:start] + encryption.data_xml() + honest[end:]
    return guard.post(text.replace("</wsse:Security>", f"{encryption.key_xml()}</wsse:Security>").encode())


def test_a_key_that_is_named_twice_opens_once(guard: SignedGuard) -> None:
    octets = encrypt_then_sign(Encryption.for_(SERVER), BODY, TIMESTAMP).decode()
    twice = octets.replace("</wsse:Security>", reference_list("ED-1") + "</wsse:Security>")
    assert guard.refusal(twice.encode()) == "encryption.malformed"
