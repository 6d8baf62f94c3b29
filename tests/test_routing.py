"""Whom a message is for: decided by the Body's child and the path, whatever any header says, and never loosely."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wsguard
from tests.guarding import USERS, Answer, Guarded
from tests.messages import NOW, SOAP12, Token, envelope, message, security, timestamp
from wsguard.faults import MessageFault
from wsguard.interfaces import Application
from wsguard.policy.problems import ConfigError
from wsguard.routing import ServiceTable
from wsguard.stores.users_memory import MemoryUserStore

A, B, C = "{urn:x}a", "{urn:x}b", "{urn:y}c"
TEXT_TOO = {"username_token": {"password_types": ["PasswordDigest", "PasswordText"]}}
MEMORY = {"users": {"url": "memory://"}, "replay": {"url": "memory://"}, "audit": {"url": "memory://"}}


def policy(**sections: Any) -> wsguard.Policy:
    return wsguard.Policy.model_validate({**MEMORY, **sections})


def table(application: Application | None = None, **sections: Any) -> ServiceTable:
    return ServiceTable(policy(**sections), application)


def problems(application: Application | None = None, **sections: Any) -> list[tuple[str, str]]:
    """Key and reason of each thing that is wrong."""
    with pytest.raises(ConfigError) as caught:
        table(application, **sections)
    return [(problem.key, problem.reason) for problem in caught.value.problems]


def refusal(services: ServiceTable, path: str, operation: str, others: tuple[str, ...] = ()) -> str:
    with pytest.raises(MessageFault) as caught:
        services.resolve(path, operation, others)
    return caught.value.check


def child(operation: str, attributes: str = "", inner: str = "") -> str:
    """A Body child with this qualified name."""
    namespace, _, name = operation[1:].partition("}")
    return f'<o:{name} xmlns:o="{namespace}"{attributes}>{inner}</o:{name}>'


def plain(operation: str) -> bytes:
    """A message without Security header."""
    return envelope(None, child(operation))


SPYNE = Application(
    {"Members": frozenset({A, B}), "Leads": frozenset({C})},
    {A: frozenset({"a", "urn:do-a"}), B: frozenset({"b"}), C: frozenset({"c"})},
)


# --- Claims -----------------------------------------------------------------------------------------------------------


def test_an_operation_is_found_by_its_full_name() -> None:
    services = table(services={"one": {"operations": [A]}, "two": {"operations": [B, C]}})
    found = [services.resolve("/", operation).service for operation in (A, B, C, "{urn:x}A", "{urn:z}a", "{urn:y}a")]
    assert found == ["one", "two", "two", "", "", ""]


def test_a_wildcard_claims_one_namespace_and_no_other_that_begins_alike() -> None:
    services = table(services={"one": {"operations": ["{urn:x}*"]}})
    names = (A, B, "{urn:x}*", C, "{urn:x2}a", "{urn:}a", "{urn:x}y}a")
    assert [services.resolve("/", name).service for name in names] == ["one", "one", "one", "", "", "", ""]


def test_a_path_is_exact() -> None:
    services = table(services={"one": {"paths": ["/one", "/uno"]}})
    paths = ("/one", "/uno", "/one2", "/", "", "/x/one")
    assert [services.resolve(path, A).service for path in paths] == ["one", "one", "", "", "", ""]


@pytest.mark.parametrize("path", ["/one/", "/One", "/one\u200b", "/ｏne", "/one//", "/one/x", "/ONE/x/y"])
def test_what_a_router_may_take_for_the_path_of_a_service_is_refused(path: str) -> None:
    """The application would serve it, under the demands of the top of the file; or what is mounted there would."""
    assert refusal(table(services={"one": {"paths": ["/one"]}}), path, A) == "http.path"


def test_with_operations_and_paths_both_must_match() -> None:
    services = table(services={"one": {"operations": [A], "paths": ["/one"]}})
    assert services.resolve("/one", A).service == "one"
    assert services.resolve("/one", B).service == ""
    assert refusal(services, "/two", A) == "operation.unknown"


def test_an_operation_may_be_claimed_by_two_services_on_two_paths() -> None:
    services = table(
        services={"one": {"operations": [A], "paths": ["/1"]}, "two": {"operations": ["{urn:x}*"], "paths": ["/2"]}}
    )
    assert (services.resolve("/1", A).service, services.resolve("/2", A).service) == ("one", "two")
    assert refusal(services, "/3", A) == "operation.unknown"
    assert refusal(services, "/1", B) == "operation.unknown"


def test_an_operation_with_paths_cannot_be_had_through_anothers_path() -> None:
    services = table(
        services={"strict": {"operations": [A], "paths": ["/strict"]}, "loose": {"paths": ["/loose"], **TEXT_TOO}},
        exempt=[{"paths": ["/open"]}],
    )
    assert refusal(services, "/loose", A) == "operation.unknown"
    assert refusal(services, "/open", A) == "operation.unknown"
    assert services.resolve("/loose", B).service == "loose"
    assert services.resolve("/open", B).kind == "exempt"


OVERLAPS: list[tuple[dict[str, Any], str, str]] = [
    (
        {"services": {"one": {"operations": [A, B]}, "two": {"operations": [B]}}},
        "services.two",
        "services.one",
    ),
    ({"services": {"one": {"operations": ["{urn:x}*"]}, "two": {"operations": [B]}}}, "services.two", "services.one"),
    ({"services": {"one": {"operations": [B]}, "two": {"operations": ["{urn:x}*"]}}}, "services.two", "services.one"),
    (
        {"services": {"one": {"operations": ["{urn:x}*"]}, "two": {"operations": ["{urn:x}*"]}}},
        "services.two",
        "services.one",
    ),
    ({"services": {"one": {"paths": ["/a", "/b"]}, "two": {"paths": ["/b"]}}}, "services.two", "services.one"),
    (
        {"services": {"one": {"operations": [A], "paths": ["/a"]}, "two": {"operations": [A]}}},
        "services.two",
        "services.one",
    ),
    (
        {"services": {"one": {"operations": [A], "paths": ["/a"]}, "two": {"paths": ["/a"]}}},
        "services.two",
        "services.one",
    ),
    ({"services": {"one": {"operations": [A]}}, "exempt": [{"operations": [A]}]}, "services.one", "exempt[0]"),
    ({"services": {"one": {"operations": [A]}}, "exempt": [{"operations": ["{urn:x}*"]}]}, "services.one", "exempt[0]"),
    ({"services": {"one": {"paths": ["/a"]}}, "exempt": [{"paths": ["/a"]}]}, "services.one", "exempt[0]"),
    ({"services": {"one": {"operations": [A]}}, "exempt": [{"paths": ["/a"]}]}, "services.one", "exempt[0]"),
    ({"exempt": [{"operations": [A]}, {"operations": [A]}]}, "exempt[1]", "exempt[0]"),
]


@pytest.mark.parametrize(("sections", "key", "other"), OVERLAPS)
def test_claims_that_overlap_name_both_keys(sections: dict[str, Any], key: str, other: str) -> None:
    assert problems(**sections) == [(key, f"claims an operation that {other} claims too")]


def test_guard_refuses_an_overlap_at_start_and_names_the_file(tmp_path: Any) -> None:
    file = tmp_path / "wsguard.toml"
    file.write_text(
        '[users]\nurl = "memory://"\n[replay]\nurl = "memory://"\n[audit]\nurl = "memory://"\n'
        '[services.one]\noperations = ["{urn:x}a"]\n[[exempt]]\noperations = ["{urn:x}*"]\n'
    )
    with pytest.raises(ConfigError) as caught:
        wsguard.guard(Guarded().echo, file)
    assert str(caught.value) == f"{file}: services.one: claims an operation that exempt[0] claims too"


def test_every_mistake_is_told_at_once() -> None:
    found = problems(
        SPYNE,
        services={"Nobody": {}, "one": {"operations": [A]}, "two": {"operations": [A]}, "three": {"paths": ["/x"]}},
        exempt=[{"service": "Ghost"}, {"operations": ["{urn:q}z"]}],
    )
    assert [key for key, _ in found] == ["exempt[0]", "exempt[1]", "services.Nobody", "services.three", "services.two"]


def test_a_service_name_that_nothing_resolves_is_refused() -> None:
    key, reason = problems(services={"Members": {}})[0]
    assert (key, "'Members' is no service" in reason) == ("services.Members", True)
    key, reason = problems(SPYNE, exempt=[{"service": "Member"}])[0]
    assert (key, "(Leads, Members)" in reason) == ("exempt[0]", True)


def test_a_service_without_a_name_is_refused_or_heeded() -> None:
    """``[services.""]`` beside an exemption by operation, which has no service name either."""
    sections: dict[str, Any] = {
        "services": {"": {"operations": [A], "timestamp": {"require_expires": True}}},
        "exempt": [{"operations": [B]}],
    }
    try:
        services = table(**sections)
    except ValueError:
        return
    assert services.resolve("/", A).demands.timestamp.require_expires is True


# --- Spyne's kind of application --------------------------------------------------------------------------------------


def test_service_classes_are_known_by_name() -> None:
    services = table(SPYNE, services={"Members": {}}, exempt=[{"service": "Leads"}])
    assert [services.resolve("/any", operation).kind for operation in (A, B, C)] == ["guarded", "guarded", "exempt"]
    assert [services.resolve("/any", operation).service for operation in (A, C)] == ["Members", "Leads"]


def test_classes_that_nobody_names_get_the_top_of_the_file_under_their_own_name() -> None:
    services = table(SPYNE)
    assert [(t.service, t.kind) for t in (services.resolve("/", A), services.resolve("/", C))] == [
        ("Members", "default"),
        ("Leads", "default"),
    ]


@pytest.mark.parametrize("operation", ["{urn:x}z", "{urn:z}a", "{urn:x}A", "{urn:x}a "])
def test_an_operation_that_the_application_does_not_have_is_refused(operation: str) -> None:
    assert refusal(table(SPYNE), "/", operation) == "operation.unknown"


@pytest.mark.parametrize(
    "sections",
    [{"services": {"one": {"paths": ["/one"]}}}, {"exempt": [{"paths": ["/one"]}]}],
    ids=["service", "exempt"],
)
def test_a_path_alone_is_refused_where_the_application_dispatches_on_the_body(sections: dict[str, Any]) -> None:
    ((_, reason),) = problems(SPYNE, **sections)
    assert reason.startswith("a path alone")


def test_an_operation_that_is_named_must_exist() -> None:
    found = problems(SPYNE, services={"one": {"operations": ["{urn:x}z", "{urn:nowhere}*"]}})
    assert [reason for _, reason in found] == [
        "the application has no operation {urn:x}z",
        "the application has no operation {urn:nowhere}*",
    ]


def test_a_class_with_paths_is_refused_elsewhere() -> None:
    services = table(SPYNE, services={"Members": {"paths": ["/members"]}})
    assert services.resolve("/members", A).service == "Members"
    assert refusal(services, "/leads", A) == "operation.unknown"


# --- Exemptions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sections",
    [
        {"exempt": [{"operations": [C]}]},
        {"exempt": [{"operations": ["{urn:y}*"]}]},
        {"exempt": [{"operations": [C], "paths": ["/soap"]}]},
        {"exempt": [{"service": "open"}], "services": {"open": {"operations": [C]}}},
    ],
    ids=["operation", "wildcard", "both", "service"],
)
def test_an_exempt_operation_passes_and_every_other_does_not(sections: dict[str, Any]) -> None:
    guarded = Guarded(**sections)
    answer = guarded.post(plain(C))
    assert (answer.status, answer.check) == ("200 OK", "exemption")
    for operation in (A, "{urn:y2}c", "{urn:Y}c"):
        assert guarded.post(plain(operation)).check == "security.missing"


def test_an_exemption_by_path_is_for_this_path_only() -> None:
    guarded = Guarded(exempt=[{"paths": ["/open"]}])
    assert guarded.post(plain(A), PATH_INFO="/open").check == "exemption"
    assert guarded.post(plain(A), PATH_INFO="/open/").check == "security.missing"
    assert guarded.post(plain(A), SCRIPT_NAME="/open", PATH_INFO="").check == "exemption"
    assert guarded.post(plain(A), SCRIPT_NAME="/app", PATH_INFO="/open").check == "security.missing"


def test_an_exempt_operation_on_another_path_is_refused() -> None:
    guarded = Guarded(exempt=[{"operations": [C], "paths": ["/open"]}])
    assert guarded.post(plain(C), PATH_INFO="/elsewhere").check == "operation.unknown"


def test_a_service_with_demands_of_its_own_cannot_be_exempt() -> None:
    found = problems(
        services={"open": {"operations": [C], "timestamp": {"use": "optional"}}}, exempt=[{"service": "open"}]
    )
    assert found == [("exempt[0]", "services.open makes demands and cannot be exempt too")]


def test_an_exempt_message_is_bounded_like_any_other() -> None:
    guarded = Guarded(exempt=[{"operations": [C]}], limits={"depth": 5, "elements": 9})
    assert guarded.post(envelope(None, child(C, inner="<a>" * 5 + "</a>" * 5))).check == "limits.depth"
    assert guarded.post(envelope(None, child(C, inner="<a/>" * 9))).check == "limits.elements"
    assert guarded.post(b"<!DOCTYPE a>" + plain(C)).check == "envelope.doctype"
    assert guarded.post(envelope(None, child(C, ' id="i"', '<a id="i"/>'))).check == "envelope.duplicate_id"


def test_an_exempt_message_grants_nobody_an_identity() -> None:
    guarded = Guarded(exempt=[{"operations": [C]}])
    assert guarded.post(message(body=child(C))).check == "exemption"
    environ, octets = guarded.echo.handed[-1]
    assert "REMOTE_USER" not in environ
    assert b"UsernameToken" not in octets


# --- Actions ----------------------------------------------------------------------------------------------------------


def addressed(action: str, namespace: str = "http://www.w3.org/2005/08/addressing") -> str:
    return f'<wsa:Action xmlns:wsa="{namespace}">{action}</wsa:Action>'


def with_action(guarded: Guarded, operation: str, where: str, action: str, *, token: bool) -> Answer:
    """The answer to a message for ``operation`` with an action in one of the places where there may be one."""
    security_header = security(timestamp(), Token(nonce=repr((where, action)).encode()[:60]).xml()) if token else ""
    header = {"2005": addressed(action), "2004": addressed(action, "http://schemas.xmlsoap.org/ws/2004/08/addressing")}
    octets = envelope(security_header + header.get(where, ""), child(operation), SOAP12)
    environ = {
        "SOAPAction": {"HTTP_SOAPACTION": action},
        "action": {"CONTENT_TYPE": f'application/soap+xml; action="{action.replace(chr(34), "")}"'},
    }
    return guarded.post(octets, **environ.get(where, {}))


PLACES = ["SOAPAction", "action", "2005", "2004"]
TWO: dict[str, Any] = {
    "services": {"strict": {"operations": [A]}, "loose": {"operations": [B], **TEXT_TOO}},
    "exempt": [{"operations": [C]}],
}
OF_A = ["urn:x/a", "urn:x#a", "urn:x:a", "urn:xa", "a", '"urn:x#a"', ' "urn:x/a" ', '"a"']


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("action", OF_A)
def test_an_action_of_another_operation_is_refused(where: str, action: str) -> None:
    guarded = Guarded(**TWO)
    assert with_action(guarded, B, where, action, token=True).check == "envelope.soap_action"
    assert with_action(guarded, C, where, action, token=False).check == "envelope.soap_action"
    assert not guarded.echo.handed


@pytest.mark.parametrize(
    "action", ["URN:X/A", "'urn:x/a'", "urn:x/b, urn:x/a", '"urn:x/b", "urn:x/a"', "urn:x/b urn:x/a", "<urn:x/a>"]
)
def test_an_action_that_some_program_would_read_as_that_of_another_operation_is_refused(action: str) -> None:
    guarded = Guarded(**TWO)
    assert with_action(guarded, B, "SOAPAction", action, token=True).check == "envelope.soap_action"
    assert not guarded.echo.handed


@pytest.mark.parametrize("action", ["urn:<x/>x/a", "<x>urn:x/a</x>", "urn:x/b<x>urn:x/a</x>"])
def test_an_action_that_elements_cut_in_pieces_is_refused_if_any_reading_is_of_another(action: str) -> None:
    guarded = Guarded(**TWO)
    assert with_action(guarded, B, "2005", action, token=True).check == "envelope.soap_action"
    assert not guarded.echo.handed


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("action", OF_A)
def test_an_action_of_the_bodys_operation_passes_in_every_spelling(where: str, action: str) -> None:
    assert with_action(Guarded(**TWO), A, where, action, token=True).status == "200 OK"


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("action", ["", '""', " "])
def test_an_empty_action_says_nothing(where: str, action: str) -> None:
    guarded = Guarded(**TWO)
    assert with_action(guarded, A, where, action, token=True).status == "200 OK"
    assert with_action(guarded, C, where, action, token=False).status == "200 OK"


@pytest.mark.parametrize("where", PLACES)
def test_an_unknown_action_passes_on_a_guarded_message_and_not_on_an_exempt_one(where: str) -> None:
    guarded = Guarded(**TWO)
    assert with_action(guarded, A, where, "urn:whatever", token=True).status == "200 OK"
    assert with_action(guarded, C, where, "urn:whatever", token=False).check == "envelope.soap_action"
    assert with_action(guarded, C, where, "urn:y#c", token=False).status == "200 OK"


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("action", ["urn:x/a", "urn:x#a", '"urn:x/secret"'])
def test_an_action_inside_anothers_wildcard_is_an_action_of_another(where: str, action: str) -> None:
    """An application that dispatches on SOAPAction would run the strict service's operation."""
    services = {"strict": {"operations": ["{urn:x}*"]}, "loose": {"operations": [C], **TEXT_TOO}}
    answer = with_action(Guarded(services=services), C, where, action, token=True)
    assert answer.check == "envelope.soap_action"


