"""What these tests share: a server with a key, and messages that are signed and encrypted in either order.

text = draft("@EK-1@", timestamp())
octets = sealed(text, (content_of(text), for_server()))
"""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.encrypting import Encryption
from tests.messages import PAYLOAD, Token, timestamp
from tests.pki import Issued, rsa_key
from tests.signature.signatures import ALICE, ROOT, SignedGuard, guarding
from tests.signing import Signing, binary_token, sign, unsigned
from wsguard.verified import VerifiedMessage

OPEN: Final[dict[str, Any]] = {"signature": {"use": "optional"}, "unsafe_unauthenticated": True}
"""Demands encryption and a Timestamp, and nobody's name."""
NAMED: Final[dict[str, Any]] = {"signature": {"use": "optional"}, "username_token": {"use": "required"}}
"""The same, and ``KNOWN_USER``: who is known may have parts under several keys, and a Body in the clear."""
KNOWN_USER: Final = Token().xml()
ECHO: Final = "{urn:echo}Echo"
BODY_PART: Final = frozenset({"Body"})
"""What is encrypted in most messages."""
NOTHING: Final[frozenset[str]] = frozenset()


@cache
def server() -> Issued:
    """Whom messages are encrypted for."""
    return ROOT.leaf("Server", key=rsa_key(1))


@cache
def new_server() -> Issued:
    """The same with its next key."""
    return ROOT.leaf("Server", key=rsa_key(2))


@cache
def stranger() -> Issued:
    """A recipient whose key is not here."""
    return ROOT.leaf("Elsewhere", key=rsa_key(3))


def for_server(form: str = "IssuerSerial", **changes: Any) -> Encryption:
    """Encryption for the server, with a session key that stays."""
    return Encryption.for_(server(), form, **changes).fixed()


def also(first: Encryption, id: str, **changes: Any) -> Encryption:
    """More data under the key of ``first``, which must list them."""
    return replace(first, id=id, **changes)


draft = unsigned


def content_of(text: str) -> str:
    """The content of the Body."""
    found = re.search(r"<S:Body[^>]*>(.*)</S:Body>", text, re.DOTALL)
    assert found is not None
    return found[1]


def body_of(text: str) -> str:
    """The Body."""
    return text[text.index("<S:Body") : text.index("</S:Envelope>")]


def element_of(text: str, name: str) -> str:
    """The one element with this qualified name."""
    (found,) = re.findall(rf"<{name}\b.*?</{name}>", text, re.DOTALL)
    return str(found)


def sealed(text: str, *targets: tuple[str, Encryption]) -> bytes:
    """Replace each text by EncryptedData of it, in turn, and ``@EK-1@`` by the EncryptedKey with this Id."""
    for target, encryption in targets:
        assert text.count(target) == 1, target
        text = text.replace(target, replace(encryption, plaintext=target.encode()).data_xml())
        text = text.replace(f"@{encryption.key_id}@", encryption.key_xml())
    return text.encode()


def encrypted_body(encryption: Encryption | None = None, *more: str, **envelope: Any) -> bytes:
    """A message with an encrypted Body that nobody signed."""
    text = draft("@EK-1@", *more, timestamp(), **envelope)
    return sealed(text, (content_of(text), encryption or for_server()))


def body_with(plaintext: str, **changes: Any) -> bytes:
    """A message whose Body was encrypted, and is not what it should be."""
    encryption = for_server(plaintext=plaintext.encode(), **changes)
    return draft(encryption.key_xml(), timestamp(), body=encryption.data_xml()).encode()


def data_only(text: str, encryption: Encryption) -> bytes:
    """The Body's content encrypted, under a key that the message does not carry."""
    content = content_of(text)
    return text.replace(content, replace(encryption, plaintext=content.encode()).data_xml()).encode()


def signed_then_encrypted(
    encryption: Encryption | None = None, signing: Signing | None = None, **envelope: Any
) -> bytes:
    """Body and Timestamp signed by Alice, then the Body's content encrypted: the EncryptedKey comes first."""
    text = signed_text(signing, **envelope)
    return sealed(text, (content_of(text), encryption or for_server()))


def signed_text(signing: Signing | None = None, *more: str, **envelope: Any) -> str:
    """A signed message with a place for an EncryptedKey before the signature."""
    signing = signing or Signing.by(ALICE)
    token = binary_token(signing.certificate) if signing.certificate is not None else ""
    return sign(draft("@EK-1@", token, f"@{signing.id}@", timestamp(), *more, **envelope), signing).decode()


def encrypted_then_signed(
    encryption: Encryption | None = None, signing: Signing | None = None, **envelope: Any
) -> bytes:
    """The Body's content encrypted, then Body and Timestamp signed by Alice: the Signature comes first."""
    signing = signing or Signing.by(ALICE)
    token = binary_token(signing.certificate) if signing.certificate is not None else ""
    text = draft(token, f"@{signing.id}@", "@EK-1@", timestamp(), **envelope)
    return sign(sealed(text, (content_of(text), encryption or for_server())).decode(), signing)


def opened(guard: SignedGuard, octets: bytes, **environ: Any) -> VerifiedMessage:
    """What the application is told of a message that says hello; it must be accepted, and nothing stay closed."""
    message = guard.accepted(octets, **environ)
    assert PAYLOAD.encode() in guard.handed
    for rest in (b"Encrypted", b"CipherValue", b"Security"):
        assert rest not in guard.handed
    return message


Sealing = Callable[..., SignedGuard]
"""As ``Guarding``: makes a guard with the server's key that demands an encrypted Body, and a signature. ``decrypt`` in
[keys] are keys with their certificates."""


def sealing(directory: Path) -> Sealing:
    """Makes guards whose files are in ``directory``."""
    for name in ("keys", "trust"):
        (directory / name).mkdir()
    make = guarding(directory / "trust")

    def file(one: Issued) -> dict[str, Path]:
        path = directory / "keys" / f"{len(list((directory / 'keys').iterdir()))}.pem"
        path.write_bytes(one.key_pem + one.pem)
        return {"file": path}

    def make_sealed(**policy: Any) -> SignedGuard:
        keys = {"decrypt": [server()], **policy.pop("keys", {})}
        keys["decrypt"] = [file(one) for one in keys["decrypt"]]
        if "sign" in keys:
            keys["sign"] = file(keys["sign"])
        encryption = {"use": "required", **policy.pop("encryption", {})}
        return make(keys=keys, encryption=encryption, **policy)

    return make_sealed
