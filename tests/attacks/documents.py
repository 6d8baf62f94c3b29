"""G: what is no document, or two, or one that two parsers read in two ways."""

from collections.abc import Callable
from typing import Final

from tests.attacks.cases import Built, Chapter, Sent
from tests.attacks.tokens import user, with_token
from tests.messages import PAYLOAD, SOAP11
from tests.signature.signatures import EVIL

DOCUMENTS: Final = Chapter("G", "token")

Change = Callable[[bytes], bytes]
"""Makes of an honest message what is sent."""


def inside(text: str) -> Change:
    """Puts text in the place of "hello"."""
    return lambda octets: octets.replace(b"hello", text.encode())


def with_attributes(text: str) -> Change:
    """Puts attributes on the operation."""
    return lambda octets: octets.replace(b'<e:Echo xmlns:e="urn:echo"', f'<e:Echo xmlns:e="urn:echo" {text}'.encode())


def behind(octets: bytes) -> Change:
    """Puts octets behind the message."""
    return lambda message: message + octets


ILL_FORMED: Final[dict[str, Change]] = {
    "nothing": lambda octets: b"",
    "white space": lambda octets: b" \r\n\t",
    "a comment": lambda octets: b"<!-- -->",
    "half of it": lambda octets: octets[: len(octets) // 2],
    "all but its last octet": lambda octets: octets[:-1],
    "all but its first octet": lambda octets: octets[1:],
    "its end only": lambda octets: octets[len(octets) // 2 :],
    "another one behind it": lambda octets: octets + with_token(user(), body=EVIL),
    "another root behind it": behind(f"<b>{EVIL}</b>".encode()),
    "text behind it": behind(b"evil"),
    "an end tag behind it": behind(b"</S:Envelope>"),
    "a NUL behind it": behind(b"\0"),
    "another one behind a NUL": lambda octets: octets + b"\0" + with_token(user(), body=EVIL),
    "a request of HTTP behind it": behind(b"\r\n\r\nPOST /soap HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "text in front": lambda octets: b"evil" + octets,
    "a NUL in front": lambda octets: b"\0" + octets,
    "a form feed in front": lambda octets: b"\f" + octets,
    "a reference in front": lambda octets: b"&#60;!-- -->" + octets,
    "elements that overlap": inside("<x><y></x></y>"),
    "elements that do not end": inside("<x>"),
    "tags in two cases": inside("<x></X>"),
    "a NUL": inside("hel\0lo"),
    "a reference to NUL": inside("&#0;"),
    "a control character": inside("\x01"),
    "a reference to a control character": inside("&#1;"),
    "a reference to half a pair": inside("&#xD83D;"),
    "a reference to a pair in halves": inside("&#xD83D;&#xDE00;"),
    "a reference beyond Unicode": inside("&#x110000;"),
    "a reference that wraps around": inside("&#4294967393;"),
    "a character that is none": inside("\ufffe"),
    "a reference without semicolon": inside("&amp"),
    "a bare ampersand": inside("&"),
    "the end of a CDATA section": inside("]]>"),
    "a comment with two hyphens": inside("<!-- -- -->"),
    "a comment of HTML": inside("<!--->evil<!-- -->"),
    "an attribute twice": with_attributes('a="1" a="2"'),
    "an attribute twice by two prefixes": with_attributes('xmlns:x="u" xmlns:y="u" x:a="1" y:a="2"'),
    "an attribute without quotes": with_attributes("a=1"),
    "an attribute without value": with_attributes("a"),
    "attributes without blank": with_attributes('a="1"b="2"'),
    "a tag in an attribute": with_attributes('a="<b>"'),
    "a prefix that is not declared": inside("<x:y/>"),
    "a prefix that is declared as nothing": with_attributes('xmlns:x=""'),
    "xml as another prefix's namespace": with_attributes('xmlns:x="http://www.w3.org/XML/1998/namespace"'),
    "another namespace for xml": with_attributes('xmlns:xml="urn:x"'),
    "a prefix named xmlns": with_attributes('xmlns:xmlns="urn:x"'),
    "a name with two colons": inside("<e:x:y/>"),
    "a name that begins with a digit": inside("<1/>"),
    "an end tag with attributes": inside('<x></x a="">'),
}


@DOCUMENTS.each_refused("envelope.malformed", ILL_FORMED, source="XML 1.0 and Namespaces in XML 1.0")
def a_message_is(change: Change) -> Built:
    return change(with_token(user()))


VERSIONS: Final[dict[str, str]] = {
    "1.1": '<?xml version="1.1"?>',
    "1.1 with characters of its own": '<?xml version="1.1"?><!-- &#x1; -->',
    "2.0": '<?xml version="2.0"?>',
    "full width": '<?xml version="１.０"?>',
    "none": '<?xml encoding="utf-8"?>',
    "1.0 in another order": '<?xml encoding="utf-8" version="1.0"?>',
    "1.0 without end": '<?xml version="1.0"',
    "1.0 with something else": '<?xml version="1.0" x="y"?>',
    "1.0 and no word for standalone": '<?xml version="1.0" standalone="maybe"?>',
    "1.0 in a declaration of 100,000 blanks": f'<?xml version="1.0"{" " * 100_000}?>',
}


@DOCUMENTS.each_refused("envelope.malformed", VERSIONS, source="XML 1.0 §2.8")
def the_version_of_xml_is(declaration: str) -> Built:
    return declaration.encode() + with_token(user())


@DOCUMENTS.each_refused("envelope.structure", {"twice": 0, "behind a blank": 1}, source="XML 1.0 §2.8")
def the_declaration_stands(blank: int) -> Built:
    declaration = b'<?xml version="1.0"?>'
    return (b" " if blank else declaration) + declaration + with_token(user())


FORMATS: Final[dict[str, bytes]] = {
    "JSON": b'{"Envelope": {"Body": {"Echo": "hello"}}}',
    "a form": b"Echo=hello&user=alice",
    "HTML": b"<html><body><br>hello</body></html>",
    "MIME": b"--b\r\nContent-Type: text/xml\r\n\r\n<a/>\r\n--b--\r\n",
    "YAML": b"!!python/object/apply:os.system ['id']",
    "a shell": b"() { :;}; id",
    "EXI": b"$EXI\xa0",
    "PDF": b"%PDF-1.7\n",
}  # fmt: skip


@DOCUMENTS.each_refused("envelope.malformed", {label: octets for label, octets in FORMATS.items() if octets.isascii()})
def instead_of_xml_comes(octets: bytes) -> Built:
    return octets


BINARY: Final[dict[str, bytes]] = {
    "Fast Infoset": b"\xe0\0\0\1\0",
    "EXI": FORMATS["EXI"],
    "DIME": b"\x0c\x20\0\0\0\x29\0\0\x81",
    "WCF": b"\x56\x02\x0b\x01s\x04\x0b\xff",
    "Java": b"\xac\xed\0\x05sr",
    "pickle": b"\x80\x04\x95",
    "noise": bytes(range(255, 0, -1)),
}


@DOCUMENTS.each_refused("envelope.encoding", BINARY)
def instead_of_text_comes(octets: bytes) -> Built:
    return octets


@DOCUMENTS.each_refused(
    "envelope.structure", {"a payload": PAYLOAD, "a Body": f'<Body xmlns="{SOAP11}"/>', "x": "<x/>"}
)
def instead_of_an_envelope_comes(xml: str) -> Built:
    return Sent(octets=xml.encode())


EVERY: Final = (*DOCUMENTS,)
