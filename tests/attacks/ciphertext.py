"""J: ciphertext that is bent to learn something from the answer, or to cost something. The answer is always one."""

import re
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from lxml import etree

from tests.attacks.cases import Built, Chapter
from tests.encrypting import (
    encrypt,
    encrypt_blocks,
)
from tests.guard_encryption.sealing import content_of, encrypted_body, for_server, sealed, signed_text
from tests.guarding import Answer
from tests.messages import PAYLOAD

CIPHERTEXT: Final = Chapter("J", "old")
DEFAULTS: Final = Chapter("J", "opened")

PADDING: Final = "Jager and Somorovsky, How to break XML encryption, 2011"
BACKWARDS: Final = "Jager, Paterson and Somorovsky, One bad apple: backwards compatibility attacks, 2013"
TAGS: Final = "Ferguson, Authentication weaknesses in GCM, 2005"
STANDARD: Final = "XML Encryption 1.1 §6, security considerations"
KEY: Final = bytes(range(16))
PLAIN: Final = PAYLOAD.encode()

_ONE_SENTENCE: Final = re.compile(r"An error was discovered processing the <wsse:Security> header \[\w+\]")


def tells_nothing(answer: Answer) -> None:
    """Demand the one fault that every mistake in the Security header gets where messages are decrypted."""
    root = etree.fromstring(answer.body)
    assert answer.status.startswith("500 ")
    assert root.findtext(".//faultcode") == "wsse:InvalidSecurity"
    assert _ONE_SENTENCE.fullmatch(root.findtext(".//faultstring") or "")


def data(cipher: bytes, algorithm: str = "aes128-cbc") -> bytes:
    """A message with this ciphertext under a key that the guard opens."""
    return encrypted_body(for_server(session=KEY, cipher=cipher, algorithm=algorithm))


def flipped(octets: bytes, at: int, by: int = 1) -> bytes:
    """``octets`` with one octet changed."""
    changed = bytearray(octets)
    changed[at] ^= by
    return bytes(changed)


# --- CBC --------------------------------------------------------------------------------------------------------------


def cbc() -> bytes:
    """Whole blocks of the honest plaintext, behind their vector."""
    return encrypt("aes128-cbc", KEY, PLAIN)


def padded(last: int) -> bytes:
    """The honest plaintext, and a last octet that says how many of the last ones are padding."""
    room = 16 - len(PLAIN) % 16
    return encrypt_blocks(AES(KEY), PLAIN + bytes(room - 1) + bytes([last]))


@CIPHERTEXT.each_refused(
    "encryption.failed",
    {
        "of nothing": lambda: padded(0),
        "of 17 octets": lambda: padded(17),
        "of 255 octets": lambda: padded(255),
        "of less than there is": lambda: padded(1),
        "guessed by the octet before": lambda: flipped(cbc(), -17, 0x80),
        "of a block alone": lambda: encrypt_blocks(AES(KEY), bytes(15) + b"\x11"),
    },
    source=PADDING,
    also=tells_nothing,
)
def the_padding_of_the_last_block_is_false(make: Callable[[], bytes]) -> Built:
    return data(make())


@CIPHERTEXT.each_refused(
    "encryption.failed",
    {
        "a vector alone": lambda: cbc()[:16],
        "half a vector": lambda: cbc()[:8],
        "nothing": lambda: b"",
        "no whole blocks": lambda: cbc()[:-1],
        "an octet too many": lambda: cbc() + b"\0",
        "the last block cut off": lambda: cbc()[:-16],
        "the first block cut off": lambda: cbc()[16:],
        "two blocks swapped": lambda: (c := cbc())[:16] + c[32:48] + c[16:32] + c[48:],
        "a block twice": lambda: (c := cbc())[:32] + c[16:],
    },
    source=PADDING,
    also=tells_nothing,
)
def blocks_are_cut_and_moved(make: Callable[[], bytes]) -> Built:
    return data(make())


@CIPHERTEXT.each_refused(
    "encryption.failed",
    {
        "no tag begins": 0x01,
        "a tag that does not end": 0x0F,
        "a character that XML has not": 0x3C,
        "the start of a longer character": 0xFC,
        "an ampersand": 0x1A,
    },
    source=PADDING,
    also=tells_nothing,
)
def the_first_octet_of_the_plaintext_is_flipped_by_the_vector(mask: int) -> Built:
    return data(flipped(cbc(), 0, mask))


@CIPHERTEXT.refused("signature.digest", source=PADDING, site="every")
def a_figure_that_was_signed_is_changed_by_the_vector() -> Built:
    body = '<Echo n="1" xmlns="urn:echo"/>'
    text = signed_text(body=body)
    cipher = flipped(encrypt("aes128-cbc", KEY, body.encode()), body.index("1"), ord("1") ^ ord("9"))
    return sealed(text, (content_of(text), for_server(session=KEY, algorithm="aes128-cbc", cipher=cipher)))


# --- GCM --------------------------------------------------------------------------------------------------------------


def gcm(vector: int = 12, associated: bytes | None = None) -> bytes:
    """The honest plaintext behind a vector of so many octets."""
    octets = bytes(range(1, vector + 1))
    return octets + AESGCM(KEY).encrypt(octets, PLAIN, associated)


@DEFAULTS.each_refused(
    "encryption.failed",
    {
        "96 bits are left": lambda: gcm()[:-4],
        "32 bits are left": lambda: gcm()[:-12],
        "one octet is left": lambda: gcm()[:-15],
        "nothing is left": lambda: gcm()[:-16],
        "a bit is flipped": lambda: flipped(gcm(), -1),
        "all zeros": lambda: gcm()[:-16] + bytes(16),
        "twice": lambda: (c := gcm()) + c[-16:],
    },
    source=TAGS,
    also=tells_nothing,
)
def the_tag_of_gcm_is_cut_or_changed(make: Callable[[], bytes]) -> Built:
    return data(make(), "aes128-gcm")


@DEFAULTS.each_refused(
    "encryption.failed",
    {
        "a vector of 8 octets": lambda: gcm(8),
        "a vector of 16 octets": lambda: gcm(16),
        "a vector alone": lambda: gcm()[:12],
        "nothing": lambda: b"",
        "an octet": lambda: b"\0",
        "data beside it": lambda: gcm(associated=b"x"),
        "a flipped letter": lambda: flipped(gcm(), 40),
        "another vector": lambda: flipped(gcm(), 0),
    },
    source=STANDARD,
    also=tells_nothing,
)
def ciphertext_of_gcm_is_another(make: Callable[[], bytes]) -> Built:
    return data(make(), "aes128-gcm")


@CIPHERTEXT.each_refused(
    "encryption.failed",
    {"CBC": ("aes128-cbc", gcm), "GCM": ("aes128-gcm", cbc)},
    source=BACKWARDS,
    also=tells_nothing,
)
def ciphertext_of_the_other_mode_is_said_to_be_of(case: tuple[str, Callable[[], bytes]]) -> Built:
    algorithm, make = case
    return data(make()[: -(len(make()) % 16) or None] if algorithm.endswith("cbc") else make(), algorithm)


@CIPHERTEXT.each_refused("encryption.failed", {"256 bits": "aes256-cbc", "3DES": "tripledes-cbc"}, also=tells_nothing)
def the_key_is_of_another_length_than_the_algorithm_takes(algorithm: str) -> Built:
    return data(cbc(), algorithm)


EVERY: Final = (*CIPHERTEXT, *DEFAULTS)
