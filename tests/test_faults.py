"""What a peer is told when it is refused: the right shape, one of few sentences, an incident, and nothing else."""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, get_args

import pytest
import zeep.exceptions
import zeep.wsdl.bindings.soap as zeep_soap
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.guarding import Answer, Guarded
from tests.messages import PROFILE, SOAP11, SOAP12, WSSE, Token, envelope, message, security, stamp, timestamp
from wsguard.checks import CHECKS
from wsguard.faults import (
    FailedAuthentication,
    FailedCheck,
    Fault,
    InternalFault,
    InvalidSecurity,
    InvalidSecurityToken,
    MessageExpired,
    MessageFault,
    SecurityFault,
    SecurityTokenUnavailable,
    StoreUnavailable,
    UnsupportedAlgorithm,
    UnsupportedSecurityToken,
    VersionMismatch,
)
from wsguard.message.envelope import SOAP_1_1, SOAP_1_2, SoapVersion
from wsguard.soapfault import Detail, answer

INCIDENT = "01m7yzmhg00t2ms8a9w4s1nszg"
INCIDENT_SHAPE = re.compile(r"[0-9a-hjkmnp-tv-z]{26}")
VERSIONS = [SOAP_1_1, SOAP_1_2]
DETAILS: tuple[Detail, ...] = get_args(Detail)

CODES: list[tuple[type[SecurityFault], str]] = [
    (UnsupportedSecurityToken, "UnsupportedSecurityToken"),
    (UnsupportedAlgorithm, "UnsupportedAlgorithm"),
    (InvalidSecurity, "InvalidSecurity"),
    (InvalidSecurityToken, "InvalidSecurityToken"),
    (FailedAuthentication, "FailedAuthentication"),
    (FailedCheck, "FailedCheck"),
    (SecurityTokenUnavailable, "SecurityTokenUnavailable"),
    (MessageExpired, "MessageExpired"),
]
"""WSS SOAP Message Security 1.1 §12, written down again."""


def read(octets: bytes, soap: str) -> tuple[str, str, str]:
    """Code, subcode (empty without one) and text of a fault, in Clark notation; asserts every part of its shape."""
    root = etree.fromstring(octets)
    assert root.tag == f"{{{soap}}}Envelope"
    (body,) = root
    assert body.tag == f"{{{soap}}}Body"
    (fault,) = body
    assert fault.tag == f"{{{soap}}}Fault"
    assert not any(element.attrib for element in (root, body, fault))
    if soap == SOAP11:
        code, text = fault
        assert (code.tag, text.tag) == ("faultcode", "faultstring")
        assert not len(code)
        assert not len(text)
        return qname(code), "", text.text or ""
    code, reason = fault
    assert (code.tag, reason.tag) == (f"{{{soap}}}Code", f"{{{soap}}}Reason")
    value, *subcodes = code
    assert value.tag == f"{{{soap}}}Value"
    (text,) = reason
    assert text.tag == f"{{{soap}}}Text"
    assert dict(text.attrib) == {"{http://www.w3.org/XML/1998/namespace}lang": "en"}
    if not subcodes:
        return qname(value), "", text.text or ""
    (subcode,) = subcodes
    assert subcode.tag == f"{{{soap}}}Subcode"
    (subvalue,) = subcode
    assert subvalue.tag == f"{{{soap}}}Value"
    return qname(value), qname(subvalue), text.text or ""


def qname(element: etree._Element) -> str:
    """The QName in an element's text, in Clark notation."""
    prefix, _, name = (element.text or "").partition(":")
    return f"{{{element.nsmap[prefix]}}}{name}"


