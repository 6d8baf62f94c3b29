"""What certificates and revocation lists tell: given as values, and opened by ``wsguard check``."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests import pki
from tests.pki import DAY, END, NOW, START, Issued
from wsguard.cli.opened_material import open_material
from wsguard.lint import Finding, Material, material_findings
from wsguard.lint.material import MATERIAL_CATALOGUE, OpenedCertificate, OpenedList, RefusedCertificate, Role
from wsguard.policy import Policy

ROOT = pki.authority("root")
HOUR = timedelta(hours=1)


def opened(issued: Issued, role: Role = "pinned") -> OpenedCertificate:
    return OpenedCertificate(setting="here", role=role, certificate=issued.certificate)


def found(*certificates: OpenedCertificate, now: datetime = NOW) -> list[tuple[str, str]]:
    listed = material_findings(Material(certificates=certificates), now)
    return [(finding.rule, finding.setting) for finding in listed]


def rules(material: Material, now: datetime = NOW) -> list[str]:
    return [finding.rule for finding in material_findings(material, now)]


SOUND = ROOT.leaf("alice")


def test_a_certificate_with_years_to_go_has_no_finding() -> None:
    assert found(opened(SOUND), opened(ROOT, "anchor")) == []


@pytest.mark.parametrize(
    ("left", "rule"),
    [
        (31 * DAY, None),
        (30 * DAY, "lint.certificate_expires"),
        (HOUR, "lint.certificate_expires"),
        (timedelta(0), "lint.certificate_expires"),
        (-HOUR, "lint.certificate_expired"),
    ],
    ids=["31 days", "30 days", "an hour", "now", "past"],
)
@pytest.mark.parametrize("role", ["sign", "decrypt", "anchor", "intermediate", "known", "pinned", "client"])
def test_a_certificate_is_announced_thirty_days_before_it_expires(
    left: timedelta, rule: str | None, role: Role
) -> None:
    leaf = ROOT.leaf("alice", not_after=NOW + left, usage=("digital_signature", "key_encipherment"))
    assert found(opened(leaf, role)) == ([(rule, "here")] if rule else [])


def test_what_an_expired_certificate_means_depends_on_what_it_is_for() -> None:
    leaf = ROOT.leaf("alice", not_after=NOW - DAY, usage=("digital_signature", "key_encipherment"))
    roles: tuple[Role, ...] = ("sign", "decrypt", "anchor", "client")
    material = Material(certificates=tuple(opened(leaf, role) for role in roles))
    texts = {finding.text for finding in material_findings(material, NOW) if finding.rule == "lint.certificate_expired"}
    assert len(texts) == len(roles)


def test_a_certificate_of_tomorrow_is_not_valid_yet() -> None:
    assert found(opened(ROOT.leaf("alice", not_before=NOW + DAY))) == [("lint.certificate_not_yet_valid", "here")]
    assert found(opened(ROOT.leaf("alice", not_before=NOW))) == []


def test_a_short_key_is_weak() -> None:
    short, long = ROOT.leaf("a", key=pki.rsa_key(1, bits=1024)), ROOT.leaf("b", key=pki.rsa_key())
    assert found(opened(short), opened(long)) == [("lint.key_weak", "here")]


@pytest.mark.parametrize(
    ("role", "usage", "fits"),
    [
        ("sign", ("digital_signature",), True),
        ("sign", ("content_commitment",), True),
        ("sign", ("key_encipherment",), False),
        ("sign", None, True),
        ("decrypt", ("key_encipherment",), True),
        ("decrypt", ("key_agreement",), True),
        ("decrypt", ("digital_signature",), False),
        ("client", ("key_encipherment",), True),
    ],
)
def test_the_key_usage_of_our_own_certificates_fits(role: Role, usage: tuple[str, ...] | None, fits: bool) -> None:
    assert found(opened(ROOT.leaf("us", usage=usage), role)) == ([] if fits else [("lint.own_key_usage", "here")])


def test_one_key_for_signing_and_opening_is_found() -> None:
    usage = ("digital_signature", "key_encipherment")
    ours, other = ROOT.leaf("us", usage=usage), ROOT.leaf("us too", usage=usage)
    assert found(opened(ours, "sign"), opened(ours, "decrypt")) == [("lint.key_for_two_purposes", "here")]
    assert found(opened(ours, "sign"), opened(other, "decrypt")) == []


@pytest.mark.parametrize(
    ("usages", "rule"),
    [
        ([ExtendedKeyUsageOID.SERVER_AUTH], ["lint.extended_key_usage"]),
        ([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH], []),
        ([ExtendedKeyUsageOID.CLIENT_AUTH], []),
    ],
    ids=["server", "both", "client"],
)
def test_a_signer_with_the_certificate_of_a_tls_server_is_found(
    usages: list[x509.ObjectIdentifier], rule: list[str]
) -> None:
    leaf = ROOT.leaf("www", extensions=[(x509.ExtendedKeyUsage(usages), False)])
    assert [name for name, _ in found(opened(leaf, "client"))] == rule
    assert found(opened(leaf, "intermediate")) == []


def test_what_wsguard_init_made_is_found() -> None:
    assert found(opened(ROOT.leaf("wsguard development server"))) == [("lint.development_certificate", "here")]


# --- Revocation lists -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "until", "rule"),
    [
        (START, END, []),
        (START, NOW, ["lint.crl_stale"]),
        (START, NOW - HOUR, ["lint.crl_stale"]),
        (NOW + HOUR, END, ["lint.crl_stale"]),
        (NOW, END, []),
        (NOW - 100 * DAY, NOW + 30 * DAY, ["lint.crl_ends"]),
        (NOW - 100 * DAY, NOW + 31 * DAY, []),
        (NOW - 18 * HOUR, NOW + 6 * HOUR, ["lint.crl_ends"]),
        (NOW - 17 * HOUR, NOW + 7 * HOUR, []),
    ],
    ids=["current", "due", "past", "future", "from now on", "30 days", "31 days", "daily, last quarter", "daily"],
)
def test_a_revocation_list_is_announced_in_its_last_quarter(since: datetime, until: datetime, rule: list[str]) -> None:
    opened_list = OpenedList(setting="here", crl=ROOT.crl(since=since, until=until))
    assert rules(Material(lists=(opened_list,))) == rule


def test_a_revocation_list_without_an_end_is_never_current() -> None:
    class Endless:
        """Stands for a list that ``cryptography`` reads and never makes."""

        issuer = ROOT.certificate.subject
        last_update_utc = START
        next_update_utc = None

    crl: Any = Endless()
    assert rules(Material(lists=(OpenedList(setting="here", crl=crl),))) == ["lint.crl_stale"]


def test_what_the_own_trust_refuses_is_found() -> None:
    refused = RefusedCertificate(setting="here", whose="CN=a", check="certificate.untrusted", seen="no chain")
    assert rules(Material(refused=(refused,))) == ["lint.certificate_refused"]


# --- Opened from a configuration --------------------------------------------------------------------------------------


class House:
    """A directory with the files of one configuration."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def write(self, name: str, *issued: Issued, key: bool = False) -> str:
        octets = b"".join((one.key_pem if key else b"") + one.pem for one in issued)
        (self.directory / name).write_bytes(octets)
        return str(self.directory / name)

    def write_list(self, name: str, crl: x509.CertificateRevocationList) -> str:
        (self.directory / name).write_bytes(crl.public_bytes(Encoding.PEM))
        return str(self.directory / name)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def looked(raw: dict[str, Any]) -> list[Finding]:
    return list(material_findings(open_material(Policy.model_validate(raw), NOW), NOW))


