"""Revocation lists: complete, signed by an authority of the configuration, current, and asked for every chain."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.pki import DAY, END, NOW, START, Extension, authority, self_signed
from tests.trust.trusting import Trusting
from wsguard.faults import FailedAuthentication
from wsguard.trust.revocation import RevocationList, Revocations

ROOT = authority()
MIDDLE = ROOT.authority("middle")


def refused_at_start(directory: Path, crl: x509.CertificateRevocationList, **trust: Any) -> str:
    """The reason, which must be the only one and said of the list."""
    ((key, reason),) = Trusting(directory, **{"ca_files": [ROOT], **trust}, crl_files=[crl]).problems
    assert key == "trust.crl_files[0]"
    return reason


# --- At start ---------------------------------------------------------------------------------------------------------


def test_a_list_of_somebody_else_is_refused_at_start(tmp_path: Path) -> None:
    assert "CN=stranger, is no certificate of trust.ca_files" in refused_at_start(tmp_path, authority("stranger").crl())


def test_a_list_that_a_namesake_signed_is_refused_at_start(tmp_path: Path) -> None:
    reason = refused_at_start(tmp_path, authority().crl())
    assert reason.endswith("the revocation list of CN=root is not signed with the key of that authority")


def test_a_list_of_an_authority_that_may_not_sign_lists_is_refused_at_start(tmp_path: Path) -> None:
    limited = authority(usage=("key_cert_sign",))
    assert "cRLSign" in refused_at_start(tmp_path, limited.crl(), ca_files=[limited])
    silent = authority(usage=None)
    assert Trusting(tmp_path, ca_files=[silent], crl_files=[silent.crl()]).problems == []


@pytest.mark.parametrize(
    "extension",
    [
        (x509.DeltaCRLIndicator(1), True),
        (
            x509.IssuingDistributionPoint(
                full_name=None,
                relative_name=None,
                only_contains_user_certs=True,
                only_contains_ca_certs=False,
                only_some_reasons=None,
                indirect_crl=False,
                only_contains_attribute_certs=False,
            ),
            True,
        ),
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True),
    ],
)
def test_a_list_that_does_not_say_all_is_refused_at_start(extension: Extension, tmp_path: Path) -> None:
    assert "complete lists are taken only" in refused_at_start(tmp_path, ROOT.crl(extensions=[extension]))


def test_a_list_with_entries_of_other_issuers_is_refused_at_start(tmp_path: Path) -> None:
    issuer = x509.CertificateIssuer([x509.DirectoryName(ROOT.certificate.subject)])
    assert "critical extension" in refused_at_start(tmp_path, ROOT.crl(7, entry_extensions=[(issuer, True)]))


def test_reasons_and_numbers_are_ordinary(tmp_path: Path) -> None:
    reason: Extension = (x509.CRLReason(x509.ReasonFlags.certificate_hold), False)
    crl = ROOT.crl(ROOT.leaf(), extensions=[(x509.CRLNumber(5), False)], entry_extensions=[reason])
    assert Trusting(tmp_path, ca_files=[ROOT], crl_files=[crl]).problems == []


def test_a_stale_list_is_no_mistake_at_start(tmp_path: Path) -> None:
    assert Trusting(tmp_path, ca_files=[ROOT], crl_files=[ROOT.crl(until=START + DAY)]).problems == []


def test_lists_are_not_called_nobodys_where_the_authorities_could_not_be_read(tmp_path: Path) -> None:
    trusting = Trusting(tmp_path, ca_files=[tmp_path / "no.pem"], crl_files=[ROOT.crl()])
    assert [key for key, _ in trusting.problems] == ["trust.ca_files[0]"]


# --- At run time ------------------------------------------------------------------------------------------------------


def test_a_listed_certificate_is_revoked_and_others_are_not(tmp_path: Path) -> None:
    good, bad = ROOT.leaf("good"), ROOT.leaf("bad")
    trusting = Trusting(tmp_path, ca_files=[ROOT], crl_files=[ROOT.crl(bad)])
    assert trusting.trusted(good)
    refusal = trusting.refusal(bad)
    assert isinstance(refusal, FailedAuthentication)
    assert (refusal.check, refusal.setting) == ("certificate.revoked", "trust.crl_files")


def test_a_listed_intermediate_revokes_what_it_issued(tmp_path: Path) -> None:
    trusting = Trusting(tmp_path, ca_files=[ROOT], crl_files=[ROOT.crl(MIDDLE)])
    assert trusting.check(MIDDLE.leaf(), MIDDLE) == "certificate.revoked"
    anchored = Trusting(tmp_path, ca_files=[MIDDLE, ROOT], crl_files=[ROOT.crl(MIDDLE)])
    assert anchored.trusted(MIDDLE.leaf())


def test_a_serial_on_another_authoritys_list_means_nothing(tmp_path: Path) -> None:
    leaf = MIDDLE.leaf(serial=7)
    trusting = Trusting(tmp_path, ca_files=[ROOT], intermediate_files=[MIDDLE], crl_files=[ROOT.crl(7)])
    assert trusting.trusted(leaf)


@pytest.mark.parametrize(
    ("since", "until", "check"),
    [
        (START, NOW + timedelta(seconds=1), ""),
        (NOW, END, ""),
        (START, NOW, "certificate.revoked"),
        (START, NOW - DAY, "certificate.revoked"),
        (NOW + timedelta(seconds=1), END, "certificate.revoked"),
    ],
)
def test_a_list_speaks_from_its_making_until_its_next_update(
    since: Any, until: Any, check: str, tmp_path: Path
) -> None:
    trusting = Trusting(tmp_path, ca_files=[ROOT], crl_files=[ROOT.crl(since=since, until=until)])
    if check:
        assert trusting.check(ROOT.leaf()) == check
    else:
        assert trusting.trusted(ROOT.leaf())


def test_a_list_without_next_update_is_never_current() -> None:
    leaf = ROOT.leaf()
    endless = RevocationList(ROOT.certificate.subject, ROOT.public_key, frozenset(), START, None)
    with pytest.raises(FailedAuthentication) as caught:
        Revocations([endless], "listed").check_chain(leaf.chain, NOW)
    assert caught.value.check == "certificate.revoked"


def test_of_several_lists_the_newest_speaks(tmp_path: Path) -> None:
    leaf = ROOT.leaf()
    old, new = ROOT.crl(leaf, until=START + DAY), ROOT.crl(since=START + DAY)
    assert Trusting(tmp_path, ca_files=[ROOT], crl_files=[new, old]).trusted(leaf)
    assert Trusting(tmp_path, ca_files=[ROOT], crl_files=[ROOT.crl(), ROOT.crl(leaf, since=START + DAY)]).check(
        leaf
    ) == ("certificate.revoked")


def test_listed_asks_only_issuers_with_a_list_and_chain_asks_all(tmp_path: Path) -> None:
    leaf = MIDDLE.leaf()
    trust: dict[str, Any] = {"ca_files": [ROOT], "intermediate_files": [MIDDLE]}
    assert Trusting(tmp_path, **trust, crl_files=[MIDDLE.crl()]).trusted(leaf)
    partly = Trusting(tmp_path, **trust, crl_files=[MIDDLE.crl()], crl_coverage="chain")
    refusal = partly.refusal(leaf)
    assert (refusal.check, refusal.setting) == ("certificate.revoked", "trust.crl_coverage")
    whole = Trusting(tmp_path, **trust, crl_files=[MIDDLE.crl(), ROOT.crl()], crl_coverage="chain")
    assert whole.trusted(leaf)


def test_authorities_that_share_a_name_have_lists_of_their_own(tmp_path: Path) -> None:
    one, other = authority("twin"), authority("twin")
    crls = [one.crl(7), other.crl(8)]
    trusting = Trusting(tmp_path, ca_files=[one, other], crl_files=crls, crl_coverage="chain")
    assert trusting.check(one.leaf(serial=7)) == "certificate.revoked"
    assert trusting.trusted(one.leaf(serial=8))
    assert trusting.check(other.leaf(serial=8)) == "certificate.revoked"
    assert trusting.trusted(other.leaf(serial=7))


def test_a_list_under_an_authoritys_new_key_revokes_what_the_old_one_signed(tmp_path: Path) -> None:
    old, new = authority("twin"), authority("twin")
    trusting = Trusting(tmp_path, ca_files=[old, new], crl_files=[new.crl(7)])
    assert trusting.check(old.leaf(serial=7)) == "certificate.revoked"
    assert trusting.trusted(old.leaf(serial=8))


def test_a_namesakes_list_covers_nothing_where_all_must_be_covered(tmp_path: Path) -> None:
    one, other = authority("twin"), authority("twin")
    trusting = Trusting(tmp_path, ca_files=[one, other], crl_files=[other.crl()], crl_coverage="chain")
    assert trusting.trusted(other.leaf())
    refusal = trusting.refusal(one.leaf())
    assert (refusal.check, refusal.setting) == ("certificate.revoked", "trust.crl_coverage")


def test_a_pinned_certificate_on_its_issuers_list_is_revoked(tmp_path: Path) -> None:
    leaf = ROOT.leaf()
    trust: dict[str, Any] = {"ca_files": [ROOT], "pinned_certificates": [leaf, self_signed()]}
    assert Trusting(tmp_path, **trust, crl_files=[ROOT.crl(leaf)]).check(leaf) == "certificate.revoked"
    assert Trusting(tmp_path, **trust, crl_files=[ROOT.crl(until=NOW)]).check(leaf) == "certificate.revoked"
    assert Trusting(tmp_path, **trust, crl_files=[ROOT.crl()]).trusted(leaf).how == "pinned"


def test_an_expired_certificate_is_expired_before_it_is_revoked(tmp_path: Path) -> None:
    leaf = ROOT.leaf(not_after=NOW - DAY)
    assert Trusting(tmp_path, ca_files=[ROOT], crl_files=[ROOT.crl(leaf)]).check(leaf) == "certificate.expired"
