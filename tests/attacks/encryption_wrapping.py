"""J: what was encrypted and signed is moved to another place, opened in another order, or bound to other names."""

from dataclasses import replace
from typing import Final

from tests.attacks.cases import Built, Chapter
from tests.encrypting import key_info, reference_list
from tests.guard_encryption.sealing import (
    also,
    body_of,
    content_of,
    draft,
    element_of,
    encrypted_then_signed,
    for_server,
    sealed,
    signed_text,
    signed_then_encrypted,
)
from tests.messages import PAYLOAD, timestamp
from tests.signature.signatures import ALICE, EVIL
from tests.signing import BODY, TIMESTAMP, Part, Signing, signed

WRAPPED: Final = Chapter("J", "sealed")
STOLEN: Final = Chapter("J", "opened")

WRAPPING: Final = "Somorovsky 2013, On the insecurity of XML security: encryption wrapping"
ORDER: Final = "the order of the Security header is the order of work"
BLOCK: Final = '<h:To xmlns:h="urn:h">here</h:To>'


@WRAPPED.each_refused(
    "signature.coverage", {"a header block": "<S:Header>", "the evil operation": "<e:text>"}, source=WRAPPING
)
def the_encrypted_body_is_moved_aside_into(place: str) -> Built:
    text = signed_text()
    body = body_of(text)
    moved = text.replace(body, f"<S:Body>{EVIL}</S:Body>").replace(
        place, f"{place}<x:Wrap xmlns:x='urn:x'>{body}</x:Wrap>", 1
    )
    return sealed(moved, (body, for_server(kind="Element")))


@WRAPPED.refused("signature.coverage", source=WRAPPING)
def both_the_moved_body_and_the_evil_one_are_encrypted() -> Built:
    text = signed_text()
    body = body_of(text)
    moved = text.replace(body, f"<S:Body>{EVIL}</S:Body>").replace("<S:Header>", f"<S:Header><x>{body}</x>", 1)
    first = for_server(kind="Element", references=("ED-1", "ED-2"))
    return sealed(moved, (body, first), (EVIL, also(first, "ED-2", kind="Content")))


@WRAPPED.refused("signature.digest", source=WRAPPING)
def ciphertext_of_an_evil_body_takes_the_place_of_the_signed_one() -> Built:
    text = signed_text()
    return sealed(text.replace("hello", "evil"), (EVIL, for_server()))


@WRAPPED.refused("encryption.coverage", source=WRAPPING)
def the_evil_operation_stands_beside_the_ciphertext_of_the_signed_one() -> Built:
    text = signed_text()
    return sealed(text, ("hello", for_server(kind="Content")))


@WRAPPED.refused("signature.coverage", source="names that nobody signed come out of what was signed as ciphertext")
def a_prefix_in_signed_ciphertext_is_bound_outside_anew() -> Built:
    body = "<e:Echo><e:text>hello</e:text></e:Echo>"
    return encrypted_then_signed(body=body, envelope_attributes='xmlns:e="urn:echo"')


@WRAPPED.refused("signature.digest", source=ORDER)
def the_key_is_moved_before_the_signature_over_its_ciphertext() -> Built:
    text = encrypted_then_signed().decode()
    key = element_of(text, "xenc:EncryptedKey")
    return text.replace(key, "").replace("<wsse:BinarySecurityToken", f"{key}<wsse:BinarySecurityToken", 1).encode()


@WRAPPED.refused("signature.digest", source=ORDER)
def the_key_is_moved_behind_the_signature_over_its_plaintext() -> Built:
    text = signed_then_encrypted().decode()
    key = element_of(text, "xenc:EncryptedKey")
    return text.replace(key, "").replace("</wsse:Security>", f"{key}</wsse:Security>", 1).encode()


@WRAPPED.refused("signature.coverage", source=WRAPPING)
def the_ciphertext_alone_was_signed_and_not_its_place() -> Built:
    signing = Signing.by(ALICE, parts=(Part("#ED-1"), TIMESTAMP))
    return encrypted_then_signed(signing=signing)


@WRAPPED.refused("signature.coverage", source="what was signed is hidden in a KeyInfo, and opened away", site="every")
def a_signed_block_is_opened_away_inside_of_other_ciphertext() -> Built:
    block = '<h:H xmlns:h="urn:h" wsu:Id="H">1</h:H>'
    text = signed(Signing.by(ALICE, parts=(BODY, TIMESTAMP, Part("#H"))), header=block).decode()
    encryption = for_server(kind="Element", references=(), plaintext=BLOCK.encode())
    end = "</wsse:SecurityTokenReference>"
    inner = encryption.key_xml().replace(end, f"<wsse:Embedded>{block}</wsse:Embedded>{end}")
    data = replace(encryption, data_key_info=key_info(inner)).data_xml()
    return (
        text.replace(block, "")
        .replace("<wsse:Security ", f"{data}<wsse:Security ", 1)
        .replace("</wsse:Security>", f"{reference_list('ED-1')}</wsse:Security>")
        .encode()
    )


@STOLEN.each_refused(
    "encryption.coverage",
    {"inside of the operation": "<e:text>", "in a header block": "<S:Header>"},
    source="ciphertext does not say whose it is",
    withheld="account 4711",
)
def what_somebody_else_encrypted_is_put_into_a_message_that_nobody_vouches_for(place: str) -> Built:
    seen = for_server(id="ED-V", key_id="EK-V", kind="Element", plaintext=b'<v:V xmlns:v="urn:v">account 4711</v:V>')
    text = draft("@EK-1@", seen.key_xml(), timestamp(), body=PAYLOAD)
    text = text.replace(place, place + seen.data_xml(), 1)
    return sealed(text, (content_of(text), for_server()))


EVERY: Final = (*WRAPPED, *STOLEN)