@pytest.mark.parametrize(("fault", "code"), CODES)
def test_the_eight_codes_have_the_standards_names_shapes_and_status(fault: type[SecurityFault], code: str) -> None:
    raised = fault("security.missing", expected="e", seen="s")
    shown = answer(raised, SOAP_1_1, INCIDENT, "standard")
    assert read(shown.octets, SOAP11) == (f"{{{WSSE}}}{code}", "", f"{fault.sentence} [{INCIDENT}]")
    assert (shown.status, shown.code) == (500, f"wsse:{code}")
    shown = answer(raised, SOAP_1_2, INCIDENT, "standard")
    assert read(shown.octets, SOAP12) == (f"{{{SOAP12}}}Sender", f"{{{WSSE}}}{code}", f"{fault.sentence} [{INCIDENT}]")
    assert (shown.status, shown.code) == (400, f"wsse:{code}")


@pytest.mark.parametrize(
    ("fault", "code11", "code12", "status11", "status12"),
    [
        (MessageFault("envelope.malformed", expected="e", seen="s"), "Client", "Sender", 500, 400),
        (VersionMismatch("envelope.structure", expected="e", seen="s"), "VersionMismatch", "VersionMismatch", 500, 500),
        (StoreUnavailable("s"), "Server", "Receiver", 503, 503),
        (InternalFault("s"), "Server", "Receiver", 500, 500),
        (MessageFault("http.method", expected="e", seen="s", status=HTTPStatus(405)), "Client", "Sender", 405, 405),
    ],
)
def test_the_other_faults_use_soaps_own_codes(
    fault: Fault, code11: str, code12: str, status11: int, status12: int
) -> None:
    text = f"{fault.sentence} [{INCIDENT}]"
    shown = answer(fault, SOAP_1_1, INCIDENT, "standard")
    assert (read(shown.octets, SOAP11), shown.status) == ((f"{{{SOAP11}}}{code11}", "", text), status11)
    shown = answer(fault, SOAP_1_2, INCIDENT, "standard")
    assert (read(shown.octets, SOAP12), shown.status) == ((f"{{{SOAP12}}}{code12}", "", text), status12)


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.number)
def test_headers_name_type_and_length_and_forbid_caching(version: SoapVersion) -> None:
    shown = answer(InvalidSecurity("security.missing", expected="e", seen="s"), version, INCIDENT, "standard")
    assert dict(shown.headers) == {
        "Content-Type": f"{version.content_type}; charset=utf-8",
        "Content-Length": str(len(shown.octets)),
        "Cache-Control": "no-store",
    }
    assert shown.octets.startswith(b"<?xml")
    away = answer(StoreUnavailable("s"), version, INCIDENT, "standard")
    assert dict(away.headers)["Retry-After"].isdigit()


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.number)
def test_unified_has_one_answer_for_whatever_the_security_header_did_wrong(version: SoapVersion) -> None:
    shown = {
        (given.octets, given.status, given.code, given.headers)
        for fault, _ in CODES
        for given in [answer(fault("security.missing", expected="e", seen="s"), version, INCIDENT, "unified")]
    }
    assert len(shown) == 1
    assert b"wsse:InvalidSecurity" in next(iter(shown))[0]


def test_unified_does_not_hide_that_a_message_was_none_or_a_store_away() -> None:
    for fault in (
        MessageFault("envelope.malformed", expected="e", seen="s"),
        StoreUnavailable("s"),
        InternalFault("s"),
    ):
        assert answer(fault, SOAP_1_1, INCIDENT, "unified") == answer(fault, SOAP_1_1, INCIDENT, "standard")


def test_only_detailed_names_the_check() -> None:
    fault = MessageExpired("timestamp.expired", expected="e", seen="s")
    texts = {detail: read(answer(fault, SOAP_1_1, INCIDENT, detail).octets, SOAP11)[2] for detail in DETAILS}
    assert texts["detailed"] == f"The message has expired (timestamp.expired) [{INCIDENT}]"
    assert not any("timestamp" in texts[detail] for detail in ("unified", "standard"))


