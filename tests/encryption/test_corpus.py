"""What WSS4J encrypted, opened: every encrypted message of the corpus, with the server's own key file."""

import base64
import hashlib
import hmac
import json
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from lxml import etree
from lxml.etree import _Element

from tests.encryption.messages import Result, algorithms, begin, opened, walk
from tests.message.refusing import refused
from wsguard.encryption import DecryptionKey, Decryptor, Secret
from wsguard.explanation import Explanation
from wsguard.message.key_info import KeyInfoReader
from wsguard.message.lexical import name_of
from wsguard.message.parse import Tree, parse
from wsguard.names import DS, ENCRYPTED_DATA, SECURITY, SIGNATURE, TIMESTAMP, USERNAME_TOKEN, XENC
from wsguard.policy.surroundings import Limits

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"

if not CORPUS.is_dir():
    pytest.skip("the corpus of foreign messages is not beside the repository", allow_module_level=True)

ECHO = '<Echo xmlns="http://example.org/echo"><text>hello</text></Echo>'
BODY = "{http://schemas.xmlsoap.org/soap/envelope/}Body"
TEXT = "{http://example.org/echo}text"

OPENED = {
    "wss4j-enc-3des": [("tripledes-cbc", BODY)],
    "wss4j-enc-aes128-cbc": [("aes128-cbc", BODY)],
    "wss4j-enc-aes128-gcm": [("aes128-gcm", BODY)],
    "wss4j-enc-aes256-gcm": [("aes256-gcm", BODY)],
    "wss4j-enc-body-element": [("aes128-cbc", BODY)],
    "wss4j-enc-embedded-key": [("aes128-cbc", BODY)],
    "wss4j-enc-key-ski": [("aes128-cbc", BODY)],
    "wss4j-enc-oaep-sha256": [("aes128-cbc", BODY)],
    "wss4j-enc-reflist-external": [("aes128-cbc", BODY)],
    "wss4j-enc-rsa15": [("aes128-cbc", BODY)],
    "wss4j-enc-text-element": [("aes128-cbc", TEXT)],
    "wss4j-enc-ut": [("aes128-cbc", USERNAME_TOKEN)],
    "wss4j-encsign": [("aes128-cbc", BODY)],
    "wss4j-signenc": [("aes128-cbc", BODY)],
    "wss4j-signenc-gcm": [("aes256-gcm", BODY)],
    "wss4j-signenc-ut": [("aes128-cbc", BODY), ("aes128-cbc", USERNAME_TOKEN)],
    "wss4j-sym-sign-enc": [("aes128-cbc", BODY)],
}
"""Name -> algorithm and element of each part."""


@cache
def key() -> DecryptionKey:
    password = (CORPUS / "pki" / "password.txt").read_bytes().strip()
    store = pkcs12.load_pkcs12((CORPUS / "pki" / "server.p12").read_bytes(), password)
    assert isinstance(store.key, rsa.RSAPrivateKey)
    assert store.cert is not None
    return DecryptionKey("server.p12", store.key, store.cert.certificate)


def octets_of(name: str) -> bytes:
    return (CORPUS / "messages" / f"{name}.xml").read_bytes()


def tree_of(octets: bytes) -> Tree:
    """WSS4J sends an embedded key twice with one Id (``wss4j-enc-embedded-key``), which our parser refuses."""
    return parse(
        octets.replace(b'#"><xenc:EncryptedKey Id="', b'#"><xenc:EncryptedKey Id="inner-'), None, ("utf-8",), Limits()
    )


def result_of(name: str) -> Result:
    explanation = Explanation()
    state = Decryptor((key(),), {}, Limits()).message(algorithms(), explanation)
    return walk(tree_of(octets_of(name)), state, explanation)


def test_every_encrypted_message_is_known_here() -> None:
    listed = [entry["name"] for entry in json.loads((CORPUS / "manifest.json").read_text("utf-8"))]
    encrypted = {name for name in listed if b":EncryptedData" in octets_of(name)}
    assert encrypted == {*OPENED, "wss4j-enc-not-for-us"}


