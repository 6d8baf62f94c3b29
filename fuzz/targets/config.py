"""The text of a ``wsguard.toml``.

Invariant: a ``Policy`` that can be looked into everywhere, or a ``ConfigError`` with a reason and a place for every
mistake; no message says a password that stood in a URL, or behind a key that is called one.
"""

import re
import tomllib
import warnings
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from fuzz import keys
from fuzz.guarded import NOW
from fuzz.silence import silent
from fuzz.target import Target, demand
from wsguard.cli.starter import STARTER
from wsguard.config import load_policy
from wsguard.lint import findings
from wsguard.opening import audit_retention
from wsguard.policy import Policy
from wsguard.policy.problems import ConfigError
from wsguard.remembering import retention
from wsguard.routing import ServiceTable

_TODAY: Final = NOW.date()
_IN_URL: Final = re.compile(r"^[a-z0-9+]+://[^@\s:/]*:([^@\s/]{7,})@")
_CALLED: Final = re.compile("password|secret|passwd")


def judge(octets: bytes) -> bool:
    """Hold one configuration against the invariant."""
    text = octets.decode("utf-8", "replace").replace("\ufffd", "?")
    file = keys.file("wsguard.toml", text.encode())
    told = ""
    try:
        with silent(), warnings.catch_warnings():
            # Python's own word to the operator on patterns that a later version may read otherwise.
            warnings.simplefilter("ignore", FutureWarning)
            policy = load_policy(file)
            _look_into(policy)
        taken = True
    except ConfigError as error:
        demand(error.problems, "there is a problem")
        demand(all(problem.reason for problem in error.problems), "each has a reason")
        told, taken = str(error), False
    for secret in _secrets(text):
        demand(secret not in told, f"no message says the password {secret!r}: {told}")
    return taken


def _look_into(policy: Policy) -> None:
    """What is done with a policy at start, but for opening files and stores."""
    _ = (retention(policy), audit_retention(policy.audit), list(policy.every_demand), repr(policy))
    for one in findings(policy, None, _TODAY):
        demand(one.risk and one.cure, "a finding has a risk and a cure")
    ServiceTable(policy, None, offline=True)


def _secrets(text: str) -> list[str]:
    """Passwords in ``text`` that stand nowhere else in it."""
    found: list[str] = []
    with suppress(tomllib.TOMLDecodeError, RecursionError):
        for key, value in _entries(tomllib.loads(text)):
            in_url = _IN_URL.match(value)
            if in_url:
                found.append(in_url[1])
            elif _CALLED.fullmatch(key) and len(value) >= 7:
                found.append(value)
    return [secret for secret in found if text.count(secret) == 1]


def _entries(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _entries(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _entries(inner, key)


_FULL: Final = """
actor = "urn:us"
[timestamp]
require_expires = true
time_to_live = 60
[username_token]
password_types = ["PasswordDigest", "PasswordText"]
max_failures = 3
[users]
url_env = "USERS_URL"
[replay]
url = "memory://"
[signature]
use = "required"
required_parts = ["Body", "Timestamp", "{urn:h}To"]
[encryption]
require_signed_encrypted_data = true
[algorithms]
encryption = ["aes128-gcm"]
min_rsa_bits = 3072
[[algorithms.legacy]]
algorithm = "tripledes-cbc"
clients = ["pega-old"]
until = 2027-03-31
[keys]
decrypt = [{ file = "server.p12", password_env = "P", alias = "a" }]
shared = [{ name = "n", key_env = "K" }]
[trust]
ca_files = ["ca.pem"]
crl_coverage = "chain"
subject_cert_constraints = ["CN=(a|b)+"]
[response]
sign = true
signature_confirmation = true
[audit]
url = ["stderr:", "jsonl:audit.jsonl"]
retention_days = 10
[limits]
depth = 64
[services.Member]
operations = ["{urn:x}get", "{urn:y}*"]
paths = ["/soap/member"]
signature.use = "optional"
[[exempt]]
paths = ["/open"]
operations = ["{urn:open}*"]
reason = "public"
owner = "marketing"
review = 2027-06-30
[[client]]
name = "pega-old"
username = "pega"
services = ["Member"]
mode = "report"
report_until = 2026-12-31
"""


def seeds() -> list[bytes]:
    """Good ones, and mistakes of many kinds."""
    texts = (
        "", _FULL, STARTER,
        'username_token.use = "optional"', "[users]\npassword = 'Quittenmus+7'",
        "[users]\nurl = 'postgresql://u:Quittenmus+7@h/d'", "[audit]\nurl = ['mysql://u:Quittenmus+7@h/d', 1]",
        "[services.A]\noperations=['{u}a']\n[services.B]\noperations=['{u}*']", "[limits]\ndepth = true\nx = 1\n",
        "[timestamp]\ntime_to_live = -1\nuse = 'no'", "a = 1\na = 2", "[trust]\nsubject_cert_constraints = ['(']",
        "[[client]]\nname = 'a'\nmode = 'report'", "[keys]\nsign = {file='a', password_env='A', password_file='b'}",
        "[trust]\nsubject_cert_constraints = ['[[a]', 'a{99999999999}']", f"[trust]\nca_files=['{'a/' * 900}']",
        f"[trust]\nissuer_cert_constraints = ['{'(' * 1000}a{')' * 1000}']", "[limits]\ndepth = " + "[" * 1500,
        "[[exempt]]\nservice = 'A'\nreview = 2026-01-01\nreason = ''\nowner = ''",
    )  # fmt: skip
    return [text.encode() for text in texts]


TARGET: Final = Target(name="config", judge=judge, seeds=seeds, dictionary="toml")