def test_the_wsdls_own_actions_count() -> None:
    services = table(SPYNE, exempt=[{"service": "Leads"}])
    for operation in (B, C):
        target = services.resolve("/", operation)
        with pytest.raises(MessageFault) as caught:
            services.check_actions(["urn:do-a"], operation, target)
        assert caught.value.check == "envelope.soap_action"
    services.check_actions(["urn:do-a", "a", "urn:x/a", ""], A, services.resolve("/", A))


def test_two_actions_are_both_judged() -> None:
    header = addressed("urn:y/c") + addressed("urn:x/a")
    answer = Guarded(**TWO).post(envelope(header, child(C)), HTTP_SOAPACTION='"urn:y/c"')
    assert answer.check == "envelope.soap_action"


def test_an_action_is_never_what_exempts() -> None:
    guarded = Guarded(exempt=[{"operations": [C]}])
    for where in PLACES:
        assert with_action(guarded, A, where, "urn:y/c", token=False).check in (
            "envelope.soap_action",
            "security.missing",
        )
    assert not guarded.echo.handed


# --- Several children -------------------------------------------------------------------------------------------------


def test_a_second_operation_in_the_body_is_refused() -> None:
    guarded = Guarded(exempt=[{"operations": [C]}])
    assert guarded.post(envelope(None, child(C) + child(A))).check == "envelope.structure"
    assert guarded.post(envelope(None, child(A) + child(C))).check == "envelope.structure"
    assert guarded.post(message(body=child(A) + child(C))).check == "envelope.structure"


