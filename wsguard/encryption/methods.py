"""xenc:EncryptionMethod (XML Encryption 1.1 §3.2, §5.5): algorithms by allow-list, and nothing that they do not need.

OAEP's digest and mask generation function are no signatures: their SHA-1 is sound (RFC 8017 §7.1) and the default of
the standard, so ``algorithms.digest`` does not govern them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from lxml.etree import _Element

from wsguard.algorithms import Algorithms
from wsguard.encryption.refusals import malformed, unknown
from wsguard.message.lexical import at_most_one, binary, bounded_text, only_attributes, only_children
from wsguard.names import DIGEST_ALGORITHMS, DS, MASK_GENERATION_ALGORITHMS, XENC, XENC11

KEY_LENGTHS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "aes128-gcm": 16, "aes192-gcm": 24, "aes256-gcm": 32,
        "aes128-cbc": 16, "aes192-cbc": 24, "aes256-cbc": 32,
        "tripledes-cbc": 24,
        "kw-aes128": 16, "kw-aes192": 24, "kw-aes256": 32,
    }
)  # fmt: skip
"""Octets of the key that an algorithm takes, by its short name."""

LONGEST_LABEL: Final = 1024
"""Octets of OAEPparams: the interoperability tests of XML Encryption 1.1 have 8."""

_KEY_SIZE: Final = f"{{{XENC}}}KeySize"
_OAEP_PARAMS: Final = f"{{{XENC}}}OAEPparams"
_DIGEST_METHOD: Final = f"{{{DS}}}DigestMethod"
_MGF: Final = f"{{{XENC11}}}MGF"

_DIGESTS: Final[Mapping[str, str]] = MappingProxyType(
    # XML Encryption 1.1 §5.7.3 gives SHA-384 an identifier of its own beside that of RFC 6931 §2.1.3.
    {identifier: name for name, identifier in DIGEST_ALGORITHMS.items()} | {f"{XENC}sha384": "sha384"}
)
_MASKS: Final[Mapping[str, str]] = MappingProxyType(
    {identifier: name for name, identifier in MASK_GENERATION_ALGORITHMS.items()}
)


@dataclass(frozen=True, slots=True)
class KeyMethod:
    """How a key is transported or wrapped."""

    algorithm: str
    """Short name."""
    digest: str = "sha1"
    """OAEP's: ``sha1``, ``sha256``, ``sha384`` or ``sha512``."""
    mask: str = "mgf1sha1"
    """OAEP's: a key of ``MASK_GENERATION_ALGORITHMS``."""
    label: bytes = field(default=b"", repr=False)
    """OAEPparams."""


def read_data_method(element: _Element, algorithms: Algorithms) -> str:
    """The short name of the algorithm that data are encrypted with.

    Raises:
        InvalidSecurity: ``encryption.malformed``.
        UnsupportedAlgorithm: ``encryption.algorithm``.
    """
    name = algorithms.admit("encryption", algorithm_of(element))
    only_children(element, frozenset({_KEY_SIZE}), malformed)
    _check_key_size(element, name)
    return name


def read_key_method(element: _Element, algorithms: Algorithms) -> KeyMethod:
    """How a key is encrypted.

    Raises:
        InvalidSecurity: ``encryption.malformed``.
        UnsupportedAlgorithm: ``encryption.algorithm``.
    """
    name = algorithms.admit("key_transport", algorithm_of(element))
    if name == "ecdh-es":
        raise malformed(expected="AES key wrap under an agreed key", seen="key agreement as EncryptionMethod")
    only_children(element, _CHILDREN.get(name, frozenset({_KEY_SIZE})), malformed)
    if name not in _CHILDREN:
        _check_key_size(element, name)
        return KeyMethod(name)
    return KeyMethod(
        name,
        digest_of(at_most_one(element, _DIGEST_METHOD, malformed), "sha1"),
        _mask(at_most_one(element, _MGF, malformed)),
        _label(at_most_one(element, _OAEP_PARAMS, malformed)),
    )


_CHILDREN: Final = {
    "rsa-1_5": frozenset[str](),
    # XML Encryption 1.1 §5.5.2: its mask generation function is fixed.
    "rsa-oaep-mgf1p": frozenset({_DIGEST_METHOD, _OAEP_PARAMS}),
    "rsa-oaep": frozenset({_DIGEST_METHOD, _OAEP_PARAMS, _MGF}),
}


def algorithm_of(element: _Element) -> str:
    """The identifier in the one attribute of an element that names an algorithm.

    Raises:
        InvalidSecurity: ``encryption.malformed``, there are other attributes.
    """
    only_attributes(element, frozenset({"Algorithm"}), malformed)
    return element.get("Algorithm", "")


def digest_of(element: _Element | None, default: str) -> str:
    """The short name of the digest that a ds:DigestMethod names; ``default`` where there is no element.

    Raises:
        InvalidSecurity: ``encryption.malformed``.
        UnsupportedAlgorithm: ``encryption.algorithm``.
    """
    return default if element is None else _named(element, _DIGESTS)


def _mask(element: _Element | None) -> str:
    return "mgf1sha1" if element is None else _named(element, _MASKS)


def _named(element: _Element, names: Mapping[str, str]) -> str:
    only_children(element, frozenset(), malformed)
    identifier = algorithm_of(element)
    if identifier not in names:
        raise unknown(", ".join(dict.fromkeys(names.values())), identifier)
    return names[identifier]


def _label(element: _Element | None) -> bytes:
    octets = b"" if element is None else binary(element, frozenset(), malformed)
    if len(octets) > LONGEST_LABEL:
        raise malformed(expected=f"at most {LONGEST_LABEL} octets in OAEPparams", seen=f"{len(octets)}")
    return octets


def _check_key_size(element: _Element, name: str) -> None:
    """XML Encryption 1.1 §3.2: a KeySize beside an algorithm that has one must be the same."""
    size = at_most_one(element, _KEY_SIZE, malformed)
    if size is None:
        return
    only_attributes(size, frozenset(), malformed)
    bits = bounded_text(size, 8, malformed)
    if bits != str(8 * KEY_LENGTHS[name]):
        raise malformed(expected=f"a KeySize of {8 * KEY_LENGTHS[name]} for {name}", seen=bits)
