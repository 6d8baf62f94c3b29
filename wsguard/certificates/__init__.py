"""X.509 certificates as messages carry and name them: decoded, and held against what names them. Nobody is trusted."""

from wsguard.certificates.decoding import decode, leaf_first
from wsguard.certificates.naming import names_equal
from wsguard.certificates.reference import CertificateReference, fits

__all__ = ["CertificateReference", "decode", "fits", "leaf_first", "names_equal"]