def test_a_second_operation_of_the_same_service_is_refused_too() -> None:
    guarded = Guarded()
    for second in (child(A), child(B), "<b/>", child(B, ' id="i"'), "<multiRef/>"):
        assert guarded.post(message(body=child(A) + second)).check == "envelope.structure"
    assert not guarded.echo.handed


def test_an_operation_without_namespace_is_refused() -> None:
    """Applications map it to whatever namespace is theirs."""
    guarded = Guarded(exempt=[{"paths": ["/open"]}], services={"one": {"paths": ["/one"]}})
    assert guarded.post(envelope(None, "<c/>"), PATH_INFO="/open").check == "operation.unknown"
    for path in ("/", "/one"):
        assert guarded.post(message(body="<c/>"), PATH_INFO=path).check == "operation.unknown"
    assert not guarded.echo.handed


def test_a_second_operation_dressed_up_as_a_value_is_refused() -> None:
    """SOAP 1.1 §5 lets values stand beside the operation; some application might dispatch on them."""
    guarded = Guarded(exempt=[{"operations": [C]}])
    dressed = child(C, inner='<v href="#i"/>') + child(A, ' id="i"')
    assert guarded.post(envelope(None, dressed)).check == "envelope.structure"
    plain_value = child(C, inner='<v href="#i"/>') + '<multiRef id="i">x</multiRef>'
    assert guarded.post(envelope(None, plain_value)).check == "exemption"


