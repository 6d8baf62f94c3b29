"""A signed element inside of ciphertext's own elements: once that is opened it would be signed, and gone."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.encrypting import Encryption, key_info
from tests.messages import Token
from tests.pki import rsa_key
from tests.signature.signatures import ALICE, ROOT, bent, guarding
from tests.signing import Part, Signing, signed

SERVER = ROOT.leaf("Server", key=rsa_key(7), usage=None)
BLOCK = '<h:H xmlns:h="urn:h" wsu:Id="H">1</h:H>'


@pytest.mark.parametrize("hidden", ["h:H", "wsse:UsernameToken", "wsu:Timestamp", "xenc:EncryptedData"])
def test_what_was_signed_cannot_be_opened_away(tmp_path: Path, hidden: str) -> None:
    """A block that was signed as ciphertext neither: without its key nobody would miss it."""
    (tmp_path / "server.pem").write_bytes(SERVER.key_pem + SERVER.pem)
    guard = guarding(tmp_path)(
        signature={"required_parts": ["Body"]},
        timestamp={"use": "optional"},
        keys={"decrypt": [{"file": tmp_path / "server.pem"}]},
    )
    parts = tuple(Part(f"#{id}") for id in ("body", "TS-1", "UT-1", "H", "ED-H"))
    sealed = Encryption.for_(SERVER, id="ED-H", kind="Element", data_key_info="").fixed().data_xml()
    text = signed(Signing.by(ALICE, parts=parts), header=BLOCK + sealed, token=Token()).decode()
    start = text.index(f"<{hidden} ")
    end = text.index(f"</{hidden}>") + len(f"</{hidden}>")
    element = text[start:end]
    encryption = Encryption.for_(SERVER, plaintext=b'<j:J xmlns:j="urn:j"/>', kind="Element", references=()).fixed()
    inner = encryption.key_xml().replace(
        "</wsse:SecurityTokenReference>", f"<wsse:Embedded>{element}</wsse:Embedded></wsse:SecurityTokenReference>"
    )
    assert element in inner
    data = replace(encryption, data_key_info=key_info(inner)).data_xml()
    moved = bent(text, (element, ""), ("<wsse:Security ", f"{data}<wsse:Security ")).decode()
    listed = f'<x:ReferenceList xmlns:x="http://www.w3.org/2001/04/xmlenc#"><x:DataReference URI="#{encryption.id}"/>'
    octets = bent(moved, ("</wsse:Security>", f"{listed}</x:ReferenceList></wsse:Security>"))
    assert guard.refusal(octets) == "signature.coverage"
