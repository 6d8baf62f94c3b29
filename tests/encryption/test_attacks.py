"""Shapes that are refused by name, before anything is computed with them (FACTS S8 to S11, class J)."""

import base64
import re
from dataclasses import replace

import pytest

from tests.encrypting import (
    WSSE11,
    Agreement,
    Encryption,
    encrypted,
    key_info,
    key_name,
    reference_list,
    to_id,
)
from tests.encryption.messages import SHARED, opened, server
from tests.message.refusing import refused
from tests.messages import DS, PAYLOAD, XENC, envelope, security, timestamp
from tests.pki import ec_key
from wsguard.encryption import DecryptionKey
from wsguard.faults import InvalidSecurity, MessageFault, UnsupportedAlgorithm
from wsguard.policy.surroundings import Limits

FOR_US = Encryption.for_(server()).fixed()
XENC11 = "http://www.w3.org/2009/xmlenc11#"


def bent(old: str, new: str, encryption: Encryption = FOR_US) -> bytes:
    """A message in which some text was replaced, once or more."""
    message = encrypted(encryption).decode()
    assert old in message
    return message.replace(old, new).encode()


def in_key(old: str, new: str, count: int = 1) -> bytes:
    """The same in the EncryptedKey alone."""
    key = FOR_US.key_xml()
    assert old in key
    return envelope(security(key.replace(old, new, count), timestamp()), FOR_US.data_xml())


def in_data(old: str, new: str, count: int = 1) -> bytes:
    """The same in the EncryptedData alone."""
    data = FOR_US.data_xml()
    assert old in data
    return envelope(security(FOR_US.key_xml(), timestamp()), data.replace(old, new, count))


def in_method(inner: str) -> bytes:
    """With children of the EncryptionMethod of the data."""
    return in_data('aes128-gcm"/>', f'aes128-gcm">{inner}</xenc:EncryptionMethod>')


CIPHER_REFERENCE = '<xenc:CipherReference URI="file:///etc/passwd"/>'
RETRIEVAL = '<ds:RetrievalMethod Type="http://www.w3.org/2001/04/xmlenc#EncryptedKey" URI="#EK-1"/>'

METHOD = f'<xenc:EncryptionMethod Algorithm="{XENC11}aes128-gcm"/>'
CARRIED = "<xenc:CarriedKeyName>k</xenc:CarriedKeyName>"

