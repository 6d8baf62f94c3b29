"""Names that look like others to a pattern, and constraints of mail addresses."""

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from tests.pki import name
from tests.signature.signatures import ROOT, Guarding
from tests.signing import Signing, signed


@pytest.mark.parametrize("common_name", ["Mallory,O=Ours", "Mallory+O=Ours", "Mallory\\,O=Ours"])
def test_a_value_with_a_separator_in_it_is_no_further_attribute(guarded: Guarding, common_name: str) -> None:
    guard = guarded(trust={"subject_cert_constraints": [r"CN=[^+]*[,+]O=Ours"]})
    assert guard.refusal(signed(Signing.by(ROOT.leaf(name(common_name))))) == "certificate.constraint"
    guard.accepted(signed(Signing.by(ROOT.leaf(name("Alice", organization_name="Ours")))))


def test_constraints_of_mail_addresses_hold_for_the_subject_too(guarded: Guarding) -> None:
    permitted = x509.NameConstraints([x509.RFC822Name("partner.example")], None)
    issuing = ROOT.authority("Partner", extensions=[(permitted, True)])
    mail = x509.Name([x509.NameAttribute(NameOID.EMAIL_ADDRESS, "root@bank.example")])
    guard = guarded(trust={"intermediate_files": [issuing]})
    assert guard.refusal(signed(Signing.by(issuing.leaf(mail)))) == "certificate.untrusted"
    guard.accepted(signed(Signing.by(issuing.leaf("without"))))
