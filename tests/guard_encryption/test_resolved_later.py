"""An encrypted Body has no operation until it is decrypted; then everything is held against the service it is for."""

import re
from datetime import date
from typing import Any, Final

import pytest

from tests.guard_encryption.sealing import (
    KNOWN_USER,
    NAMED,
    OPEN,
    Sealing,
    also,
    body_with,
    content_of,
    draft,
    encrypted_body,
    encrypted_then_signed,
    for_server,
    opened,
    sealed,
    signed_then_encrypted,
)
from tests.messages import PAYLOAD, SOAP11, Token, timestamp
from tests.pki import authority
from tests.signature.signatures import ALICE, BOB, SignedGuard, rsa_client
from tests.signing import Signing, binary_token

OTHER: Final = authority("Other")
"""Trusted by some service only."""
CAROL: Final = OTHER.leaf("Carol")
LEAD: Final = '<p:Lead xmlns:p="urn:lead"><p:name>x</p:name></p:Lead>'
TRANSFER: Final = '<e:Transfer xmlns:e="urn:echo"/>'


def service(*operations: str, **sections: Any) -> dict[str, Any]:
    return {"operations": list(operations), **sections}


# --- Algorithms and trust of the service ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("algorithms", "check"),
    [
        ({"encryption": ["aes256-gcm"]}, "encryption.algorithm"),
        ({"key_transport": ["rsa-oaep"]}, "encryption.algorithm"),
        ({"digest": ["sha512"]}, "signature.algorithm"),
        ({"signature": ["rsa-sha512"]}, "signature.algorithm"),
        ({"canonicalization": ["c14n"]}, "signature.algorithm"),
        ({"encryption": ["aes128-gcm"]}, ""),
    ],
    ids=str,
)
@pytest.mark.parametrize("make", [signed_then_encrypted, encrypted_then_signed])
def test_a_service_that_takes_less_than_the_top_takes_no_more(
    guarded: Sealing, algorithms: dict[str, list[str]], check: str, make: Any
) -> None:
    guard = guarded(services={"Echo": service("{urn:echo}*", algorithms=algorithms)})
    answer = guard.post(make())
    assert (answer.check, len(guard.echo.handed)) == (check, not check)


def test_what_only_the_service_takes_is_refused_where_the_body_hides_it(guarded: Sealing) -> None:
    """Nobody knows yet which service it is for."""
    guard = guarded(services={"Echo": service("{urn:echo}*", algorithms={"encryption": ["aes256-cbc"]})}, **OPEN)
    assert guard.refusal(encrypted_body(for_server(algorithm="aes256-cbc"))) == "encryption.algorithm"


@pytest.mark.parametrize(
    ("trust", "check"),
    [
        ({"subject_cert_constraints": ["CN=Bob"]}, "certificate.constraint"),
        ({"issuer_cert_constraints": ["CN=Other"]}, "certificate.constraint"),
        ({"subject_cert_constraints": ["CN=Alice"]}, ""),
    ],
    ids=str,
)
@pytest.mark.parametrize("make", [signed_then_encrypted, encrypted_then_signed])
def test_a_service_that_trusts_fewer_trusts_no_more(
    guarded: Sealing, trust: dict[str, list[str]], check: str, make: Any
) -> None:
    guard = guarded(services={"Echo": service("{urn:echo}*", trust=trust)})
    assert guard.post(make()).check == check
    assert len(guard.echo.handed) == (not check)