HOSTILE = st.text(st.characters(codec=None), min_size=4, max_size=60) | st.sampled_from(
    [
        "]]>",
        "<!--x-->",
        "&lt;evil/&gt;",
        "\x00\x01\x02\x03",
        "{urn:evil}op",
        "\ud800\ud800\ud800\ud800",
        "%s%s%n{0}{check}",
    ]
)


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.number)
@pytest.mark.parametrize("detail", DETAILS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(expected=HOSTILE, seen=HOSTILE, check=st.sampled_from(sorted(CHECKS)), index=st.integers(0, 7))
def test_nothing_that_was_expected_or_seen_changes_a_byte_of_the_fault(
    version: SoapVersion, detail: Detail, expected: str, seen: str, check: str, index: int
) -> None:
    for fault in (CODES[index][0], MessageFault):
        hostile = answer(fault(check, expected=expected, seen=seen, setting=seen), version, INCIDENT, detail)
        assert hostile == answer(fault(check, expected="e", seen="s"), version, INCIDENT, detail)


# --- Through the guard ------------------------------------------------------------------------------------------------


def fault_of(given: Answer, soap: str = SOAP11) -> tuple[str, str]:
    """Innermost code and sentence of the fault in an answer, its incident taken off and compared with the record."""
    code, subcode, text = read(given.body, soap)
    sentence, _, incident = text.rpartition(" [")
    assert INCIDENT_SHAPE.fullmatch(incident[:-1])
    assert incident.endswith("]")
    assert given.record is not None
    assert given.record.incident == incident[:-1]
    return etree.QName(subcode or code).localname, sentence


@pytest.mark.parametrize(
    ("octets", "check", "code"),
    [
        (envelope(None), "security.missing", "InvalidSecurity"),
        (envelope(security(timestamp())), "username_token.missing", "InvalidSecurityToken"),
        (envelope(security(Token().xml())), "timestamp.missing", "InvalidSecurity"),
        (envelope(security(timestamp(), "<wsse:X/>")), "security.unknown_token", "UnsupportedSecurityToken"),
        (message(password="wrong"), "username_token.authentication", "FailedAuthentication"),
        (message(created=stamp(-9999)), "username_token.expired", "MessageExpired"),
        (envelope(security(timestamp(stamp(-9999)), Token().xml())), "timestamp.expired", "MessageExpired"),
        (message(kind="PasswordText"), "username_token.password_type", "InvalidSecurityToken"),
        (b"<a", "envelope.malformed", "Client"),
    ],
)
def test_each_refusal_has_its_code_status_and_record(octets: bytes, check: str, code: str) -> None:
    given = Guarded().post(octets)
    assert given.check == check
    told, _ = fault_of(given)
    assert told == code
    assert given.status == "500 Internal Server Error"
    assert given.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert given.record is not None
    assert (given.record.outcome, given.record.fault.partition(":")[2]) == ("rejected", told)


def test_soap_1_2_is_answered_in_soap_1_2() -> None:
    given = Guarded().post(envelope(None, soap=SOAP12), CONTENT_TYPE="application/soap+xml; charset=utf-8")
    assert fault_of(given, SOAP12)[0] == "InvalidSecurity"
    assert given.status == "400 Bad Request"
    assert given.headers["Content-Type"] == "application/soap+xml; charset=utf-8"


@pytest.mark.parametrize(("soap", "other"), [(SOAP11, "application/soap+xml"), (SOAP12, "text/xml")])
def test_an_envelope_says_its_version_whatever_the_content_type(soap: str, other: str) -> None:
    assert fault_of(Guarded().post(envelope(None, soap=soap), CONTENT_TYPE=other), soap)[0] == "InvalidSecurity"


def test_where_no_envelope_was_read_the_content_type_says_the_version() -> None:
    assert fault_of(Guarded().post(b"<", CONTENT_TYPE="application/soap+xml"), SOAP12)[0] == "Sender"
    assert fault_of(Guarded().post(b"<", CONTENT_TYPE="text/xml"))[0] == "Client"
    assert fault_of(Guarded().post(b"<", CONTENT_TYPE="application/json"))[0] == "Client"


def test_a_foreign_envelope_is_a_version_mismatch() -> None:
    given = Guarded().post(envelope(None, soap="urn:other"))
    assert (fault_of(given)[0], given.check) == ("VersionMismatch", "envelope.structure")


def without_incident(given: Answer) -> tuple[str, bytes, dict[str, str]]:
    """All that a peer gets, but for what is new each time."""
    assert given.record is not None
    return given.status, given.body.replace(given.record.incident.encode(), b""), given.headers


@pytest.mark.parametrize("detail", ["auto", *DETAILS])
@pytest.mark.parametrize("kind", ["PasswordDigest", "PasswordText"])
def test_unknown_disabled_and_wrong_are_one_answer(detail: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from wsguard.interfaces import User

    disabled = {"carol": User("carol", b"secret", enabled=False), "alice": User("alice", b"secret")}
    monkeypatch.setattr("wsguard.stores.users_memory.MemoryUserStore.find", lambda self, name: disabled.get(name))
    guarded = Guarded(faults={"detail": detail}, username_token={"password_types": ["PasswordDigest", "PasswordText"]})
    given = [
        guarded.post(message(kind=kind, username=name, password=password))
        for name, password in [("nobody", "secret"), ("carol", "secret"), ("carol", "no"), ("alice", "no")]
    ]
    assert {answer.check for answer in given} == {"username_token.authentication"}
    assert len({str(without_incident(answer)) for answer in given}) == 1
    assert guarded.post(message(kind=kind)).status == "200 OK"


KINDS: list[Callable[[], bytes]] = [
    lambda: envelope(None),
    lambda: envelope(security(timestamp())),
    lambda: envelope(security(timestamp(), "<wsse:X/>")),
    lambda: envelope(security(timestamp(), Token(password="wrong").xml())),
    lambda: envelope(security(timestamp(stamp(-9999)), Token().xml())),
    lambda: envelope(security() + security()),
]


def test_the_unified_setting_makes_every_refusal_of_the_header_the_same() -> None:
    guarded = Guarded(faults={"detail": "unified"})
    assert len({str(without_incident(guarded.post(kind()))) for kind in KINDS}) == 1
    guarded = Guarded(faults={"detail": "standard"})
    assert len({str(without_incident(guarded.post(kind()))) for kind in KINDS}) > 1


def test_auto_is_standard_without_decryption_keys() -> None:
    kinds = [kind() for kind in KINDS]
    auto, standard = Guarded(), Guarded(faults={"detail": "standard"})
    assert [without_incident(auto.post(kind)) for kind in kinds] == [
        without_incident(standard.post(kind)) for kind in kinds
    ]


def test_auto_is_unified_with_a_key_that_decrypts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WSGUARD_TEST_SHARED", "c2l4dGVlbiBieXRlcyBvZiBrZXk=")
    guarded = Guarded(keys={"shared": [{"name": "k", "key_env": "WSGUARD_TEST_SHARED"}]})
    assert len({str(without_incident(guarded.post(kind()))) for kind in KINDS}) == 1


def test_detailed_tells_the_peer_the_check() -> None:
    given = Guarded(faults={"detail": "detailed"}).post(envelope(None))
    assert fault_of(given)[1].endswith(" (security.missing)")


SENTENCES = {fault.sentence for fault, _ in CODES} | {
    fault.sentence for fault in (MessageFault, VersionMismatch, StoreUnavailable, InternalFault)
}
XML_NAME = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{6,30}", fullmatch=True)
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"], exclude_characters="<&>\ufffe\uffff"),
    min_size=6,
    max_size=40,
)


def hostile_messages(name: str, text: str) -> list[bytes]:
    """Messages with a sender's words in every place that an explanation quotes."""
    attribute = text.replace('"', "'")
    return [
        envelope(None, f'<{name} xmlns="urn:{name}"/>'),
        envelope(None, f"<{name}/>"),
        envelope(f'<x:h xmlns:x="urn:x" S:mustUnderstand="{attribute}"/>'),
        envelope(f'<a:Action xmlns:a="http://www.w3.org/2005/08/addressing">{text}</a:Action>'),
        envelope(security(f"<wsse:{name}/>", timestamp())),
        envelope(security(timestamp(text), Token().xml())),
        envelope(security(timestamp(), Token(username=text, password="wrong").xml())),
        envelope(security(timestamp(), Token(created=text).xml())),
        envelope(security(timestamp(), Token(parts={"Nonce": f"<wsse:Nonce>{text}</wsse:Nonce>"}).xml())),
        envelope(security(timestamp(), Token(parts={"Password": f'<wsse:Password Type="{attribute}"/>'}).xml())),
        envelope(security(timestamp(), Token(extra=f'<{name} xmlns="urn:x"/>').xml())),
        envelope(None, f'<e:Echo xmlns:e="urn:echo" id="{attribute}"><x id="{attribute}"/></e:Echo>'),
        envelope(None, f'<e:Echo xmlns:e="urn:echo" href="#{attribute}"/>'),
        f"<{name}/>".encode(),
        f"<{name}>".encode(),
        f"<?xml version='1.0' encoding='{name}'?><a/>".encode(),
    ]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=XML_NAME, text=TEXT, detail=st.sampled_from(DETAILS))
