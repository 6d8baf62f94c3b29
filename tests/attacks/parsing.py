"""G: document types, entities, inclusions and instructions, which make a parser fetch, expand or forget something."""

from collections.abc import Callable
from typing import Final

from tests.attacks.calls import call
from tests.attacks.canary import canary
from tests.attacks.cases import Built, Chapter, Sent
from tests.attacks.tokens import user, with_token
from tests.messages import PAYLOAD, envelope, security, timestamp

DOCTYPES: Final = Chapter("G", "token")
INSTRUCTIONS: Final = Chapter("G", "token")
LEFT_ALONE: Final = Chapter("legal", "token")

XXE: Final = "WS-Attacker: XML External Entity; CWE-611"
EXPANSION: Final = "WS-Attacker: XML Entity Expansion; CWE-776"

Doctype = Callable[[], str]
"""Makes a document type at the time of sending: the file that it names is made then."""


def below(doctype: str, message: bytes | None = None, standing_for: str = "") -> bytes:
    """An honest message with a document type before it, and an entity in the place of "hello"."""
    octets = with_token(user()) if message is None else message
    octets = octets.replace(b"hello", standing_for.encode()) if standing_for else octets
    return doctype.encode() + octets


def file() -> str:
    """A URI of the file that nobody may read."""
    return f"file://{canary()}"


# --- External ---------------------------------------------------------------------------------------------------------

EXTERNAL: Final[dict[str, Doctype]] = {
    "an entity of a file": lambda: f'<!DOCTYPE a [<!ENTITY e SYSTEM "{file()}">]>',
    "an entity of a path": lambda: f'<!DOCTYPE a [<!ENTITY e SYSTEM "{canary()}">]>',
    "an entity with a public name": lambda: f'<!DOCTYPE a [<!ENTITY e PUBLIC "x" "{file()}">]>',
    "a parameter entity": lambda: f'<!DOCTYPE a [<!ENTITY % p SYSTEM "{file()}"> %p; <!ENTITY e "x">]>',
    "a parameter entity that makes another": lambda: (
        f'<!DOCTYPE a [<!ENTITY % f SYSTEM "{file()}">'
        "<!ENTITY % g \"<!ENTITY &#37; h SYSTEM 'http://127.0.0.1:1/?%f;'>\"> %g; %h; <!ENTITY e ''>]>"
    ),
    "an external subset": lambda: f'<!DOCTYPE a SYSTEM "{file()}" [<!ENTITY e "x">]>',
    "an external subset with a public name": lambda: f'<!DOCTYPE a PUBLIC "x" "{file()}" [<!ENTITY e "x">]>',
    "an entity of another host": lambda: '<!DOCTYPE a [<!ENTITY e SYSTEM "http://127.0.0.1:1/e">]>',
    "an entity of an FTP server": lambda: '<!DOCTYPE a [<!ENTITY e SYSTEM "ftp://127.0.0.1:1/e">]>',
    "an entity of a stream of PHP": lambda: f'<!DOCTYPE a [<!ENTITY e SYSTEM "php://filter/resource={canary()}">]>',
    "an entity that runs a program": lambda: '<!DOCTYPE a [<!ENTITY e SYSTEM "expect://id">]>',
    "an entity of a Java archive": lambda: f'<!DOCTYPE a [<!ENTITY e SYSTEM "jar:{file()}!/e">]>',
    "an entity of a share": lambda: '<!DOCTYPE a [<!ENTITY e SYSTEM "\\\\127.0.0.1\\e">]>',
    "an entity of a device": lambda: '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///dev/zero">]>',
}


@DOCTYPES.each_refused("envelope.doctype", EXTERNAL, source=XXE, isolated=True)
def a_document_type_fetches(doctype: Doctype) -> Built:
    return below(doctype(), standing_for="&e;")


@DOCTYPES.refused("envelope.doctype", source=XXE, isolated=True)
def a_document_type_fetches_the_username() -> Built:
    message = with_token(user(parts={"Username": "<wsse:Username>&e;</wsse:Username>"}))
    return below(f'<!DOCTYPE a [<!ENTITY e SYSTEM "{file()}">]>', message)


@DOCTYPES.refused("envelope.doctype", site="bank", source=XXE, isolated=True)
def a_document_type_fetches_what_stands_in_an_exempt_call() -> Built:
    message = envelope(None, call("lead", "<b:name>hello</b:name>"))
    return below(f'<!DOCTYPE a [<!ENTITY e SYSTEM "{file()}">]>', message, "&e;")


