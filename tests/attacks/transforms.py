"""C: transforms that hide, run or read something, or never end."""

from collections.abc import Callable
from typing import Final

from lxml import etree

from tests.attacks.canary import canary
from tests.attacks.cases import Built, Chapter
from tests.attacks.references import HILL, over
from tests.messages import DS, PAYLOAD
from tests.signature.signatures import ALICE, bent, honest
from tests.signing import (
    BODY,
    ENVELOPED,
    EXC_C14N,
    STR_TRANSFORM,
    TIMESTAMP,
    Part,
    Signing,
    algorithm,
    canonical,
    inclusive,
    signed,
)

TRANSFORMS: Final = Chapter("C", "signed")

BEST_PRACTICES: Final = "XML Signature Best Practices, W3C 2013"
XPATH: Final = "http://www.w3.org/TR/1999/REC-xpath-19991116"
FILTER_2: Final = "http://www.w3.org/2002/06/xmldsig-filter2"
XSLT: Final = "http://www.w3.org/TR/1999/REC-xslt-19991116"
DECRYPT: Final = "http://www.w3.org/2002/07/decrypt#XML"
ATTACHMENT: Final = "http://docs.oasis-open.org/wss/oasis-wss-SwAProfile-1.1#Attachment-Content-Signature-Transform"
EXCLUSIVE: Final = algorithm("Transform", EXC_C14N)


# --- Transforms that choose, run or read ------------------------------------------------------------------------------


def transformed(*transforms: str, target: str = "#body", **changes: object) -> bytes:
    """Signed by Alice, with these transforms of the Body."""
    return over(Part(target, transforms=f"<ds:Transforms>{''.join(transforms)}</ds:Transforms>"), TIMESTAMP, **changes)


def _xpath(expression: str) -> str:
    return algorithm("Transform", XPATH, f"<ds:XPath>{expression}</ds:XPath>")


def _filter(expression: str, kind: str = "intersect") -> str:
    return algorithm("Transform", FILTER_2, f'<f:XPath xmlns:f="{FILTER_2}" Filter="{kind}">{expression}</f:XPath>')


def _stylesheet(content: str) -> str:
    attributes = 'xmlns:x="http://www.w3.org/1999/XSL/Transform" version="1.0"'
    return algorithm("Transform", XSLT, f"<x:stylesheet {attributes}>{content}</x:stylesheet>")


def _template(content: str) -> str:
    return _stylesheet(f'<x:template match="/">{content}</x:template>')


_LOOP: Final = (
    '<x:template match="/"><x:call-template name="t"/></x:template>'
    '<x:template name="t"><x:call-template name="t"/><x:call-template name="t"/></x:template>'
)
RUNS: Final[dict[str, Callable[[], str]]] = {
    "XPath that selects nothing": lambda: _xpath("false()"),
    "XPath that leaves the operation out": lambda: _xpath("not(ancestor-or-self::*[local-name()='Echo'])"),
    "XPath filter that subtracts everything": lambda: _filter("/", "subtract"),
    "XPath filter that searches by name": lambda: _filter("//*[local-name()='Body']"),
    "XPath filter whose prefix is bound anew": lambda: _filter("/S:Envelope/S:Body").replace(
        "<f:XPath ", '<f:XPath xmlns:S="urn:evil" '
    ),
    "XSLT that writes a constant": lambda: _template("<constant/>"),
    "XSLT that reads a file": lambda: _template(f"<x:copy-of select=\"document('{canary().as_uri()}')\"/>"),
    "XSLT that includes a file": lambda: _stylesheet(f'<x:include href="{canary().as_uri()}"/>'),
    "XSLT that writes a file": lambda: _stylesheet(
        f'<x:template match="/"><e:document xmlns:e="http://exslt.org/common" href="{canary()}.out"/></x:template>'
    ),
    "XSLT that calls Java": lambda: _template(
        '<x:value-of xmlns:r="http://xml.apache.org/xalan/java/java.lang.Runtime" select="r:getRuntime()"/>'
    ),
    "XPointer": lambda: algorithm("Transform", "http://www.w3.org/2001/04/xmldsig-more/xptr"),
    "base64": lambda: algorithm("Transform", f"{DS}base64"),
    "decryption": lambda: algorithm("Transform", DECRYPT),
    "the content of attachments": lambda: algorithm("Transform", ATTACHMENT),
    "a transform that nobody knows": lambda: algorithm("Transform", "urn:unknown"),
    "a transform without algorithm": lambda: "<ds:Transform/>",
    "an algorithm with white space": lambda: algorithm("Transform", f"{EXC_C14N} "),
    "an algorithm in another case": lambda: algorithm("Transform", EXC_C14N.upper()),
    "a signature method": lambda: algorithm("Transform", f"{DS}rsa-sha1"),
}


NEVER_END: Final[dict[str, Callable[[], str]]] = {
    "XPath that is evaluated for every node anew": lambda: _xpath("count(//.|//@*|//namespace::*) > count(//.)"),
    "XSLT that calls itself twice": lambda: _stylesheet(_LOOP),
}


