"""What may happen to a signed message on its way: some of it changes what was signed, some of it only its spelling."""

import base64
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Final

from cryptography import x509
from lxml import etree
from lxml.etree import CDATA, _Element

from tests.messages import DS, WSSE, WSU
from wsguard.names import EXC_C14N, SIGNATURE_ALGORITHMS

SECURITY: Final = f"{{{WSSE}}}Security"
Change = Callable[[Random, _Element], None]
"""Changes an Envelope in place."""


def changed(message: bytes, change: Change, seed: int) -> bytes:
    """The message after ``change``, in places that the seed says."""
    envelope = etree.fromstring(message)
    change(Random(seed), envelope)
    return etree.tostring(envelope, encoding="utf-8")


def body(envelope: _Element) -> _Element:
    """The Body."""
    return next(child for child in envelope.iterchildren("{*}Body"))


def _within(random: Random, envelope: _Element) -> _Element:
    """Some element inside the operation."""
    return random.choice(list(body(envelope).iterdescendants("*"))[1:])


def _one(random: Random, envelope: _Element, *tags: str) -> _Element:
    """Some element of the Security header with one of the tags."""
    (security,) = envelope.iter(SECURITY)
    return random.choice(list(security.iter(*tags)))


# --- What changes the meaning -----------------------------------------------------------------------------------------


def text(random: Random, envelope: _Element) -> None:
    element = _within(random, envelope)
    element.text = (element.text or "") + random.choice("x \n\u0301")


def tail(random: Random, envelope: _Element) -> None:
    element = _within(random, envelope)
    element.tail = (element.tail or "") + " "


def attribute(random: Random, envelope: _Element) -> None:
    _within(random, envelope).set("added", "")


def removed(random: Random, envelope: _Element) -> None:
    element = _within(random, envelope)
    parent = element.getparent()
    assert parent is not None
    parent.remove(element)


def doubled(random: Random, envelope: _Element) -> None:
    element = _within(random, envelope)
    element.addnext(deepcopy(element))


def renamed(random: Random, envelope: _Element) -> None:
    element = _within(random, envelope)
    element.tag = f"{{urn:other}}{etree.QName(element).localname}"


def body_attribute(random: Random, envelope: _Element) -> None:
    body(envelope).set(random.choice(["added", "{http://www.w3.org/XML/1998/namespace}lang"]), "fr")


def timestamp(random: Random, envelope: _Element) -> None:
    element = _one(random, envelope, f"{{{WSU}}}Created", f"{{{WSU}}}Expires")
    element.text = (element.text or "").replace(".000Z", ".001Z")


def base64_text(random: Random, envelope: _Element) -> None:
    element = _one(random, envelope, f"{{{DS}}}DigestValue", f"{{{DS}}}SignatureValue")
    assert element.text
    place = random.randrange(len(element.text) - 4)
    element.text = element.text[:place] + ("B" if element.text[place] == "A" else "A") + element.text[place + 1 :]


def prefix_list(random: Random, envelope: _Element) -> None:
    element = _one(random, envelope, f"{{{EXC_C14N}}}InclusiveNamespaces")
    element.set("PrefixList", f"{element.get('PrefixList')} more".strip())


def signature_method(random: Random, envelope: _Element) -> None:
    _one(random, envelope, f"{{{DS}}}SignatureMethod").set("Algorithm", SIGNATURE_ALGORITHMS["rsa-sha512"])


def reference(random: Random, envelope: _Element) -> None:
    element = _one(random, envelope, f"{{{DS}}}Reference")
    parent = element.getparent()
    assert parent is not None
    parent.remove(element)


def target(random: Random, envelope: _Element) -> None:
    first, second = envelope.iter(f"{{{DS}}}Reference")
    first.set("URI", second.get("URI", ""))


def body_id(random: Random, envelope: _Element) -> None:
    body(envelope).set(f"{{{WSU}}}Id", "other")


def wrapped(random: Random, envelope: _Element) -> None:
    """The signed Body goes into a header block, another takes its place."""
    original = body(envelope)
    forged = deepcopy(original)
    forged.attrib.pop(f"{{{WSU}}}Id")
    header = next(envelope.iterchildren("{*}Header"))
    original.addnext(forged)
    etree.SubElement(header, "{urn:wrapper}wrapper").append(original)


def certificate(random: Random, envelope: _Element) -> None:
    """Another octet in the certificate's signature, so that it is no longer its authority's."""
    element = _one(random, envelope, f"{{{WSSE}}}BinarySecurityToken")
    octets = bytearray(base64.b64decode(element.text or ""))
    octets[-1] ^= 1
    x509.load_der_x509_certificate(bytes(octets))
    element.text = base64.b64encode(octets).decode()


MEANING: Final[dict[Change, str]] = {
    text: "signature.digest",
    tail: "signature.digest",
    attribute: "signature.digest",
    removed: "signature.digest",
    doubled: "signature.digest",
    renamed: "signature.digest",
    body_attribute: "signature.digest",
    timestamp: "signature.digest",
    base64_text: "signature.value",
    prefix_list: "signature.value",
    signature_method: "signature.value",
    reference: "signature.value",
    target: "signature.reference",
    body_id: "signature.reference",
    wrapped: "signature.coverage",
    certificate: "certificate.untrusted",
}
"""Change -> the check that must refuse it."""

# --- What changes the spelling only -----------------------------------------------------------------------------------


def comment(random: Random, envelope: _Element) -> None:
    _within(random, envelope).append(etree.Comment(" not signed "))


def cdata(random: Random, envelope: _Element) -> None:
    element = _within(random, envelope)
    if element.text and "]]>" not in element.text and "\r" not in element.text:
        element.text = CDATA(element.text)


def header_comment(random: Random, envelope: _Element) -> None:
    next(envelope.iterchildren("{*}Header")).append(etree.Comment(" nor this "))


def envelope_attribute(random: Random, envelope: _Element) -> None:
    envelope.set("{http://www.w3.org/XML/1998/namespace}lang", "fr")


def signature_last(random: Random, envelope: _Element) -> None:
    signature = _one(random, envelope, f"{{{DS}}}Signature")
    for after in list(signature.itersiblings()):
        signature.addprevious(after)


def wrapped_lines(random: Random, envelope: _Element) -> None:
    element = _one(random, envelope, f"{{{DS}}}SignatureValue", f"{{{WSSE}}}BinarySecurityToken")
    whole = "".join((element.text or "").split())
    element.text = "\n" + "\n".join(whole[place : place + 64] for place in range(0, len(whole), 64)) + "\n"


def blanks(random: Random, envelope: _Element) -> None:
    element = random.choice([envelope, next(envelope.iterchildren("{*}Header"))])
    element.text = f"{element.text or ''}\n  "


SPELLING: Final[tuple[Change, ...]] = (
    comment, cdata, header_comment, envelope_attribute, signature_last, wrapped_lines, blanks,
)  # fmt: skip