def test_further_children_must_be_for_the_same_service_where_they_might_be_dispatched_on() -> None:
    services = table(services={"one": {"operations": [A]}, "two": {"operations": [B]}}, exempt=[{"operations": [C]}])
    assert refusal(services, "/", A, (B,)) == "envelope.structure"
    assert refusal(services, "/", C, (A,)) == "envelope.structure"
    assert services.resolve("/", A, (A,)).service == "one"
    known = table(SPYNE, exempt=[{"service": "Leads"}])
    assert refusal(known, "/", C, (A,)) == "envelope.structure"
    assert known.resolve("/", C, ("{urn:types}Value",)).kind == "exempt"


# --- Demands ----------------------------------------------------------------------------------------------------------


def test_a_service_overrides_the_demands_for_itself_alone() -> None:
    guarded = Guarded(**TWO)
    assert guarded.post(message(body=child(B), kind="PasswordText")).status == "200 OK"
    for operation in (A, "{urn:z}other"):
        answer = guarded.post(message(body=child(operation), nonce=operation.encode(), kind="PasswordText"))
        assert answer.check == "username_token.password_type"


def test_a_loose_service_cannot_be_had_with_the_strict_ones_operation() -> None:
    loose = {"paths": ["/loose"], **TEXT_TOO}
    guarded = Guarded(services={"strict": {"operations": [A], "paths": ["/strict"]}, "loose": loose})
    text = message(body=child(A), kind="PasswordText")
    assert guarded.post(text, PATH_INFO="/loose").check == "operation.unknown"
    assert guarded.post(text, PATH_INFO="/strict").check == "username_token.password_type"
    assert guarded.post(text, PATH_INFO="/").check == "operation.unknown"
    other = message(body=child(B), kind="PasswordText")
    assert guarded.post(other, PATH_INFO="/loose").status == "200 OK"
    assert guarded.post(message(body=child(B), kind="PasswordText", nonce=b"n2"), PATH_INFO="/strict").check == (
        "username_token.password_type"
    )