@TRANSFORMS.each_refused("signature.algorithm", RUNS, source=HILL)
def a_transform_by(transform: Callable[[], str]) -> Built:
    return transformed(transform())


TRANSFORMS.each_refused("signature.algorithm", NEVER_END, isolated=True, source=BEST_PRACTICES)(a_transform_by)


@TRANSFORMS.each_refused(
    "signature.algorithm", {"XPath": _xpath("true()"), "XSLT": _template("<c/>"), "base64": RUNS["base64"]()}
)
def a_transform_behind_enveloped_signature_by(transform: str) -> Built:
    return transformed(algorithm("Transform", ENVELOPED), transform)


# --- Transforms of another shape --------------------------------------------------------------------------------------

_STR: Final = algorithm(
    "Transform",
    STR_TRANSFORM,
    f"<wsse:TransformationParameters>{algorithm('CanonicalizationMethod', EXC_C14N)}</wsse:TransformationParameters>",
)
SHAPES: Final[dict[str, tuple[str, ...]]] = {
    "none": (),
    "enveloped-signature last": (EXCLUSIVE, algorithm("Transform", ENVELOPED)),
    "enveloped-signature with content": (algorithm("Transform", ENVELOPED, "<ds:XPath>1</ds:XPath>"), EXCLUSIVE),
    "XPath before the canonicalization": (_xpath("true()"), EXCLUSIVE),
    "XSLT before the canonicalization": (_template("<c/>"), EXCLUSIVE),
    "two canonicalizations": (EXCLUSIVE, EXCLUSIVE),
    "enveloped-signature twice": (algorithm("Transform", ENVELOPED),) * 2 + (EXCLUSIVE,),
    "an XPath in the canonicalization": (algorithm("Transform", EXC_C14N, "<ds:XPath>false()</ds:XPath>"),),
    "STR-Transform before another": (_STR, EXCLUSIVE),
    "STR-Transform behind another": (EXCLUSIVE, _STR),
    "STR-Transform without parameters": (algorithm("Transform", STR_TRANSFORM),),
}


@TRANSFORMS.each_refused("signature.malformed", SHAPES)
def transforms_in_which_there_is(transforms: tuple[str, ...]) -> Built:
    return transformed(*transforms)


@TRANSFORMS.refused("signature.reference")
def an_str_transform_of_the_body_which_refers_to_nothing() -> Built:
    return transformed(_STR)


@TRANSFORMS.refused("signature.coverage")
def an_str_transform_of_a_reference_in_the_body_to_the_timestamp() -> Built:
    """WSS 1.1 §8.3: what was digested has a default namespace, which the Timestamp has not."""
    reference = (
        '<wsse:SecurityTokenReference wsu:Id="STR-1"><wsse:Reference URI="#TS-1"/></wsse:SecurityTokenReference>'
    )
    (stamp,) = etree.fromstring(honest().encode()).iter("{*}Timestamp")
    octets = canonical(stamp).replace(b"<wsu:Timestamp ", b'<wsu:Timestamp xmlns="" ')
    part = Part("#STR-1", transforms=f"<ds:Transforms>{_STR}</ds:Transforms>", octets=octets)
    body = PAYLOAD.replace("</e:Echo>", f"{reference}</e:Echo>")
    return signed(Signing.by(ALICE, parts=(BODY, part)), body=body)


# --- Too much ---------------------------------------------------------------------------------------------------------


@TRANSFORMS.refused("limits.references", isolated=True, source=BEST_PRACTICES)
def five_thousand_references() -> Built:
    text = honest()
    end = text.index("</ds:Reference>") + len("</ds:Reference>")
    one = text[text.index("<ds:Reference ") : end]
    return (text[:end] + one * 4_998 + text[end:]).encode()


@TRANSFORMS.refused("signature.malformed", isolated=True, source=BEST_PRACTICES)
def ten_thousand_transforms_of_one_reference() -> Built:
    text = honest()
    end = text.index("</ds:Transforms>")
    return (text[:end] + EXCLUSIVE * 10_000 + text[end:]).encode()


@TRANSFORMS.refused("limits.prefix_list", isolated=True, source="CVE-2013-2156: Apache Santuario C++, PrefixList")
def five_thousand_prefixes_in_a_prefix_list() -> Built:
    return transformed(EXCLUSIVE.replace("></", f">{inclusive(' '.join(f'p{n}' for n in range(5_000)))}</"))


@TRANSFORMS.refused("signature.malformed", isolated=True, source="CVE-2013-2156: Apache Santuario C++, PrefixList")
def a_prefix_of_a_hundred_thousand_letters_in_a_prefix_list() -> Built:
    return transformed(EXCLUSIVE.replace("></", f">{inclusive('p' * 100_000)}</"))


@TRANSFORMS.refused("limits.namespaces", isolated=True, source=BEST_PRACTICES)
def five_thousand_namespaces_in_scope_of_what_is_canonicalized() -> Built:
    declared = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(5_000))
    return bent(honest(), ("<S:Envelope ", f"<S:Envelope {declared} "))


EVERY: Final = (*TRANSFORMS,)
