"""xenc:EncryptedData, xenc:EncryptedKey and xenc:ReferenceList (XML Encryption 1.1 §3; WSS 1.1 §9), by allow-list.

What is not on the list is refused: CipherReference, EncryptionProperties, KeyReference, Transforms, and URIs that are
no ``#id`` of this message. So nothing here can be made to open or fetch something, and nothing is resolved while it is
read.
"""

from dataclasses import dataclass, field
from typing import Final

from lxml.etree import _Element

from wsguard.algorithms import Algorithms
from wsguard.encryption.methods import KeyMethod, read_data_method, read_key_method
from wsguard.encryption.refusals import malformed
from wsguard.faults import MessageFault
from wsguard.message.lexical import (
    at_most_one,
    binary,
    bounded_text,
    decode_base64,
    exactly_one,
    leaf_text,
    local_name,
    name_of,
    only_attributes,
    only_children,
)
from wsguard.names import (
    ENCRYPTED_CONTENT,
    ENCRYPTED_DATA,
    ENCRYPTED_ELEMENT,
    ENCRYPTED_KEY,
    IDS,
    KEY_INFO,
    REFERENCE_LIST,
    SOAP11,
    SOAP12,
    XENC,
)
from wsguard.policy.surroundings import Limits

_ENCRYPTION_METHOD: Final = f"{{{XENC}}}EncryptionMethod"
_CIPHER_DATA: Final = f"{{{XENC}}}CipherData"
_CIPHER_VALUE: Final = f"{{{XENC}}}CipherValue"
_DATA_REFERENCE: Final = f"{{{XENC}}}DataReference"
_CARRIED_KEY_NAME: Final = f"{{{XENC}}}CarriedKeyName"

_IN_DATA: Final = frozenset({_ENCRYPTION_METHOD, KEY_INFO, _CIPHER_DATA})
_IN_KEY: Final = _IN_DATA | {REFERENCE_LIST, _CARRIED_KEY_NAME}
_OF_WRAPPER: Final = IDS | {
    f"{{{soap}}}{name}" for soap in (SOAP11, SOAP12) for name in ("mustUnderstand", "actor", "role", "relay")
}
_TYPES: Final = {"": False, ENCRYPTED_ELEMENT: False, ENCRYPTED_CONTENT: True}
"""Type -> whether it is content. Without Type it is an element, as Santuario decrypts it."""
_MEDIA_TYPES: Final = frozenset({"", "text/xml", "application/xml"})
_LONGEST_NAME: Final = 2048
"""Characters of CarriedKeyName, which nothing depends on; as a ds:KeyName."""


@dataclass(frozen=True, slots=True)
class EncryptedData:
    """An xenc:EncryptedData of the right shape."""

    element: _Element
    content: bool
    """Whether it stands for the content of its parent; else for one element."""
    algorithm: str
    """Short name."""
    key_info: _Element | None
    cipher: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class EncryptedKey:
    """An xenc:EncryptedKey of the right shape."""

    method: KeyMethod
    key_info: _Element | None
    cipher: bytes = field(repr=False)
    references: tuple[str, ...]
    """The Ids of the data that it opens; empty where they name it themselves."""


PARSES: Final = 3
"""How often a large message may be parsed anew: each ReferenceList, and each part that has its own key, is one time."""
SMALL_MESSAGES: Final = 262_144
"""Octets on top of that: a message of 20 KB may hold sixteen lists."""


@dataclass(slots=True)
class Budget:
    """How much more of a message may be encrypted."""

    limits: Limits
    keys: int = 0
    """Encrypted keys so far."""
    data: int = 0
    """Encrypted data so far."""
    octets: int | None = None
    """How many may still be parsed anew; None before the first time."""

    def take_key(self) -> None:
        """One more encrypted key.

        Raises:
            MessageFault: ``limits.encrypted_keys``.
        """
        self.keys += 1
        _demand("encrypted_keys", self.keys, self.limits.encrypted_keys)

    def take_data(self, count: int) -> None:
        """``count`` more encrypted data.

        Raises:
            MessageFault: ``limits.encrypted_data``.
        """
        self.data += count
        _demand("encrypted_data", self.data, self.limits.encrypted_data)

    def take_octets(self, count: int) -> None:
        """The message is parsed anew, for the next thing in it that was opened: ``count`` octets.

        Raises:
            MessageFault: ``limits.encrypted_data``.
        """
        left = PARSES * count + SMALL_MESSAGES if self.octets is None else self.octets
        self.octets = left - count
        if self.octets < 0:
            raise MessageFault(
                "limits.encrypted_data",
                expected="few ReferenceLists in a large message",
                seen=f"one that would be parsed more than {PARSES} times",
                setting="limits.encrypted_data",
            )


def _demand(limit: str, count: int, bound: int) -> None:
    if count > bound:
        setting = f"limits.{limit}"
        raise MessageFault(setting, expected=f"at most {bound} in the message", seen=f"{count}", setting=setting)