# --- Internal ---------------------------------------------------------------------------------------------------------


def laughs(levels: int, times: int) -> str:
    """Entities of entities: ``times`` to the power of ``levels`` texts."""
    entities = "".join(f'<!ENTITY l{i + 1} "{f"&l{i};" * times}">' for i in range(levels))
    return f'<!DOCTYPE a [<!ENTITY l0 "lol">{entities}<!ENTITY e "&l{levels};">]>'


INTERNAL: Final[dict[str, Doctype]] = {
    "a billion laughs": lambda: laughs(9, 10),
    "laughs that stay below the bound of libxml2": lambda: laughs(4, 10),
    "a quadratic blow-up": lambda: f'<!DOCTYPE a [<!ENTITY x "{"x" * 50_000}"><!ENTITY e "{"&x;" * 10_000}">]>',
    "an entity in itself": lambda: '<!DOCTYPE a [<!ENTITY e "&e;">]>',
    "two entities in each other": lambda: '<!DOCTYPE a [<!ENTITY e "&f;"><!ENTITY f "&e;">]>',
    "laughs of parameter entities": lambda: (
        '<!DOCTYPE a [<!ENTITY % a "">'
        + "".join(f'<!ENTITY % p{i} "{"&#37;a;" * 20}">%p{i};' for i in range(500))
        + '<!ENTITY e "x">]>'
    ),
    "a long name of an entity": lambda: f'<!DOCTYPE a [<!ENTITY {"e" * 100_000} "x"><!ENTITY e "x">]>',
    "an entity of text": lambda: '<!DOCTYPE a [<!ENTITY e "x">]>',
    "an entity of markup": lambda: '<!DOCTYPE a [<!ENTITY e "&#60;x/>">]>',
}


@DOCTYPES.each_refused("envelope.doctype", INTERNAL, source=EXPANSION, isolated=True)
def a_document_type_expands(doctype: Doctype) -> Built:
    return below(doctype(), standing_for="&e;")


DECLARATIONS: Final[dict[str, str]] = {
    "nothing": "<!DOCTYPE a>",
    "a default of an attribute": '<!DOCTYPE a [<!ATTLIST wsse:Password Type CDATA "urn:x">]>',
    "a fixed attribute": '<!DOCTYPE a [<!ATTLIST S:Body wsu:Id CDATA #FIXED "body">]>',
    "an attribute of type ID": "<!DOCTYPE a [<!ATTLIST e:text AssertionID ID #IMPLIED>]>",
    "a namespace": '<!DOCTYPE a [<!ATTLIST e:Echo xmlns:e CDATA #FIXED "urn:evil">]>',
    "an element": "<!DOCTYPE a [<!ELEMENT a ANY>]>",
    "a notation": '<!DOCTYPE a [<!NOTATION n SYSTEM "n"><!ENTITY u SYSTEM "u" NDATA n>]>',
    "names in lower case": "<!doctype a>",
    "a comment in front": "<!-- --><!DOCTYPE a>",
    "many comments in front": "<!-- -->" * 10_000 + "<!DOCTYPE a>",
    "a declaration in front": '<?xml version="1.0" standalone="no"?>\n<!DOCTYPE a>',
    "a byte order mark in front": "\ufeff<!DOCTYPE a>",
    "an instruction inside": "<!DOCTYPE a [<?x y?>]>",
    "a conditional section": "<!DOCTYPE a [<![INCLUDE[<!ELEMENT a ANY>]]>]>",
    "an end that never comes": "<!DOCTYPE a [",
}


@DOCTYPES.each_refused("envelope.doctype", DECLARATIONS, source="SOAP 1.1 §3")
def a_document_type_declares(doctype: str) -> Built:
    return below(doctype)


@DOCTYPES.refused("envelope.doctype", source=XXE, isolated=True)
def a_document_type_fetches_in_utf_16() -> Built:
    doctype = f'<!DOCTYPE a [<!ENTITY e SYSTEM "{file()}">]>'
    octets = below(doctype, standing_for="&e;").decode().encode("utf-16")
    return Sent(octets=octets, environ={"CONTENT_TYPE": "text/xml; charset=utf-16"})


