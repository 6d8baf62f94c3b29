"""Alice's message with something that she signed put elsewhere, and something of an attacker's in its place."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tests.messages import SOAP12
from tests.signature.signatures import EVIL, SIGNED_BODY, bent, honest

EVIL_BODY: Final = f"<S:Body>{EVIL}</S:Body>"
WRAPPER: Final = '<w:W xmlns:w="urn:w">{}</w:W>'
FOREIGN: Final = '<wsse:Security S:actor="urn:somebody-else">{}</wsse:Security>'
SECURITY: Final = '<wsse:Security S:mustUnderstand="1">'


@dataclass(frozen=True, kw_only=True)
class Spot:
    """Where a signed element is put."""

    anchor: str
    """A text that stands once in the message with the evil Body."""
    text: str
    """What stands there then; ``{}`` is the element."""
    check: str = "signature.coverage"
    """What refuses a signed Body there, whatever Id the other Body has, if it is not the same."""


def _in(anchor: str, around: str = "{}", check: str = "signature.coverage") -> Spot:
    """At the start of what ``anchor`` opens."""
    return Spot(anchor=anchor, text=f"{anchor}{around}", check=check)


def _before(anchor: str, around: str = "{}", check: str = "signature.coverage") -> Spot:
    return Spot(anchor=anchor, text=f"{around}{anchor}", check=check)


def _nested(levels: int) -> str:
    return '<w:W xmlns:w="urn:w">' * levels + "{}" + "</w:W>" * levels


SPOTS: Final[Mapping[str, Spot]] = {
    "the Header": _in("<S:Header>"),
    "the first header block": _in("<S:Header>", WRAPPER),
    "the last header block": _before("</S:Header>", WRAPPER),
    "a header block that must be understood": _in(
        "<S:Header>", '<w:W xmlns:w="urn:w" S:mustUnderstand="1" S:actor="urn:somebody-else">{}</w:W>'
    ),
    "a header block, twenty levels down": _in("<S:Header>", _nested(20)),
    "a header block named like the Body": _in("<S:Header>", "<S:Body>{}</S:Body>"),
    "another Envelope in the Header": _in("<S:Header>", "<S:Envelope><S:Header/>{}</S:Envelope>"),
    "a Security header for somebody else": _in("<S:Header>", FOREIGN),
    "a second Security header": _in("<S:Header>", f"{SECURITY}{{}}</wsse:Security>", "security.duplicate"),
    "the Security header": _in(SECURITY, check="security.unknown_token"),
    "a wrapper in the Security header": _in(SECURITY, WRAPPER, "security.unknown_token"),
    "the certificate": _in('#X509v3">', check="signature.malformed"),
    "the Timestamp": _in('<wsu:Timestamp wsu:Id="TS-1">', check="signature.digest"),
    "the Signature": _in('<ds:Signature Id="SIG-1">', check="signature.malformed"),
    "SignedInfo": _in("<ds:SignedInfo>", check="signature.malformed"),
    "SignatureValue": _in("<ds:SignatureValue>", check="signature.malformed"),
    "KeyInfo": _in("<ds:KeyInfo>", check="signature.malformed"),
    "the reference to the certificate": _in("<wsse:SecurityTokenReference>", check="signature.malformed"),
    "an Object of the Signature": _in("</ds:KeyInfo>", "<ds:Object>{}</ds:Object>", "signature.malformed"),
    "the Envelope, before the Body": _in("</S:Header>", check="envelope.structure"),
    "the Envelope, behind the Body": _before("</S:Envelope>", check="envelope.structure"),
    "a wrapper before the Body": _in("</S:Header>", WRAPPER, "envelope.structure"),
    "a wrapper behind the Body": _before("</S:Envelope>", WRAPPER, "envelope.structure"),
    "the Body, beside the operation": _in("</e:Echo>", check="envelope.structure"),
    "the operation": _in("<e:text>evil</e:text>"),
    "a parameter of the operation": Spot(anchor=">evil<", text=">{}evil<"),
    "another Envelope in the operation": _in("<e:text>evil</e:text>", "<S:Envelope>{}</S:Envelope>"),
}
"""Places for a signed Body, in the message that has the attacker's Body in its place."""


def moved(spot: Spot, body: str = EVIL_BODY) -> bytes:
    """Alice's message with ``body`` in the place of her signed Body, which is put where ``spot`` says."""
    text = bent(honest(), (SIGNED_BODY, body)).decode()
    return bent(text, (spot.anchor, spot.text.replace("{}", SIGNED_BODY)))


def evil_body(attributes: str = "", prefix: str = "S", declared: str = "") -> str:
    """The attacker's Body, with an Id of his choice, under a prefix that he may declare."""
    label = f"{prefix}:Body" if prefix else "Body"
    return f"<{label} {declared} {attributes}>{EVIL}</{label}>"


BODY_OF_THE_OTHER_SOAP: Final = evil_body(prefix="T", declared=f'xmlns:T="{SOAP12}"')
