"""What WSS4J signed under a key that anybody could make: read, verified, and nobody's."""

import json
from typing import Any, Final

import pytest

from tests.test_corpus import CORPUS, judge

CHECKS: Final = {"sig": "signature.coverage", "sigenc": "signature.coverage"}
"""Profile that demands a signature -> what refuses."""


def entry(name: str, profile: str) -> dict[str, Any]:
    """One captured message, under another profile than its own."""
    listed = json.loads((CORPUS / "manifest.json").read_text("utf-8"))
    (found,) = (one for one in listed if one["name"] == name)
    return {**found, "profile": profile}


@pytest.mark.parametrize(
    ("name", "profile"),
    [
        ("wss4j-sym-sign", "sig"),
        ("wss4j-dk-sign", "sig"),
        ("wss4j-sym-sign-enc", "sigenc"),
        ("wss4j-sym-sign-enc", "sig"),
    ],
)
def test_it_is_no_signature_where_one_is_demanded(name: str, profile: str) -> None:
    answer, echo = judge(entry(name, profile))
    assert (answer.check, echo.handed) == (CHECKS[profile], [])


@pytest.mark.parametrize(
    ("name", "profile", "encrypted"),
    [
        ("wss4j-sym-sign", "ts", set()),
        ("wss4j-dk-sign", "ts", set()),
        ("wss4j-sym-sign-enc", "enc", {"Body"}),
    ],
    ids=str,
)
def test_it_says_nobodys_name(name: str, profile: str, encrypted: set[str]) -> None:
    answer, echo = judge(entry(name, profile))
    assert answer.status == "200 OK"
    ((environ, _),) = echo.handed
    message = environ["wsguard.message"]
    assert (message.principal, message.certificate, message.signed_parts) == (None, None, frozenset())
    assert message.encrypted_parts == encrypted
    assert "REMOTE_USER" not in environ
