"""What Apache WSS4J signs and encrypts with keys that are made of a password is taken as that user's."""

from datetime import timedelta
from typing import Any, Final

import pytest

from tests.deriving_passwords import DERIVED
from tests.guarding import Guarded
from tests.interop.java import Refused, Wss4j
from tests.interop.judging import body, sent, signature_changed
from tests.messages import NOW, SOAP11, WSU, envelope
from tests.signature.signatures import BOTH
from wsguard.policy.surroundings import Limits
from wsguard.securing import Securing, UsernameCredentials, secure
from wsguard.verified import VerifiedMessage

POLICY: Final[dict[str, Any]] = {
    **DERIVED,
    "algorithms": {**DERIVED["algorithms"], "digest": ["sha256", "sha1"], "encryption": ["aes128-cbc"]},
}
"""With derived keys WSS4J 1.6 digests by SHA-1 and encrypts by CBC, whatever is asked for."""
MESSAGE: Final = envelope(None)


@pytest.mark.parametrize("iterations", [1000, 2500])
@pytest.mark.parametrize("signature", ["hmac-sha1", "hmac-sha256"])
@pytest.mark.parametrize("encrypted", [False, True], ids=["signed", "encrypted"])
@pytest.mark.parametrize("key", ["direct", "derived"])
def test_the_user_who_signed_is_known(wss4j: Wss4j, key: str, encrypted: bool, signature: str, iterations: int) -> None:
    guard = Guarded(**POLICY)
    octets = wss4j.derive(MESSAGE, NOW, key=key, signature=signature, iterations=iterations)
    answer = sent(guard, octets)
    assert (answer.status, answer.check) == ("200 OK", ""), answer.record
    message: VerifiedMessage = guard.echo.handed[-1][0]["wsguard.message"]
    assert (message.username, message.signed_parts) == ("alice", BOTH)
    assert b"hello" in body(guard.handed)
    assert sent(guard, octets).check == "replay.signature"


@pytest.mark.parametrize("key", ["direct", "derived"])
def test_another_signature_or_name_is_a_wrong_password(wss4j: Wss4j, key: str) -> None:
    guard = Guarded(**POLICY)
    octets = wss4j.derive(MESSAGE, NOW, key=key)
    assert sent(guard, signature_changed(octets, "SignatureValue")).check == "username_token.authentication"
    assert sent(guard, octets.replace(b">alice<", b">bob<")).check == "username_token.authentication"


@pytest.mark.parametrize("key", ["direct", "derived"])
def test_what_is_encrypted_under_a_password_is_refused(wss4j: Wss4j, key: str) -> None:
    assert sent(Guarded(**POLICY), wss4j.derive(MESSAGE, NOW, key=key, encrypted=True)).check == "encryption.key"


def test_as_few_iterations_as_wss4j_itself_refuses_are_refused(wss4j: Wss4j) -> None:
    assert sent(Guarded(**POLICY), wss4j.derive(MESSAGE, NOW, iterations=999)).check == "username_token.malformed"


@pytest.mark.parametrize("signature", ["hmac-sha1", "hmac-sha256"])
def test_wss4j_takes_what_a_user_of_ours_signs(wss4j: Wss4j, signature: str) -> None:
    plan = Securing(
        timestamp=timedelta(minutes=5),
        username=UsernameCredentials("alice", "secret", "DerivedKey"),
        signature_algorithm=signature,
    )
    octets = secure(MESSAGE, plan, NOW, Limits())
    assert wss4j.verify(octets, secret="secret") == [f"{{{SOAP11}}}Body", f"{{{WSU}}}Timestamp"]
    with pytest.raises(Refused, match=r"^FailedCheck: "):
        wss4j.verify(octets, secret="another")
