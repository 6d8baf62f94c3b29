"""The shape of ds:Signature (XML Signature §4; WSS 1.1 §8), read by allow-list before anything in it is believed.

What is not on the list is refused: ds:Object and ds:Manifest, XPath, XSLT and every other transform, HMACOutputLength,
and URIs that are no ``#id`` of this message. So nothing here can be made to open, run or compute something.
"""

import re
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from lxml.etree import _Element

from wsguard.algorithms import Algorithms
from wsguard.faults import FailedCheck, InvalidSecurity, MessageFault
from wsguard.message.lexical import (
    at_most_one,
    binary,
    exactly_one,
    local_name,
    name_of,
    only_attributes,
    only_children,
)
from wsguard.names import (
    CANONICALIZATION_ALGORITHMS,
    DS,
    ENVELOPED_SIGNATURE,
    EXC_C14N,
    IDS,
    KEY_INFO,
    STR_TRANSFORM,
    WSSE,
)
from wsguard.policy.surroundings import Limits

malformed: Final = partial(InvalidSecurity, "signature.malformed")

_SIGNED_INFO: Final = f"{{{DS}}}SignedInfo"
_SIGNATURE_VALUE: Final = f"{{{DS}}}SignatureValue"
_CANONICALIZATION_METHOD: Final = f"{{{DS}}}CanonicalizationMethod"
_SIGNATURE_METHOD: Final = f"{{{DS}}}SignatureMethod"
_REFERENCE: Final = f"{{{DS}}}Reference"
_TRANSFORMS: Final = f"{{{DS}}}Transforms"
_TRANSFORM: Final = f"{{{DS}}}Transform"
_DIGEST_METHOD: Final = f"{{{DS}}}DigestMethod"
_DIGEST_VALUE: Final = f"{{{DS}}}DigestValue"
_INCLUSIVE_NAMESPACES: Final = f"{{{EXC_C14N}}}InclusiveNamespaces"
_PARAMETERS: Final = f"{{{WSSE}}}TransformationParameters"
_MANIFEST: Final = f"{DS}Manifest"

