"""The guards that the cases are for, as files: certificates, keys, users, and a ``wsguard.toml`` for each.

Another guard is configured by hand with the same material: who is trusted, who may call, whose key opens messages.
"""

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Final, get_args

from tests.attacks.cases import SiteName
from tests.attacks.people import REVOKED
from tests.guard_encryption.sealing import server
from tests.guarding import USERS
from tests.signature.signatures import ALICE, BOB, ROOT, rsa_client
from tests.trust.trusting import as_pem

SHARED: Final = "what-alice-and-the-guard-share"
"""The shared key of the client Carol, as text."""

_STORES: Final = """
[users]
url = "toml:users.toml"
[replay]
url = "memory://"
[audit]
url = "memory://"
"""
_TRUST: Final = """
[trust]
ca_files = ["ca.pem"]
[signature]
use = "required"
"""
_KEYS: Final = """
[keys]
decrypt = [{ file = "server.pem" }]
"""
_NOBODY: Final = """
[username_token]
use = "optional"
"""

_OLD: Final = (
    'encryption = ["aes128-gcm", "aes192-gcm", "aes256-gcm", '
    '"aes128-cbc", "aes192-cbc", "aes256-cbc", "tripledes-cbc"]\n'
    'key_transport = ["rsa-oaep-mgf1p", "rsa-oaep", "rsa-1_5", "kw-aes128", "kw-aes192", "kw-aes256", "ecdh-es"]\n'
)
_ALL_SIGNATURES: Final = (
    'canonicalization = ["exc-c14n", "c14n", "exc-c14n-with-comments", "c14n-with-comments", "c14n11"]\n'
    'digest = ["sha1", "sha256", "sha384", "sha512"]\n'
    'signature = ["rsa-sha1", "rsa-sha256", "rsa-sha384", "rsa-sha512", "rsa-pss-sha256", "rsa-pss-sha384", '
    '"rsa-pss-sha512", "ecdsa-sha1", "ecdsa-sha256", "ecdsa-sha384", "ecdsa-sha512", "hmac-sha1", "hmac-sha256", '
    '"hmac-sha384", "hmac-sha512"]\n'
)

POLICIES: Final[Mapping[SiteName, str]] = {
    # UsernameToken with PasswordDigest, and a Timestamp: the vendor's page.
    "token": _STORES,
    # The same, and PasswordText too.
    "text": _STORES + '[username_token]\npassword_types = ["PasswordDigest", "PasswordText"]\n',
    # A UsernameToken without a password, and the message signed with a key that is made of it; certificates beside it.
    "salted": _STORES
    + '[username_token]\npassword_types = ["DerivedKey"]\n'
    + '[algorithms]\nsignature = ["hmac-sha1", "hmac-sha256", "ecdsa-sha256"]\n'
    + _TRUST.replace("required", "optional"),
    # As "token", from clients that compress.
    "packed": _STORES + '[http]\ncontent_encodings = ["gzip", "deflate"]\n',
    # Body and Timestamp signed under a certificate of the CA.
    "signed": _STORES + _TRUST + _NOBODY,
    # The same, and a UsernameToken that the signature covers.
    "both": _STORES + _TRUST,
    # As "signed", and Rita's certificate was revoked.
    "revoking": _STORES + _TRUST.replace("[signature]", 'crl_files = ["ca.crl"]\n[signature]') + _NOBODY,
    # The same, and the Body encrypted.
    "sealed": _STORES + _TRUST + _KEYS + _NOBODY + '[encryption]\nuse = "required"\n',
    # The Body encrypted, by anybody.
    "opened": "unsafe_unauthenticated = true\n" + _STORES + _KEYS + _NOBODY + '[encryption]\nuse = "required"\n',
    # The same, and whoever encrypts may use algorithms of old.
    "old": "unsafe_unauthenticated = true\n"
    + _STORES
    + _KEYS
    + _NOBODY
    + '[encryption]\nuse = "required"\n[algorithms]\n'
    + _OLD,
    # Body and Timestamp signed, anything encrypted, and every algorithm and encoding that can be permitted is.
    "every": _STORES
    + _TRUST.replace("[signature]", 'known_certificates = ["alice.pem", "rosa.pem"]\n[signature]')
    + _KEYS
    + 'shared = [{ name = "carol", key_file = "shared.txt" }]\n'
    + _NOBODY
    + "[algorithms]\n"
    + _OLD
    + _ALL_SIGNATURES
    + '[http]\ncontent_encodings = ["gzip", "deflate"]\n',
    # Alice and Bob, each by certificate and name; Alice alone may call.
    "clients": _STORES
    + _TRUST
    + _NOBODY
    + """
[[client]]
name = "Alice"
certificate = "alice.pem"
username = "alice"
[[client]]
name = "Bob"
certificate = "bob.pem"
""",
    # A spyne application of three services: Leads is exempt, Members needs a UsernameToken.
    "bank": _STORES + '[[exempt]]\nservice = "Leads"\n',
    # As "sealed", and the answers are signed, and encrypted to the signer.
    "answering": _STORES
    + _TRUST
    + _KEYS
    + 'sign = { file = "server.pem" }\n'
    + _NOBODY
    + '[encryption]\nuse = "required"\n[response]\ntimestamp = true\nsign = true\nencrypt = "useReqSigCert"\n',
}
"""Site -> its ``wsguard.toml``."""
assert set(POLICIES) == set(get_args(SiteName))


def write_sites(directory: Path) -> None:
    """Put everything that a guard needs to be one of the sites into ``directory``."""
    (directory / "ca.pem").write_bytes(ROOT.pem)
    (directory / "ca.crl").write_bytes(as_pem(ROOT.crl(REVOKED)))
    for name, leaf in (("alice", ALICE), ("bob", BOB), ("rosa", rsa_client())):
        (directory / f"{name}.pem").write_bytes(leaf.pem)
    _private(directory / "server.pem", server().key_pem + server().pem)
    _private(directory / "shared.txt", b64encode(SHARED.encode()))
    _private(directory / "users.toml", "".join(f'{name} = "{word}"\n' for name, word in USERS.items()).encode())
    for site, policy in POLICIES.items():
        (directory / f"{site}.toml").write_text(policy, "utf-8")


def _private(file: Path, octets: bytes) -> None:
    file.touch(0o600)
    file.write_bytes(octets)