def test_a_list_replaces_a_list_and_a_table_is_merged() -> None:
    top = {"username_token": {"password_types": ["PasswordText"], "time_to_live": 7}}
    merged = policy(**top, services={"one": {"operations": [A], "username_token": {"require_nonce": False}}})
    one = merged.services["one"].username_token
    assert (one.password_types, one.time_to_live, one.require_nonce) == (("PasswordText",), 7, False)
    replaced = policy(
        **top, services={"one": {"operations": [A], "username_token": {"password_types": ["PasswordDigest"]}}}
    )
    assert replaced.services["one"].username_token.password_types == ("PasswordDigest",)


class Remembering:
    """A replay store that notes until when it is asked to remember."""

    def __init__(self) -> None:
        self.kept: list[datetime] = []

    def remember(self, key: bytes, until: datetime, now: datetime) -> bool:
        self.kept.append(until)
        return True

    def close(self) -> None:
        """Nothing is held."""


def test_a_service_may_ask_for_more_time_and_replay_remembers_for_the_longest() -> None:
    sections: dict[str, Any] = {"services": {"slow": {"operations": [B], "username_token": {"time_to_live": 9000}}}}
    guarded = Guarded(**sections)
    first = message(body=child(A))
    assert guarded.post(first).status == "200 OK"
    assert guarded.post(first).check == "replay.nonce"
    assert guarded.post(message(body=child(B))).check == "replay.nonce"
    store = Remembering()
    guarded.guard = wsguard.guard(
        guarded.echo, guarded.policy, clock=guarded.clock, users=MemoryUserStore(USERS), replay=store
    )
    assert guarded.post(message(body=child(A))).status == "200 OK"
    assert store.kept
    assert all(until - NOW >= timedelta(seconds=9060) for until in store.kept)


