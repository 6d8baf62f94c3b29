"""What a document says, read by expat: a parser that the guard does not use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from lxml.etree import _Element

from fuzz.target import demand

_SPACE: Final = "}"
Attributes = tuple[tuple[str, str], ...]


class Unreadable(Exception):
    """Expat does not take a document."""


@dataclass
class Node:
    """An element with everything in it."""

    name: str
    """``namespace}name``, or a name alone."""
    attributes: Attributes
    content: list["Node | str"] = field(default_factory=list)

    def children(self) -> list["Node"]:
        """Its elements."""
        return [child for child in self.content if isinstance(child, Node)]

    def texts(self) -> list[str]:
        """Its own texts, those next to each other as one."""
        return [child for child in self.content if isinstance(child, str)]

    def every(self) -> list["Node"]:
        """It and all elements in it, in the order of the document."""
        found, left = [], [self]
        while left:
            node = left.pop()
            found.append(node)
            left += reversed(node.children())
        return found


def read(octets: bytes, encoding: str | None = None) -> Node:
    """The root element; comments say nothing.

    Args:
        octets: a document.
        encoding: what overrides the XML declaration.

    Raises:
        Unreadable: expat refuses it.
        Broken: there is a document type, or a processing instruction.
    """
    top = Node("", ())
    stack = [top]

    def start(name: str, attributes: Mapping[str, str]) -> None:
        stack.append(Node(name, tuple(sorted(attributes.items()))))
        stack[-2].content.append(stack[-1])

    def text(data: str) -> None:
        content = stack[-1].content
        if content and isinstance(content[-1], str):
            content[-1] += data
        else:
            content.append(data)

    parser = expat.ParserCreate(encoding, _SPACE)
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda name: stack.pop()
    parser.CharacterDataHandler = text
    parser.ProcessingInstructionHandler = lambda target, data: demand(False, "there is no processing instruction")
    parser.StartDoctypeDeclHandler = lambda *declared: demand(False, "there is no document type")
    try:
        parser.Parse(octets, True)
    except expat.ExpatError as error:
        raise Unreadable(str(error)) from None
    return top.children()[0]


def of(element: _Element) -> Node:
    """The same of what lxml has read."""
    names = {str(name).removeprefix("{"): str(value) for name, value in element.attrib.items()}
    content: list[Node | str] = [element.text] if element.text else []
    for child in element:
        content += [of(child), child.tail] if child.tail else [of(child)]
    return Node(str(element.tag).removeprefix("{"), tuple(sorted(names.items())), content)
