"""What ``cryptography`` raises for certificates that cannot be read or do not fit each other."""

from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

FOREIGN: Final = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    InvalidSignature,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    # Serial numbers and country codes that are out of bounds are warned of, and raised where warnings are errors.
    Warning,
)
