"""Configurations of every kind that a proof must cope with, over one set of keys and certificates."""

import base64
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import wsguard
from tests.pki import authority, ec_key, rsa_key

IN_MEMORY: Final = {"users": {"url": "memory://"}, "replay": {"url": "memory://"}, "audit": {"url": "memory://"}}
WSA: Final = "http://www.w3.org/2005/08/addressing"
_A_AND_B: Final = {"A": {"operations": ["{urn:a}x"]}, "B": {"operations": ["{urn:b}*"]}}


def write_keys(directory: Path) -> None:
    """The files that the configurations name."""
    root, other = authority("root", key=rsa_key(0)), authority("other")
    server = root.leaf("server", key=rsa_key(3), usage=("digital_signature", "key_encipherment"))
    ec = ec_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files = {
        "ca.pem": root.pem,
        "other.pem": other.pem,
        "alice.pem": root.leaf("alice", key=rsa_key(1)).pem,
        "bob.pem": root.leaf("bob", key=rsa_key(2)).pem,
        "server.pem": server.key_pem + server.pem,
        "bare.pem": server.key_pem,
        "ec.pem": ec,
        "crl.pem": root.crl(999).public_bytes(Encoding.PEM),
        "shared.txt": base64.b64encode(b"k" * 32),
    }
    for name, octets in files.items():
        (directory / name).write_bytes(octets)


_CA: Final = {"trust": {"ca_files": ["ca.pem"]}}
_SIGNED: Final = {**_CA, "signature": {"use": "required"}, "username_token": {"use": "forbidden"}}
_KEYS: Final = {"keys": {"decrypt": [{"file": "server.pem"}], "sign": {"file": "server.pem"}}}
_ENCRYPTED: Final = {**_SIGNED, **_KEYS, "encryption": {"use": "required"}}
_SHARED: Final = {"keys": {"shared": [{"name": "s", "key_file": "shared.txt"}]}}
_HMAC: Final = {
    **_SHARED,
    "signature": {"use": "required"},
    "username_token": {"use": "forbidden"},
    "algorithms": {"signature": ["hmac-sha256"]},
}
_LEGACY: Final = [
    {"algorithm": "tripledes-cbc", "clients": ["a"], "until": date(2030, 1, 1)},
    {"algorithm": "rsa-sha1", "until": date(2030, 1, 1)},
    {"algorithm": "rsa-1_5", "until": date(2020, 1, 1)},
]
_TWO_CLIENTS: Final = [
    {"name": "a", "certificate": "alice.pem", "services": ["A"]},
    {"name": "b", "certificate": "bob.pem", "services": ["A", "B"]},
]

