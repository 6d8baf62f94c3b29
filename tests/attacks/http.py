"""I: requests that two programs, one behind the other, would read in two ways."""

from typing import Any, Final

from tests.attacks.calls import MOVE
from tests.attacks.cases import Built, Chapter, Sent
from tests.attacks.tokens import user, with_token
from tests.messages import envelope

PATHS: Final = Chapter("I", "token")
METHODS: Final = Chapter("I", "token")
LENGTHS: Final = Chapter("I", "token")
FORGED: Final = Chapter("I", "bank")
IGNORED: Final = Chapter("legal", "token")

SMUGGLING: Final = "HTTP request smuggling, CWE-444, RFC 9112 §6.3"
TRAVERSAL: Final = "path confusion, CWE-22, CWE-436"


def under(**environ: Any) -> Sent:
    """An honest message in a request that is none."""
    return Sent(octets=with_token(user()), environ=environ)


# --- Paths ------------------------------------------------------------------------------------------------------------

ODD: Final[dict[str, str]] = {
    "two slashes in front": "//soap",
    "two slashes": "/soap//member",
    "a percent sign": "/soap%2fmember",
    "a percent sign twice": "/soap%252fmember",
    "dots in percent signs": "/x/%2e%2e/soap",
    "a NUL in percent signs": "/soap%00.wsdl",
    "a parameter": "/soap;jsessionid=1",
    "a parameter that goes up": "/x/..;/soap",
    "a backslash": "/x\\soap",
    "a backslash that goes up": "/x\\..\\soap",
    "a dot": "/./soap",
    "a dot at the end": "/soap/.",
    "two dots": "/x/../soap",
    "two dots at the end": "/soap/..",
    "a NUL": "/soap\0",
    "a line": "/soap\r\nX-User: alice",
    "a tab": "/soap\t",
    "a delete": "/soap\x7f",
    "an overlong slash": "/soap\xc0\xafmember",
    "an overlong dot": "/x/\xc0\xae\xc0\xae/soap",
    "a half of a pair": "/soap\xed\xa0\x80",
    "an octet of Latin-1": "/so\xe4p",
    "a control character of Latin-1": "/soap\xc2\x85",
}


@PATHS.each_refused("http.path", ODD, source=TRAVERSAL, elsewhere=False)
def the_path_has(path: str) -> Built:
    return under(PATH_INFO=path)


@PATHS.each_refused("http.path", {"a dot": ("/app/.", "./soap"), "a slash": ("/app/", "/soap")}, elsewhere=False)
def between_script_and_path_lies(parts: tuple[str, str]) -> Built:
    return under(SCRIPT_NAME=parts[0], PATH_INFO=parts[1])


@PATHS.refused("http.path", source=TRAVERSAL, elsewhere=False)
def the_path_of_a_wsdl_goes_up() -> Built:
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/x/../soap", "QUERY_STRING": "wsdl", "CONTENT_LENGTH": None}
    return Sent(octets=b"", environ=environ)


# --- Methods ----------------------------------------------------------------------------------------------------------

