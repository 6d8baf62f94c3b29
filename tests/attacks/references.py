"""C: references that lead elsewhere: to files, hosts, the whole document, or what they are not about."""

from collections.abc import Callable
from typing import Final

from tests.attacks.canary import canary
from tests.attacks.cases import Built, Chapter
from tests.messages import DS, timestamp
from tests.signature.signatures import ALICE
from tests.signing import BODY, TIMESTAMP, Part, Signing, binary_token, sign, signed, unsigned

REFERENCES: Final = Chapter("C", "signed")

HILL: Final = "Hill, Command injection in XML signatures and encryption, 2007"
OF_NOTHING: Final = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
"""The SHA-256 of no octets."""


def over(*parts: Part, **changes: object) -> bytes:
    """Signed by Alice over these."""
    return signed(Signing.by(ALICE, parts=parts, **changes))


# --- URIs -------------------------------------------------------------------------------------------------------------

URIS: Final[dict[str, Callable[[], str]]] = {
    "all of the document": lambda: "",
    "an empty fragment": lambda: "#",
    "a file": lambda: canary().as_uri(),
    "a file of localhost": lambda: f"file://localhost{canary()}",
    "a path": lambda: str(canary()),
    "a path with the Id of the Body": lambda: f"{canary()}#body",
    "a file with the Id of the Body": lambda: f"{canary().as_uri()}#body",
    "a file through a jar": lambda: f"jar:{canary().as_uri()}!/x",
    "http": lambda: "http://192.0.2.1/body",
    "https with the Id of the Body": lambda: "https://192.0.2.1/#body",
    "ftp": lambda: "ftp://192.0.2.1/body",
    "gopher": lambda: "gopher://192.0.2.1/0body",
    "data": lambda: "data:text/xml,%3Cevil/%3E",
    "an attachment": lambda: "cid:body",
    "a relative name": lambda: "body.xml#body",
    "a network path": lambda: "//192.0.2.1/body",
    "the Id without number sign": lambda: "body",
    "the Id behind two number signs": lambda: "##body",
    "the Id in another case": lambda: "#BODY",
    "the Id in percent encoding": lambda: "#b%6Fdy",
    "the Id with white space": lambda: "#body ",
    "an Id that nothing has": lambda: "#nothing",
    "xpointer to the root": lambda: "#xpointer(/)",
    "xpointer to an Id": lambda: "#xpointer(id('body'))",
    "xpointer with XPath": lambda: "#xpointer(//*[local-name()='Body'])",
    "xpointer that calls a function": lambda: f"#xpointer(document('{canary().as_uri()}'))",
    "element pointer": lambda: "#element(/1/2)",
    "xmlns pointer": lambda: "#xmlns(S=urn:x)xpointer(//S:Body)",
}


@REFERENCES.each_refused("signature.reference", URIS, source=HILL)
def a_reference_to(uri: Callable[[], str]) -> Built:
    return over(Part(uri(), value=OF_NOTHING), BODY, TIMESTAMP)


@REFERENCES.refused("signature.reference", isolated=True, source="CVE-2013-2154: Apache Santuario C++, stack overflow")
def a_reference_by_an_xpointer_that_is_very_long() -> Built:
    return over(Part(f"#xpointer(id('{'x' * 100_000}'))", value=OF_NOTHING), BODY, TIMESTAMP)


@REFERENCES.refused("signature.reference")
def a_reference_without_uri() -> Built:
    return over(BODY, TIMESTAMP, replaced={'URI="#body" ': ""})


@REFERENCES.refused("signature.reference")
def two_references_to_one_element() -> Built:
    return over(BODY, TIMESTAMP, Part("#body", digest="sha512"))


@REFERENCES.refused("signature.malformed", source=HILL)
def a_base_that_makes_a_reference_lead_elsewhere() -> Built:
    return over(Part("#body", attributes=f'xml:base="{canary().as_uri()}"'), TIMESTAMP)


@REFERENCES.refused("signature.malformed")
def a_reference_that_calls_itself_one_to_a_manifest() -> Built:
    return over(Part("#body", attributes=f'Type="{DS}Manifest"'), TIMESTAMP)


@REFERENCES.refused("signature.coverage")
def an_element_whose_id_is_a_pointer_to_the_body() -> Built:
    pointer = "#xpointer(id('body'))"
    header = f"""<h:H xmlns:h="urn:h" Id="{pointer[1:]}"/>"""
    return signed(Signing.by(ALICE, parts=(Part(pointer), TIMESTAMP)), header=header)


AROUND: Final = {
    "the Security header": ("<wsse:Security ", '<wsse:Security wsu:Id="around" '),
    "the Header": ("<S:Header>", '<S:Header wsu:Id="around">'),
    "the Envelope": ("<S:Envelope ", '<S:Envelope wsu:Id="around" '),
}


@REFERENCES.each_refused("signature.reference", AROUND)
def a_reference_to_what_holds_the_signature(around: tuple[str, str]) -> Built:
    parts = (BODY, TIMESTAMP, Part("#around", value=OF_NOTHING))
    return sign(
        unsigned(binary_token(ALICE.certificate), "@SIG-1@", timestamp()).replace(*around),
        Signing.by(ALICE, parts=parts),
    )


EVERY: Final = (*REFERENCES,)
