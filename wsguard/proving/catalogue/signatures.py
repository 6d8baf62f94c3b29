"""Attacks on signatures: taken off, over less than is demanded, over something else, and by weak algorithms."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from lxml import etree
from lxml.etree import _Element

from wsguard.names import (
    CANONICALIZATION_ALGORITHMS,
    CREATED,
    DIGEST_ALGORITHMS,
    DS,
    SIGNATURE,
    USERNAME,
    XSI,
)
from wsguard.proving.allowed import Kind
from wsguard.proving.case import Case
from wsguard.proving.catalogue import when
from wsguard.proving.catalogue.control import Attack, Control, changed
from wsguard.proving.letters import PROOF, Change
from wsguard.securing.draft import Draft
from wsguard.signature.canonical import canonical_octets
from wsguard.signature.reading import Canonicalization

_DIGEST: Final = ("signature.digest",)
_WEAK_METHODS: Final = ("rsa-sha1", "ecdsa-sha1", "hmac-sha1")
_WEAK_DIGEST: Final = "sha1"
_XPATH: Final = "http://www.w3.org/TR/1999/REC-xpath-19991116"


def signature_of(draft: Draft) -> _Element:
    """The ds:Signature."""
    return draft.parts("Signature")[0]


def _stripped(draft: Draft) -> None:
    for signature in draft.security.findall(SIGNATURE):
        draft.security.remove(signature)


def _other_text(part: str, tag: str = "") -> Change:
    def change(draft: Draft) -> None:
        element = draft.parts(part)[0]
        element = element[0][0] if part == "Body" else next(element.iter(tag))
        text = element.text or ""
        # A time stays a time, and every other text becomes another one.
        element.text = text.replace(".", ".9", 1) if tag == CREATED else f"{text}x"

    return change


def _other_value(draft: Draft) -> None:
    value = signature_of(draft)[1]
    octets = bytearray(base64.b64decode(value.text or ""))
    octets[-1] ^= 1
    value.text = base64.b64encode(octets).decode()


def _other_body_and_digest(draft: Draft) -> None:
    """What somebody without a key can do to a signed Body: everything but the SignatureValue."""
    _other_text("Body")(draft)
    identifiers = set(draft.body.attrib.values())
    for reference in signature_of(draft)[0].iterfind(f"{{{DS}}}Reference"):
        if reference.get("URI", "").removeprefix("#") in identifiers:
            _digest_again(reference, draft.body)


def _digest_again(reference: _Element, element: _Element) -> None:
    transforms, method, value = reference
    names = {identifier: name for name, identifier in CANONICALIZATION_ALGORITHMS.items()}
    hashed = {identifier: name for name, identifier in DIGEST_ALGORITHMS.items()}
    octets = canonical_octets(element, Canonicalization(names[transforms[0].get("Algorithm", "")]))
    digest = hashlib.new(hashed[method.get("Algorithm", "")], octets, usedforsecurity=False).digest()
    value.text = base64.b64encode(digest).decode()


def _xpath(draft: Draft) -> None:
    reference = signature_of(draft)[0].find(f"{{{DS}}}Reference")
    if reference is not None:
        reference[0][0].set("Algorithm", _XPATH)


def _elsewhere(draft: Draft) -> None:
    reference = signature_of(draft)[0].find(f"{{{DS}}}Reference")
    if reference is not None:
        reference.set("URI", "file:///dev/null")


def _tampered(case: Case) -> Iterator[Attack]:
    yield Attack("another Body", _DIGEST, case.sent(signed=_other_text("Body")))
    if when.dated(case):
        yield Attack("another Created", _DIGEST, case.sent(signed=_other_text("Timestamp", CREATED)))
    if when.from_a_user(case):
        yield Attack("another Username", _DIGEST, case.sent(signed=_other_text("UsernameToken", USERNAME)))


def _uncovered(case: Case) -> Iterator[Attack]:
    for part in case.demands.signature.required_parts:
        parts = tuple(one for one in case.signed_parts if one != part)
        if parts:
            sent = case.sent(signed_parts=parts)
            yield Attack(f"everything signed but {_short(part)}", ("signature.coverage",), sent)


def _short(part: str) -> str:
    return part.rpartition("}")[2]


def _shared_out(case: Case) -> Iterator[Attack]:
    """A stranger's signature beside: each is good, and none covers what is demanded."""
    stranger, required = case.people.stranger.signer, case.demands.signature.required_parts
    if stranger is None or len(required) < 2 or not case.method_for(stranger):
        return
    first, rest = required[:1], required[1:]

    def second(draft: Draft) -> None:
        letter = case.letter(
            signer=stranger,
            secret=None,
            signed_parts=rest,
            algorithms=replace(case.letter().algorithms, signature=case.method_for(stranger)),
        )
        letter.sign_too(draft)

    how = "the demanded parts signed by two, each some of them"
    yield Attack(how, ("signature.coverage",), case.sent(signed_parts=first, signed=second))


