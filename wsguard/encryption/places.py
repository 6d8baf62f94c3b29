"""Where an element stands, in a form that outlives its tree: decryption makes a new tree each time.

A path is the child numbers from the root down. It leads to the same part of the message in every tree of it: an
element that was encrypted is replaced by one element, and encrypted content has its parent for itself, so that nothing
else moves.
"""

from lxml.etree import _Element

Path = tuple[int, ...]


def path_of(element: _Element) -> Path:
    """The child numbers that lead from the root to ``element``; empty for the root."""
    numbers: list[int] = []
    parent = element.getparent()
    while parent is not None:
        numbers.append(parent.index(element))
        element, parent = parent, parent.getparent()
    return tuple(reversed(numbers))


def at(root: _Element, path: Path) -> _Element:
    """The element that ``path`` leads to.

    Raises:
        IndexError: none does; the path is of another message.
    """
    element = root
    for number in path:
        element = element[number]
    return element
