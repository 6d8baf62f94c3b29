"""What a function does, without what no test should hold it to."""

import ast
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Final

WORDS: Final = frozenset({"expected", "seen"})
"""Arguments, and variables for them, that hold sentences for people: what a refusal says inwardly beside its check and
its setting. A few tests hold such sentences; one of each would only write the product down a second time."""

_CODECS: Final = frozenset({"encode", "decode"})

Telling = Mapping[str, frozenset[int]]
"""Name of a function -> the places of its arguments that are words."""


def telling(functions: Iterable[ast.FunctionDef]) -> Telling:
    """Those that take words by place, as the functions do that make faults."""
    places = {
        function.name: frozenset(at for at, argument in enumerate(function.args.args) if argument.arg in WORDS)
        for function in functions
    }
    return {name: words for name, words in places.items() if words}


def meaning(function: ast.FunctionDef, tells: Telling) -> str:
    """The same for two functions that differ in sentences for people only, or in the case of a codec's name."""
    return ast.dump(_Meaning(tells).visit(anonymous(function)))


def anonymous(function: ast.FunctionDef) -> ast.FunctionDef:
    """A copy with another name."""
    copy = deepcopy(function)
    copy.name = "function"
    return copy


class _Meaning(ast.NodeTransformer):
    def __init__(self, tells: Telling) -> None:
        self._tells: Final = tells

    def visit_Call(self, node: ast.Call) -> ast.Call:
        node.keywords = [keyword for keyword in node.keywords if keyword.arg not in WORDS]
        if isinstance(node.func, ast.Name):
            words = self._tells.get(node.func.id, frozenset())
            node.args = [argument for at, argument in enumerate(node.args) if at not in words]
        elif isinstance(node.func, ast.Attribute) and node.func.attr in _CODECS:
            node.args = [_lowered(argument) for argument in node.args]
        self.generic_visit(node)
        return node

    def visit_arguments(self, node: ast.arguments) -> ast.arguments:
        for at, argument in enumerate(reversed(node.args[len(node.args) - len(node.defaults) :]), 1):
            if argument.arg in WORDS:
                node.defaults[-at] = ast.Constant("")
        self.generic_visit(node)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.Assign | None:
        self.generic_visit(node)
        target = node.targets[0]
        return None if isinstance(target, ast.Name) and target.id in WORDS else node


def _lowered(argument: ast.expr) -> ast.expr:
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return ast.Constant(argument.value.lower())
    return argument