HOLD: Final[Mapping[str, Mapping[str, Any]]] = {
    "user": {},
    "user-and-text": {"username_token": {"password_types": ["PasswordText", "PasswordDigest"], "require_nonce": False}},
    "user-text-only": {"username_token": {"password_types": ["PasswordText"], "max_failures": 1}},
    "signed": _SIGNED,
    "signed-constraints-and-lists": {
        **_SIGNED,
        "trust": {
            "ca_files": ["ca.pem"],
            "crl_files": ["crl.pem"],
            "crl_coverage": "chain",
            "known_certificates": ["alice.pem"],
            "subject_cert_constraints": ["CN=alice|CN=bob"],
            "issuer_cert_constraints": ["CN=root"],
        },
    },
    "signed-pinned": {**_SIGNED, "trust": {"pinned_certificates": ["alice.pem"]}},
    "signed-many-parts": {
        **_SIGNED,
        "signature": {
            "use": "required",
            "required_parts": ["Body", "Timestamp", "BinarySecurityToken", "{urn:x}H", f"{{{WSA}}}Action"],
        },
    },
    "signed-body-only": {**_SIGNED, "signature": {"use": "required", "required_parts": ["Body"]}},
    "signed-and-user": {**_CA, "signature": {"use": "required"}},
    "signed-or-not": {**_CA, "signature": {"use": "optional"}},
    "signed-and-perhaps-user": {**_SIGNED, "username_token": {"use": "optional"}},
    "signed-ecdsa": {**_SIGNED, "algorithms": {"signature": ["ecdsa-sha384"]}},
    "signed-pss-inclusive": {
        **_SIGNED,
        "algorithms": {"signature": ["rsa-pss-sha512"], "digest": ["sha512"], "canonicalization": ["c14n11"]},
    },
    "signed-keeping": {
        **_SIGNED,
        **_KEYS,
        "handoff": {"unsigned_headers": "keep", "remove_security_header": False},
        "response": {"sign": True},
    },
    "encrypted": _ENCRYPTED,
    "encrypted-answers": {
        **_ENCRYPTED,
        "encryption": {"use": "required", "required_parts": ["Body", "Signature", "{urn:x}H"]},
        "response": {"sign": True, "encrypt": "useReqSigCert", "timestamp": True},
    },
    "encrypted-user": {**_KEYS, "encryption": {"use": "required", "required_parts": ["UsernameToken", "Body"]}},
    "encrypted-and-covered": {
        **_ENCRYPTED,
        "encryption": {"use": "required", "require_signed_encrypted_data": True},
    },
    "encrypted-bare-key": {**_ENCRYPTED, "keys": {"decrypt": [{"file": "bare.pem"}]}},
    "encrypted-or-not": _KEYS,
    "encrypted-never": {**_KEYS, "encryption": {"use": "forbidden"}},
    "encrypted-legacy-only": {
        **_ENCRYPTED,
        "algorithms": {
            "signature": ["rsa-sha1"],
            "digest": ["sha1"],
            "canonicalization": ["c14n"],
            "encryption": ["aes128-cbc"],
            "key_transport": ["rsa-1_5"],
        },
    },
    "shared-key": _HMAC,
    "shared-key-encrypts": {**_HMAC, "encryption": {"use": "required"}},
    "shared-key-clients": {
        **_HMAC,
        "username_token": {"use": "optional"},
        "client": [{"name": "a", "shared_key": "s"}, {"name": "u", "shared_key": "s", "username": "u"}],
    },
    "clients": {**_ENCRYPTED, "client": _TWO_CLIENTS, "services": _A_AND_B},
    "clients-halves": {
        **_CA,
        "signature": {"use": "required"},
        "client": [
            {"name": "a", "certificate": "alice.pem", "username": "alice"},
            {"name": "b", "certificate": "bob.pem"},
        ],
    },
    "clients-both": {
        **_CA,
        "signature": {"use": "required"},
        "client": [{"name": "a", "certificate": "alice.pem", "username": "alice"}, {"name": "c", "username": "carol"}],
    },
    "encrypted-hmac": {**_ENCRYPTED, "algorithms": {"signature": ["rsa-sha256", "hmac-sha256"]}},
    "two-trusts": {
        **_SIGNED,
        "services": {
            "A": {"operations": ["{urn:a}x"]},
            "B": {
                "operations": ["{urn:b}y"],
                "trust": {"ca_files": ["ca.pem"], "subject_cert_constraints": ["CN=al.*"]},
            },
        },
    },
    "answers-if-signed": {
        **_CA,
        **_KEYS,
        "response": {"sign": True, "timestamp": True, "encrypt": "useReqSigCert", "signature_confirmation": True},
    },
    "answers-for-one": {
        **_ENCRYPTED,
        "client": [{"name": "a", "certificate": "alice.pem"}],
        "response": {"sign": True, "encrypt": "a", "signed_parts": ["Body", "{urn:x}H"]},
    },
    "recorded": {"audit": {"url": "memory://", "record": "all"}},
    "clients-legacy": {**_ENCRYPTED, "algorithms": {"legacy": _LEGACY}, "client": _TWO_CLIENTS, "services": _A_AND_B},
    "exemptions": {
        "exempt": [{"operations": ["{urn:a}x"]}, {"operations": ["{urn:w}*"], "paths": ["/w"]}],
        "services": {"G": {"operations": ["{urn:g}y"]}, "OP": {"operations": ["{urn:op}z"], "paths": ["/op"]}},
    },
    "exemptions-by-path": {"exempt": [{"paths": ["/soap/lead"]}], "services": {"P": {"paths": ["/soap/p"]}}},
    "services-differ": {
        "services": {
            "A": {"operations": ["{urn:a}x"], "timestamp": {"use": "forbidden"}},
            "B": {**_SIGNED, "operations": ["{urn:b}y"]},
            "C": {"operations": ["{urn:c}z"], "username_token": {"password_types": ["PasswordText"]}},
        },
    },
    "time-to-the-second": {
        "timestamp": {
            "require_created": False,
            "require_expires": True,
            "time_to_live": 1,
            "future_time_to_live": 0,
            "max_lifetime": 1,
        },
    },
    "time-says-nothing": {"timestamp": {"use": "forbidden"}},
    "http": {
        "http": {"content_encodings": ["gzip", "deflate"]},
        "faults": {"detail": "detailed"},
        "actor": "urn:me",
        "limits": {"body_bytes": 65536, "depth": 8, "elements": 30},
    },
    "ascii": {"http": {"charsets": ["us-ascii"]}},
    "utf-16": {"http": {"charsets": ["utf-16"]}},
}
"""All of them hold, each in everything that could be tried."""

DOUBTFUL: Final[Mapping[str, Mapping[str, Any]]] = {
    "report": {
        "client": [
            {"name": "a", "username": "alice", "mode": "report", "report_until": date(2030, 1, 1)},
            {"name": "b", "username": "bob"},
        ],
    },
    "unsafe": {"unsafe_unauthenticated": True, "username_token": {"use": "optional"}},
    "unsafe-service": {
        "services": {
            "A": {
                "operations": ["{urn:a}x"],
                "unsafe_unauthenticated": True,
                "username_token": {"use": "forbidden"},
                "timestamp": {"use": "forbidden"},
            },
        },
    },
    "unresolved": {"exempt": [{"service": "LeadService"}], "services": {"MemberService": {}}},
    "for-an-ec-key": {**_ENCRYPTED, "keys": {"decrypt": [{"file": "ec.pem"}]}},
    "users-who-sign": {
        "username_token": {"password_types": ["PasswordDigest", "DerivedKey"]},
        "algorithms": {"signature": ["hmac-sha256"]},
    },
    "users-who-sign-only": {
        "username_token": {"password_types": ["DerivedKey"]},
        "algorithms": {"signature": ["hmac-sha256"]},
    },
    "no-hmac": {**_HMAC, "algorithms": {}},
    "nobody-s-name": {**_SIGNED, "trust": {"ca_files": ["ca.pem"], "subject_cert_constraints": ["CN=(?=x)y"]}},
    "trust-too-late": {
        **_ENCRYPTED,
        "services": {"A": {"operations": ["{urn:a}x"], "trust": {"ca_files": ["other.pem"]}}},
    },
    "no-client-of-it": {"client": [{"name": "a", "username": "alice", "services": ["A"]}], "services": _A_AND_B},
}
"""Of these something does not hold, or cannot be proven."""


def policy_of(settings: Mapping[str, Any], directory: Path) -> wsguard.Policy:
    """A policy with stores in memory, and the files of ``directory``."""
    return wsguard.Policy.model_validate({**IN_MEMORY, **settings}, context={"base": directory})