DIGEST_SIZES: Final = {"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}
"""Octets of a digest, by the short name of its method."""


@dataclass(frozen=True, slots=True)
class Canonicalization:
    """How an element becomes octets."""

    name: str
    """Short name: a key of ``CANONICALIZATION_ALGORITHMS``."""
    prefixes: tuple[str, ...] = ()
    """InclusiveNamespaces PrefixList; the default namespace is the empty text."""

    @property
    def exclusive(self) -> bool:
        """Whether only namespaces that names use are written, and those of ``prefixes``."""
        return self.name.startswith("exc-")


@dataclass(frozen=True, slots=True)
class Reference:
    """One ds:Reference."""

    target: str
    """The Id of an element of this message."""
    canonicalization: Canonicalization
    dereferences: bool
    """STR-Transform: the token that the element refers to is digested, not the element."""
    transforms: tuple[str, ...]
    """As they stand, for people."""
    digest_method: str
    """Short name."""
    digest_value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Signature:
    """A ds:Signature of the right shape, with algorithms that somebody at least may use. Nothing of it is verified."""

    element: _Element
    signed_info: _Element
    canonicalization: Canonicalization
    method: str
    """Short name."""
    references: tuple[Reference, ...]
    value: bytes = field(repr=False)
    key_info: _Element


def read_signature(element: _Element, algorithms: Algorithms, limits: Limits, references_left: int) -> Signature:
    """Read a ds:Signature strictly.

    Args:
        element: it.
        algorithms: those of this message.
        limits: ``prefix_list`` and ``references`` of these.
        references_left: how many references the message may still have.

    Raises:
        InvalidSecurity: ``signature.malformed``.
        UnsupportedAlgorithm: ``signature.algorithm``.
        FailedCheck: ``signature.reference``, a URI that is no ``#id``, or one twice.
        MessageFault: ``limits.references``, ``limits.prefix_list``.
    """
    only_attributes(element, IDS, malformed)
    _in_order(element, _SIGNED_INFO, _SIGNATURE_VALUE, KEY_INFO)
    signed_info, value, key_info = element
    only_attributes(signed_info, IDS, malformed)
    _check_signed_info(signed_info, limits, references_left)
    reader = _Reader(algorithms, limits)
    canonicalization = reader.canonicalization(signed_info[0])
    method = reader.signature_method(signed_info[1])
    references = tuple(reader.reference(child) for child in signed_info[2:])
    targets = [reference.target for reference in references]
    if len(set(targets)) < len(targets):
        twice = next(target for target in targets if targets.count(target) > 1)
        raise _bad_reference(expected="each target once", seen=f"#{twice} twice")
    return Signature(
        element, signed_info, canonicalization, method, references, binary(value, IDS, malformed), key_info
    )


def _bad_reference(*, expected: str, seen: str) -> FailedCheck:
    return FailedCheck("signature.reference", expected=expected, seen=seen)


def _in_order(parent: _Element, *tags: str) -> None:
    only_children(parent, frozenset(tags), malformed)
    if [child.tag for child in parent] != list(tags):
        expected = ", ".join(map(local_name, tags))
        seen = ", ".join(local_name(name_of(child)) for child in parent[: len(tags) + 1])
        raise malformed(expected=f"{expected} in {local_name(name_of(parent))}", seen=seen or "nothing")


def _check_signed_info(signed_info: _Element, limits: Limits, references_left: int) -> None:
    only_children(signed_info, frozenset({_CANONICALIZATION_METHOD, _SIGNATURE_METHOD, _REFERENCE}), malformed)
    tags = [child.tag for child in signed_info]
    count = len(tags) - 2
    if tags[:2] != [_CANONICALIZATION_METHOD, _SIGNATURE_METHOD] or set(tags[2:]) != {_REFERENCE}:
        raise malformed(expected="CanonicalizationMethod, SignatureMethod, Reference in SignedInfo", seen="others")
    if count > references_left:
        raise MessageFault(
            "limits.references",
            expected=f"at most {limits.references} in the message",
            seen=f"{limits.references - references_left + count}",
            setting="limits.references",
        )


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the parts that name algorithms."""

    algorithms: Algorithms
    limits: Limits

    def signature_method(self, element: _Element) -> str:
        # A ds:HMACOutputLength would let the sender choose how many bits are compared (CVE-2009-0217).
        only_children(element, frozenset(), malformed)
        return self.algorithms.admit("signature", _algorithm(element))

    def canonicalization(self, element: _Element) -> Canonicalization:
        name = self.algorithms.admit("canonicalization", _algorithm(element))
        if not name.startswith("exc-"):
            only_children(element, frozenset(), malformed)
            return Canonicalization(name)
        only_children(element, frozenset({_INCLUSIVE_NAMESPACES}), malformed)
        return Canonicalization(name, self._prefixes(at_most_one(element, _INCLUSIVE_NAMESPACES, malformed)))

    def _prefixes(self, element: _Element | None) -> tuple[str, ...]:
        if element is None:
            return ()
        only_attributes(element, frozenset({"PrefixList"}), malformed)
        only_children(element, frozenset(), malformed)
        text = element.get("PrefixList", "").strip(" \t\r\n")
        prefixes = dict.fromkeys(_SPACES.split(text, maxsplit=4 * self.limits.prefix_list))
        if len(prefixes) > self.limits.prefix_list:
            bound = self.limits.prefix_list
            raise MessageFault(
                "limits.prefix_list",
                expected=f"at most {bound}",
                seen=f"{len(prefixes)} prefixes or more",
                setting="limits.prefix_list",
            )
        if max(map(len, prefixes)) > _LONGEST_PREFIX:
            raise malformed(expected=f"prefixes of at most {_LONGEST_PREFIX} characters", seen="a longer one")
        # lxml takes the default namespace as the empty prefix; an empty PrefixList names nothing.
        return tuple("" if prefix == "#default" else prefix for prefix in prefixes if prefix)

    def reference(self, element: _Element) -> Reference:
        only_attributes(element, IDS | {"URI", "Type"}, malformed)
        only_children(element, frozenset({_TRANSFORMS, _DIGEST_METHOD, _DIGEST_VALUE}), malformed)
        if element.get("Type") == _MANIFEST:
            raise malformed(expected="no Manifest", seen="one")
        has_transforms = next(element.iterchildren(_TRANSFORMS), None) is not None
        _in_order(element, *((_TRANSFORMS,) if has_transforms else ()), _DIGEST_METHOD, _DIGEST_VALUE)
        canonicalization, dereferences, names = self._transforms(element[0] if has_transforms else None)
        only_children(element[-2], frozenset(), malformed)
        digest_method = self.algorithms.admit("digest", _algorithm(element[-2]))
        digest_value = binary(element[-1], frozenset(), malformed)
        if len(digest_value) != DIGEST_SIZES[digest_method]:
            raise malformed(
                expected=f"{DIGEST_SIZES[digest_method]} octets in DigestValue", seen=f"{len(digest_value)}"
            )
        return Reference(_target(element), canonicalization, dereferences, names, digest_method, digest_value)

    def _transforms(self, element: _Element | None) -> tuple[Canonicalization, bool, tuple[str, ...]]:
        """The canonicalization at the end, whether a token is dereferenced before it, and all by name."""
        transforms: tuple[_Element, ...] = ()
        if element is not None:
            only_attributes(element, frozenset(), malformed)
            only_children(element, frozenset({_TRANSFORM}), malformed)
            transforms = tuple(element)
            if not 1 <= len(transforms) <= 2:
                raise malformed(expected="one or two Transforms", seen=f"{len(transforms)} of them")
        identifiers = tuple(_algorithm(transform) for transform in transforms)
        if identifiers == (STR_TRANSFORM,):
            canonicalization = self._str_transform(transforms[0])
            return canonicalization, True, ("STR-Transform", canonicalization.name)
        if identifiers[:1] == (ENVELOPED_SIGNATURE,):
            only_children(transforms[0], frozenset(), malformed)
            canonicalization = self._last(transforms[1:])
            return canonicalization, False, ("enveloped-signature", canonicalization.name)
        canonicalization = self._last(transforms)
        return canonicalization, False, (canonicalization.name,)

    def _last(self, transforms: tuple[_Element, ...]) -> Canonicalization:
        if not transforms:
            # XML Signature §4.4.3.2: a node-set that no transform made octets of is canonicalized by C14N 1.0.
            return Canonicalization(self.algorithms.admit("canonicalization", CANONICALIZATION_ALGORITHMS["c14n"]))
        if len(transforms) > 1:
            raise malformed(expected="one canonicalization after enveloped-signature", seen="two transforms")
        return self.canonicalization(transforms[0])

    def _str_transform(self, element: _Element) -> Canonicalization:
        """WSS 1.1 §8.3."""
        only_children(element, frozenset({_PARAMETERS}), malformed)
        parameters = exactly_one(element, _PARAMETERS, malformed)
        only_attributes(parameters, frozenset(), malformed)
        only_children(parameters, frozenset({_CANONICALIZATION_METHOD}), malformed)
        return self.canonicalization(exactly_one(parameters, _CANONICALIZATION_METHOD, malformed))


_SPACES: Final = re.compile(r"[ \t\r\n]+")
_LONGEST_PREFIX: Final = 128
"""Characters: libxml2 compares each with all that are declared, at every element."""


def _algorithm(element: _Element) -> str:
    only_attributes(element, frozenset({"Algorithm"}), malformed)
    return element.get("Algorithm", "")


def _target(element: _Element) -> str:
    uri = element.get("URI", "")
    if not uri.startswith("#") or len(uri) == 1:
        raise _bad_reference(expected="a URI of the form #id", seen=uri or "none")
    return uri[1:]
