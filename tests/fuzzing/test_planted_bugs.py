"""Each target notices the bug that it is there for: one is planted, and the seeds alone must show it."""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fuzz.target import Broken
from fuzz.targets import target
from wsguard.policy.problems import ConfigError, Problem

Plant = Callable[[pytest.MonkeyPatch], None]
"""Puts a bug somewhere."""


def found(name: str) -> list[Exception]:
    """What the seeds of a target break."""
    chosen, broken = target(name), list[Exception]()
    for seed in chosen.seeds():
        try:
            chosen.judge(seed)
        except Exception as error:  # noqa: BLE001 - whatever leaks
            broken.append(error)
    return broken


def replaced(place: str, value: object) -> Plant:
    """``value`` at ``place``."""
    return lambda patch: patch.setattr(place, value)


def raising(kind: type[Exception]) -> Callable[..., Any]:
    """A function that cannot be called."""

    def fail(*arguments: object, **named: object) -> None:
        raise kind("planted")

    return fail


def around(place: str, change: Callable[[Any, tuple[Any, ...]], Any]) -> Plant:
    """The function at ``place`` with ``change`` made to what it returns."""
    module, _, name = place.rpartition(".")

    def plant(patch: pytest.MonkeyPatch) -> None:
        original = getattr(sys.modules[module], name)
        patch.setattr(place, lambda *given, **named: change(original(*given, **named), given))

    return plant


def talking(result: Any, _: object) -> Any:
    """What a C library does, to standard error."""
    import os

    os.write(2, b"a fragment of the text\n")
    return result


ANYTHING_GOES = SimpleNamespace(compare_digest=lambda one, other: True)
DIGESTS_GO = replaced("wsguard.signature.verification.hmac", ANYTHING_GOES)


def _at_noon(text: str, refuse: object) -> datetime:
    """A reader that forgets the zone and the fraction."""
    return datetime.fromisoformat(f"{text[:19]}+00:00")


def _forgotten_ids(root: Any, embedded: Any) -> dict[str, Any]:
    """An index that the last element with an Id wins."""
    return {value.strip(): element for element in root.iter() for value in element.attrib.values()}


def _quoting(file: Path) -> None:
    raise ConfigError([Problem("", file.read_text())])


BUGS: dict[str, tuple[str, Plant, str]] = {
    "a check leaks an exception": (
        "http", replaced("wsguard.middleware.check_method", raising(ValueError)), "no error of the guard's",
    ),
    "the environ keeps what claims to be our word": (
        "http", around("wsguard.middleware.handed_on", lambda made, given: {**given[0], **made}), "in our name",
    ),
    "a library writes to standard error": ("http", around("wsguard.middleware.read_body", talking), "standard error"),
    "the record has the password": (
        "http", around("wsguard.middleware.path_of", lambda made, given: made + "Quittenmus+7"), "no secret",
    ),
    "every method is taken": ("http", replaced("wsguard.middleware.check_method", lambda environ: None), "only POST"),
    "the parser leaks an exception": (
        "envelope", replaced("wsguard.message.parse.to_utf8", raising(ValueError)), "planted",
    ),
    "text is changed on its way": (
        "envelope",
        around("fuzz.targets.envelope.without", lambda made, given: made.replace(b"hello", b"jello")),
        "what came",
    ),
    "a foreign header is handed on": (
        "envelope",
        around("fuzz.targets.envelope.without", lambda made, given: made.replace(b"<S:Header>", b"<S:Header><x/>")),
        "what came",
    ),
    "the zone is forgotten": ("timestamp", replaced("wsguard.timestamp.parse_date_time", _at_noon), "another reader"),
    "the window is forgotten": ("timestamp", replaced("wsguard.timestamp._check_window", lambda *given: None), "fresh"),
    "any password will do": (
        "username_token", replaced("wsguard.tokens.username.hmac", ANYTHING_GOES), "the digest is right",
    ),
    "a nonce is remembered as it is spelled": (
        "username_token",
        replaced("wsguard.tokens.username.UsernameTokenProcessor.replay_keys", lambda self, token: ()),
        "taken once",
    ),
    "digests are not compared": ("signature", DIGESTS_GO, "was signed"),
    "unsigned blocks are handed on": (
        "signature", around("wsguard.judging.unsigned_blocks", lambda made, given: None), "the rest is it",
    ),
    "the signature's value is not looked at": (
        "key_info",
        replaced("wsguard.signature.verification.verify_value", lambda *given: None),
        "the signer's certificate is Alice's",
    ),
    "refusals differ": (
        "encryption", replaced("wsguard.middleware.Serving.detail", "standard"), "answered as every other",
    ),
    "what is decrypted is recorded": (
        "encryption",
        around("wsguard.engine.plain", lambda made, given: "Waldmeister-1312"),
        "no secret",
    ),
    "an answer's digests are not compared": ("answers", DIGESTS_GO, "what the server signed"),
    "anybody's answer is taken": (
        "answers", replaced("wsguard.client.verifying._Case._check_signer", lambda *given: None), "is the server",
    ),
    "the decoder of certificates leaks": ("certificates", replaced("wsguard.certificates.decoding.FOREIGN", ()), ""),
    "a keystore leaks": ("keystores", replaced("wsguard.keys.pfx.FOREIGN", ()), ""),
    "a keystore takes a minute": (
        "keystores", replaced("fuzz.targets.keystores.time", SimpleNamespace(process_time=iter(range(10**6)).__next__)),
        "within a second",
    ),
    "a password is quoted": ("config", replaced("fuzz.targets.config.load_policy", _quoting), "says the password"),
    "the configuration leaks": ("config", replaced("wsguard.config.ValidationError", KeyError), ""),
    "any mac will do": ("audit", replaced("wsguard.audit.verification.is_genuine", lambda *given: True), "holds"),
}  # fmt: skip
"""Sentence -> the target that must notice, the bug, and what it says."""


@pytest.mark.parametrize("bug", BUGS)
def test_it_is_noticed(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, plant, said = BUGS[bug]
    chosen = target(name)
    for seed in chosen.seeds():
        chosen.judge(seed)
    plant(monkeypatch)
    broken = found(name)
    assert any(said in str(error) for error in broken), f"{len(broken)} others: {set(map(str, broken))}"


def test_a_second_element_with_an_id_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    (twice,) = (seed for seed in target("envelope").seeds() if b'x:id=" a"' in seed)
    assert not target("envelope").judge(twice)
    monkeypatch.setattr("wsguard.message.parse._ids", _forgotten_ids)
    with pytest.raises(Broken, match="every Id is there once"):
        target("envelope").judge(twice)
