"""What a certificate says that its key is for (RFC 5280 §4.2.1.3, §4.2.1.9)."""

from typing import Literal

from cryptography import x509


def may(
    certificate: x509.Certificate,
    *usages: Literal["key_cert_sign", "crl_sign", "digital_signature", "content_commitment"],
) -> bool:
    """Whether its key may be used for one of ``usages``; for all, where it does not say."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return any(getattr(usage, name) for name in usages)


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether it says that it is an authority; one that does not say is none."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
