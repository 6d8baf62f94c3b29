"""A presented certificate is trusted by a chain to an authority of the configuration, and by nothing else."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.pki import (
    DAY,
    END,
    NOW,
    START,
    Extension,
    Issued,
    authority,
    ec_key,
    name,
    rsa_key,
    self_signed,
    weakly_signed,
)
from tests.trust.trusting import Trusting
from wsguard.certificates import CertificateReference
from wsguard.faults import FailedAuthentication
from wsguard.trust import paths

UNKNOWN: Extension = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)


# --- Trusted ----------------------------------------------------------------------------------------------------------


def test_a_certificate_of_an_authority_is_trusted_and_explained(tmp_path: Path) -> None:
    root = authority()
    leaf = root.leaf(name("client", organization_name="Example"), key=rsa_key())
    trusting = Trusting(tmp_path, ca_files=[root])
    trusted = trusting.trusted(leaf)
    assert trusted.certificate == leaf.certificate
    assert trusted.public_key == leaf.key.public_key()
    assert (trusted.subject, trusted.how) == ("CN=client,O=Example", "chain to CN=root")
    assert trusted.sha256 == leaf.certificate.fingerprint(hashes.SHA256()).hex()
    assert trusting.explanation.facts.certificate_subject == trusted.subject
    assert trusting.explanation.facts.certificate_sha256 == trusted.sha256
    (result,) = trusting.explanation.results
    assert (result.check, result.outcome, result.setting) == ("certificate", "passed", "trust.ca_files")
    assert result.seen == "CN=client,O=Example by DirectReference, chain to CN=root"


def test_intermediates_come_from_the_message_or_from_the_configuration(tmp_path: Path) -> None:
    root = authority()
    upper = root.authority("upper")
    lower = upper.authority("lower")
    leaf = lower.leaf()
    assert Trusting(tmp_path, ca_files=[root]).trusted(leaf, lower, upper).how == "chain to CN=root"
    assert Trusting(tmp_path, ca_files=[root], intermediate_files=[upper, lower]).trusted(leaf)
    assert Trusting(tmp_path, ca_files=[root], intermediate_files=[upper]).trusted(leaf, lower)
    assert Trusting(tmp_path, ca_files=[root], intermediate_files=[lower]).trusted(leaf, upper)
    assert Trusting(tmp_path, ca_files=[root]).check(leaf, lower) == "certificate.untrusted"
    assert Trusting(tmp_path, ca_files=[root]).check(leaf) == "certificate.untrusted"


def test_an_intermediate_may_be_the_anchor(tmp_path: Path) -> None:
    middle = authority().authority("middle")
    assert Trusting(tmp_path, ca_files=[middle]).trusted(middle.leaf()).how == "chain to CN=middle"


@pytest.mark.parametrize(
    "ordinary",
    [
        {"usage": None},
        {"usage": None, "ski": False},
        {
            "extensions": [
                (x509.AuthorityKeyIdentifier(b"12", [x509.DirectoryName(name("root"))], 5), False),
            ]
        },
        {"key": rsa_key(9)},
        {"key": ec_key(ec.SECP521R1())},
        {"path_length": 0},
    ],
)
def test_authorities_as_private_tools_make_them_are_taken(ordinary: dict[str, object], tmp_path: Path) -> None:
    root = authority(**ordinary)  # type: ignore[arg-type]
    assert Trusting(tmp_path, ca_files=[root]).trusted(root.leaf())


@pytest.mark.parametrize(
    "extensions",
    [
        [(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), True)],
        [(x509.SubjectAlternativeName([x509.RFC822Name("a@example.org")]), False)],
        [(UNKNOWN[0], False)],
    ],
)
def test_ordinary_client_certificates_are_taken(extensions: list[Extension], tmp_path: Path) -> None:
    root = authority()
    assert Trusting(tmp_path, ca_files=[root]).trusted(root.leaf(extensions=extensions, usage=None, ca=None))


def test_two_authorities_may_share_their_name(tmp_path: Path) -> None:
    old, new = authority(), authority()
    trusting = Trusting(tmp_path, ca_files=[old, new])
    assert trusting.trusted(old.leaf())
    assert trusting.trusted(new.leaf())


def test_an_authority_may_be_renewed_with_its_key(tmp_path: Path) -> None:
    old = authority(not_after=NOW - DAY)
    new = authority(key=old.key, not_before=NOW - DAY)
    trusting = Trusting(tmp_path, ca_files=[old, new])
    assert trusting.trusted(old.leaf())
    assert trusting.trusted(old.leaf(), now=NOW - 2 * DAY)


def test_an_authority_may_have_been_renewed_many_times(tmp_path: Path) -> None:
    first = authority(not_after=NOW - DAY)
    renewals = [authority(key=first.key, not_after=NOW - DAY) for _ in range(8)]
    last = authority(key=first.key)
    assert Trusting(tmp_path, ca_files=[first, *renewals, last]).trusted(first.leaf())


def test_cross_certified_authorities_are_reached_by_any_way(tmp_path: Path) -> None:
    ours, theirs = authority("ours"), authority("theirs")
    crossed = ours.authority("theirs", key=theirs.key)
    leaf = theirs.leaf()
    assert Trusting(tmp_path, ca_files=[ours]).trusted(leaf, theirs, crossed).how == "chain to CN=ours"
    both = Trusting(tmp_path, ca_files=[ours, theirs])
    assert both.trusted(leaf, crossed).how == "chain to CN=theirs"


# --- Strangers --------------------------------------------------------------------------------------------------------


def test_a_certificate_that_signed_itself_is_untrusted(tmp_path: Path) -> None:
    refusal = Trusting(tmp_path, ca_files=[authority()]).refusal(self_signed())
    assert refusal.check == "certificate.untrusted"
    assert isinstance(refusal, FailedAuthentication)
    assert refusal.setting == "trust.ca_files"


def test_nothing_is_trusted_where_nothing_is_configured(tmp_path: Path) -> None:
    root = authority()
    assert Trusting(tmp_path).check(root.leaf(), root) == "certificate.untrusted"


def test_an_authority_with_a_trusted_ones_name_and_key_identifier_is_untrusted(tmp_path: Path) -> None:
    good = authority(ski=b"the same")
    evil = authority(ski=b"the same", serial=good.certificate.serial_number)
    trusting = Trusting(tmp_path, ca_files=[good])
    assert trusting.check(evil.leaf(), evil) == "certificate.untrusted"
    assert trusting.check(evil.leaf(), good) == "certificate.untrusted"
    assert trusting.check(evil.authority("middle").leaf(), evil.authority("middle"), evil) == "certificate.untrusted"


def test_a_leaf_used_as_an_authority_makes_nobody_trusted(tmp_path: Path) -> None:
    root = authority()
    trusting = Trusting(tmp_path, ca_files=[root])
    for leaf in (
        root.leaf("leaf"),
        root.leaf("leaf", ca=None),
        root.leaf("leaf", ca=None, usage=None),
        root.leaf("leaf", usage=("key_cert_sign", "digital_signature")),
        root.authority("leaf", usage=("digital_signature",)),
    ):
        assert trusting.check(leaf.leaf("victim"), leaf) == "certificate.untrusted"


def test_a_longer_chain_than_an_authority_permits_is_untrusted(tmp_path: Path) -> None:
    root = authority(path_length=1)
    upper = root.authority("upper")
    lower = upper.authority("lower")
    trusting = Trusting(tmp_path, ca_files=[root])
    assert trusting.trusted(upper.leaf(), upper)
    assert trusting.check(lower.leaf(), lower, upper) == "certificate.untrusted"


def test_a_chain_longer_than_any_is_untrusted(tmp_path: Path) -> None:
    root = authority()
    chain = [root]
    for number in range(paths.MOST_INTERMEDIATES + 1):
        chain.append(chain[-1].authority(f"authority {number}"))
    trusting = Trusting(tmp_path, ca_files=[root])
    assert trusting.trusted(chain[-2].leaf(), *reversed(chain[1:-1]))
    assert trusting.check(chain[-1].leaf(), *reversed(chain[1:])) == "certificate.untrusted"


def test_names_outside_an_authoritys_constraints_are_untrusted(tmp_path: Path) -> None:
    root = authority()
    constraints = x509.NameConstraints([x509.RFC822Name("good.example")], None)
    bound = root.authority("bound", extensions=[(constraints, True)])
    trusting = Trusting(tmp_path, ca_files=[root], intermediate_files=[bound])
    for address, trusted in (("a@good.example", True), ("a@bad.example", False)):
        leaf = bound.leaf(extensions=[(x509.SubjectAlternativeName([x509.RFC822Name(address)]), False)])
        if trusted:
            assert trusting.trusted(leaf)
        else:
            assert trusting.check(leaf) == "certificate.untrusted"


@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.MD5()])
def test_signatures_that_can_be_forged_make_nobody_trusted(algorithm: hashes.SHA1 | hashes.MD5, tmp_path: Path) -> None:
    root = authority(key=rsa_key(1))
    leaf = root.leaf("leaf")
    middle = root.authority("middle")
    trusting = Trusting(tmp_path, ca_files=[root])
    refusal = trusting.refusal(weakly_signed(leaf, algorithm))
    assert refusal.check == "certificate.untrusted"
    assert refusal.seen == f"no authority of ours signed it: CN=leaf, issued by CN=root, signed with {algorithm.name}"
    assert trusting.check(middle.leaf(), weakly_signed(middle, algorithm)) == "certificate.untrusted"
    assert trusting.trusted(leaf)


def test_critical_extensions_that_nobody_knows_make_nobody_trusted(tmp_path: Path) -> None:
    root = authority()
    middle = root.authority("middle", extensions=[UNKNOWN])
    trusting = Trusting(tmp_path, ca_files=[root])
    assert trusting.check(root.leaf(extensions=[UNKNOWN])) == "certificate.untrusted"
    assert trusting.check(middle.leaf(), middle) == "certificate.untrusted"


def test_what_the_surroundings_trust_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, ambient = authority("ours"), authority("ambient")
    file = tmp_path / "ambient.pem"
    file.write_bytes(ambient.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert Trusting(tmp_path, ca_files=[ours]).check(ambient.leaf(), ambient) == "certificate.untrusted"


def test_intermediate_files_are_no_anchors(tmp_path: Path) -> None:
    stranger = authority("stranger")
    trusting = Trusting(tmp_path, ca_files=[authority()], intermediate_files=[stranger])
    assert trusting.check(stranger.leaf()) == "certificate.untrusted"


def test_known_and_clients_certificates_are_trusted_by_their_chain_only(tmp_path: Path) -> None:
    stranger = authority("stranger").leaf()
    trusting = Trusting(tmp_path, ca_files=[authority()], known_certificates=[stranger])
    assert trusting.check(stranger) == "certificate.untrusted"


# --- Keys and their use -----------------------------------------------------------------------------------------------


def test_an_rsa_key_below_the_minimum_is_refused(tmp_path: Path) -> None:
    root = authority()
    leaf = root.leaf(key=rsa_key(2))
    refusal = Trusting(tmp_path, ca_files=[root], min_rsa_bits=3072).refusal(leaf)
    assert (refusal.check, refusal.setting) == ("certificate.key_size", "algorithms.min_rsa_bits")
    small = root.leaf(key=rsa_key(0, 1024))
    assert Trusting(tmp_path, ca_files=[root]).check(small) == "certificate.key_size"
    assert Trusting(tmp_path, ca_files=[root], min_rsa_bits=1024).trusted(small)


def test_the_minimum_of_each_service_holds_though_verdicts_are_kept(tmp_path: Path) -> None:
    root = authority()
    services = {"A": {"operations": ("{a}b",), "algorithms": {"min_rsa_bits": 4096}}}
    trusting = Trusting(tmp_path, ca_files=[root], services=services)
    leaf = root.leaf(key=rsa_key(2))
    assert trusting.trusted(leaf)
    trusting.policy = trusting.policy.model_copy(update={"algorithms": trusting.policy.services["A"].algorithms})
    assert trusting.check(leaf) == "certificate.key_size"


def test_curves_off_the_list_are_refused_and_the_three_are_taken(tmp_path: Path) -> None:
    root = authority()
    trusting = Trusting(tmp_path, ca_files=[root])
    assert trusting.check(root.leaf(key=ec_key(ec.SECP256K1()))) == "certificate.key_size"
    for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()):
        assert trusting.trusted(root.leaf(key=ec_key(curve)))


def test_kinds_of_key_that_sign_no_xml_are_malformed(tmp_path: Path) -> None:
    root = authority()
    trusting = Trusting(tmp_path, ca_files=[root])
    assert trusting.check(root.leaf(key=ed25519.Ed25519PrivateKey.generate())) == "certificate.malformed"
    assert trusting.check(root.leaf(key=dsa.generate_private_key(2048))) == "certificate.malformed"


@pytest.mark.parametrize(
    ("usage", "may_sign"),
    [
        (("digital_signature",), True),
        (("content_commitment",), True),
        (("digital_signature", "key_encipherment"), True),
        (None, True),
        (("key_encipherment",), False),
        (("key_agreement",), False),
    ],
)
def test_a_key_that_may_not_sign_is_refused(usage: tuple[str, ...] | None, may_sign: bool, tmp_path: Path) -> None:
    root = authority()
    leaf = root.leaf(usage=usage)
    trusting = Trusting(tmp_path, ca_files=[root])
    if may_sign:
        assert trusting.trusted(leaf)
    else:
        assert trusting.check(leaf) == "certificate.key_usage"
    pinned = Trusting(tmp_path, pinned_certificates=[leaf])
    if may_sign:
        assert pinned.trusted(leaf)
    else:
        assert pinned.check(leaf) == "certificate.key_usage"


def test_an_authority_signs_no_messages(tmp_path: Path) -> None:
    root = authority()
    middle = root.authority("middle", usage=("key_cert_sign", "digital_signature"))
    trusting = Trusting(tmp_path, ca_files=[root])
    assert trusting.check(middle) == "certificate.key_usage"
    assert trusting.check(root) == "certificate.untrusted"


def test_our_own_key_is_never_trusted_however_its_certificate_comes(tmp_path: Path) -> None:
    root = authority()
    ours = root.leaf("ours")
    again = root.leaf("ours again", key=ours.key)
    own = frozenset({ours.public_key})
    trusting = Trusting(tmp_path, ca_files=[root], pinned_certificates=[again], own_keys=own)
    for one in (ours, again, self_signed("mirror", key=ours.key)):
        refusal = trusting.refusal(one)
        assert (refusal.check, refusal.seen) == ("certificate.untrusted", "our own key reflected")
    assert trusting.trusted(root.leaf())


# --- Time -------------------------------------------------------------------------------------------------------------


def test_a_certificate_is_valid_from_its_first_to_its_last_second(tmp_path: Path) -> None:
    root = authority(not_after=END + DAY, not_before=START - DAY)
    leaf = root.leaf()
    trusting = Trusting(tmp_path, ca_files=[root])
    second = timedelta(seconds=1)
    for now in (START, END):
        assert trusting.trusted(leaf, now=now)
    for now in (START - second, END + second):
        assert trusting.check(leaf, now=now) == "certificate.expired"


def test_an_authority_past_its_date_is_expired_where_nothing_else_is_wrong(tmp_path: Path) -> None:
    old_root = authority(not_after=NOW - DAY)
    assert Trusting(tmp_path, ca_files=[old_root]).check(old_root.leaf()) == "certificate.expired"
    root = authority()
    old = root.authority("old", not_after=NOW - DAY)
    trusting = Trusting(tmp_path, ca_files=[root])
    assert trusting.check(old.leaf(), old) == "certificate.expired"
    assert trusting.check(old.leaf(extensions=[UNKNOWN]), old) == "certificate.untrusted"


def test_a_certificate_that_expired_before_its_authority_began_is_expired(tmp_path: Path) -> None:
    root = authority()
    leaf = root.leaf(not_before=START - 9 * DAY, not_after=START - DAY)
    assert Trusting(tmp_path, ca_files=[root]).check(leaf) == "certificate.expired"


def test_an_expired_certificate_of_a_stranger_is_untrusted(tmp_path: Path) -> None:
    good, evil = authority(), authority()
    leaf = evil.leaf(not_after=NOW - DAY)
    assert Trusting(tmp_path, ca_files=[good]).check(leaf, evil) == "certificate.untrusted"


# --- Pinned -----------------------------------------------------------------------------------------------------------


def test_a_pinned_certificate_needs_no_chain(tmp_path: Path) -> None:
    leaf = self_signed()
    trusting = Trusting(tmp_path, pinned_certificates=[leaf], subject_cert_constraints=["CN=somebody else"])
    assert trusting.trusted(leaf).how == "pinned"
    assert trusting.explanation.results[0].setting == "trust.pinned_certificates"
    authority_itself = authority(usage=None)
    assert Trusting(tmp_path, pinned_certificates=[authority_itself]).trusted(authority_itself)


def test_another_certificate_of_a_pinned_ones_key_is_untrusted(tmp_path: Path) -> None:
    leaf = self_signed(serial=7)
    twin = self_signed(serial=7, key=leaf.key, not_after=END + DAY)
    assert Trusting(tmp_path, pinned_certificates=[leaf]).check(twin) == "certificate.untrusted"
    assert Trusting(tmp_path, pinned_certificates=[leaf]).check(leaf.leaf(), leaf) == "certificate.untrusted"


def test_a_pinned_certificate_expires_and_may_be_too_weak(tmp_path: Path) -> None:
    old = self_signed(not_after=NOW - DAY)
    weak = self_signed(key=rsa_key(0, 1024))
    trusting = Trusting(tmp_path, pinned_certificates=[old, weak])
    assert trusting.check(old) == "certificate.expired"
    assert trusting.check(weak) == "certificate.key_size"
    assert trusting.trusted(old, now=NOW - 2 * DAY)


# --- Constraints ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("patterns", "check"),
    [
        ([], ""),
        (["CN=client,O=Example"], ""),
        (["CN=other", "CN=client,.*"], ""),
        (["CN=client"], "certificate.constraint"),
        (["O=Example"], "certificate.constraint"),
        (["(?:CN=cli|CN=client)"], "certificate.constraint"),
    ],
)
def test_one_subject_pattern_must_match_from_end_to_end(patterns: list[str], check: str, tmp_path: Path) -> None:
    root = authority()
    leaf = root.leaf(name("client", organization_name="Example"))
    trusting = Trusting(tmp_path, ca_files=[root], subject_cert_constraints=patterns)
    if check:
        refusal = trusting.refusal(leaf)
        assert (refusal.check, refusal.setting) == (check, "trust.subject_cert_constraints")
    else:
        assert trusting.trusted(leaf)


def test_the_issuer_patterns_look_at_the_issuer_of_the_certificate(tmp_path: Path) -> None:
    root = authority()
    middle = root.authority("middle")
    trusting = Trusting(tmp_path, ca_files=[root], intermediate_files=[middle], issuer_cert_constraints=["CN=middle"])
    assert trusting.trusted(middle.leaf())
    refusal = trusting.refusal(root.leaf())
    assert (refusal.check, refusal.setting) == ("certificate.constraint", "trust.issuer_cert_constraints")


def test_a_subject_that_hides_a_line_behind_the_right_one_is_refused(tmp_path: Path) -> None:
    root = authority()
    leaf = root.leaf(name("client\nCN=other"))
    trusting = Trusting(tmp_path, ca_files=[root], subject_cert_constraints=["CN=client.*", "CN=client$"])
    assert trusting.check(leaf) == "certificate.constraint"
    assert "\n" not in trusting.explanation.facts.certificate_subject


# --- Cost -------------------------------------------------------------------------------------------------------------


def mesh(roots: Iterable[Issued]) -> list[Issued]:
    """Authorities of one name, each certified by all others."""
    keys = [one.key for one in roots]
    return [
        authority("mesh", key=signer).authority("mesh", key=key) for signer in keys for key in keys if key != signer
    ]


def count_signatures(monkeypatch: pytest.MonkeyPatch) -> list[x509.Certificate]:
    """The certificates whose signature is looked at, as they are."""
    seen: list[x509.Certificate] = []
    original = paths._Search._issued

    def counting(search: paths._Search, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
        seen.append(issuer)
        return original(search, certificate, issuer)

    monkeypatch.setattr(paths._Search, "_issued", counting)
    return seen


def test_no_key_of_a_stranger_is_ever_computed_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = authority("mesh")
    strangers = mesh([authority(f"{number}", key=rsa_key(number, 4096)) for number in range(3)])
    leaf = strangers[0].leaf()
    trusting = Trusting(tmp_path, ca_files=[root])
    trusting.trusted(root.leaf())
    issuers = count_signatures(monkeypatch)
    assert trusting.check(leaf, *strangers) == "certificate.untrusted"
    assert set(issuers) == {root.certificate}
    assert len(issuers) == len(strangers) + 1


def judged_paths(monkeypatch: pytest.MonkeyPatch) -> list[paths.Path]:
    """The paths that the library is asked about."""
    judged: list[paths.Path] = []
    original = paths._verified

    def judging(path: paths.Path, at: datetime) -> paths.Path:
        judged.append(path)
        return original(path, at)

    monkeypatch.setattr(paths, "_verified", judging)
    return judged


def test_a_path_passes_no_authority_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = authority()
    insiders = mesh([authority(f"{number}") for number in range(3)])
    entry = root.authority("mesh", key=insiders[0].key)
    judged = judged_paths(monkeypatch)
    leaf = insiders[0].leaf(extensions=[UNKNOWN])
    assert Trusting(tmp_path, ca_files=[root]).check(leaf, entry, *insiders) == "certificate.untrusted"
    assert judged == [(leaf.certificate, entry.certificate, root.certificate)]


def test_of_many_paths_only_some_are_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = authority()
    keys = [authority(f"{number}") for number in range(3)]
    entries = [root.authority("mesh", key=one.key) for one in keys]
    judged = judged_paths(monkeypatch)
    monkeypatch.setattr(paths, "MOST_PATHS", 2)
    leaf = entries[0].leaf(extensions=[UNKNOWN])
    assert Trusting(tmp_path, ca_files=[root]).check(leaf, *entries, *mesh(keys)) == "certificate.untrusted"
    assert len(judged) == 2


def test_signatures_beyond_the_bound_are_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = authority()
    upper = root.authority("upper")
    lower = upper.authority("lower")
    trusting = Trusting(tmp_path, ca_files=[root])
    monkeypatch.setattr(paths, "MOST_SIGNATURES", 2)
    assert trusting.check(lower.leaf(), lower, upper) == "certificate.untrusted"
    monkeypatch.setattr(paths, "MOST_SIGNATURES", 3)
    assert trusting.trusted(lower.leaf(), lower, upper)


def test_der_that_cryptography_puts_off_reading_is_malformed(tmp_path: Path) -> None:
    root = authority()
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.15"), b"\x04\x01x")
    leaf = root.leaf(usage=None, extensions=[(extension, False)])
    with pytest.raises(ValueError, match="parsing"):
        _ = x509.load_der_x509_certificate(leaf.certificate.public_bytes(Encoding.DER)).extensions
    trusting = Trusting(tmp_path, ca_files=[root])
    assert trusting.check(leaf) == "certificate.malformed"
    by_identifier = CertificateReference(form="", presented=(leaf.certificate,), key_identifier=b"x")
    assert trusting.check(by_identifier) == "certificate.malformed"
