"""A program that changes an encrypted message on its way.

Invariant: refused, or the application sees what was encrypted, and what was signed where somebody signed; whatever
refuses, the peer gets one and the same fault, and nothing decrypted is told anywhere.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from lxml import etree

from fuzz import keys, program
from fuzz.guarded import Fuzzed, Outcome
from fuzz.infoset import Node, of
from fuzz.messages import token
from fuzz.target import Target, demand
from tests.encrypting import Encryption
from tests.messages import timestamp
from tests.signing import Signing, binary_token, sign, unsigned
from wsguard.names import ENCRYPTED_DATA

_MARK: Final = "Waldmeister-1312"
"""What is encrypted, and may be told nowhere but to the application."""
_BODY: Final = f'<e:Echo xmlns:e="urn:echo"><e:text>{_MARK}</e:text></e:Echo>'
_BLOCK: Final = '<h:To xmlns:h="urn:h" wsu:Id="block">b</h:To>'


@dataclass(frozen=True)
class Encrypted:
    """A message, and who vouches for what."""

    octets: bytes
    signed: bool
    body: Node
    """What was encrypted."""


def _for(**changes: Any) -> Encryption:  # noqa: ANN401 - fields of Encryption
    return Encryption.for_(keys.server(), **changes).fixed()


def _sealed(text: str, *targets: tuple[str, Encryption]) -> str:
    for target, encryption in targets:
        text = text.replace(target, replace(encryption, plaintext=target.encode()).data_xml())
    return text.replace("@EK-1@", targets[0][1].key_xml())


def _drafted(*security: str, **envelope: str) -> str:
    return unsigned(*security, timestamp(), body=_BODY, **envelope)


@cache
def messages() -> tuple[Encrypted, ...]:
    """Encrypted messages of several shapes; those without a signature have an authenticated cipher."""
    by, tag = Signing.by(keys.ALICE), binary_token(keys.ALICE.certificate)
    gcm, cbc = _for(), _for(algorithm="aes256-cbc", method="rsa-oaep", digest="sha256", mask="sha256")
    user = token().replace("<wsse:UsernameToken>", '<wsse:UsernameToken wsu:Id="UT-1">')
    two = _for(references=("ED-1", "ED-2"), algorithm="aes256-gcm")
    inner = sign(_drafted("@EK-1@", tag, "@SIG-1@"), by).decode()
    outer = _sealed(_drafted(tag, "@SIG-1@", "@EK-1@"), (_BODY, gcm))
    both = _drafted("@EK-1@", user, header=_BLOCK)
    whole = inner[inner.index("<S:Body") : inner.index("</S:Envelope>")]
    found = (
        (_sealed(_drafted("@EK-1@"), (_BODY, gcm)), False),
        (_sealed(both, (_BODY, two), (user, replace(two, id="ED-2", kind="Element"))), False),
        (_sealed(inner, (_BODY, cbc)), True),
        (sign(outer, by).decode(), True),
        (_sealed(inner, (whole, replace(gcm, kind="Element"))), True),
    )
    body = of(etree.fromstring(_BODY))
    return tuple(Encrypted(text.encode(), signed, body) for text, signed in found)


@cache
def guards() -> tuple[Fuzzed, Fuzzed]:
    """One that asks for no signature, and one that demands it."""
    trust = {"ca_files": [keys.file("root.pem", keys.ROOT.pem)]}
    own = {"decrypt": [{"file": keys.file("server.pem", keys.server().key_pem + keys.server().pem)}]}
    usual: dict[str, Any] = {
        "trust": trust, "keys": own, "encryption": {"use": "required"}, "username_token": {"use": "optional"},
        "algorithms": {"encryption": ["aes128-gcm", "aes256-gcm", "aes256-cbc"]}, "secrets": (_MARK,),
    }  # fmt: skip
    open_to_all = Fuzzed(**usual, unsafe_unauthenticated=True)
    return open_to_all, Fuzzed(**usual, signature={"use": "required"})


def judge(octets: bytes) -> bool:
    """Hold what became of one message against the invariant."""
    originals = messages()
    chosen, changed = program.run(octets, [one.octets for one in originals])
    original = originals[chosen]
    outcome = guards()[original.signed].post(changed)
    if outcome.message is None:
        demand(_fault(outcome) in _FAULTS, f"a refusal is answered as every other: {_fault(outcome)!r}")
        return False
    _demand_same(outcome, original)
    return True


_FAULTS: Final = frozenset(
    {
        "InvalidSecurity An error was discovered processing the <wsse:Security> header",
        "Client The message could not be processed",
        "VersionMismatch The SOAP version of the message is not supported",
    }
)


def _fault(outcome: Outcome) -> str:
    texts = [text.strip() for text in etree.fromstring(outcome.body)[-1].itertext() if text.strip()]
    code = next((text for text in reversed(texts[:-1])), "").rpartition(":")[2]
    return f"{code} {re.sub(r' .[0-9a-z]+.$', '', texts[-1])}"


def _demand_same(outcome: Outcome, original: Encrypted) -> None:
    message, root = outcome.message, etree.fromstring(outcome.handed)
    assert message is not None
    demand([of(child) for child in root[-1]] == [original.body], "the Body has what was encrypted")
    demand("Body" in message.encrypted_parts, "the Body is told to have been encrypted")
    closed = [child.tag for part in root[:-1] for child in part if child.tag == ENCRYPTED_DATA]
    demand(not closed, "no header block is handed on that is still encrypted")
    if original.signed:
        demand(message.principal and message.principal.name == "CN=Alice", "the principal is the signer")
        demand(message.certificate == keys.ALICE.der, "by her certificate")
        demand({"Body", "Timestamp"} <= message.signed_parts, "Body and Timestamp are told to be signed")
    else:
        names: Sequence[str | None] = (None, "alice")
        demand((message.principal and message.principal.name) in names, "the principal is nobody, or the user")


def seeds() -> list[bytes]:
    """The messages as they are, and each step."""
    return program.seeds([one.octets for one in messages()], b"<xenc:CipherValue>")


TARGET: Final = Target(name="encryption", judge=judge, seeds=seeds, dictionary="program", longest=256)
