"""Prefixes in content: ``xsi:type="xs:decimal"`` means what ``xs`` is bound to, and that binding may not be signed.

Exclusive canonicalization writes the namespaces that names use, and not those that only values use: whoever carries the
message could bind ``xs`` anew and leave every digest as it is (Exclusive XML Canonicalization §1.3). So in a message
that must be signed such a prefix is bound to a namespace that is expected here, or its binding is signed.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final, cast

from lxml import etree
from lxml.etree import _Element

from wsguard.faults import FailedCheck
from wsguard.message.lexical import XML_WHITE_SPACE, local_name
from wsguard.names import SOAP11, SOAP11_ENCODING, SOAP12, SOAP12_ENCODING, WSU, XML, XSD, XSI

ALWAYS_EXPECTED: Final = frozenset({XSD, SOAP11_ENCODING, SOAP12_ENCODING})

_BODIES: Final = frozenset({f"{{{SOAP11}}}Body", f"{{{SOAP12}}}Body"})

_ATTRIBUTES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        **dict.fromkeys(("type", "nil", "schemaLocation", "noNamespaceSchemaLocation"), frozenset({XSI})),
        **dict.fromkeys(("mustUnderstand", "encodingStyle"), frozenset({SOAP11, SOAP12})),
        **dict.fromkeys(("role", "relay"), frozenset({SOAP12})),
        **dict.fromkeys(("arrayType", "offset", "position", "root"), frozenset({SOAP11_ENCODING})),
        **dict.fromkeys(("itemType", "arraySize", "nodeType", "id", "ref"), frozenset({SOAP12_ENCODING})),
        "actor": frozenset({SOAP11}),
        "Id": frozenset({WSU}),
    }
)
"""Attributes that XML Schema, SOAP and WSS put on the elements of others: local name -> the namespaces it is in. In any
other it would say something else: ``xsi:nil`` with ``xsi`` bound anew is no nil any more."""

_TYPE: Final = f"{{{XSI}}}type"
_TYPES: Final = (_TYPE, f"{{{SOAP11_ENCODING}}}arrayType", f"{{{SOAP12_ENCODING}}}itemType")
"""Attributes whose value is a qualified name: XML Schema part 1 §2.6.1; SOAP 1.1 §5.4.2; SOAP 1.2 part 2 §3.1.4."""

# From attributes up to their elements: most elements have none, and a predicate costs at each of them.
_typed: Final = etree.XPath(
    "descendant-or-self::*/@*[contains('type arrayType itemType', local-name())]"
    f"[namespace-uri() = '{XSI}' or namespace-uri() = '{SOAP11_ENCODING}' or namespace-uri() = '{SOAP12_ENCODING}']/.."
)
_has_references: Final = etree.XPath("boolean(descendant::*/@href)")


def check_content_prefixes(
    element: _Element, signed_prefixes: Collection[str] | None, expected: Collection[str]
) -> None:
    """Demand that every type in ``element`` is in a namespace that is expected, or whose binding was signed.

    Args:
        element: what was signed.
        signed_prefixes: prefixes whose bindings were signed with it, the default namespace as ""; None: all were.
        expected: namespaces that are expected beside ``ALWAYS_EXPECTED``.

    Raises:
        FailedCheck: ``signature.coverage``.
    """
    if signed_prefixes is None:
        return
    for typed in _typed(element):
        bindings = typed.nsmap
        for attribute in _TYPES:
            value = typed.get(attribute)
            if value is None:
                continue
            prefix = value.strip(XML_WHITE_SPACE).rpartition(":")[0]
            namespace = bindings.get(prefix or None)
            if prefix in signed_prefixes or (namespace is None and not prefix):
                continue
            if namespace is None or (namespace not in ALWAYS_EXPECTED and namespace not in expected):
                raise FailedCheck(
                    "signature.coverage",
                    expected="types in XML Schema, the application's or handoff.namespaces, or in a signed PrefixList",
                    seen=f"{value} in {namespace or 'no namespace'}",
                    setting="handoff.namespaces",
                )


def homonyms(types: Collection[str]) -> frozenset[str]:
    """The local names that are of several of ``types``, which are written ``{namespace}name``."""
    return frozenset(name for name, often in Counter(map(local_name, types)).items() if often > 1)


def check_homonyms(element: _Element, signed_prefixes: Collection[str] | None, homonyms: Collection[str]) -> None:
    """Demand that of a type whose name is in several expected namespaces the binding was signed.

    Whoever carries the message could bind its prefix to the next of them, and the application would take another type.
    Where values are referred to, what follows the reference may read the prefix elsewhere than it was signed.

    Args:
        element: what was signed.
        signed_prefixes: as for ``check_content_prefixes``.
        homonyms: local names of such types.

    Raises:
        FailedCheck: ``signature.coverage``.
    """
    if signed_prefixes is None or not homonyms:
        return
    for typed in _typed(element):
        prefix, _, name = typed.get(_TYPE, "").strip(XML_WHITE_SPACE).rpartition(":")
        if name in homonyms and (prefix not in signed_prefixes or _has_references(element)):
            raise FailedCheck(
                "signature.coverage",
                expected="types that one namespace has, or in a signed PrefixList where no href is",
                seen=f"{name}, which several have",
            )


def check_outer_names(
    element: _Element, content: bool, signed_prefixes: Collection[str] | None, expected: Collection[str]
) -> None:
    """Demand that names in what was encrypted have prefixes that are declared in it, or whose bindings were signed.

    Where a signature covers the ciphertext, what a prefix is bound to outside of it may be signed by nobody: whoever
    carries the message could bind it anew, and the names in the plaintext would be others.

    Args:
        element: what was encrypted, or whose content was.
        content: its content was, and not itself.
        signed_prefixes: as for ``check_content_prefixes``, of the element that the signature covers.
        expected: namespaces that prefixes may mean all the same, those of ``handoff.namespaces``. Not the
            application's: an operation would be one thing in one of them, and another in the next. And not what is the
            default outside: names in no namespace would be in one.

    Raises:
        FailedCheck: ``signature.coverage``.
    """
    if signed_prefixes is None:
        return
    for piece in element if content else (element,):
        _check_names(piece, signed_prefixes, expected)


def _check_names(piece: _Element, signed_prefixes: Collection[str], expected: Collection[str]) -> None:
    declared: list[tuple[str, str]] = []
    for event, what in etree.iterwalk(piece, events=("start-ns", "end-ns", "start")):
        if event == "start-ns":
            prefix, namespace = cast(tuple[str | None, str], what)
            declared.append((prefix or "", namespace))
        elif event == "end-ns":
            declared.pop()
        else:
            _check_names_of(cast(_Element, what), declared, signed_prefixes, expected)


def _check_names_of(
    element: _Element, declared: list[tuple[str, str]], signed_prefixes: Collection[str], expected: Collection[str]
) -> None:
    prefix, namespace = element.prefix or "", etree.QName(element).namespace
    if not (
        namespace is None
        or (prefix and namespace in expected)
        or element.tag in _BODIES
        or prefix in signed_prefixes
        or any(prefix == inner for inner, _ in declared)
    ):
        raise _outside(str(element.tag))
    for name in map(str, element.keys()):
        namespace = etree.QName(name).namespace
        # Nobody can bind "xml" to anything else (Namespaces in XML 1.0 §3).
        if not (namespace in (None, XML) or namespace in _ATTRIBUTES.get(local_name(name), expected)):
            # lxml does not say which prefix an attribute has: it may be any that is bound to its namespace.
            bound = {prefix for prefix, its in element.nsmap.items() if prefix and its == namespace}
            if not bound <= {*signed_prefixes, *(inner for inner, _ in declared)}:
                raise _outside(name)


def _outside(name: str) -> FailedCheck:
    return FailedCheck(
        "signature.coverage",
        expected="names in what was encrypted with prefixes that are declared in it, or in handoff.namespaces",
        seen=name,
        setting="handoff.namespaces",
    )