def said(raw: dict[str, Any]) -> set[tuple[str, str]]:
    return {(finding.rule, finding.setting) for finding in looked(raw)}


def test_every_file_of_certificates_is_opened(house: House) -> None:
    ends = NOW + DAY
    issuing = ROOT.authority("issuing", not_after=ends)
    ours = pki.authority("elsewhere").leaf("us", not_after=ends, key=pki.rsa_key())
    theirs = pki.authority("elsewhere").leaf("us two", not_after=ends, key=pki.rsa_key(2), usage=("key_encipherment",))
    raw = {
        "keys": {
            "sign": {"file": house.write("sign.pem", ours, key=True)},
            "decrypt": [{"file": house.write("decrypt.pem", theirs, key=True)}],
        },
        "trust": {
            "ca_files": [house.write("root.pem", ROOT), house.write("old.pem", pki.authority("old", not_after=ends))],
            "intermediate_files": [house.write("issuing.pem", issuing)],
            "known_certificates": [house.write("known.pem", ROOT.leaf("known", not_after=ends))],
            "pinned_certificates": [house.write("pinned.pem", ROOT.leaf("pinned", not_after=ends))],
            "crl_files": [house.write_list("root.crl", ROOT.crl(until=NOW + DAY))],
        },
        "client": [{"name": "c", "certificate": house.write("client.pem", ROOT.leaf("client", not_after=ends))}],
        "services": {
            "Lead": {"trust": {"pinned_certificates": [house.write("lead.pem", ROOT.leaf("lead", not_after=ends))]}}
        },
    }
    assert said(raw) == {
        ("lint.certificate_expires", setting)
        for setting in (
            "keys.sign", "keys.decrypt[0]", "trust.ca_files[1]", "trust.intermediate_files[0]",
            "trust.known_certificates[0]", "trust.pinned_certificates[0]", "client[0].certificate",
            "services.Lead.trust.pinned_certificates[0]",
        )
    } | {("lint.crl_ends", "trust.crl_files[0]")}  # fmt: skip


