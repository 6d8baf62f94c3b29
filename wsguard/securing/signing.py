"""ds:Signature over parts of a message (XML Signature §4; WSS 1.1 §8): each digested where it stands, in the tree that
is sent.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import Final

from lxml import etree
from lxml.etree import _Element

from wsguard.message.lexical import name_of
from wsguard.names import (
    CANONICALIZATION_ALGORITHMS,
    DIGEST_ALGORITHMS,
    DS,
    ENCRYPTED_DATA,
    EXC_C14N,
    SIGNATURE,
    SIGNATURE_ALGORITHMS,
    SOAP11_ENCODING,
    SOAP12_ENCODING,
    USERNAME_TOKEN_TYPE,
    WSU_ID,
    XSI,
)
from wsguard.securing.draft import Draft
from wsguard.securing.elements import add_key_info, add_token_reference, base64_of, child
from wsguard.securing.plan import Securing, SigningKey
from wsguard.securing.refusals import NotSecurable, as_not_securable
from wsguard.securing.tokens import PasswordKey
from wsguard.securing.values import signature_value
from wsguard.signature.canonical import canonical_octets
from wsguard.signature.reading import Canonicalization

_NCNAME: Final = re.compile(r"[^\W\d][\w.-]*")
_PREFIX: Final = re.compile(r"[ \t\r\n]*+(?:([^\W\d][\w.-]*+):)?+")
_NAME: Final = re.compile(r"(?<!\S)([^\W\d][\w.-]*+):[^\W\d][\w.-]*+(?!\S)")

_types: Final = etree.XPath(
    "descendant-or-self::*/@xsi:type | descendant-or-self::*/@e11:arrayType | descendant-or-self::*/@e12:itemType",
    namespaces={"xsi": XSI, "e11": SOAP11_ENCODING, "e12": SOAP12_ENCODING},
    smart_strings=False,
)


def sign(draft: Draft, plan: Securing, key: SigningKey | PasswordKey, elements: Iterable[_Element], place: int) -> None:
    """Put a ds:Signature over ``elements`` into the Security header.

    For ``DirectReference`` the last BinarySecurityToken there is the signer's.

    Args:
        draft: the message.
        plan: its algorithms and key identifier.
        key: the signer's, or one that is made of a password.
        elements: parts of the message; those without a wsu:Id get one.
        place: where in the Security header it comes to stand.

    Raises:
        NotSecurable: an Id that is there is no NCName, an element has no canonical form, or the key does not do.
    """
    targets = [(_id_of(element, draft), element) for element in elements]
    signature = draft.security.makeelement(SIGNATURE, {"Id": draft.new_id("SIG")}, nsmap={"ds": DS})
    # Before anything is in it: lxml may give what is moved the prefix that the Envelope has for its namespace.
    draft.security.insert(place, signature)
    info = child(signature, f"{{{DS}}}SignedInfo")
    method = CANONICALIZATION_ALGORITHMS[plan.canonicalization]
    child(info, f"{{{DS}}}CanonicalizationMethod", Algorithm=method)
    child(info, f"{{{DS}}}SignatureMethod", Algorithm=SIGNATURE_ALGORITHMS[plan.signature_method])
    for target, element in targets:
        _add_reference(info, target, element, plan, draft.limits.prefix_list)
    octets = _canonical(info, Canonicalization(plan.canonicalization))
    if isinstance(key, PasswordKey):
        value = hmac.digest(key.octets, octets, plan.signature_method.removeprefix("hmac-"))
        child(signature, f"{{{DS}}}SignatureValue", base64_of(value))
        add_token_reference(signature, key.token, USERNAME_TOKEN_TYPE)
        return
    value = signature_value(plan.signature_method, key.private_key, octets)
    child(signature, f"{{{DS}}}SignatureValue", base64_of(value))
    token = draft.parts("BinarySecurityToken")[-1] if plan.key_identifier == "DirectReference" else None
    add_key_info(signature, key.certificate, plan.key_identifier, token)


def _id_of(element: _Element, draft: Draft) -> str:
    if element.tag == ENCRYPTED_DATA:
        return element.get("Id", "")
    found = element.get(WSU_ID)
    if found is None:
        element.set(WSU_ID, found := draft.new_id("Id"))
    elif not _NCNAME.fullmatch(found):
        raise NotSecurable(f"the wsu:Id of {name_of(element)} is no NCName")
    return found


def _add_reference(info: _Element, target: str, element: _Element, plan: Securing, longest: int) -> None:
    method = Canonicalization(plan.canonicalization, ())
    if method.exclusive:
        method = Canonicalization(plan.canonicalization, _content_prefixes(element)[:longest])
    reference = child(info, f"{{{DS}}}Reference", URI=f"#{target}")
    transforms = child(reference, f"{{{DS}}}Transforms")
    transform = child(transforms, f"{{{DS}}}Transform", Algorithm=CANONICALIZATION_ALGORITHMS[method.name])
    if method.prefixes:
        inclusive = etree.SubElement(transform, f"{{{EXC_C14N}}}InclusiveNamespaces", nsmap={"ec": EXC_C14N})
        inclusive.set("PrefixList", " ".join(prefix or "#default" for prefix in method.prefixes))
    child(reference, f"{{{DS}}}DigestMethod", Algorithm=DIGEST_ALGORITHMS[plan.digest])
    digest = hashlib.new(plan.digest, _canonical(element, method), usedforsecurity=True).digest()
    child(reference, f"{{{DS}}}DigestValue", base64_of(digest))


def _content_prefixes(element: _Element) -> tuple[str, ...]:
    """The prefixes of types in ``element``, and then those of what looks like a name in other values and texts.

    Exclusive canonicalization leaves out what only values use, so that anybody could bind it anew (§1.3 of it). The
    default namespace, which is the empty text, counts for types only.
    """
    types = (_PREFIX.match(value) for value in set(_types(element)))
    found = sorted({match[1] or "" for match in types if match})
    return tuple(dict.fromkeys((*found, *sorted(_prefixes_of_names(element)))))


def _prefixes_of_names(element: _Element) -> set[str]:
    found: set[str] = set()
    for one in element.iter(etree.Element):
        values = (one.text or "", *map(str, one.attrib.values()), *(below.tail or "" for below in one))
        named = {match[1] for value in values if ":" in value for match in _NAME.finditer(value)}
        if named:
            found.update(prefix for prefix in named if prefix in one.nsmap)
    return found


def _canonical(element: _Element, method: Canonicalization) -> bytes:
    with as_not_securable():
        return canonical_octets(element, method)
