"""Any parts, algorithms and order: what the application sees is what was sent."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.encrypting import DATA_METHODS, KEY_METHODS, Encryption
from tests.guard_encryption.sealing import (
    Sealing,
    also,
    content_of,
    draft,
    element_of,
    for_server,
    sealed,
)
from tests.messages import Token, timestamp
from tests.signature.mutations import Forgetful
from tests.signature.signatures import ALICE, SignedGuard
from tests.signing import BODY, TIMESTAMP, Part, Signing, binary_token, canonical, sign

BLOCK: Final = '<h:To xmlns:h="urn:h" wsu:Id="block">here</h:To>'

EVERY: Final[dict[str, Any]] = {
    "encryption": [*DATA_METHODS],
    "key_transport": [name for name in KEY_METHODS if name.startswith("rsa-")],
}
CONTENT: Final = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff<>&@")
)


@st.composite
def ways(draw: st.DrawFn) -> tuple[dict[str, Any], frozenset[str], bool, str]:
    method = draw(st.sampled_from(EVERY["key_transport"]))
    changes = {"algorithm": draw(st.sampled_from([*DATA_METHODS])), "method": method}
    if method == "rsa-oaep":
        changes |= {"digest": draw(st.sampled_from(["sha1", "sha256", "sha512"])), "mask": "sha256"}
    parts = draw(st.frozensets(st.sampled_from(["Body", "{urn:h}To", "UsernameToken"]), min_size=1))
    return changes, parts, draw(st.booleans()), draw(CONTENT)


@pytest.fixture(scope="module")
def liberal(guarded: Sealing) -> SignedGuard:
    """Takes every algorithm, and the same token again and again."""
    return guarded(
        replay_store=Forgetful(),
        algorithms=EVERY,
        encryption={"use": "optional"},
        signature={"required_parts": ["Body", "Timestamp", "{urn:h}To", "UsernameToken"]},
    )


@settings(max_examples=150, deadline=None)
@given(ways())
def test_what_the_application_sees_is_what_was_sent(
    liberal: SignedGuard, way: tuple[dict[str, Any], frozenset[str], bool, str]
) -> None:
    changes, parts, sign_first, said = way
    body = f'<e:Echo xmlns:e="urn:echo"><e:text>{said}</e:text></e:Echo>'
    signing = Signing.by(ALICE, parts=(BODY, TIMESTAMP, Part("#block"), Part("#UT-1")))
    user = Token().xml().replace("<wsse:UsernameToken>", '<wsse:UsernameToken wsu:Id="UT-1">')
    order = ("@EK-1@", "@SIG-1@") if sign_first else ("@SIG-1@", "@EK-1@")
    text = draft(binary_token(ALICE.certificate), *order, timestamp(), user, body=body, header=BLOCK)
    if sign_first:
        octets = hidden(sign(text, signing).decode(), parts, changes)
    else:
        # Encrypted elements are signed as what stands in their place.
        named = {"{urn:h}To": "#block", "UsernameToken": "#UT-1"}
        ids = {named[part]: f"#ED-{part[-2:]}" for part in parts if part in named}
        signing = Signing.by(ALICE, parts=tuple(Part(ids.get(part.uri, part.uri)) for part in signing.parts))
        octets = sign(hidden(text, parts, changes).decode(), signing)
    message = liberal.accepted(octets)
    arrived = etree.fromstring(liberal.handed)[-1][0]
    assert canonical(arrived) == canonical(etree.fromstring(body))
    assert BLOCK.encode() in liberal.handed
    assert b"xenc" not in liberal.handed
    assert message.encrypted_parts == parts
    assert message.signed_parts == {"Body", "Timestamp", "{urn:h}To", "UsernameToken"}
    assert (message.username, message.principal and message.principal.name) == ("alice", "CN=Alice")


def hidden(text: str, parts: frozenset[str], changes: dict[str, Any]) -> bytes:
    """Each of ``parts`` encrypted, all under one key."""
    ids = tuple(f"ED-{part[-2:]}" for part in sorted(parts))
    one = for_server(id="", references=ids, **changes)
    find: dict[str, Callable[[str], str]] = {
        "Body": content_of,
        "{urn:h}To": lambda _: BLOCK,
        "UsernameToken": lambda text: element_of(text, "wsse:UsernameToken"),
    }
    targets: list[tuple[str, Encryption]] = [
        (find[part](text), also(one, f"ED-{part[-2:]}", kind="Content" if part == "Body" else "Element"))
        for part in sorted(parts)
    ]
    return sealed(text, *targets)