VERBS: Final = ("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "post", "Post")


@METHODS.each_refused("http.method", {verb: verb for verb in VERBS}, source="HTTP verb tampering, CWE-650")
def a_message_comes_by(verb: str) -> Built:
    return under(REQUEST_METHOD=verb)


@METHODS.each_refused("http.method", {"nothing": "", "POST and a blank": "POST ", "two": "GET POST"}, elsewhere=False)
def a_server_hands_on_the_method(verb: str) -> Built:
    return under(REQUEST_METHOD=verb)


GETS: Final[dict[str, dict[str, Any]]] = {
    "a body": {},
    "a body in chunks": {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True},
    "a length of nothing that is not spelled so": {"CONTENT_LENGTH": "-0"},
    "more in the query": {"QUERY_STRING": "wsdl&op=Echo", "CONTENT_LENGTH": ""},
    "another word in the query": {"QUERY_STRING": "xwsdl", "CONTENT_LENGTH": ""},
    "a path for a query": {"QUERY_STRING": "", "PATH_INFO": "/soap.wsdl", "CONTENT_LENGTH": ""},
    "another method in a header": {"HTTP_X_HTTP_METHOD_OVERRIDE": "POST"},
}


@METHODS.each_refused(
    "http.method", GETS, source="a GET passes unjudged where it can only ask for the WSDL", elsewhere=False
)
def the_wsdl_is_asked_for_with(environ: dict[str, Any]) -> Built:
    return under(**{"REQUEST_METHOD": "GET", "QUERY_STRING": "wsdl", **environ})


# --- Lengths ----------------------------------------------------------------------------------------------------------

ODD_LENGTHS: Final = ("abc", "-1", "+5", "5 ", "5,5", "5.0", "1e3", "0x10", "1_0", "5\n", "\uff15", str(10**30))


@LENGTHS.each_refused(
    "http.length", {repr(length): length for length in ODD_LENGTHS}, source=SMUGGLING, elsewhere=False
)
def the_length_is(length: str) -> Built:
    return under(CONTENT_LENGTH=length)


@LENGTHS.each_refused("http.length", {"by one": 1, "by a kilobyte": 1_024}, source=SMUGGLING, elsewhere=False)
def the_length_is_too_long(more: int) -> Built:
    octets = with_token(user())
    return Sent(octets=octets, environ={"CONTENT_LENGTH": str(len(octets) + more)})


@LENGTHS.refused("http.length", source=SMUGGLING, elsewhere=False)
def the_length_is_too_short_for_what_the_server_delimits() -> Built:
    octets = with_token(user()) + b" " * 9
    return Sent(octets=octets, environ={"CONTENT_LENGTH": str(len(octets) - 9), "wsgi.input_terminated": True})


@LENGTHS.refused("envelope.malformed", source=SMUGGLING, elsewhere=False)
def the_length_ends_before_the_message() -> Built:
    octets = with_token(user())
    return Sent(octets=octets, environ={"CONTENT_LENGTH": str(len(octets) - 1)})


@LENGTHS.refused("envelope.malformed", source=SMUGGLING, elsewhere=False)
def the_length_is_nothing() -> Built:
    return under(CONTENT_LENGTH="0")


@LENGTHS.each_refused(
    "http.length",
    {name or "nothing": name for name in ("chunked", "identity", "gzip, chunked", "xchunked", "chunked, identity", "")},
    source=SMUGGLING,
    elsewhere=False,
)
def beside_the_length_comes_the_transfer_encoding(name: str) -> Built:
    return under(**{"HTTP_TRANSFER_ENCODING": name, "wsgi.input_terminated": True})


@LENGTHS.each_refused("http.length", {"none": None, "an empty one": ""}, source=SMUGGLING, elsewhere=False)
def nothing_delimits_the_message_and_its_length_is(length: str | None) -> Built:
    return under(CONTENT_LENGTH=length)


@LENGTHS.refused("http.length", source=SMUGGLING, elsewhere=False)
def chunks_are_said_and_the_server_does_not_read_them() -> Built:
    return under(CONTENT_LENGTH=None, HTTP_TRANSFER_ENCODING="chunked")


@LENGTHS.refused("limits.body_bytes", source="WS-Attacker: XML Flooding, oversize payload", elsewhere=False)
def a_length_of_a_gigabyte_is_announced() -> Built:
    return under(CONTENT_LENGTH=str(2**30))


# --- What claims to be our word ---------------------------------------------------------------------------------------

CLAIMS: Final[dict[str, dict[str, Any]]] = {
    "a user of the server's": {"REMOTE_USER": "alice", "AUTH_TYPE": "WS-Security"},
    "a user of a proxy's": {
        "HTTP_REMOTE_USER": "alice",
        "HTTP_X_REMOTE_USER": "alice",
        "HTTP_X_FORWARDED_USER": "alice",
    },
    "a message that is verified already": {"wsguard.message": "verified"},
    "a principal": {"wsguard.principal": "alice", "HTTP_WSGUARD_MESSAGE": "verified"},
    "an exemption": {"wsguard.exempt": True, "wsguard.message": None},
    "a certificate of TLS": {"SSL_CLIENT_VERIFY": "SUCCESS", "SSL_CLIENT_S_DN": "CN=Alice"},
    "a certificate of a proxy's": {"HTTP_X_SSL_CLIENT_VERIFY": "SUCCESS", "HTTP_X_SSL_CLIENT_S_DN": "CN=Alice"},
    "a spyne application": {"spyne.method": "lead", "wsgi.method_override": "lead"},
}


@FORGED.each_refused("security.missing", CLAIMS, source="header injection, CWE-290", elsewhere=False)
def a_guarded_operation_comes_without_token_and_with(environ: dict[str, Any]) -> Built:
    return Sent(octets=envelope(None, MOVE), environ=environ)


@IGNORED.each_accepted(CLAIMS, source="header injection, CWE-290", elsewhere=False)
def an_honest_message_comes_with(environ: dict[str, Any]) -> Built:
    return under(**environ)


@IGNORED.accepted(source=SMUGGLING, elsewhere=False)
def an_honest_message_comes_in_chunks() -> Built:
    return under(**{"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True})


@IGNORED.accepted(source=SMUGGLING, elsewhere=False)
def an_honest_message_comes_in_front_of_another_request() -> Built:
    octets = with_token(user())
    return Sent(octets=octets + b"POST / HTTP/1.1\r\n\r\n", environ={"CONTENT_LENGTH": str(len(octets))})


EVERY: Final = (*PATHS, *METHODS, *LENGTHS, *FORGED)
LEGAL: Final = (*IGNORED,)
