"""xenc:EncryptionMethod, read by itself: what may stand in which, and how long it may be."""

import pytest
from lxml import etree

from tests.encrypting import b64
from tests.encryption.messages import algorithms
from tests.message.refusing import refused
from tests.messages import DS, XENC
from wsguard.encryption.methods import LONGEST_LABEL, KeyMethod, read_data_method, read_key_method
from wsguard.faults import InvalidSecurity, UnsupportedAlgorithm
from wsguard.names import ENCRYPTION_ALGORITHMS, KEY_TRANSPORT_ALGORITHMS, XENC11

SHA256 = f'<ds:DigestMethod Algorithm="{XENC}sha256"/>'
MASK = f'<e:MGF Algorithm="{XENC11}mgf1sha512"/>'


def method(identifier: str, inner: str = "") -> etree._Element:
    spaces = f'xmlns:x="{XENC}" xmlns:ds="{DS}" xmlns:e="{XENC11}"'
    return etree.fromstring(f'<x:EncryptionMethod {spaces} Algorithm="{identifier}">{inner}</x:EncryptionMethod>')


def of_key(name: str, inner: str = "") -> KeyMethod:
    return read_key_method(method(KEY_TRANSPORT_ALGORITHMS[name], inner), algorithms())


def of_data(name: str, inner: str = "") -> str:
    return read_data_method(method(ENCRYPTION_ALGORITHMS[name], inner), algorithms())


def label(length: int, attributes: str = "") -> str:
    return f"<x:OAEPparams{attributes}>{b64(b'l' * length)}</x:OAEPparams>"


def test_oaep_has_defaults_and_takes_what_it_is_told() -> None:
    assert of_key("rsa-oaep") == KeyMethod("rsa-oaep", "sha1", "mgf1sha1", b"")
    assert of_key("rsa-oaep", SHA256 + MASK + label(8)) == KeyMethod("rsa-oaep", "sha256", "mgf1sha512", b"l" * 8)
    assert of_key("rsa-oaep-mgf1p", SHA256 + label(8)) == KeyMethod("rsa-oaep-mgf1p", "sha256", "mgf1sha1", b"l" * 8)
    assert of_key("rsa-1_5") == KeyMethod("rsa-1_5")


def test_a_label_is_as_long_as_its_bound_and_not_longer() -> None:
    assert len(of_key("rsa-oaep", label(LONGEST_LABEL)).label) == LONGEST_LABEL
    with refused("encryption.malformed", InvalidSecurity):
        of_key("rsa-oaep", label(LONGEST_LABEL + 1))


@pytest.mark.parametrize("name", ["kw-aes128", "kw-aes192", "kw-aes256"])
def test_a_wrap_may_say_the_size_of_its_key_and_no_other(name: str) -> None:
    bits = name.removeprefix("kw-aes")
    assert of_key(name, f"<x:KeySize> {bits} </x:KeySize>") == KeyMethod(name)
    for other in ("8", "0128", f"{bits}0", "1" * 9, ""):
        with refused("encryption.malformed", InvalidSecurity):
            of_key(name, f"<x:KeySize>{other}</x:KeySize>")


@pytest.mark.parametrize(("name", "bits"), [("aes128-cbc", 128), ("aes256-gcm", 256), ("tripledes-cbc", 192)])
def test_data_may_say_the_size_of_their_key_and_no_other(name: str, bits: int) -> None:
    assert of_data(name) == name
    assert of_data(name, f"<x:KeySize>{bits}</x:KeySize>") == name
    with refused("encryption.malformed", InvalidSecurity):
        of_data(name, f"<x:KeySize>{bits + 64}</x:KeySize>")


@pytest.mark.parametrize(
    ("name", "inner"),
    [
        pytest.param("rsa-oaep", label(8, ' x="1"'), id="an attribute of a label"),
        pytest.param("rsa-oaep", label(8) * 2, id="two labels"),
        pytest.param("rsa-oaep", "<x:OAEPparams>*</x:OAEPparams>", id="a label that is no base64"),
        pytest.param("rsa-oaep", SHA256 * 2, id="two digests"),
        pytest.param("rsa-oaep", SHA256.replace("/>", "><a/></ds:DigestMethod>"), id="a child of a digest"),
        pytest.param("rsa-oaep", SHA256.replace("/>", ' x="1"/>'), id="an attribute of a digest"),
        pytest.param("rsa-oaep", MASK * 2, id="two masks"),
        pytest.param("rsa-oaep", MASK.replace("/>", "><a/></e:MGF>"), id="a child of a mask"),
        pytest.param("rsa-oaep", "<x:KeySize>2048</x:KeySize>", id="a size of an RSA key"),
        pytest.param("rsa-oaep-mgf1p", MASK, id="a mask where it is fixed"),
        pytest.param("rsa-1_5", SHA256, id="a digest where there is none"),
        pytest.param("rsa-1_5", label(8), id="a label where there is none"),
        pytest.param("kw-aes128", SHA256, id="a digest of a wrap"),
        pytest.param("kw-aes128", "<x:KeySize>128</x:KeySize>" * 2, id="two sizes"),
        pytest.param("kw-aes128", '<x:KeySize x="1">128</x:KeySize>', id="an attribute of a size"),
        pytest.param("ecdh-es", "", id="key agreement"),
    ],
)
def test_nothing_else_stands_in_a_method_of_a_key(name: str, inner: str) -> None:
    with refused("encryption.malformed", InvalidSecurity):
        of_key(name, inner)


def test_nothing_but_a_size_stands_in_a_method_of_data() -> None:
    for inner in (SHA256, label(8), "<x:KeySize>128</x:KeySize>" * 2):
        with refused("encryption.malformed", InvalidSecurity):
            of_data("aes128-gcm", inner)


@pytest.mark.parametrize(
    "inner",
    [SHA256.replace("sha256", "sha3"), SHA256.replace("Algorithm", "algorithm"), MASK.replace("sha512", "md5")],
    ids=["digest", "no name", "mask"],
)
def test_a_digest_or_mask_that_is_not_known_is_refused_by_name(inner: str) -> None:
    with pytest.raises((UnsupportedAlgorithm, InvalidSecurity)) as caught:
        of_key("rsa-oaep", inner)
    assert caught.value.check == ("encryption.malformed" if " algorithm=" in inner else "encryption.algorithm")


def test_a_method_that_names_no_algorithm_is_refused_as_one_that_is_not_listed() -> None:
    nameless = etree.fromstring(f'<x:EncryptionMethod xmlns:x="{XENC}"/>')
    for read in (read_key_method, read_data_method):
        with refused("encryption.algorithm", UnsupportedAlgorithm) as caught:
            read(nameless, algorithms())
        assert caught.value.seen == ""
