"""The certificates that the corpus was signed with, made by other tools, are judged rightly."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from tests.trust.trusting import Trusting

PKI = Path(__file__).parents[3] / "shared" / "corpus" / "pki"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not PKI.is_dir(), reason=f"the corpus of captured messages is not here ({PKI})")


def read(name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((PKI / f"{name}.crt").read_bytes())


@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("client", ""),
        ("ec", ""),
        ("noski", ""),
        ("chain", ""),
        ("expired", "certificate.expired"),
        ("revoked", "certificate.revoked"),
        ("interca", "certificate.key_usage"),
    ],
)
def test_each_certificate_gets_its_verdict(name: str, check: str, tmp_path: Path) -> None:
    trusting = Trusting(
        tmp_path,
        ca_files=[PKI / "ca.crt"],
        intermediate_files=[PKI / "interca.crt"],
        crl_files=[PKI / "ca.crl"],
    )
    if check:
        assert trusting.check(read(name), now=NOW) == check
    else:
        assert trusting.trusted(read(name), now=NOW).how == "chain to CN=wsguard test CA,O=wsguard lab,C=US"
