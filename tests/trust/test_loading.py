"""What is wrong with the files of [trust] is said at start, all of it, with the key that names each."""

from collections import Counter
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from tests.pki import NOW, START, Issued, authority, ec_key, rsa_key, self_signed
from tests.trust.trusting import Trusting, presented
from wsguard.explanation import Explanation
from wsguard.faults import FailedAuthentication
from wsguard.keys import load_certificates
from wsguard.opening import Attempt, open_keyring, unreadable_keys
from wsguard.policy import Policy
from wsguard.trust import material

ROOT = authority()


def test_every_file_that_cannot_be_read_is_named_by_its_key(tmp_path: Path) -> None:
    no = tmp_path / "no.pem"
    trusting = Trusting(
        tmp_path,
        ca_files=[ROOT, no],
        intermediate_files=[no],
        known_certificates=[no],
        pinned_certificates=[no],
        crl_files=[ROOT.crl(), no],
        services={"A": {"operations": ("{a}b",), "trust": {"crl_files": [no]}}, "B": {"operations": ("{b}b",)}},
        client=[{"name": "one", "username": "one"}, {"name": "two", "certificate": no}],
    )
    trust = ("ca_files[1]", "intermediate_files[0]", "known_certificates[0]", "pinned_certificates[0]")
    assert [key for key, _ in trusting.problems] == [
        *(f"trust.{key}" for key in trust),
        "trust.crl_files[1]",
        *(f"services.A.trust.{key}" for key in trust),
        "services.A.trust.crl_files[0]",
        "client[1].certificate",
    ]
    assert {reason for _, reason in trusting.problems} == {f"{no}: cannot be read: No such file or directory"}


def test_each_file_is_read_once_whoever_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: Counter[Path] = Counter()

    def counting(file: Path) -> tuple[x509.Certificate, ...]:
        reads[file] += 1
        return load_certificates(file)

    monkeypatch.setattr(material, "load_certificates", counting)
    files = [tmp_path / "root.pem", tmp_path / "leaf.pem", tmp_path / "no.pem"]
    files[0].write_bytes(ROOT.pem)
    files[1].write_bytes(ROOT.leaf().pem)
    Trusting(
        tmp_path,
        ca_files=[files[0], files[2]],
        intermediate_files=[files[0]],
        known_certificates=[files[1]],
        services={"A": {"operations": ("{a}b",), "trust": {"subject_cert_constraints": ["CN=x"]}}},
        client=[{"name": "one", "certificate": files[1]}],
    )
    assert reads == dict.fromkeys(files, 1)


@pytest.mark.parametrize(
    ("anchor", "reason"),
    [
        (self_signed("leaf"), "its basicConstraints do not say so"),
        (self_signed("leaf", ca=None), "put it into trust.pinned_certificates"),
        (authority("leaf", usage=("digital_signature",)), "keyCertSign"),
        (authority("leaf", key=rsa_key(0, 1024)), "neither RSA of 2048 bits or more nor EC"),
        (authority("leaf", key=ec_key(ec.SECP256K1())), "nor EC on P-256, P-384 or P-521"),
        (authority("leaf", key=ed25519.Ed25519PrivateKey.generate()), "neither RSA"),
    ],
)
def test_an_anchor_that_no_chain_can_lead_to_is_refused(anchor: Issued, reason: str, tmp_path: Path) -> None:
    ((key, told),) = Trusting(tmp_path, ca_files=[ROOT, anchor]).problems
    assert key == "trust.ca_files[1]"
    assert "CN=leaf is no authority for chains: " in told
    assert reason in told


def test_an_expired_anchor_is_no_mistake_at_start(tmp_path: Path) -> None:
    assert Trusting(tmp_path, ca_files=[authority(not_after=START.replace(month=2))]).problems == []


def test_a_certificate_with_a_damaged_extension_is_refused(tmp_path: Path) -> None:
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), b"\x04\x01x")
    damaged = ROOT.leaf(extensions=[(extension, False)])
    ((key, reason),) = Trusting(tmp_path, ca_files=[ROOT], known_certificates=[damaged]).problems
    assert key == "trust.known_certificates[0]"
    assert reason.endswith("a certificate in it has a field that cannot be read")


def test_a_file_of_several_lists_is_read(tmp_path: Path) -> None:
    other = authority("other")
    file = tmp_path / "lists.pem"
    leaf = other.leaf()
    file.write_bytes(b"".join(crl.public_bytes(Encoding.PEM) for crl in (ROOT.crl(), other.crl(leaf))))
    trusting = Trusting(tmp_path, ca_files=[ROOT, other], crl_files=[file])
    assert trusting.check(leaf) == "certificate.revoked"


# --- As the guard opens it --------------------------------------------------------------------------------------------


def policy_of(directory: Path, own: Issued, **others: object) -> Policy:
    ca, key = directory / "ca.pem", directory / "own.pem"
    ca.write_bytes(ROOT.pem)
    key.write_bytes(own.key_pem + own.pem)
    return Policy.model_validate(
        {"keys": {"sign": {"file": key}, "decrypt": [{"file": key}]}, "trust": {"ca_files": [ca]}, **others}
    )


def test_our_own_keys_are_read_from_the_files_of_keys_and_never_trusted(tmp_path: Path) -> None:
    own, peer = ROOT.leaf("own"), ROOT.leaf("peer")
    policy = policy_of(tmp_path, own)
    opened = open_keyring(policy, Attempt())
    assert opened is not None
    assert opened.material.trust.choose(presented(peer), policy, NOW, Explanation())
    with pytest.raises(FailedAuthentication) as caught:
        opened.material.trust.choose(presented(own), policy, NOW, Explanation())
    assert (caught.value.check, caught.value.seen) == ("certificate.untrusted", "our own key reflected")


def test_there_is_no_trust_where_anything_of_it_cannot_be_used(tmp_path: Path) -> None:
    policy = policy_of(tmp_path, ROOT.leaf(), client=({"name": "a", "certificate": tmp_path / "no.pem"},))
    assert [problem.key for problem in unreadable_keys(policy)] == ["client[0].certificate"]
    attempt = Attempt()
    assert open_keyring(policy, attempt) is None
    (tmp_path / "own.pem").write_bytes(b"")
    assert [problem.key for problem in unreadable_keys(policy)] == [
        "keys.decrypt[0]",
        "keys.sign",
        "client[0].certificate",
    ]