def test_a_signer_of_an_authority_that_the_service_does_not_trust_is_refused(
    guarded: Sealing, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other") / "other.pem"
    other.write_bytes(OTHER.pem)
    guard = guarded(services={"Echo": service("{urn:echo}*", trust={"ca_files": [other]})})
    assert guard.refusal(signed_then_encrypted()) == "certificate.untrusted"


def test_a_longer_key_that_only_the_service_demands_is_demanded(guarded: Sealing) -> None:
    guard = guarded(services={"Echo": service("{urn:echo}*", algorithms={"min_rsa_bits": 3072})})
    octets = signed_then_encrypted(signing=Signing.by(rsa_client()))
    assert guard.refusal(octets) == "certificate.key_size"


def test_the_record_says_that_a_signer_was_held_against_the_trust_of_the_service_too(guarded: Sealing) -> None:
    services = {"Echo": service("{urn:echo}*", trust={"subject_cert_constraints": ["CN=Alice"]})}
    guard = guarded(services=services, audit={"url": "memory://", "record": "all"})
    record = guard.post(signed_then_encrypted()).record
    assert record is not None
    told = [one["seen"].partition(",")[0] for one in record.explanation if one["check"] == "certificate"]
    assert told == ["CN=Alice by DirectReference", "CN=Alice by a signature"]


@pytest.mark.parametrize(
    ("sections", "check"),
    [
        ({"timestamp": {"time_to_live": 1, "max_lifetime": 10}}, "timestamp.lifetime"),
        ({"timestamp": {"use": "forbidden"}}, "timestamp.forbidden"),
        ({"signature": {"use": "required"}}, "signature.missing"),
        ({"username_token": {"use": "required"}}, "username_token.missing"),
        ({"encryption": {"required_parts": ["Body", "{urn:h}To"]}}, "encryption.coverage"),
    ],
    ids=str,
)
def test_what_the_service_demands_is_demanded_of_what_was_hidden(
    guarded: Sealing, sections: dict[str, Any], check: str
) -> None:
    guard = guarded(services={"Echo": service("{urn:echo}*", **sections)}, **OPEN)
    assert guard.refusal(encrypted_body()) == check


# --- What the Body turns out to be ------------------------------------------------------------------------------------


def exempting(guarded: Sealing, **policy: Any) -> SignedGuard:
    exempt = {"operations": ["{urn:lead}*"], "reason": "r", "owner": "o", "review": date(2027, 6, 30)}
    return guarded(exempt=[exempt], **policy)


def test_an_exempt_operation_is_exempt_although_it_was_encrypted(guarded: Sealing) -> None:
    guard = exempting(guarded)
    answer = guard.post(encrypted_body(body=LEAD))
    assert answer.record is not None
    assert (answer.status, answer.record.outcome, answer.check) == ("200 OK", "exempt", "exemption")
    message = guard.echo.handed[-1][0]["wsguard.message"]
    assert (message.exempt, message.principal, message.encrypted_parts) == (True, None, frozenset())
    assert LEAD.encode() in guard.handed
    assert b"Security" not in guard.handed


def test_nothing_is_demanded_of_an_exempt_operation_that_was_encrypted(guarded: Sealing) -> None:
    guard = exempting(guarded, username_token={"use": "forbidden"})
    answer = guard.post(encrypted_body(None, Token().xml(), body=LEAD))
    assert (answer.status, answer.check) == ("200 OK", "exemption")


def test_an_exempt_operation_beside_another_is_not_exempt(guarded: Sealing) -> None:
    for body in (LEAD + PAYLOAD, PAYLOAD + LEAD):
        assert exempting(guarded).refusal(encrypted_body(body=body)) == "envelope.structure"


def test_an_exempt_operation_with_a_bad_signature_is_refused(guarded: Sealing) -> None:
    octets = signed_then_encrypted(signing=Signing.by(ALICE, value="AAAA"), body=LEAD)
    assert exempting(guarded).refusal(octets) == "signature.value"


@pytest.mark.parametrize("make", [encrypted_body, signed_then_encrypted])
def test_an_exempt_operation_must_not_contradict_its_action(guarded: Sealing, make: Any) -> None:
    guard = exempting(guarded, services={"Echo": service("{urn:echo}*")})
    assert guard.refusal(make(body=LEAD), HTTP_SOAPACTION='"urn:echo/Echo"') == "envelope.soap_action"


@pytest.mark.parametrize(
    ("body", "check"),
    [
        ("<Echo/>", "operation.unknown"),
        (PAYLOAD + TRANSFER, "envelope.structure"),
        (PAYLOAD + PAYLOAD, "envelope.structure"),
        ("text" + PAYLOAD, "envelope.structure"),
        ("", "envelope.structure"),
        (f'<S:Fault xmlns:S="{SOAP11}"/>', "envelope.structure"),
        ('<e:Echo xmlns:e="urn:echo" href="#x"/><e:x xmlns:e="urn:echo" id="x"/>', ""),
        ('<e:Echo xmlns:e="urn:echo" href="#TS-1"/>', "envelope.structure"),
        ('<e:Echo xmlns:e="urn:echo" href="#nothing"/>', "envelope.structure"),
        ('<e:Echo xmlns:e="urn:echo"><e:a id="x"><e:b href="#x"/></e:a></e:Echo>', "envelope.structure"),
        ('<e:Echo xmlns:e="urn:echo" id="TS-1"/>', "encryption.failed"),
        ('<e:Echo xmlns:e="urn:echo" id="EK-1"/>', "encryption.failed"),
        ('<e:Echo xmlns:e="urn:echo"><e:a id="x"/><e:b id="x"/></e:Echo>', "encryption.failed"),
    ],
    ids=[
        "no namespace",
        "two operations",
        "one twice",
        "text",
        "nothing",
        "a Fault",
        "a reference inside",
        "a reference out",
        "a reference to nothing",
        "a circle",
        "an Id of the header",
        "the Id of the key",
        "an Id twice inside",
    ],
)
def test_the_decrypted_body_is_held_against_everything(guarded: Sealing, body: str, check: str) -> None:
    guard = guarded(services={"Echo": service("{urn:echo}*")}, **OPEN)
    if check:
        assert guard.refusal(body_with(body)) == check
    else:
        assert guard.accepted(body_with(body)).service == "Echo"


def test_an_operation_of_another_path_is_refused(guarded: Sealing) -> None:
    services = {"Echo": service("{urn:echo}*", paths=["/echo"])}
    guard = guarded(services=services, **OPEN)
    assert guard.refusal(encrypted_body()) == "operation.unknown"
    opened(guard, encrypted_body(), PATH_INFO="/echo")


def test_an_action_that_names_another_operation_is_refused(guarded: Sealing) -> None:
    services = {"Echo": service("{urn:echo}Echo"), "Bank": service("{urn:bank}Pay")}
    guard = guarded(services=services, **OPEN)
    assert guard.refusal(encrypted_body(), HTTP_SOAPACTION='"urn:bank/Pay"') == "envelope.soap_action"
    action = '<a:Action xmlns:a="http://www.w3.org/2005/08/addressing">urn:bank/Pay</a:Action>'
    assert guard.refusal(encrypted_body(header=action)) == "envelope.soap_action"
    text = draft("@EK-1@", timestamp(), header=action)
    first = for_server(references=("ED-1", "ED-2"))
    hidden = sealed(text, (content_of(text), first), (action, also(first, "ED-2", kind="Element")))
    assert guard.refusal(hidden) == "envelope.soap_action"


def test_our_security_header_is_ours_also_after_something_was_opened(guarded: Sealing) -> None:
    octets = encrypted_body().replace(b"<wsse:Security ", b'<wsse:Security S:actor="urn:us" ')
    opened(guarded(actor="urn:us", **OPEN), octets)


def test_all_that_is_in_our_security_header_is_opened(guarded: Sealing) -> None:
    """The Body is listed; the token names its key itself, and is found in what came of it."""
    first = for_server()
    text = draft("@EK-1@", KNOWN_USER, timestamp())
    hidden = (KNOWN_USER, also(first, "ED-2", kind="Element"))
    octets = sealed(text, (content_of(text), first), hidden).replace(
        b"<wsse:Security ", b'<wsse:Security S:actor="urn:us" '
    )
    assert opened(guarded(actor="urn:us", **NAMED), octets).username == "alice"


def test_a_token_that_no_signature_names_is_read_all_the_same(guarded: Sealing) -> None:
    guard = guarded(encryption={"use": "optional"}, **OPEN)
    token = binary_token(ALICE.certificate)
    assert guard.accepted(draft(token, timestamp()).encode()).principal is None
    other = re.sub('ValueType="[^"]*"', 'ValueType="urn:kerberos"', token)
    assert guard.refusal(draft(other, timestamp()).encode()) == "security.unknown_token"


def test_a_second_child_of_the_body_is_not_for_another_service(guarded: Sealing) -> None:
    services = {"Echo": service("{urn:echo}*"), "Bank": service("{urn:bank}*")}
    guard = guarded(services=services, encryption={"use": "optional"}, **OPEN)
    for namespace, check in (("urn:echo", ""), ("urn:bank", "envelope.structure")):
        body = f'<e:Echo xmlns:e="urn:echo" href="#x"/><b:Pay xmlns:b="{namespace}" id="x"/>'
        for octets in (body_with(body), draft(timestamp(), body=body).encode()):
            assert guard.post(octets).check == check


def test_an_exempt_operation_may_be_named_by_its_action_in_quotes(guarded: Sealing) -> None:
    guard = exempting(guarded, services={"Echo": service("{urn:echo}*")})
    for name in ("Lead", "XLeadX"):
        for action in (f'"urn:lead/{name}"', f"urn:lead/{name}", f' "urn:lead/{name}" '):
            octets = encrypted_body(body=f'<p:{name} xmlns:p="urn:lead"/>')
            assert guard.post(octets, HTTP_SOAPACTION=action).status == "200 OK"


# --- Who --------------------------------------------------------------------------------------------------------------


def test_whoever_encrypts_is_nobody(guarded: Sealing) -> None:
    guard = guarded(client=[{"name": "bob", "certificate": BOB}], **OPEN)
    message = opened(guard, encrypted_body())
    assert (message.principal, message.client, message.certificate) == (None, "", None)


def test_the_signer_of_what_was_hidden_is_the_client(guarded: Sealing) -> None:
    entries = [
        {"name": "alice", "certificate": ALICE, "services": ["Other"]},
        {"name": "bob", "certificate": BOB},
    ]
    guard = guarded(client=entries, services={"Echo": service("{urn:echo}*"), "Other": service("{urn:o}*")})
    assert guard.refusal(signed_then_encrypted()) == "client.operation"
    assert opened(guard, signed_then_encrypted(signing=Signing.by(BOB))).client == "bob"