SHAPES = {
    "CipherReference of the data": in_data("<xenc:CipherValue>", f"{CIPHER_REFERENCE}<xenc:CipherValue>"),
    "CipherReference alone": envelope(
        security(FOR_US.key_xml()),
        f'<xenc:EncryptedData xmlns:xenc="{XENC}" Id="ED-1" Type="{XENC}Content"><xenc:EncryptionMethod '
        f'Algorithm="{XENC11}aes128-gcm"/>{to_id("EK-1")}<xenc:CipherData>{CIPHER_REFERENCE}</xenc:CipherData>'
        "</xenc:EncryptedData>",
    ),
    "CipherReference of the key": in_key("<xenc:CipherValue>", f"{CIPHER_REFERENCE}<xenc:CipherValue>"),
    "RetrievalMethod to the key itself": encrypted(replace(FOR_US, key_info=key_info(RETRIEVAL))),
    "RetrievalMethod in the data": encrypted(replace(FOR_US, data_key_info=key_info(RETRIEVAL))),
    "EncryptionProperties": in_data("</xenc:EncryptedData>", "<xenc:EncryptionProperties/></xenc:EncryptedData>"),
    "EncryptionProperties of the key": in_key(
        "<xenc:ReferenceList", "<xenc:EncryptionProperties/><xenc:ReferenceList"
    ),
    "KeyReference": in_key("</xenc:ReferenceList>", '<xenc:KeyReference URI="#EK-1"/></xenc:ReferenceList>'),
    "transforms of a reference": in_key(
        '<xenc:DataReference URI="#ED-1"/>',
        f'<xenc:DataReference URI="#ED-1"><ds:Transforms xmlns:ds="{DS}"/></xenc:DataReference>',
    ),
    "another document": in_key('URI="#ED-1"', 'URI="file:///etc/passwd"'),
    "the whole document": in_key('URI="#ED-1"', 'URI=""'),
    "an XPointer": in_key('URI="#ED-1"', 'URI="#xpointer(/)"'),
    "an Id that is not there": in_key('URI="#ED-1"', 'URI="#ED-9"'),
    "no URI": in_key('URI="#ED-1"', ""),
    "DataReference twice": in_key(
        '<xenc:DataReference URI="#ED-1"/>', '<xenc:DataReference URI="#ED-1"/><xenc:DataReference URI="#ED-1"/>'
    ),
    "DataReference to the key": in_key('URI="#ED-1"', 'URI="#EK-1"'),
    "DataReference to the Timestamp": in_key('URI="#ED-1"', 'URI="#TS-1"'),
    "no DataReference": in_key('<xenc:DataReference URI="#ED-1"/>', ""),
    "two ReferenceLists": in_key("</xenc:EncryptedKey>", f"{reference_list('ED-1')}</xenc:EncryptedKey>"),
    "a Type of EncryptedKey": in_data(f'Type="{XENC}Content"', f'Type="{XENC}EncryptedKey"'),
    "a media type as Type": in_data(f'Type="{XENC}Content"', 'Type="text/xml"'),
    "the attachment profile": in_data(
        f'Type="{XENC}Content"',
        'Type="http://docs.oasis-open.org/wss/oasis-wss-SwAProfile-1.1#Attachment-Content-Only"',
    ),
    "a Type on the key": in_key(' Id="EK-1"', f' Id="EK-1" Type="{XENC}Element"'),
    "MimeType of something else": in_data(' Id="ED-1"', ' Id="ED-1" MimeType="application/gzip"'),
    "Encoding": in_data(' Id="ED-1"', f' Id="ED-1" Encoding="{DS}base64"'),
    "an attribute": in_data(' Id="ED-1"', ' Id="ED-1" Nonce="1"'),
    "an attribute of CipherValue": in_data("<xenc:CipherValue>", '<xenc:CipherValue Id="x">'),
    "text": in_data("<xenc:CipherData>", "text<xenc:CipherData>"),
    "no CipherData": in_data("xenc:CipherData", "xenc:Cipher", 2),
    "two CipherValues": in_data("<xenc:CipherValue>", "<xenc:CipherValue>AAAA</xenc:CipherValue><xenc:CipherValue>"),
    "no base64": in_data("<xenc:CipherValue>", "<xenc:CipherValue>!"),
    "an element in CipherValue": in_data("<xenc:CipherValue>", "<xenc:CipherValue><a/>"),
    "no EncryptionMethod": in_data("xenc:EncryptionMethod", "xenc:Method"),
    "two EncryptionMethods": in_data("<xenc:CipherData>", f"{METHOD}<xenc:CipherData>"),
    "no EncryptionMethod of the key": in_key("xenc:EncryptionMethod", "xenc:Method", 2),
    "two EncryptionMethods of the key": in_key("<xenc:CipherData>", f"{METHOD}<xenc:CipherData>"),
    "an attribute of the key": in_key(' Id="EK-1"', ' Id="EK-1" Nonce="1"'),
    "Encoding of the key": in_key(' Id="EK-1"', f' Id="EK-1" Encoding="{DS}base64"'),
    "two CarriedKeyNames": in_key("</xenc:EncryptedKey>", f"{CARRIED * 2}</xenc:EncryptedKey>"),
    "two KeyInfos": in_data("<xenc:CipherData>", f"{to_id('EK-1')}<xenc:CipherData>"),
    "two CipherDatas": in_data("</xenc:EncryptedData>", "<xenc:CipherData/></xenc:EncryptedData>"),
    "an attribute of CipherData": in_data("<xenc:CipherData>", '<xenc:CipherData Id="x">'),
    "an attribute of the key's CipherValue": in_key("<xenc:CipherValue>", '<xenc:CipherValue Id="x">'),
    "KeySize of another algorithm": in_method("<xenc:KeySize>256</xenc:KeySize>"),
    "KeySize in words": in_method("<xenc:KeySize>much</xenc:KeySize>"),
    "KeySize of key transport": in_key(
        "</xenc:EncryptionMethod>", "<xenc:KeySize>2048</xenc:KeySize></xenc:EncryptionMethod>"
    ),
    "OAEPparams of data": in_method("<xenc:OAEPparams>AAAA</xenc:OAEPparams>"),
    "two digests": in_key(
        "</xenc:EncryptionMethod>",
        f'<ds:DigestMethod xmlns:ds="{DS}" Algorithm="{DS}sha1"/>' * 2 + "</xenc:EncryptionMethod>",
    ),
    "a mask where it is fixed": encrypted(replace(FOR_US, mask="sha256")),
    "huge OAEPparams": encrypted(replace(FOR_US, label=bytes(2000), key_cipher=bytes(256))),
    "endless OAEPparams": encrypted(replace(FOR_US, label=bytes(200_000), key_cipher=bytes(256))),
    "an endless key": encrypted(replace(FOR_US, key_cipher=bytes(200_000))),
    "an endless CarriedKeyName": in_key(
        "</xenc:EncryptedKey>", f"<xenc:CarriedKeyName>{'n' * 3000}</xenc:CarriedKeyName></xenc:EncryptedKey>"
    ),
    "key agreement as transport": in_key(f"{XENC}rsa-oaep-mgf1p", f"{XENC11}ECDH-ES"),
    "content beside an element": in_data("<xenc:EncryptedData", "<e/><xenc:EncryptedData"),
    "content before text": in_data("</xenc:EncryptedData>", "</xenc:EncryptedData>x"),
    "content after text": in_data("<xenc:EncryptedData", "x<xenc:EncryptedData"),
    "KeySize of another key wrap": encrypted(
        Encryption(
            key=SHARED["blue"], key_info=key_name("blue"), method="kw-aes128",
            replaced={'kw-aes128">': 'kw-aes128"><xenc:KeySize>256</xenc:KeySize>'},
        )
    ),
    "an attribute of KeyInfo": encrypted(
        replace(
            FOR_US,
            data_key_info=key_info(replace(FOR_US, key_id="EK-2", references=()).key_xml()).replace(
                "<ds:KeyInfo", '<ds:KeyInfo Other="1"', 1
            ),
        )
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_another_shape_is_refused_by_name(name: str) -> None:
    with refused("encryption.malformed", InvalidSecurity):
        opened(SHAPES[name])


def test_the_shapes_are_bent_versions_of_one_that_is_taken() -> None:
    assert opened(encrypted(FOR_US)).body_text() == PAYLOAD


def test_content_of_the_security_header_is_refused_for_it_would_move_what_stands_there() -> None:
    data = replace(FOR_US, data_key_info=key_name("blue"), session=SHARED["blue"])
    with refused("encryption.malformed"):
        opened(envelope(security(data.data_xml())), others=True)
    assert opened(envelope(security(replace(data, kind="Element").data_xml())), others=True).state.opened


@pytest.mark.parametrize("kind", ["Content", "Element"])
def test_an_encrypted_header_wraps_an_element_in_the_header(kind: str) -> None:
    data = replace(FOR_US, kind=kind, plaintext=b"<e/>").data_xml()
    wrapper = f'<w:EncryptedHeader xmlns:w="{WSSE11}">{data}</w:EncryptedHeader>'
    if kind == "Element":
        assert opened(envelope(wrapper + security(FOR_US.key_xml()))).state.opened
        wrapper = f"<other>{wrapper}</other>"
    with refused("encryption.malformed"):
        opened(envelope(wrapper + security(FOR_US.key_xml())))


@pytest.mark.parametrize(
    ("attributes", "beside", "data"),
    [(' Other="1"', "", 1), ("", "<other/>", 1), ("", "", 0), ("", "", 2)],
    ids=["an attribute", "something beside", "nothing", "two"],
)
def test_an_encrypted_header_holds_one_encrypted_data_and_nothing_else(attributes: str, beside: str, data: int) -> None:
    held = [replace(FOR_US, id=f"ED-{number + 1}", kind="Element", plaintext=b"<e/>") for number in range(data)]
    wrapper = f"<w:EncryptedHeader xmlns:w='{WSSE11}' Id='EH-1'{attributes}>{{}}</w:EncryptedHeader>"
    around = wrapper.format("".join(one.data_xml() for one in held) + beside)
    with refused("encryption.malformed"):
        opened(envelope(around + security(FOR_US.key_xml().replace("#ED-1", "#EH-1"))))


def test_what_is_no_base64_is_said_to_be_the_cipher_value() -> None:
    with refused("encryption.malformed") as caught:
        opened(SHAPES["no base64"])
    assert caught.value.expected == "base64 in CipherValue"


HARMLESS = {
    "KeySize": in_method("<xenc:KeySize>128</xenc:KeySize>"),
    "MimeType": in_data(' Id="ED-1"', ' Id="ED-1" MimeType="text/xml" Encoding="utf-8"'),
    "Recipient": in_key(' Id="EK-1"', f' Id="EK-1" Recipient="us" MimeType="octets" Type="{XENC}EncryptedKey"'),
    "CarriedKeyName": in_key("</xenc:EncryptedKey>", f"{CARRIED}</xenc:EncryptedKey>"),
    "Encoding of the key": in_key(' Id="EK-1"', ' Id="EK-1" Encoding="UTF-8"'),
    "KeySize of key wrap": encrypted(
        Encryption(
            key=SHARED["blue"],
            key_info=key_name("blue"),
            method="kw-aes128",
            replaced={'kw-aes128">': 'kw-aes128"><xenc:KeySize>128</xenc:KeySize>'},
        )
    ),
    "white space": in_data("<xenc:CipherData>", "\n <xenc:CipherData>\n ").replace(b"==", b"=\n="),
    "white space around": in_data("<xenc:EncryptedData", "\n  <xenc:EncryptedData"),
    "a ReferenceList with an Id": in_key("<xenc:ReferenceList", '<xenc:ReferenceList Id="RL-1"'),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_changes_nothing_is_taken(name: str) -> None:
    assert opened(HARMLESS[name]).body_text() == PAYLOAD


# --- Algorithms -------------------------------------------------------------------------------------------------------

UNKNOWN = {
    "a data algorithm": bent(f"{XENC11}aes128-gcm", f"{XENC}arcfour"),
    "a key algorithm": bent(f"{XENC}rsa-oaep-mgf1p", f"{XENC}dh"),
    "no algorithm": in_data(f' Algorithm="{XENC11}aes128-gcm"', ""),
    "a data algorithm for a key": bent(f"{XENC}rsa-oaep-mgf1p", f"{XENC11}aes128-gcm"),
    "a digest": encrypted(replace(FOR_US, digest=f"{XENC}ripemd160", key_cipher=bytes(256))),
    "no digest": encrypted(replace(FOR_US, digest="", key_cipher=bytes(256))),
    "a mask": encrypted(replace(FOR_US, method="rsa-oaep", mask=f"{XENC11}mgf1md5", key_cipher=bytes(256))),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_algorithm_is_refused_by_name(name: str) -> None:
    with refused("encryption.algorithm", UnsupportedAlgorithm):
        opened(UNKNOWN[name])


@pytest.mark.parametrize("name", ["tripledes-cbc", "aes128-cbc"])
def test_a_data_algorithm_that_is_not_listed_is_refused(name: str) -> None:
    message = encrypted(Encryption.for_(server(), algorithm=name))
    assert opened(message, allowed=(name, "rsa-oaep-mgf1p")).body_text() == PAYLOAD
    with refused("encryption.algorithm"):
        opened(message, allowed=("aes128-gcm", "rsa-oaep-mgf1p"))


def test_a_key_algorithm_that_is_not_listed_is_refused() -> None:
    with refused("encryption.algorithm"):
        opened(encrypted(Encryption.for_(server(), method="rsa-1_5")), allowed=("aes128-gcm", "rsa-oaep"))


def test_key_agreement_that_is_not_listed_is_refused() -> None:
    us = ec_key()
    agreement = Agreement(us.public_key(), ec_key())
    message = encrypted(Encryption(key=agreement.key(16), key_info=key_info(agreement.xml()), method="kw-aes128"))
    key = DecryptionKey("ec", us)
    assert opened(message, key, allowed=("aes128-gcm", "kw-aes128", "ecdh-es")).body_text() == PAYLOAD
    with refused("encryption.algorithm"):
        opened(message, key, allowed=("aes128-gcm", "kw-aes128"))


AGREEMENTS = {
    "another agreement": (f"{XENC11}ECDH-ES", f"{XENC}dh", "algorithm"),
    "a transport as agreement": (f"{XENC11}ECDH-ES", f"{XENC}rsa-oaep-mgf1p", "malformed"),
    "another derivation": (f"{XENC11}ConcatKDF", f"{XENC11}pbkdf2", "algorithm"),
    "a nonce": ("<xenc:OriginatorKeyInfo>", "<xenc:KA-Nonce>AAAA</xenc:KA-Nonce><xenc:OriginatorKeyInfo>", "malformed"),
    "no whole octets": ('PartyUInfo="00', 'PartyUInfo="03', "malformed"),
    "no hexadecimal": ('PartyUInfo="00', 'PartyUInfo="00g', "malformed"),
    "an odd digit": ('PartyUInfo="00', 'PartyUInfo="000', "malformed"),
    "endless information": ('PartyUInfo="00', f'PartyUInfo="00{"00" * 600}', "malformed"),
    "another attribute": ('PartyUInfo="00', 'Salt="00" PartyUInfo="00', "malformed"),
    "another curve": ("1.2.840.10045.3.1.7", "1.3.132.0.10", "malformed"),
    "a point off the curve": ("<e:PublicKey>B", "<e:PublicKey>BAA", "malformed"),
    "two keys": ("</xenc:OriginatorKeyInfo>", "<ds:KeyName>k</ds:KeyName></xenc:OriginatorKeyInfo>", "malformed"),
    "an RSA key": (
        "<e:ECKeyValue", '<ds:RSAKeyValue><ds:Modulus>AAAA</ds:Modulus></ds:RSAKeyValue><e:ECKeyValue', "malformed"
    ),
    "an attribute": ("<xenc:OriginatorKeyInfo>", '<xenc:OriginatorKeyInfo Other="1">', "malformed"),
    "an unknown digest": (f"{XENC}sha256", f"{DS}md5", "algorithm"),
}  # fmt: skip


@pytest.mark.parametrize("name", AGREEMENTS)
def test_an_agreement_of_another_shape_is_refused(name: str) -> None:
    old, new, check = AGREEMENTS[name]
    us = ec_key()
    agreement = Agreement(us.public_key(), ec_key())
    info = key_info(agreement.xml())
    assert old in info
    message = encrypted(Encryption(key=agreement.key(16), key_info=info.replace(old, new, 1), method="kw-aes128"))
    with refused(f"encryption.{check}"):
        opened(message, DecryptionKey("ec", us))


MISSING = {
    "no originator": "<xenc:OriginatorKeyInfo>.*</xenc:OriginatorKeyInfo>",
    "no key of the originator": "<ds:KeyValue>.*</ds:KeyValue>",
    "no derivation": "<xenc11:KeyDerivationMethod.*</xenc11:KeyDerivationMethod>",
    "no parameters": "<xenc11:ConcatKDFParams.*</xenc11:ConcatKDFParams>",
    "no digest": "<ds:DigestMethod[^>]*/>",
}


@pytest.mark.parametrize("name", MISSING)
@pytest.mark.parametrize("times", [0, 2])
def test_every_part_of_an_agreement_stands_in_it_once(name: str, times: int) -> None:
    us = ec_key()
    agreement = Agreement(us.public_key(), ec_key())
    info, found = re.subn(MISSING[name], lambda match: match[0] * times, key_info(agreement.xml()))
    assert found == 1
    message = encrypted(Encryption(key=agreement.key(16), key_info=info, method="kw-aes128"))
    with refused("encryption.malformed"):
        opened(message, DecryptionKey("ec", us))


INSIDE = {
    "a child of the derivation": "</xenc11:KeyDerivationMethod>",
    "a child of the parameters": "</xenc11:ConcatKDFParams>",
    "two recipients": "</xenc:AgreementMethod>",
}


@pytest.mark.parametrize("name", INSIDE)
def test_nothing_else_stands_in_an_agreement(name: str) -> None:
    us = ec_key()
    agreement = Agreement(us.public_key(), ec_key())
    info, end = key_info(agreement.xml()), INSIDE[name]
    assert info.count(end) == 1
    more = "<xenc:RecipientKeyInfo/>" * 2 if name == "two recipients" else "<ds:KeyName>k</ds:KeyName>"
    message = encrypted(Encryption(key=agreement.key(16), key_info=info.replace(end, more + end), method="kw-aes128"))
    with refused("encryption.malformed"):
        opened(message, DecryptionKey("ec", us))


def test_information_that_is_none_is_named() -> None:
    us = ec_key()
    info = key_info(Agreement(us.public_key(), ec_key()).xml()).replace('PartyUInfo="00', 'PartyUInfo="03')
    with refused("encryption.malformed") as caught:
        opened(encrypted(Encryption(key=bytes(16), key_info=info, method="kw-aes128")), DecryptionKey("ec", us))
    assert caught.value.expected == "PartyUInfo of at most 512 octets in hexadecimal behind 00"


def test_a_digest_has_no_children() -> None:
    us = ec_key()
    agreement = Agreement(us.public_key(), ec_key())
    info, found = re.subn(
        "(<ds:DigestMethod[^>]*)/>", "\\1><ds:KeyName>k</ds:KeyName></ds:DigestMethod>", key_info(agreement.xml())
    )
    assert found == 1
    with refused("encryption.malformed"):
        opened(encrypted(Encryption(key=bytes(16), key_info=info, method="kw-aes128")), DecryptionKey("ec", us))


def test_an_rsa_key_agrees_on_nothing() -> None:
    numbers = server().key.public_key().public_numbers()
    modulus = base64.b64encode(numbers.n.to_bytes(256, "big")).decode()  # type: ignore[union-attr]
    value = f"<ds:RSAKeyValue><ds:Modulus>{modulus}</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue>"
    xml = Agreement(ec_key().public_key(), ec_key()).xml()
    start, end = xml.index("<e:ECKeyValue"), xml.index("</ds:KeyValue>")
    message = encrypted(
        Encryption(key=bytes(16), key_info=key_info(xml[:start] + value + xml[end:]), method="kw-aes128")
    )
    with refused("encryption.malformed"):
        opened(message)


# --- Circles and floods -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["rsa-oaep-mgf1p", "kw-aes128"])
@pytest.mark.parametrize("target", ["EK-1", "EK-2"])
def test_an_encrypted_key_is_never_opened_by_another_nor_by_itself(method: str, target: str) -> None:
    one = Encryption(key=bytes(16), key_info=to_id(target), method=method, session=bytes(16), key_cipher=bytes(256))
    two = replace(one, key_id="EK-2", key_info=to_id("EK-1"), references=())
    with refused("encryption.key"):
        opened(encrypted(one, two.key_xml()))


def test_an_encrypted_key_inside_of_its_own_reference_is_refused() -> None:
    inner = replace(FOR_US, references=()).key_xml()
    message = encrypted(replace(FOR_US, key_id="EK-0", key_info=key_info(inner)))
    with refused("encryption.malformed"):
        opened(message)


def test_a_target_named_by_two_lists_is_refused() -> None:
    with refused("encryption.malformed"):
        opened(encrypted(FOR_US, reference_list("ED-1")))


def test_ten_thousand_references_are_refused_before_they_cost() -> None:
    message = encrypted(replace(FOR_US, references=tuple(f"ED-{number}" for number in range(10_000))))
    with refused("limits.encrypted_data", MessageFault):
        opened(message)


def test_keys_are_counted_wherever_they_stand() -> None:
    more = [replace(FOR_US, references=(), key_id=f"EK-{number}").key_xml() for number in range(2, 6)]
    assert opened(encrypted(FOR_US, *more[:3])).body_text() == PAYLOAD
    with refused("limits.encrypted_keys", MessageFault):
        opened(encrypted(FOR_US, *more))
    inside = replace(FOR_US, data_key_info=key_info(replace(FOR_US, key_id="EK-9", references=()).key_xml()))
    with refused("limits.encrypted_keys"):
        opened(encrypted(inside, *more[:3]))


def test_data_are_counted_over_all_lists() -> None:
    parts = [replace(FOR_US, id=f"ED-{number}", kind="Element", references=()) for number in range(1, 4)]
    body = "".join(part.data_xml() for part in parts)
    message = envelope(
        security(replace(FOR_US, references=("ED-1", "ED-2")).key_xml(), reference_list("ED-3"), timestamp()), body
    )
    assert len(opened(message, limits=Limits(encrypted_data=3)).state.opened) == 3
    with refused("limits.encrypted_data"):
        opened(message, limits=Limits(encrypted_data=2))
