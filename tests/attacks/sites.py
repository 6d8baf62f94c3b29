"""The guards that the cases are for, as files: certificates, keys, users, and a ``wsguard.toml`` for each.

Another guard is configured by hand with the same material: who is trusted, who may call, whose key opens messages.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, get_args

from tests.attacks.cases import SiteName
from tests.guard_encryption.sealing import server
from tests.guarding import USERS
from tests.signature.signatures import ALICE, BOB, ROOT

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

POLICIES: Final[Mapping[SiteName, str]] = {
    # UsernameToken with PasswordDigest, and a Timestamp: the vendor's page.
    "token": _STORES,
    # The same, and PasswordText too.
    "text": _STORES + '[username_token]\npassword_types = ["PasswordDigest", "PasswordText"]\n',
    # Body and Timestamp signed under a certificate of the CA.
    "signed": _STORES + _TRUST + _NOBODY,
    # The same, and the Body encrypted.
    "sealed": _STORES + _TRUST + _KEYS + _NOBODY + '[encryption]\nuse = "required"\n',
    # The Body encrypted, by anybody.
    "opened": "unsafe_unauthenticated = true\n" + _STORES + _KEYS + _NOBODY + '[encryption]\nuse = "required"\n',
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
    for name, leaf in (("alice", ALICE), ("bob", BOB)):
        (directory / f"{name}.pem").write_bytes(leaf.pem)
    _private(directory / "server.pem", server().key_pem + server().pem)
    _private(directory / "users.toml", "".join(f'{name} = "{word}"\n' for name, word in USERS.items()).encode())
    for site, policy in POLICIES.items():
        (directory / f"{site}.toml").write_text(policy, "utf-8")


def _private(file: Path, octets: bytes) -> None:
    file.touch(0o600)
    file.write_bytes(octets)