@pytest.mark.parametrize("name", OPENED)
def test_a_captured_message_is_opened(name: str) -> None:
    result = result_of(name)
    root = result.tree.root
    assert [(part.algorithm, name_of(part.element(root))) for part in result.state.opened] == OPENED[name]
    assert {part.secret.key for part in result.state.opened} == {"server.p12"}
    assert etree.tostring(result.body[0], method="c14n", exclusive=True).decode() == ECHO
    assert root.find(f".//{ENCRYPTED_DATA}") is None


def test_an_opened_token_is_whole() -> None:
    (part,) = (result := result_of("wss4j-enc-ut")).state.opened
    token = part.element(result.tree.root)
    assert [etree.QName(child).localname for child in token] == ["Username", "Password"]
    assert token.getparent() is result.security


@pytest.mark.parametrize("name", ["wss4j-signenc", "wss4j-signenc-gcm", "wss4j-signenc-ut", "wss4j-sym-sign-enc"])
def test_what_was_signed_before_it_was_encrypted_has_its_digest_again(name: str) -> None:
    result = result_of(name)
    for reference in result.tree.root.iter(f"{{{DS}}}Reference"):
        digest(result.tree, reference)


@pytest.mark.parametrize("name", ["wss4j-encsign"])
def test_what_was_encrypted_before_it_was_signed_has_its_digest_before(name: str) -> None:
    tree = tree_of(octets_of(name))
    for reference in tree.root.iter(f"{{{DS}}}Reference"):
        digest(tree, reference)


def digest(tree: Tree, reference: _Element) -> None:
    """Demand that a reference fits what it names, by lxml and hashlib alone."""
    prefixes = reference.find(".//{*}InclusiveNamespaces")
    octets = etree.tostring(
        tree.ids[reference.get("URI", "")[1:]],
        method="c14n",
        exclusive=True,
        inclusive_ns_prefixes=[] if prefixes is None else prefixes.get("PrefixList", "").split(),
    )
    method = reference.find(f"{{{DS}}}DigestMethod")
    assert method is not None
    name = "sha256" if method.get("Algorithm") == f"{XENC}sha256" else "sha1"
    assert base64.b64encode(hashlib.new(name, octets).digest()).decode() == reference.findtext(f"{{{DS}}}DigestValue")


def test_a_captured_message_for_somebody_else_is_refused_by_name() -> None:
    with refused("encryption.key"):
        result_of("wss4j-enc-not-for-us")


# --- Keys for signatures ----------------------------------------------------------------------------------------------


def secret_of_signature(name: str) -> tuple[Secret, _Element]:
    """The key that the one symmetric signature of a message names, and the signature."""
    tree = tree_of(octets_of(name))
    security = tree.root[0].find(SECURITY)
    assert security is not None
    signature = security.find(SIGNATURE)
    assert signature is not None
    reader = KeyInfoReader(security, tree.ids, begin)  # type: ignore[arg-type]  # nothing is malformed
    key_info = signature.find(f"{{{DS}}}KeyInfo")
    assert key_info is not None
    return begin(key()).secret(reader.read(key_info), tree, security), signature


def value_fits(octets: bytes, signature: _Element) -> bool:
    """Whether the SignatureValue is the HMAC of SignedInfo under the key ``octets``."""
    signed_info = signature[0]
    prefixes = signed_info[0][0].get("PrefixList", "").split()
    canonical = etree.tostring(signed_info, method="c14n", exclusive=True, inclusive_ns_prefixes=prefixes)
    name = signed_info[1].get("Algorithm", "").rpartition("-")[2]
    value = signature.findtext(f"{{{DS}}}SignatureValue", "")
    return hmac.compare_digest(hmac.digest(octets, canonical, name), base64.b64decode(value))


@pytest.mark.parametrize("name", ["wss4j-sym-sign", "wss4j-sym-sign-enc", "wss4j-dk-sign"])
def test_a_signature_under_a_key_that_anybody_can_make_fits_its_key(name: str) -> None:
    secret, signature = secret_of_signature(name)
    assert value_fits(secret.octets, signature)
    assert secret.shared == ""
    assert secret.method.endswith("derived") == (name == "wss4j-dk-sign")


def test_a_timestamp_that_nobody_encrypted_stays() -> None:
    result = opened(octets_of("wss4j-enc-3des"), key())
    assert result.security.find(TIMESTAMP) is not None
