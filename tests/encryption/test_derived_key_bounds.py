"""wsc:DerivedKeyToken, read by itself: each bound at its last value that is taken, and at the first that is not."""

import pytest
from lxml import etree

from tests.encrypting import b64
from tests.message.refusing import refused
from tests.messages import BASE64, WSSE
from wsguard.encryption.derivation import p_sha1
from wsguard.encryption.derived import DerivedKey, read_derived_key
from wsguard.faults import InvalidSecurity, UnsupportedAlgorithm
from wsguard.names import WSC_2005_02, WSC_2005_12

BOTH = pytest.mark.parametrize("namespace", [WSC_2005_02, WSC_2005_12])
DEFAULT_LABEL = b"WS-SecureConversationWS-SecureConversation"
REFERENCE = '<wsse:SecurityTokenReference><wsse:Reference URI="#EK-1"/></wsse:SecurityTokenReference>'


def read(
    inner: str = "", *, nonce: bytes = b"n", namespace: str = WSC_2005_12, attributes: str = "", rest: str = REFERENCE
) -> DerivedKey:
    xml = f"{rest}{inner}<c:Nonce>{b64(nonce)}</c:Nonce>"
    spaces = f'xmlns:c="{namespace}" xmlns:wsse="{WSSE}"'
    return read_derived_key(etree.fromstring(f"<c:DerivedKeyToken {spaces} {attributes}>{xml}</c:DerivedKeyToken>"))


def numbers(key: DerivedKey) -> tuple[int, int]:
    return key.offset, key.length


@BOTH
def test_the_defaults_are_those_of_the_standard(namespace: str) -> None:
    key = read(namespace=namespace)
    assert (numbers(key), key.seed) == ((0, 32), DEFAULT_LABEL + b"n")
    assert key.of(b"secret") == p_sha1(b"secret", DEFAULT_LABEL + b"n", 0, 32)
    assert key.reference.tag == f"{{{WSSE}}}SecurityTokenReference"


@BOTH
def test_the_one_algorithm_may_be_named_by_the_namespace_it_belongs_to(namespace: str) -> None:
    read(namespace=namespace, attributes=f'Algorithm="{namespace}/dk/p_sha1"')
    other = WSC_2005_02 if namespace == WSC_2005_12 else WSC_2005_12
    for identifier in (f"{other}/dk/p_sha1", f"{namespace}/dk/P_SHA1", ""):
        with refused("encryption.algorithm", UnsupportedAlgorithm):
            read(namespace=namespace, attributes=f'Algorithm="{identifier}"')


@pytest.mark.parametrize(
    "inner, expected",
    [
        ("<c:Length>16</c:Length>", (0, 16)),
        ("<c:Length>4096</c:Length>", (0, 4096)),
        ("<c:Offset>4080</c:Offset><c:Length>16</c:Length>", (4080, 16)),
        ("<c:Offset> 0016 </c:Offset>", (16, 32)),
        ("<c:Generation>2</c:Generation><c:Length>24</c:Length>", (48, 24)),
        ("<c:Generation>127</c:Generation>", (4064, 32)),
        ("<c:Generation>0</c:Generation>", (0, 32)),
    ],
)
def test_a_key_within_the_stream_is_taken(inner: str, expected: tuple[int, int]) -> None:
    assert numbers(read(inner)) == expected


@pytest.mark.parametrize(
    "inner",
    [
        "<c:Length>15</c:Length>",
        "<c:Length>0</c:Length>",
        "<c:Length>4097</c:Length>",
        "<c:Offset>4081</c:Offset><c:Length>16</c:Length>",
        "<c:Offset>4065</c:Offset>",
        "<c:Generation>128</c:Generation>",
        "<c:Offset>0</c:Offset><c:Generation>0</c:Generation>",
        "<c:Length>16</c:Length><c:Length>16</c:Length>",
        '<c:Offset x="1">0</c:Offset>',
        '<c:Length wsse:x="1">32</c:Length>',
        "<c:Offset>-1</c:Offset>",
        "<c:Offset>1.0</c:Offset>",
        "<c:Offset/>",
        "<c:Offset>0000000</c:Offset>",
        "<c:Offset>00000000000000000</c:Offset>",
        "<c:Offset>\N{ARABIC-INDIC DIGIT ONE}</c:Offset>",
        f"<c:Label>{'l' * 1025}</c:Label>",
        "<c:Label/>",
        "<c:Label>a</c:Label><c:Label>a</c:Label>",
        "<c:Properties/>",
        "text",
        REFERENCE,
    ],
    ids=range(22),
)
def test_any_other_is_malformed(inner: str) -> None:
    with refused("encryption.malformed", InvalidSecurity):
        read(inner)


def test_a_label_and_a_nonce_are_as_long_as_their_bound_and_not_longer() -> None:
    assert read(f"<c:Label>{'l' * 1024}</c:Label>", nonce=b"n" * 1024).seed == b"l" * 1024 + b"n" * 1024
    for nonce in (b"", b"n" * 1025):
        with refused("encryption.malformed"):
            read(nonce=nonce)


def test_a_nonce_may_say_that_it_is_base64() -> None:
    encoded = f'<c:Nonce EncodingType="{BASE64}">{b64(b"m")}</c:Nonce>'
    spaces = f'xmlns:c="{WSC_2005_12}" xmlns:wsse="{WSSE}"'
    xml = f"<c:DerivedKeyToken {spaces}>{REFERENCE}{encoded}</c:DerivedKeyToken>"
    assert read_derived_key(etree.fromstring(xml)).seed == DEFAULT_LABEL + b"m"
    for changed in (xml.replace("EncodingType", "ValueType"), xml.replace(BASE64, f"{BASE64}s")):
        with refused("encryption.malformed"):
            read_derived_key(etree.fromstring(changed))


def test_a_label_is_taken_in_utf_8() -> None:
    assert read("<c:Label>ü</c:Label>").seed == "ü".encode() + b"n"


def test_what_it_is_derived_from_must_be_said() -> None:
    with refused("encryption.malformed"):
        read(rest="")
