"""``charset`` of Content-Type, a line feed, and a message: parsed, judged by its shape, written for the application.

Invariant: expat reads in what is handed on what it reads in what came, without the Security headers that are not for
us; every Id is there once; the limits hold; there is one Header at most and one Body with an operation.
"""

from collections import Counter
from typing import Final

from lxml import etree

from fuzz.infoset import Node, Unreadable, of, read
from fuzz.messages import TIMESTAMP, message, token
from fuzz.silence import silent
from fuzz.target import Target, demand
from tests.messages import SOAP12
from wsguard.faults import Fault
from wsguard.message.envelope import read_envelope, read_outline
from wsguard.message.parse import ID_NAMES, Tree, parse
from wsguard.message.references import check_references
from wsguard.names import SECURITY, SOAP11, SOAP12_ULTIMATE_RECEIVER, SOAP_NEXT
from wsguard.policy.surroundings import Limits
from wsguard.pruning import without

_CHARSETS: Final = ("utf-8", "utf-16", "us-ascii", "iso-8859-1")
_LIMITS: Final = Limits(
    body_bytes=4096, depth=12, elements=60, attributes_per_element=8, namespaces=10, encrypted_data=2
)
_OURS: Final = ("", SOAP_NEXT, f"{SOAP12}/role/next", SOAP12_ULTIMATE_RECEIVER)
_KEY: Final = ("http://www.w3.org/2001/04/xmlenc#}EncryptedKey", "Id")


def judge(octets: bytes) -> bool:
    """Hold one message against the invariants."""
    charset, _, document = octets.partition(b"\n")
    said = charset.decode("latin-1") or None
    try:
        with silent():
            handed, tree = _handed(document, said)
    except Fault:
        return False
    try:
        came, written = read(document, None if said is None else said.strip()), read(handed)
    except (Unreadable, ValueError, LookupError):
        # Expat knows the names of XML 1.0's fourth edition only, and no charset by another spelling.
        came = written = of(etree.fromstring(handed))
    demand(_without_foreign(came) == written, "what is handed on is what came")
    _demand_shape(written)
    _demand_bounds(written)
    demand(_ids(tree.root.iter("*")) <= set(tree.ids), "every Id is known")
    return True


def _handed(document: bytes, charset: str | None) -> tuple[bytes, Tree]:
    tree = parse(document, charset, _CHARSETS, _LIMITS)
    envelope = read_envelope(tree, read_outline(tree, ""))
    check_references(tree, envelope.body, _LIMITS, every_href=True)
    return without(envelope, security=False), tree


def _ids(elements: object) -> set[str]:
    return {
        value.strip(" \t\r\n")
        for element in elements  # type: ignore[attr-defined]
        for name, value in element.attrib.items()
        if name.rpartition("}")[2] in ID_NAMES and not element.tag.endswith("EncryptedKey")
    }


def _without_foreign(root: Node) -> Node:
    """``root`` without the Security headers for others."""
    security, soap = SECURITY.removeprefix("{"), root.name.partition("}")[0]
    actor = f"{soap}}}{'actor' if soap == SOAP11 else 'role'}"
    for header in root.children()[:-1]:
        kept: list[Node | str] = []
        for child in header.content:
            foreign = isinstance(child, Node) and child.name == security
            if foreign and dict(child.attributes).get(actor, "").strip(" \t\r\n") not in _OURS:  # type: ignore[union-attr]
                continue
            if isinstance(child, str) and kept and isinstance(kept[-1], str):
                kept[-1] += child
            else:
                kept.append(child)
        header.content = kept
    return root


def _demand_shape(root: Node) -> None:
    names = [child.name.partition("}")[2] for child in root.children()]
    demand(names in (["Body"], ["Header", "Body"]), f"one Header at most, one Body: {names}")
    demand({child.name.partition("}")[0] for child in root.children()} == {root.name.partition("}")[0]}, "in SOAP's")
    body = root.children()[-1]
    demand(body.children() and "}" in body.children()[0].name, "the Body has an operation in a namespace")
    demand(not body.children()[0].name.startswith(root.name.partition("}")[0]), "which is no Fault")
    for holder in (root, *root.children()):
        demand(not "".join(holder.texts()).strip(" \t\r\n"), "there is no text between the parts")


def _demand_bounds(root: Node) -> None:
    every = root.every()
    demand(len(every) <= _LIMITS.elements, "the number of elements is bounded")
    demand(max(len(node.attributes) for node in every) <= _LIMITS.attributes_per_element, "that of attributes is")
    seen: Counter[str] = Counter()
    for node in every:
        own = {
            value.strip(" \t\r\n")
            for name, value in node.attributes
            if name.rpartition("}")[2] in ID_NAMES and (node.name, name) != _KEY
        }
        seen.update(own)
    demand(not seen or max(seen.values()) == 1, f"every Id is there once: {seen}")


def seeds() -> list[bytes]:
    """Envelopes with everything that is legal, and in every charset."""
    plain = message(TIMESTAMP, token())
    rich = message(
        TIMESTAMP,
        header='<a:To xmlns:a="urn:a" S:mustUnderstand="1" wsu:Id="to">x</a:To>'
        '<wsse:Security S:actor="urn:other"><x/></wsse:Security><!-- between -->',
        body='<e:Echo xmlns:e="urn:echo" xml:lang="de" id="i"><a href="#m"/> t <![CDATA[<x>&]]> &#13;&lt;'
        '<b xmlns="urn:b" c="&#9;&#10;\'&quot;"/></e:Echo><e:M xmlns:e="urn:echo" id="m">shared</e:M>',
    )
    twelve = message(TIMESTAMP, soap=SOAP12, body='<e:Echo xmlns:e="urn:echo">é<!--x-->ż</e:Echo>')
    declared = '<?xml version="1.0" encoding="iso-8859-1"?>\n' + plain.replace("hello", "é")
    return [
        b"\n" + plain.encode(),
        b"utf-8\n" + rich.encode(),
        b"\n\xef\xbb\xbf" + twelve.encode(),
        b"utf-16\n" + rich.encode("utf-16"),
        b"\n" + b"\xfe\xff" + plain.encode("utf-16-be"),
        b"iso-8859-1\n" + declared.encode("latin-1"),
        b"us-ascii\n" + plain.encode(),
        b"\n<!DOCTYPE a [<!ENTITY b 'c'>]>" + plain.encode(),
        b"\n" + plain.replace("<wsse:Username>", '<wsse:Username Id="a" id="a ">').encode(),
        b"\n" + plain.replace("hello", '<a Id="a"/><a x:id=" a" xmlns:x="urn:x"/>').encode(),
        b"\n" + message(header='<x xmlns=""/>', body='<E xmlns="urn:e"><E xmlns=""/></E>').encode(),
    ]


TARGET: Final = Target(name="envelope", judge=judge, seeds=seeds, dictionary="xml")