def test_what_no_service_claims_gets_the_top_of_the_file() -> None:
    guarded = Guarded(
        services={
            "one": {
                "operations": [A],
                "unsafe_unauthenticated": True,
                "username_token": {"use": "optional"},
                "timestamp": {"use": "optional"},
            }
        }
    )
    assert guarded.post(plain(A)).status == "200 OK"
    for operation in (B, C, "{urn:new}op"):
        assert guarded.post(plain(operation)).check == "security.missing"


NAMES = st.sampled_from([A, B, C, "{urn:x}*", "{urn:y}*", "{urn:x}z"])
SOME_PATHS = st.lists(st.sampled_from(["/1", "/2", "/3"]), max_size=2, unique=True)
CLAIMS = st.fixed_dictionaries({"operations": st.lists(NAMES, max_size=2, unique=True), "paths": SOME_PATHS})


@settings(max_examples=150, deadline=None)
@given(services=st.dictionaries(st.sampled_from(["one", "two", "three"]), CLAIMS), exempt=st.lists(CLAIMS, max_size=2))
def test_whatever_is_configured_each_message_has_one_target_or_none(
    services: dict[str, Any], exempt: list[Any]
) -> None:
    """Against the plain reading of the contract: an entry claims what is in its operations and on its paths."""

    def claims(entry: dict[str, Any], operation: str, path: str) -> bool:
        names = {operation, operation.partition("}")[0] + "}*"}
        on_path = not entry["paths"] or path in entry["paths"]
        return on_path and (not entry["operations"] or bool(names & set(entry["operations"])))

    try:
        found = table(services=services, exempt=exempt)
    except ValueError:
        return
    for operation in (A, B, C):
        for path in ("/1", "/2", "/9"):
            claiming = [name for name, entry in services.items() if claims(entry, operation, path)]
            exempting = [entry for entry in exempt if claims(entry, operation, path)]
            assert len(claiming) + len(exempting) <= 1
            try:
                target = found.resolve(path, operation)
            except MessageFault:
                assert not any(entry["operations"] and claims(entry, operation, path) for entry in services.values())
                continue
            assert (target.kind == "exempt") == bool(exempting)
            assert target.service == (claiming[0] if claiming else "")
