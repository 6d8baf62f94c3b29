"""Limits hold for what is decrypted as for what arrives, and what kills libxmlsec kills nobody here."""

import subprocess
import sys
from typing import Any, Final

import pytest

from tests.encrypting import reference_list
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
    for_server,
    opened,
    sealed,
)
from tests.messages import DS, PAYLOAD, XENC, timestamp
from tests.signature.signatures import SignedGuard

BLOCKS: Final = [f'<h:b{i:03} xmlns:h="urn:h">x</h:b{i:03}>' for i in range(17)]


def with_blocks(count: int, keys: int = 1) -> bytes:
    """A Body, and so many header blocks less one, encrypted under so many keys; and a user."""
    firsts = [for_server(key_id=f"EK-{k}", references=()) for k in range(keys)]
    text = draft(
        *(f"@EK-{k}@" for k in range(keys)), "@LIST@", timestamp(), KNOWN_USER, header="".join(BLOCKS[: count - 1])
    )
    text = text.replace("@LIST@", reference_list(*(f"ED-{i}" for i in range(count))))
    targets = [
        (block, also(firsts[i % keys], f"ED-{i}", kind="Element")) for i, block in enumerate(BLOCKS[: count - 1])
    ]
    octets = sealed(text, *targets, (content_of(text), also(firsts[-1], f"ED-{count - 1}"))).decode()
    for key in firsts:
        octets = octets.replace(f"@{key.key_id}@", key.key_xml())
    return octets.encode()


@pytest.mark.parametrize(
    ("octets", "check"),
    [
        pytest.param(with_blocks(16, 4), "", id="as many as may be"),
        pytest.param(with_blocks(17, 1), "limits.encrypted_data", id="one more part"),
        pytest.param(with_blocks(5, 5), "limits.encrypted_keys", id="one more key"),
    ],
)
def test_keys_and_parts_are_counted(guarded: Sealing, octets: bytes, check: str) -> None:
    guard = guarded(**NAMED)
    assert guard.post(octets).check == check
    assert len(guard.echo.handed) == (not check)


def test_parts_are_counted_over_all_lists(opener: SignedGuard) -> None:
    split = b'<xenc:DataReference URI="#ED-8"/>'
    for count, check in ((16, ""), (17, "limits.encrypted_data")):
        octets = with_blocks(count)
        lists = b"</xenc:ReferenceList>" + f'<xenc:ReferenceList xmlns:xenc="{XENC}">'.encode() + split
        assert opener.post(octets.replace(split, lists)).check == check


def test_the_limits_are_those_of_the_configuration(guarded: Sealing) -> None:
    guard = guarded(limits={"encrypted_keys": 1, "encrypted_data": 1}, **OPEN)
    opened(guard, encrypted_body())
    assert guard.refusal(with_blocks(2, 1)) == "limits.encrypted_data"
    key = for_server(key_id="EK-9", references=()).key_xml()
    assert guard.refusal(encrypted_body(None, key)) == "limits.encrypted_keys"


@pytest.mark.parametrize(
    ("plaintext", "limits"),
    [
        pytest.param(PAYLOAD.replace("hello", "<a>" * 20 + "</a>" * 20), {"depth": 20}, id="depth"),
        pytest.param(PAYLOAD.replace("hello", "<a/>" * 100), {"elements": 100}, id="elements"),
        pytest.param(PAYLOAD.replace("hello", "<a/>" * 99 + "<![CDATA[<]]>"), {"elements": 100}, id="elements, hidden"),
        pytest.param(
            PAYLOAD.replace("<e:text>", "<e:text {}>".format(" ".join(f'a{i}="x"' for i in range(11)))),
            {"attributes_per_element": 10},
            id="attributes",
        ),
        pytest.param(
            PAYLOAD.replace("<e:text>", "<e:text {}>".format(" ".join(f'xmlns:a{i}="x"' for i in range(40)))),
            {"namespaces": 40},
            id="namespaces",
        ),
    ],
)
def test_what_is_decrypted_is_within_the_limits_of_a_message(
    guarded: Sealing, plaintext: str, limits: dict[str, int]
) -> None:
    guarded(**OPEN).accepted(body_with(plaintext))
    assert guarded(limits=limits, **OPEN).refusal(body_with(plaintext)) == "encryption.failed"


def test_a_body_is_as_large_as_may_be_although_it_was_encrypted(guarded: Sealing) -> None:
    guard = guarded(**OPEN)
    body = PAYLOAD.replace("hello", "x" * 1_500_000)
    assert guard.accepted(encrypted_body(body=body)).encrypted_parts == {"Body"}
    assert body.encode() in guard.handed


# --- What kills libxmlsec ---------------------------------------------------------------------------------------------

IN_A_CHILD: Final = """
import sys
from pathlib import Path
from tests.guard_encryption.sealing import OPEN, encrypted_body, opened, sealing

guard = sealing(Path(sys.argv[1]))(**OPEN)
print(guard.refusal(sys.stdin.buffer.read()))
opened(guard, encrypted_body())
"""


def to_itself(where: str) -> bytes:
    """FACTS S8: a key whose KeyInfo says that the key is to be had from that very key."""
    kind = f"{XENC}EncryptedKey"
    retrieval = f'<ds:KeyInfo xmlns:ds="{DS}"><ds:RetrievalMethod URI="#EK-1" Type="{kind}"/></ds:KeyInfo>'
    if where == "key":
        return encrypted_body(for_server(key_info=retrieval))
    return encrypted_body(for_server(data_key_info=retrieval.replace("EK-1", "ED-1")))


@pytest.mark.parametrize("where", ["key", "data"])
def test_a_key_that_leads_to_itself_kills_nobody(where: str, tmp_path: Any) -> None:
    child = subprocess.run(
        [sys.executable, "-c", IN_A_CHILD, str(tmp_path)],
        input=to_itself(where),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert (child.returncode, child.stdout.strip()) == (0, b"encryption.malformed"), child.stderr
