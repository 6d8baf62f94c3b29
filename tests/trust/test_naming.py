"""Distinguished names are told equal however Java, .NET, OpenSSL or Python write them, and told apart otherwise."""

import re
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID, ObjectIdentifier
from hypothesis import given
from hypothesis import strategies as st

from wsguard.certificates import names_equal
from wsguard.certificates.naming import LONGEST_NAME

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"

AUTHORITY = x509.Name(
    [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
        x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, "New York"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, 'Acme, "Old" & Sons + Co'),
        x509.NameAttribute(NameOID.COMMON_NAME, "Zażółć"),
        x509.NameAttribute(NameOID.EMAIL_ADDRESS, "pki@example.org"),
    ]
)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(r"E=pki@example.org,CN=Zażółć,O=Acme\, \"Old\" & Sons \+ Co,ST=New York,C=US", id="rfc4514"),
        pytest.param(
            r"1.2.840.113549.1.9.1=#160f706b69406578616d706c652e6f7267,"
            r"CN=Zażółć,O=Acme\, \"Old\" & Sons \+ Co,ST=New York,C=US",
            id="java-rfc2253",
        ),
        pytest.param(
            'EMAILADDRESS=pki@example.org, CN=Zażółć, O="Acme, \\"Old\\" & Sons + Co", ST=New York, C=US',
            id="java-tostring",
        ),
        pytest.param(
            'OID.1.2.840.113549.1.9.1=pki@example.org, CN=Zażółć, O="Acme, \\"Old\\" & Sons + Co", ST=New York, C=US',
            id="java-rfc1779",
        ),
        pytest.param('E=pki@example.org, CN=Zażółć, O="Acme, ""Old"" & Sons + Co", S=New York, C=US', id="dotnet"),
        pytest.param(
            'C=US, S=New York, O="Acme, ""Old"" & Sons + Co", CN=Zażółć, E=pki@example.org', id="dotnet-reversed"
        ),
        pytest.param(
            r"emailAddress=pki@example.org,CN=Za\C5\BC\C3\B3\C5\82\C4\87,"
            r"O=Acme\, \22Old\22 & Sons \2B Co,ST=New York,C=US",
            id="openssl",
        ),
        pytest.param(
            r"  e = PKI@EXAMPLE.ORG ; cn=zażółć;o=acme\,  \"old\" & sons \+ co ;st=new  york;c=us", id="careless"
        ),
    ],
)
def test_the_same_name_is_known_in_every_spelling(text: str) -> None:
    assert names_equal(text, AUTHORITY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CN=Zażółć",
        r"E=pki@example.org,CN=Zażółć,O=Acme\, \"Old\" & Sons \+ Co,ST=New York,C=UK",
        r"CN=Zażółć,E=pki@example.org,O=Acme\, \"Old\" & Sons \+ Co,ST=New York,C=US",
        r"E=pki@example.org+CN=Zażółć,O=Acme\, \"Old\" & Sons \+ Co,ST=New York,C=US",
        r"E=pki@example.org,CN=Zażółć,O=Acme\, \"Old\" & Sons \+ Co,ST=New York,C=US,C=US",
        r"E=pki@example.org,CN=Zażółć,O=Acme\, \"Old\" & Sons \+ Co,ST=New York,C=US,",
    ],
)
def test_another_name_is_another_name(text: str) -> None:
    assert not names_equal(text, AUTHORITY)


@pytest.mark.parametrize(
    "text",
    [
        "CN", "=x", "CN=\\", "CN=\\C5", 'CN="x', 'CN="x"y', "NOBODY=x", "CN=#04", "CN=x\\", "CN=#1302ff", ",",
        "CN=\ud800", "+CN=x",
    ],
)  # fmt: skip
def test_what_is_no_name_is_no_names_name(text: str) -> None:
    assert not names_equal(text, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")]))


def test_a_text_beyond_the_bound_is_not_read() -> None:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    assert names_equal("CN=x" + " " * (LONGEST_NAME - 4), name)
    assert not names_equal("CN=x" + " " * (LONGEST_NAME - 3), name)


@pytest.mark.parametrize(
    ("keyword", "oid"),
    [
        ("SERIALNUMBER", NameOID.SERIAL_NUMBER), ("DC", NameOID.DOMAIN_COMPONENT), ("UID", NameOID.USER_ID),
        ("STREET", NameOID.STREET_ADDRESS), ("L", NameOID.LOCALITY_NAME), ("T", NameOID.TITLE),
        ("title", NameOID.TITLE), ("G", NameOID.GIVEN_NAME), ("GN", NameOID.GIVEN_NAME), ("SN", NameOID.SURNAME),
        ("surname", NameOID.SURNAME), ("ST", NameOID.STATE_OR_PROVINCE_NAME), ("S", NameOID.STATE_OR_PROVINCE_NAME),
        ("OID.2.5.4.97", NameOID.ORGANIZATION_IDENTIFIER), ("2.5.4.97", NameOID.ORGANIZATION_IDENTIFIER),
        ("1.2.3.4", ObjectIdentifier("1.2.3.4")),
    ],
)  # fmt: skip
def test_every_keyword_is_known(keyword: str, oid: ObjectIdentifier) -> None:
    assert names_equal(f"{keyword}=value", x509.Name([x509.NameAttribute(oid, "value")]))


def test_parts_with_several_attributes_have_no_order_inside() -> None:
    name = x509.Name(
        [
            x509.RelativeDistinguishedName(
                [x509.NameAttribute(NameOID.COMMON_NAME, "a"), x509.NameAttribute(NameOID.USER_ID, "1")]
            ),
            x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COUNTRY_NAME, "US")]),
        ]
    )
    for text in ("C=US,CN=a+UID=1", "C=US,UID=1 + CN=a", "UID=1+CN=a,C=US"):
        assert names_equal(text, name)
    assert not names_equal("C=US,CN=a,UID=1", name)


attributes = st.builds(
    x509.NameAttribute,
    st.sampled_from([NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.EMAIL_ADDRESS, ObjectIdentifier("1.2.3")]),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=16),
)
names = st.lists(st.lists(attributes, min_size=1, max_size=3, unique_by=lambda one: one.oid), max_size=5).map(
    lambda rdns: x509.Name([x509.RelativeDistinguishedName(one) for one in rdns])
)


@given(names.filter(lambda name: len(name.rdns) > 0))
def test_every_name_is_known_by_its_rfc_4514_text(name: x509.Name) -> None:
    assert names_equal(name.rfc4514_string(), name)


@given(st.text(max_size=100) | st.text(alphabet='CN=,+;\\"# 0a', max_size=60), names)
def test_no_text_breaks_the_comparison(text: str, name: x509.Name) -> None:
    names_equal(text, name)


def test_a_hostile_text_takes_no_longer_than_an_honest_one() -> None:
    for text in ('CN="' + '"' * 2040, "CN=" + "\\" * 2040, "CN=" + " " * 2040 + "\\", "A" * 2048, "CN=a+" * 400):
        assert not names_equal(text, AUTHORITY)


def test_issuers_as_real_clients_wrote_them_are_known() -> None:
    if not CORPUS.is_dir():
        pytest.skip(f"the corpus of captured messages is not here ({CORPUS})")
    issuer = x509.load_pem_x509_certificate((CORPUS / "pki" / "client.crt").read_bytes()).issuer
    texts = {
        found
        for file in (CORPUS / "messages").glob("*.xml")
        for found in re.findall(r"<[^/>]*X509IssuerName>([^<]+)<", file.read_bytes().decode("utf-8", "replace"))
    }
    assert texts
    assert [text for text in texts if not names_equal(text, issuer)] == []
