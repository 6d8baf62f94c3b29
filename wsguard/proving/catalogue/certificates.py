"""Attacks with certificates: of authorities that took a name, of people who made themselves one, and bent ones."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from wsguard.interfaces import PrivateKey
from wsguard.names import BINARY_SECURITY_TOKEN, DS
from wsguard.policy.demands import TrustDemands
from wsguard.proving.authorities import Authority, fits, named, twin_of
from wsguard.proving.case import Case, key_of
from wsguard.proving.catalogue import when
from wsguard.proving.catalogue.control import Attack, Control
from wsguard.proving.catalogue.signatures import signature_of
from wsguard.proving.posting import Sent
from wsguard.securing import SigningKey
from wsguard.securing.draft import Draft

_MOST: Final = 4
"""Configured certificates of one kind whose names are borrowed."""
_UNTRUSTED: Final = ("certificate.untrusted",)
_NOT_GOOD_HERE: Final = (
    "certificate.untrusted", "certificate.expired", "certificate.revoked", "certificate.constraint",
    "certificate.key_usage", "certificate.key_size",
)  # fmt: skip
_BENT: Final = {
    "not valid yet": "certificate.expired",
    "expired": "certificate.expired",
    "under an expired authority": "certificate.expired",
    "under an authority for other names": "certificate.untrusted",
    "under what is no authority": "certificate.untrusted",
    "under a revoked authority": "certificate.revoked",
    "under an authority with an old list": "certificate.revoked",
    "under an authority without a list": "certificate.revoked",
    "of an authority": "certificate.key_usage",
    "for encryption only": "certificate.key_usage",
    "revoked": "certificate.revoked",
    "of another subject": "certificate.constraint",
    "of a short key": "certificate.key_size",
}


def _by(case: Case, signer: SigningKey, **changes: Any) -> Sent | None:  # noqa: ANN401 - fields of a Letter
    """The message signed by somebody else; None where no algorithm for that key is allowed."""
    method = case.method_for(signer)
    if not method:
        return None
    algorithms = replace(case.letter().algorithms, signature=method)
    return case.sent(signer=signer, algorithms=algorithms, **changes)


def _wrong_authority(case: Case) -> Iterator[Attack]:
    key, signer = case.scene.casting.attackers_key, case.honest.sender.signer
    subject = named() if signer is None else signer.certificate.subject
    anchors = case.scene.configured.authorities(case.demands.trust)
    names = dict.fromkeys(anchor.subject for anchor in anchors) or {named("wsguard proof authority"): None}
    for name in list(names)[:_MOST]:
        rogue = Authority.make(name, case.now)
        leaf = SigningKey(key, rogue.certify(subject, key.public_key()), (rogue.certificate,))
        for how, changes in (("", {}), (", which is sent along", {"send_chain": True})):
            sent = _by(case, leaf, **changes)
            if sent is not None:
                yield Attack(f"by another authority called {name.rfc4514_string()}{how}", _UNTRUSTED, sent)


def _self_signed(case: Case) -> Iterator[Attack]:
    for certificate in _borrowed(case):
        sent = _by(case, twin_of(certificate, case.scene.casting.attackers_key))
        if sent is not None:
            how = f"a self-signed twin of {certificate.subject.rfc4514_string()}"
            yield Attack(how, _UNTRUSTED, sent)


def _impostor(case: Case) -> Iterator[Attack]:
    """The real certificate, which everybody may have, with a signature of somebody without its key."""
    for certificate in _borrowed(case):

        def present(draft: Draft, real: x509.Certificate = certificate) -> None:
            token = draft.security.findall(BINARY_SECURITY_TOKEN)[-1]
            token.text = base64.b64encode(real.public_bytes(Encoding.DER)).decode()

        sent = _by(case, case.scene.casting.bystander, signed=present)
        if sent is not None and isinstance(certificate.public_key(), rsa.RSAPublicKey):
            how = f"the certificate of {certificate.subject.rfc4514_string()} without its key"
            yield Attack(how, ("signature.value", *_NOT_GOOD_HERE), sent)


def _borrowed(case: Case) -> tuple[x509.Certificate, ...]:
    return case.scene.configured.known(case.demands.trust)[:_MOST]


def _bent(case: Case) -> Iterator[Attack]:
    for how, signer in case.people.bent.signers.items():
        sent = _by(case, signer, send_chain=bool(signer.chain))
        if sent is not None:
            yield Attack(f"a certificate {how}", (_BENT[how],), sent)


def _of_another_trust(case: Case) -> Iterator[Attack]:
    """Whom another service trusts, and this one does not: what is known of one is not believed by the other."""
    trust = case.demands.trust
    for target in case.scene.guarded:
        cast = case.scene.casts[key_of(target)]
        way = next((one for one in case.scene.finder.find(target.demands, cast).ways if one.signed_by), None)
        signer = None if way is None else way.sender.signer
        if way is None or signer is None or target.demands.trust == trust:
            continue
        check = _refusal(signer.certificate, target.demands.trust, trust)
        sent = _by(case, signer)
        if check and sent is not None:
            there = Case(scene=case.scene, target=target, cast=cast, way=way).sent()
            yield Attack(f"by whom {target.service} trusts", (check,), sent, before=(there,))


def _refusal(certificate: x509.Certificate, there: TrustDemands, here: TrustDemands) -> str:
    """The check by which who is trusted ``there`` is refused ``here``; empty: they are not."""
    if not (set(there.ca_files) & set(here.ca_files) or set(there.pinned_certificates) & set(here.pinned_certificates)):
        return "certificate.untrusted"
    if not here.ca_files or fits(certificate.subject, here.subject_cert_constraints):
        return ""
    return "certificate.constraint"


def _reflected(case: Case) -> Iterator[Attack]:
    keyring = case.scene.keyring
    own: dict[x509.Certificate, PrivateKey] = {
        key.certificate: key.private_key for key in keyring.material.decrypt if key.certificate is not None
    }
    if keyring.sign is not None:
        own[keyring.sign.certificate] = keyring.sign.private_key
    for certificate, key in own.items():
        sent = _by(case, SigningKey(key, certificate))
        if sent is not None:
            how = f"by our own key, of {certificate.subject.rfc4514_string()}"
            yield Attack(how, ("certificate.untrusted", "certificate.key_size"), sent)


def _key_value(case: Case) -> Iterator[Attack]:
    public = case.scene.casting.attackers_key.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    numbers = public.public_numbers()

    def present(draft: Draft) -> None:
        info = signature_of(draft)[2]
        for element in list(info):
            info.remove(element)
        value = etree.SubElement(etree.SubElement(info, f"{{{DS}}}KeyValue"), f"{{{DS}}}RSAKeyValue")
        for name, number in (("Modulus", numbers.n), ("Exponent", numbers.e)):
            octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
            etree.SubElement(value, f"{{{DS}}}{name}").text = base64.b64encode(octets).decode()

    sent = _by(case, case.scene.casting.bystander, signed=present)
    if sent is not None:
        yield Attack("by a bare key that the message carries itself", ("certificate.unavailable",), sent)


CONTROLS: Final = (
    Control("certificate.authority", when.signed_by_certificate, _wrong_authority),
    Control("certificate.twin", when.signed_by_certificate, _self_signed),
    Control("certificate.impostor", when.signed_by_certificate, _impostor),
    Control("certificate.bent", when.signed_by_certificate, _bent),
    Control("certificate.other_trust", when.signed_by_certificate, _of_another_trust),
    Control("certificate.own_key", when.signed_by_certificate, _reflected),
    Control("certificate.bare_key", when.signed_by_certificate, _key_value),
)