def test_no_byte_of_the_senders_is_in_any_fault(name: str, text: str, detail: Detail) -> None:
    guarded = Guarded(faults={"detail": detail})
    environ: dict[str, Any] = {"HTTP_SOAPACTION": f'"{name}"'} if name.isascii() else {}
    for octets in hostile_messages(name, text):
        given = guarded.post(octets, **environ)
        _, sentence = fault_of(given)
        if detail == "detailed":
            sentence = sentence.removesuffix(f" ({given.check})")
        assert sentence in SENTENCES
        assert set(given.headers) == {"Content-Type", "Content-Length", "Cache-Control"}
    for given in (
        guarded.post(message(), PATH_INFO=f"/{name};"),
        guarded.post(message(), CONTENT_TYPE=f"text/{name}"),
        guarded.post(message(), CONTENT_TYPE=f"text/xml; charset={name}"),
        guarded.post(message(), HTTP_CONTENT_ENCODING=name),
    ):
        assert fault_of(given)[1].removesuffix(f" ({given.check})") in SENTENCES


def test_password_digest_and_nonce_are_in_no_record() -> None:
    token = Token(password="pa55-word-of-mine", nonce=b"nonce-of-mine-16")
    digest_text = re.findall(r">([^<]{28})</wsse:Password>", token.xml())[0]
    for octets in (
        message(token),
        message(token, kind="PasswordText"),
        message(
            token, parts={"Password": f'<wsse:Password Type="{PROFILE}#PasswordDigest">{digest_text}x</wsse:Password>'}
        ),
    ):
        record = Guarded(audit={"url": "memory://", "record": "all"}).post(octets).record
        assert record is not None
        kept = str(record.as_dict())
        assert not any(secret in kept for secret in ("pa55-word", digest_text, "nonce-of-mine", "bm9uY2Utb2Yt"))


@pytest.mark.parametrize(("soap", "binding"), [(SOAP11, zeep_soap.Soap11Binding), (SOAP12, zeep_soap.Soap12Binding)])
def test_zeep_reads_the_fault(soap: str, binding: Any) -> None:
    content_type = "text/xml" if soap == SOAP11 else "application/soap+xml"
    given = Guarded().post(message(soap=soap, password="wrong"), CONTENT_TYPE=content_type)
    reader = binding.__new__(binding)
    with pytest.raises(zeep.exceptions.Fault) as caught:
        reader.process_error(etree.fromstring(given.body), None)
    assert caught.value.message.startswith("The security token could not be authenticated or authorized [")
    codes = [caught.value.code, *(str(etree.QName(code)) for code in caught.value.subcodes or ())]
    assert codes[-1].endswith("FailedAuthentication")