def read_encrypted_data(element: _Element, algorithms: Algorithms) -> EncryptedData:
    """Read an xenc:EncryptedData strictly.

    Raises:
        InvalidSecurity: ``encryption.malformed``.
        UnsupportedAlgorithm: ``encryption.algorithm``.
    """
    only_attributes(element, IDS | {"Type", "MimeType", "Encoding"}, malformed)
    only_children(element, _IN_DATA, malformed)
    kind = element.get("Type", "")
    if kind not in _TYPES:
        raise malformed(expected="an EncryptedData of Type Element or Content", seen=kind)
    _check_hints(element)
    algorithm = read_data_method(exactly_one(element, _ENCRYPTION_METHOD, malformed), algorithms)
    value = _cipher_value(element)
    only_attributes(value, frozenset(), malformed)
    # No bound of its own: most of a message may be one CipherValue, and limits.body_bytes holds for all of it.
    cipher = decode_base64(leaf_text(value, malformed), "CipherValue", malformed)
    return EncryptedData(element, _TYPES[kind], algorithm, _key_info(element), cipher)


def read_encrypted_key(element: _Element, algorithms: Algorithms, limits: Limits) -> EncryptedKey:
    """Read an xenc:EncryptedKey strictly. Recipient and CarriedKeyName are hints that nothing depends on.

    Raises:
        InvalidSecurity: ``encryption.malformed``.
        UnsupportedAlgorithm: ``encryption.algorithm``.
        MessageFault: ``limits.encrypted_data``, its ReferenceList is longer than that.
    """
    only_attributes(element, IDS | {"Type", "MimeType", "Encoding", "Recipient"}, malformed)
    only_children(element, _IN_KEY, malformed)
    if element.get("Type", f"{XENC}EncryptedKey") != f"{XENC}EncryptedKey":
        raise malformed(expected="an EncryptedKey without Type", seen=element.get("Type", ""))
    _check_hints(element)
    carried = at_most_one(element, _CARRIED_KEY_NAME, malformed)
    if carried is not None:
        bounded_text(carried, _LONGEST_NAME, malformed)
    references = at_most_one(element, REFERENCE_LIST, malformed)
    return EncryptedKey(
        read_key_method(exactly_one(element, _ENCRYPTION_METHOD, malformed), algorithms),
        _key_info(element),
        binary(_cipher_value(element), frozenset(), malformed),
        () if references is None else read_reference_list(references, limits),
    )


def read_reference_list(element: _Element, limits: Limits) -> tuple[str, ...]:
    """The Ids of the data that an xenc:ReferenceList refers to: at least one, each once.

    Raises:
        InvalidSecurity: ``encryption.malformed``.
        MessageFault: ``limits.encrypted_data``, it is longer than that.
    """
    only_attributes(element, IDS, malformed)
    _demand("encrypted_data", len(element), limits.encrypted_data)
    only_children(element, frozenset({_DATA_REFERENCE}), malformed)
    targets = tuple(_target(child) for child in element)
    if not targets:
        raise malformed(expected="a DataReference in ReferenceList", seen="nothing")
    if len(set(targets)) < len(targets):
        raise malformed(expected="each DataReference once", seen="one twice")
    return targets


def inside(element: _Element) -> _Element:
    """The xenc:EncryptedData that ``element`` is, or that it wraps as a wsse11:EncryptedHeader (WSS 1.1 §9.4).

    Raises:
        InvalidSecurity: ``encryption.malformed``, it is a wrapper of anything else.
    """
    if element.tag == ENCRYPTED_DATA:
        return element
    only_attributes(element, _OF_WRAPPER, malformed)
    only_children(element, frozenset({ENCRYPTED_DATA}), malformed)
    return exactly_one(element, ENCRYPTED_DATA, malformed)


def key_of(key_info: _Element, tag: str) -> _Element | None:
    """The child of a ds:KeyInfo with this tag, which then is all that stands in it; None where it has none.

    Args:
        key_info: of XML Encryption, which may hold an EncryptedKey or an AgreementMethod (§3.5.1, §3.5.2).
        tag: of one of these.

    Raises:
        InvalidSecurity: ``encryption.malformed``, something stands beside it.
    """
    found = at_most_one(key_info, tag, malformed)
    if found is not None:
        only_attributes(key_info, IDS, malformed)
        only_children(key_info, frozenset({tag}), malformed)
    return found


def _check_hints(element: _Element) -> None:
    """XML Encryption 1.1 §3.1: MimeType is advisory; an Encoding would be one of the data that nobody undoes."""
    media_type = element.get("MimeType", "")
    if element.tag != ENCRYPTED_KEY and media_type not in _MEDIA_TYPES:
        raise malformed(expected="a MimeType of XML", seen=media_type)
    encoding = element.get("Encoding")
    if encoding is not None and encoding.upper() != "UTF-8":
        raise malformed(expected="no Encoding", seen=encoding)


def _key_info(element: _Element) -> _Element | None:
    return at_most_one(element, KEY_INFO, malformed)


def _cipher_value(element: _Element) -> _Element:
    data = exactly_one(element, _CIPHER_DATA, malformed)
    only_attributes(data, frozenset(), malformed)
    only_children(data, frozenset({_CIPHER_VALUE}), malformed)
    return exactly_one(data, _CIPHER_VALUE, malformed)


def _target(element: _Element) -> str:
    only_attributes(element, frozenset({"URI"}), malformed)
    only_children(element, frozenset(), malformed)
    uri = element.get("URI", "")
    if not uri.startswith("#") or len(uri) == 1:
        raise malformed(expected=f"{local_name(name_of(element))} with a URI of the form #id", seen=uri or "none")
    return uri[1:]