def refusals(raw: dict[str, Any]) -> set[tuple[str, str]]:
    listed = [one for one in looked(raw) if one.rule == "lint.certificate_refused"]
    return {(one.setting, one.text.partition(" is refused by ")[2].partition(":")[0]) for one in listed}


def client(file: str, **more: Any) -> dict[str, Any]:
    return {"name": "c", "certificate": file, **more}


def test_a_client_whose_certificate_is_refused_everywhere_is_found(house: House) -> None:
    root, other = house.write("root.pem", ROOT), pki.authority("other")
    stranger = house.write("stranger.pem", other.leaf("stranger"))
    raw: dict[str, Any] = {"trust": {"ca_files": [root]}, "client": [client(stranger)]}
    assert refusals(raw) == {("client[0].certificate", "certificate.untrusted")}
    trusted = {"trust": {"ca_files": [house.write("other.pem", other)]}}
    assert refusals({**raw, "services": {"Lead": trusted}}) == set()
    elsewhere = {**raw, "client": [client(stranger, services=["Other"])], "services": {"Lead": trusted, "Other": {}}}
    assert refusals(elsewhere) == {("client[0].certificate", "certificate.untrusted")}
    assert refusals({**raw, "signature": {"use": "forbidden"}}) == set()


@pytest.mark.parametrize(
    ("more", "trust", "check"),
    [
        ({}, {}, None),
        ({}, {"subject_cert_constraints": ["CN=somebody"]}, "certificate.constraint"),
        ({"usage": ("key_encipherment",)}, {}, "certificate.key_usage"),
        ({"key": pki.rsa_key(1, bits=1024)}, {}, "certificate.key_size"),
        ({"not_after": NOW - DAY}, {}, None),
    ],
    ids=["sound", "constraint", "key usage", "key size", "expired is said otherwise"],
)
def test_a_client_is_told_which_check_refuses_it(
    house: House, more: dict[str, Any], trust: dict[str, Any], check: str | None
) -> None:
    file = house.write("client.pem", ROOT.leaf("client", **more))
    raw = {"trust": {"ca_files": [house.write("root.pem", ROOT)], **trust}, "client": [client(file)]}
    assert refusals(raw) == ({("client[0].certificate", check)} if check else set())


def test_a_known_certificate_that_is_revoked_is_found(house: House) -> None:
    known = ROOT.leaf("known")
    lists = [house.write_list("root.crl", ROOT.crl(known))]
    raw = {
        "trust": {
            "ca_files": [house.write("root.pem", ROOT)],
            "known_certificates": [house.write("known.pem", known, ROOT.leaf("another"))],
            "crl_files": lists,
        }
    }
    assert refusals(raw) == {("trust.known_certificates[0]", "certificate.revoked")}


def test_our_own_key_as_a_client_is_found(house: House) -> None:
    ours = ROOT.leaf("us", key=pki.rsa_key(), usage=("digital_signature", "key_encipherment"))
    raw = {
        "keys": {"decrypt": [{"file": house.write("us.pem", ours, key=True)}]},
        "trust": {"pinned_certificates": [house.write("us-certificate.pem", ours)]},
    }
    assert refusals(raw) == {("trust.pinned_certificates[0]", "certificate.untrusted")}


def test_a_file_that_vanished_meanwhile_is_left_out(house: House) -> None:
    assert said({"trust": {"pinned_certificates": [str(house.directory / "gone.pem")]}}) == set()


def shown_here() -> Iterable[str]:
    text = Path(__file__).read_text(encoding="utf-8")
    return (rule.name for rule in MATERIAL_CATALOGUE if f'"{rule.name}"' in text)


def test_every_rule_about_material_is_shown_here() -> None:
    assert set(shown_here()) == {rule.name for rule in MATERIAL_CATALOGUE}