def _forbidden(case: Case) -> Iterator[Attack]:
    signer = case.scene.casting.bystander
    letter = case.letter()
    algorithms = replace(letter.algorithms, signature="rsa-sha256")
    parts = tuple(part for part in case.signed_parts if part in ("Body", "Timestamp"))
    sent = case.sent(signer=signer, signed_parts=parts, algorithms=algorithms)
    yield Attack("with a Signature", ("signature.forbidden",), sent)


def _weak(case: Case) -> Iterator[Attack]:
    letter, demanded = case.letter(), ("signature.algorithm",)
    kind = letter.algorithms.signature.partition("-")[0]
    for name in _WEAK_METHODS:
        if name.startswith(f"{kind}-") and name not in case.allowed("signature"):
            sent = case.sent(algorithms=replace(letter.algorithms, signature=name))
            yield Attack(f"signed by {name}", demanded, sent)
    others: tuple[tuple[Kind, tuple[str, ...]], ...] = (
        ("digest", (_WEAK_DIGEST,)),
        ("canonicalization", ("c14n",)),
    )
    for setting, names in others:
        for name in names:
            if name not in case.allowed(setting):
                sent = case.sent(algorithms=replace(letter.algorithms, **{setting: name}))
                yield Attack(f"{setting} by {name}", demanded, sent)


def _types(case: Case) -> Iterator[Attack]:
    def typed(draft: Draft) -> None:
        value = draft.body[0][0]
        replaced = etree.SubElement(draft.body[0], value.tag, nsmap={"evil": f"{PROOF}:evil", "xsi": XSI})
        replaced.set(f"{{{XSI}}}type", "evil:administrator")
        replaced.text = value.text
        draft.body[0].remove(value)

    sent = case.sent(drafted=typed, prefixes=False)
    yield Attack("xsi:type with a prefix whose meaning nobody signed", ("signature.coverage",), sent)


def _leaves_prefixes_out(case: Case) -> bool:
    return when.body_signature_demanded(case) and case.letter().algorithms.canonicalization.startswith("exc-")


def _is_forbidden(case: Case) -> bool:
    return case.demands.signature.use == "forbidden"


_VALUE: Final = ("signature.value",)
CONTROLS: Final = (
    Control(
        "signature.presence",
        when.signature_demanded,
        changed("the Signature taken off", "signature.missing", signed=_stripped),
    ),
    Control("signature.absence", _is_forbidden, _forbidden),
    Control("signature.digest", when.signed, _tampered),
    Control("signature.value", when.signed, changed("another SignatureValue", *_VALUE, signed=_other_value)),
    Control(
        "signature.signed_info",
        when.signed,
        changed("another Body, and its digest", *_VALUE, signed=_other_body_and_digest),
    ),
    Control("signature.coverage", when.signature_demanded, _uncovered),
    Control("signature.one_signer", when.signature_demanded, _shared_out),
    Control("signature.algorithm", when.signed, _weak),
    Control("signature.transform", when.signed, changed("an XPath transform", "signature.algorithm", signed=_xpath)),
    Control(
        "signature.reference",
        when.signed,
        changed("a reference to a file", "signature.reference", "signature.malformed", signed=_elsewhere),
    ),
    Control("signature.types", _leaves_prefixes_out, _types),
)
