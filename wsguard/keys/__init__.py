"""Private keys, certificates, revocation lists and shared keys, read from the files that the configuration names.

Read once, when the guard is made. Files are told apart by content, never by name: keytool writes PKCS#12 under the name
``.jks``. A file that cannot be used is a ``KeyFileError`` whose text says what is wrong with it and never quotes what
is in it, but for aliases.
"""

from wsguard.keys.certificates import load_certificates, load_crls
from wsguard.keys.errors import KeyFileError
from wsguard.keys.pair import SMALLEST_RSA_BITS, KeyPair, PrivateKey, out_of_date
from wsguard.keys.private import load_key
from wsguard.keys.shared import SMALLEST_SHARED_KEY, load_shared_key

__all__ = [
    "SMALLEST_RSA_BITS",
    "SMALLEST_SHARED_KEY",
    "KeyFileError",
    "KeyPair",
    "PrivateKey",
    "load_certificates",
    "load_crls",
    "load_key",
    "load_shared_key",
    "out_of_date",
]
