"""From how a message names a certificate to those that are trusted."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pki import DAY, NOW, authority, ec_key, name, rsa_key, self_signed
from tests.trust.trusting import Trusting, presented, referred
from wsguard.certificates import CertificateReference, decode
from wsguard.faults import FailedAuthentication, InvalidSecurityToken, SecurityFault, SecurityTokenUnavailable
from wsguard.interfaces import Trust
from wsguard.names import X509_V3
from wsguard.trust import load_trust
from wsguard.trust.choosing import MOST_TWINS

ROOT = authority(name("root", country_name="US"))
LEAF = ROOT.leaf(key=rsa_key(), serial=(1 << 159) - 1)
FORMS: dict[str, dict[str, Any]] = {
    "IssuerSerial": {"issuer": "C=US, CN=root", "serial": LEAF.certificate.serial_number},
    "SKIKeyIdentifier": {"key_identifier": x509.SubjectKeyIdentifier.from_public_key(LEAF.key.public_key()).digest},
    "Thumbprint": {"thumbprint": hashlib.sha1(LEAF.der).digest()},
    "SubjectName": {"subject": "cn=CLIENT"},
}


def test_it_is_a_trust(tmp_path: Path) -> None:
    trust: Trust = Trusting(tmp_path, ca_files=[ROOT]).trust
    assert isinstance(trust, Trust)


@pytest.mark.parametrize("form", list(FORMS))
@pytest.mark.parametrize("key", ["known_certificates", "pinned_certificates"])
def test_a_certificate_of_the_configuration_is_found_by_every_form(form: str, key: str, tmp_path: Path) -> None:
    files: dict[str, Any] = {key: [ROOT.leaf("other"), LEAF]}
    trusting = Trusting(tmp_path, ca_files=[ROOT], **files)
    (trusted,) = trusting.chosen(CertificateReference(form=form, **FORMS[form]))
    assert trusted.certificate == LEAF.certificate
    assert f"by {form}," in trusting.explanation.results[0].seen


def test_a_clients_certificate_is_found_and_judged_as_others_are(tmp_path: Path) -> None:
    file = tmp_path / "client.pem"
    file.write_bytes(LEAF.pem + ROOT.pem)
    client = [{"name": "pega", "certificate": file}]
    trusting = Trusting(tmp_path, ca_files=[ROOT], client=client)
    assert trusting.chosen(referred(subject="CN=client"))[0].certificate == LEAF.certificate
    assert trusting.trust.client_certificates == {
        "pega": hashlib.sha256(LEAF.certificate.tbs_certificate_bytes).hexdigest()
    }
    assert trusting.check(referred(subject="CN=root,C=US")) == "certificate.unavailable"
    stranger = Trusting(tmp_path, ca_files=[authority()], client=client)
    assert stranger.check(referred(subject="CN=client")) == "certificate.untrusted"


@pytest.mark.parametrize(
    "fields",
    [
        {"issuer": "CN=root,C=US", "serial": 5},
        {"issuer": "CN=other", "serial": LEAF.certificate.serial_number},
        {"serial": 0},
        {"key_identifier": b"x"},
        {"thumbprint": b"x"},
        {"subject": "CN=nobody"},
        {"subject": "nobody"},
        {"issuer": "CN=root,C=US"},
        {},
    ],
)
def test_a_reference_to_nothing_here_is_unavailable(fields: dict[str, object], tmp_path: Path) -> None:
    trusting = Trusting(tmp_path, ca_files=[ROOT], known_certificates=[LEAF])
    refusal = trusting.refusal(referred(**fields))
    assert isinstance(refusal, SecurityTokenUnavailable)
    assert (refusal.check, refusal.setting) == ("certificate.unavailable", "trust.known_certificates")
    assert trusting.explanation.facts.certificate_subject == ""


def test_authorities_are_not_found_as_signers(tmp_path: Path) -> None:
    trusting = Trusting(tmp_path, ca_files=[ROOT], intermediate_files=[ROOT.authority("middle")])
    assert trusting.check(referred(subject="CN=middle")) == "certificate.unavailable"


def test_a_bare_key_names_a_pinned_certificate_only(tmp_path: Path) -> None:
    reference = CertificateReference(form="KeyValue", public_key=LEAF.public_key)
    known = Trusting(tmp_path, ca_files=[ROOT], known_certificates=[LEAF])
    refusal = known.refusal(reference)
    assert (refusal.check, refusal.setting) == ("certificate.unavailable", "trust.pinned_certificates")
    pinned = Trusting(tmp_path, pinned_certificates=[LEAF])
    assert pinned.chosen(reference)[0].certificate == LEAF.certificate


def test_what_is_said_beside_a_presented_certificate_must_fit_it(tmp_path: Path) -> None:
    trusting = Trusting(tmp_path, ca_files=[ROOT], known_certificates=[LEAF])
    other = ROOT.leaf("other")
    for form, fields in FORMS.items():
        right = CertificateReference(form=form, presented=(LEAF.certificate,), **fields)
        assert trusting.chosen(right)[0].certificate == LEAF.certificate
        wrong = CertificateReference(form=form, presented=(other.certificate,), **fields)
        refusal = trusting.refusal(wrong)
        assert isinstance(refusal, InvalidSecurityToken)
        assert refusal.check == "certificate.malformed"


def test_only_the_first_presented_certificate_is_meant(tmp_path: Path) -> None:
    evil = self_signed("evil")
    trusting = Trusting(tmp_path, ca_files=[ROOT])
    assert trusting.check(evil, LEAF) == "certificate.untrusted"
    assert trusting.trusted(LEAF, evil).certificate == LEAF.certificate


# --- Twins ------------------------------------------------------------------------------------------------------------


def test_of_twins_the_trusted_one_is_chosen(tmp_path: Path) -> None:
    evil = authority(ROOT.certificate.subject).leaf(serial=LEAF.certificate.serial_number)
    for order in ([evil, LEAF], [LEAF, evil]):
        trusting = Trusting(tmp_path, ca_files=[ROOT], known_certificates=order)
        (trusted,) = trusting.chosen(referred(**FORMS["IssuerSerial"]))
        assert trusted.certificate == LEAF.certificate
        assert trusting.explanation.facts.certificate_sha256 == trusted.sha256


def test_of_trusted_twins_both_are_chosen_the_newer_first(tmp_path: Path) -> None:
    old, new = ROOT.leaf("old", serial=7), ROOT.leaf("new", serial=7, not_before=NOW - DAY)
    trusting = Trusting(tmp_path, ca_files=[ROOT], known_certificates=[old], pinned_certificates=[new])
    chosen = trusting.chosen(referred(issuer="CN=root,C=US", serial=7))
    assert [one.certificate for one in chosen] == [new.certificate, old.certificate]
    (result,) = trusting.explanation.results
    assert result.seen == "CN=new by IssuerSerial, pinned, and 1 more that it fits"


def test_of_twins_that_are_refused_the_one_that_came_closest_is_told(tmp_path: Path) -> None:
    stranger = authority("root").leaf("stranger", serial=7)
    old = ROOT.leaf("old", serial=7, not_after=NOW - DAY)
    for order in ([stranger, old], [old, stranger]):
        trusting = Trusting(tmp_path, ca_files=[ROOT], known_certificates=order)
        assert trusting.check(referred(serial=7)) == "certificate.expired"
        assert trusting.explanation.facts.certificate_subject == "CN=old"
        assert trusting.explanation.results == []


def test_twins_are_bounded_and_the_newest_are_tried(tmp_path: Path) -> None:
    key = ec_key()
    several = [
        ROOT.leaf(f"{number}", key=key, not_before=NOW - (MOST_TWINS + 3 - number) * DAY)
        for number in range(MOST_TWINS + 2)
    ]
    trusting = Trusting(tmp_path, ca_files=[ROOT], known_certificates=several)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest
    chosen = trusting.chosen(referred(key_identifier=identifier))
    assert [one.certificate for one in chosen] == [one.certificate for one in reversed(several[2:])]


def test_a_certificate_that_is_known_twice_is_chosen_once(tmp_path: Path) -> None:
    trusting = Trusting(tmp_path, ca_files=[ROOT], known_certificates=[LEAF, LEAF], pinned_certificates=[LEAF])
    assert len(trusting.chosen(referred(**FORMS["IssuerSerial"]))) == 1


# --- Faults -----------------------------------------------------------------------------------------------------------


def test_refusals_say_whose_certificate_it_claims_to_be(tmp_path: Path) -> None:
    trusting = Trusting(tmp_path, ca_files=[ROOT])
    stranger = self_signed(name("evil\n\x1b[2J"))
    refusal = trusting.refusal(stranger)
    assert isinstance(refusal, FailedAuthentication)
    assert trusting.explanation.facts.certificate_subject == r"CN=evil\n\x1b[2J"
    assert trusting.explanation.facts.certificate_sha256 == hashlib.sha256(stranger.der).hexdigest()


def test_a_damaged_certificate_is_trusted_by_nobody_and_nothing_leaks(tmp_path: Path) -> None:
    middle = ROOT.authority("middle", serial=3)
    leaf = middle.leaf(serial=5, key=rsa_key())
    trusting = Trusting(tmp_path, ca_files=[ROOT])
    good = (leaf.der, middle.der)
    signed = tuple(one.certificate.tbs_certificate_bytes for one in (leaf, middle))

    @settings(deadline=None)
    @given(st.data())
    def damage(data: st.DataObject) -> None:
        octets = [bytearray(one) for one in good]
        damaged = octets[data.draw(st.integers(0, 1))]
        for _ in range(data.draw(st.integers(1, 3))):
            damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
        # Without the verdicts that were kept.
        trusting.trust = load_trust(trusting.policy, trusting.attempt, frozenset())
        assert damaged_check(trusting, octets, signed).startswith(("certificate.", "trusted as signed"))

    damage()


def damaged_check(trusting: Trusting, octets: list[bytearray], signed: tuple[bytes, ...]) -> str:
    try:
        certificates = [decode(bytes(one), X509_V3)[0] for one in octets]
        trusting.chosen(presented(*certificates))
    except SecurityFault as fault:
        return fault.check
    # Two mistakes may cancel each other, and a signature may be written in several ways.
    unharmed = tuple(one.tbs_certificate_bytes for one in certificates) == signed
    return "trusted as signed" if unharmed else "trusted"


# --- Verdicts that are kept -------------------------------------------------------------------------------------------


def test_a_verdict_is_kept_and_ends_with_the_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    middle = ROOT.authority("middle", not_before=NOW - DAY)
    leaf = middle.leaf(not_after=NOW + DAY)
    trusting = Trusting(tmp_path, ca_files=[ROOT])
    trusting.trusted(leaf, middle)
    # Without its intermediate nothing but the verdict is left.
    assert trusting.trusted(leaf).how == "chain to CN=root,C=US"
    assert trusting.check(leaf, middle, now=NOW + 2 * DAY) == "certificate.expired"
    assert trusting.check(leaf, middle, now=NOW - 2 * DAY) == "certificate.expired"
    assert trusting.trusted(leaf)


def test_a_verdict_ends_with_the_lists_next_update_and_begins_with_its_making(tmp_path: Path) -> None:
    crl = ROOT.crl(since=NOW - DAY, until=NOW + DAY)
    trusting = Trusting(tmp_path, ca_files=[ROOT], crl_files=[crl])
    assert trusting.trusted(LEAF)
    assert trusting.check(LEAF, now=NOW + DAY) == "certificate.revoked"
    assert trusting.check(LEAF, now=NOW - 2 * DAY) == "certificate.revoked"
    assert trusting.trusted(LEAF)


def test_a_pinned_verdict_ends_with_the_certificate(tmp_path: Path) -> None:
    leaf = self_signed(not_after=NOW + DAY)
    trusting = Trusting(tmp_path, pinned_certificates=[leaf])
    assert trusting.trusted(leaf)
    assert trusting.check(leaf, now=NOW + 2 * DAY) == "certificate.expired"


def test_refusals_are_not_kept(tmp_path: Path) -> None:
    middle = ROOT.authority("middle")
    leaf = middle.leaf()
    trusting = Trusting(tmp_path, ca_files=[ROOT])
    assert trusting.check(leaf) == "certificate.untrusted"
    assert trusting.trusted(leaf, middle)


def test_verdicts_of_one_service_are_not_anothers(tmp_path: Path) -> None:
    stranger = authority("stranger")
    file = tmp_path / "stranger.pem"
    file.write_bytes(stranger.pem)
    services = {"A": {"operations": ("{a}b",), "trust": {"ca_files": [file]}}}
    trusting = Trusting(tmp_path, ca_files=[ROOT], services=services)
    leaf = stranger.leaf()
    at_a = trusting.policy.services["A"]
    assert trusting.trust.choose(presented(leaf), at_a, NOW, trusting.explanation)
    assert trusting.check(leaf) == "certificate.untrusted"
    with pytest.raises(SecurityFault):
        trusting.trust.choose(presented(LEAF), at_a, NOW, trusting.explanation)
    assert trusting.trusted(LEAF)