@DOCTYPES.each_refused(
    "envelope.malformed",
    {"behind a second byte order mark": "\ufeff\ufeff", "behind text": "x", "behind a form feed": "\f"},
    source=XXE,
)
def a_document_type_hides(before: str) -> Built:
    return below(f'{before}<!DOCTYPE a [<!ENTITY e SYSTEM "{file()}">]>', standing_for="&e;")


@DOCTYPES.each_refused("envelope.malformed", {"Envelope": b"<S:Header>", "Body": b"<S:Body>"}, source=XXE)
def a_document_type_stands_in_the(tag: bytes) -> Built:
    return with_token(user()).replace(tag, tag + f'<!DOCTYPE a SYSTEM "{file()}">'.encode())


@DOCTYPES.refused("envelope.malformed", source=XXE)
def a_document_type_stands_behind_the_envelope() -> Built:
    return with_token(user()) + f'<!DOCTYPE a SYSTEM "{file()}">'.encode()


@DOCTYPES.each_refused("envelope.malformed", {"of HTML": "&nbsp;", "of nobody": "&e;", "of a million": "&e;" * 300_000})
def entities_are_used_and_never_declared(reference: str) -> Built:
    return below("", standing_for=reference)


# --- Instructions and inclusions --------------------------------------------------------------------------------------


@INSTRUCTIONS.each_refused(
    "envelope.structure",
    {
        "a style sheet": lambda: f'<?xml-stylesheet type="text/xsl" href="{file()}"?>',
        "a model": lambda: f'<?xml-model href="{file()}"?>',
        "a catalogue": lambda: f'<?oasis-xml-catalog catalog="{file()}"?>',
        "a program": lambda: '<?php system("id"); ?>',
        "a second declaration": lambda: '<?xml version="1.0"?><?xml version="1.0" encoding="utf-7"?>',
    },
    source="SOAP 1.1 §3",
)
def an_instruction_in_front_names(instruction: Callable[[], str]) -> Built:
    return below(instruction())


@INSTRUCTIONS.each_refused(
    "envelope.structure",
    {
        "the name": (b"alice", b"ali<?x y?>ce"),
        "the Body": (b"hello", b"hel<?x y?>lo"),
        "the Security header": (b"<wsse:UsernameToken>", b"<?x y?><wsse:UsernameToken>"),
        "the Envelope": (b"<S:Body>", b"<?x y?><S:Body>"),
    },
    source="text cut in two: CVE-2017-11427 and others, with comments",
)
def an_instruction_cuts(change: tuple[bytes, bytes]) -> Built:
    return with_token(user()).replace(*change)


@INSTRUCTIONS.refused("envelope.structure")
def an_instruction_stands_behind_the_envelope() -> Built:
    return with_token(user()) + b"<?x y?>"


XINCLUDE: Final = "http://www.w3.org/2001/XInclude"


@INSTRUCTIONS.refused("security.unknown_token", source=XXE)
def an_inclusion_stands_for_a_token() -> Built:
    inclusion = f'<x:include xmlns:x="{XINCLUDE}" href="{file()}" parse="text"/>'
    return envelope(security(timestamp(), user().xml(), inclusion))


NAMED: Final[dict[str, Callable[[], str]]] = {
    "an inclusion": lambda: f'<x:include xmlns:x="{XINCLUDE}" href="{file()}" parse="text"/>',
    "a place of schemas": lambda: (
        f'<x xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="urn:echo {file()}"/>'
    ),
    "a place of a schema": lambda: (
        f'<x xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:noNamespaceSchemaLocation="{file()}"/>'
    ),
    "a base": lambda: f'<x xml:base="{file()}"><y href="e"/></x>',
    "a link": lambda: f'<x xmlns:l="http://www.w3.org/1999/xlink" l:href="{file()}" l:actuate="onLoad"/>',
    "a namespace": lambda: f'<x xmlns="{file()}"/>',
    "an address to answer to": lambda: (
        f'<a:ReplyTo xmlns:a="http://www.w3.org/2005/08/addressing"><a:Address>{file()}</a:Address></a:ReplyTo>'
    ),
}


@LEFT_ALONE.each_accepted(NAMED, handed="hello", source=XXE)
def a_file_is_named_in_the_body_and_nobody_reads_it_as(named: Callable[[], str]) -> Built:
    return with_token(user(), body=PAYLOAD.replace("</e:text>", f"</e:text>{named()}"))


EVERY: Final = (*DOCTYPES, *INSTRUCTIONS)
LEGAL: Final = (*LEFT_ALONE,)
