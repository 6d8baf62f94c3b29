"""``wsguard explain`` of signed messages: every part as it was digested, and whose certificate was trusted why."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
import xmlsec
from lxml import etree
from typer.testing import CliRunner, Result

from tests.messages import NOW, SOAP11, WSU, timestamp
from tests.signature.signatures import ALICE, BOB, ROOT, STRANGER, Guarding, guarding
from tests.signing import X509_PROFILE, Part, Signing, signed
from wsguard.cli.application import application

CONFIG: Final = """
[users]
url = "toml:users.toml"
[replay]
url = "memory://"
[audit]
url = "jsonl:audit.jsonl"
[signature]
use = "required"
[username_token]
use = "optional"
[trust]
ca_files = ["ca.pem"]
known_certificates = ["alice.pem"]
pinned_certificates = ["pinned.pem"]
"""


class Explained:
    """A directory with a configuration, and the command in it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "wsguard.toml").write_text(CONFIG)
        (directory / "users.toml").write_text('"alice" = "secret"\n')
        for name, one in (("ca", ROOT), ("alice", ALICE), ("pinned", STRANGER)):
            (directory / f"{name}.pem").write_bytes(one.pem)

    def explain(self, octets: bytes, *options: str) -> Result:
        """The command's result."""
        captured = self.directory / "message.xml"
        captured.write_bytes(octets)
        arguments = ["explain", str(self.directory / "wsguard.toml"), str(captured), "--at", NOW.isoformat()]
        return CliRunner().invoke(application, [*arguments, *options])

    def said(self, octets: bytes, *options: str) -> dict[str, Any]:
        """What it says to programs."""
        said: dict[str, Any] = json.loads(self.explain(octets, "--json", *options).stdout)
        return said


@pytest.fixture
def explained(tmp_path: Path) -> Explained:
    return Explained(tmp_path)


def b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def digest_values(octets: bytes) -> list[str]:
    return [value.decode() for value in re.findall(rb"DigestValue>([^<]+)<", octets)]


HONEST: Final = signed(Signing.by(ALICE))
CHANGED: Final = HONEST.replace(b"hello", b"evil")


# --- What was digested ------------------------------------------------------------------------------------------------


def test_every_part_is_said_with_what_was_expected_and_computed(explained: Explained) -> None:
    said = explained.said(HONEST)
    assert said["verdict"] == "accepted"
    body, stamped = digest_values(HONEST)
    assert said["digested"] == [
        {
            "uri": "#body",
            "element": f"{{{SOAP11}}}Body",
            "transforms": ["exc-c14n"],
            "method": "sha256",
            "bytes": len(BODY_OCTETS),
            "expected": body,
            "computed": body,
        },
        {
            "uri": "#TS-1",
            "element": f"{{{WSU}}}Timestamp",
            "transforms": ["exc-c14n"],
            "method": "sha256",
            "bytes": len(timestamp()) + len(f' xmlns:wsu="{WSU}"'),
            "expected": stamped,
            "computed": stamped,
        },
    ]


def test_a_part_that_was_changed_shows_both_digests_and_ends_the_list(explained: Explained) -> None:
    said = explained.said(CHANGED)
    assert (said["verdict"], said["check"]) == ("refused", "signature.digest")
    (body,) = said["digested"]
    assert body["expected"] == digest_values(HONEST)[0]
    assert body["computed"] == b64(hashlib.sha256(BODY_OCTETS.replace(b"hello", b"evil")).digest())


def test_people_see_both_digests_too(explained: Explained) -> None:
    printed = explained.explain(CHANGED).stdout
    assert "Refused by signature.digest." in printed
    squeezed = re.sub(r"[\s│|]+", "", printed)
    assert digest_values(HONEST)[0][:8] in squeezed
    assert b64(hashlib.sha256(BODY_OCTETS.replace(b"hello", b"evil")).digest())[:8] in squeezed


def test_nothing_is_digested_for_nobody(explained: Explained) -> None:
    for octets in (
        signed(Signing.by(BOB, key=ALICE.key)),
        signed(Signing.by(ROOT)),
        re.sub(b"<ds:Signature .*</ds:Signature>", b"", HONEST),
    ):
        said = explained.said(octets)
        assert (said["verdict"], said["digested"]) == ("refused", [])


# --- --octets ---------------------------------------------------------------------------------------------------------

BODY_OCTETS: Final = (
    f'<S:Body xmlns:S="{SOAP11}" xmlns:wsu="{WSU}" wsu:Id="body">'
    '<e:Echo xmlns:e="urn:echo"><e:text>hello</e:text></e:Echo></S:Body>'
).encode()
"""The canonical form, written by hand."""


def test_the_octets_of_each_part_are_written(explained: Explained, tmp_path: Path) -> None:
    said = explained.said(HONEST, "--octets", str(tmp_path / "out"))
    files = [tmp_path / "out" / "01-Body.xml", tmp_path / "out" / "02-Timestamp.xml"]
    assert said["octets"] == list(map(str, files))
    assert files[0].read_bytes() == BODY_OCTETS
    assert [b64(hashlib.sha256(file.read_bytes()).digest()) for file in files] == digest_values(HONEST)


@pytest.mark.parametrize("c14n", ["exc-c14n", "c14n"])
def test_the_octets_are_those_that_libxmlsec_digests(explained: Explained, tmp_path: Path, c14n: str) -> None:
    config = explained.directory / "wsguard.toml"
    config.write_text(f'{CONFIG}\n[algorithms]\ncanonicalization = ["exc-c14n", "c14n"]\n')
    parts = (Part("#body", c14n=c14n), Part("#TS-1", c14n=c14n))
    body = '<Echo><a b="&#10;"><x/></a>\r\n<!-- - --></Echo>'
    plain = signed(Signing.by(ALICE, parts=parts), body=body, envelope_attributes='xmlns="urn:echo" xml:lang="en"')
    root = etree.fromstring(re.sub(rb"(<ds:(DigestValue|SignatureValue)>)[^<]+", rb"\1", plain))
    xmlsec.tree.add_ids(root, ["Id"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(ALICE.key_pem, xmlsec.constants.KeyDataFormatPem)
    (signature,) = root.iter("{*}Signature")
    context.sign(signature)
    octets = etree.tostring(root)
    said = explained.said(octets, "--octets", str(tmp_path / "out"))
    assert said["verdict"] == "accepted"
    written = [Path(file).read_bytes() for file in said["octets"]]
    assert [b64(hashlib.sha256(one).digest()) for one in written] == digest_values(octets)
    assert (b'xml:lang="en"' in written[0]) == (c14n == "c14n")


def test_of_a_part_that_was_changed_the_octets_are_those_that_arrived(explained: Explained, tmp_path: Path) -> None:
    (file,) = explained.said(CHANGED, "--octets", str(tmp_path / "out"))["octets"]
    assert Path(file).read_bytes() == BODY_OCTETS.replace(b"hello", b"evil")


def test_people_are_told_where_the_octets_are(explained: Explained, tmp_path: Path) -> None:
    printed = re.sub(r"\s+", "", explained.explain(HONEST, "--octets", str(tmp_path / "out")).stdout)
    for name in ("01-Body.xml", "02-Timestamp.xml"):
        assert f"Whatwasdigestedisin{tmp_path}/out/{name}." in printed


def test_octets_are_for_their_owner_only_and_written_through_no_link(explained: Explained, tmp_path: Path) -> None:
    out, other = tmp_path / "out", tmp_path / "other"
    out.mkdir()
    other.write_bytes(b"another's")
    (out / "01-Body.xml").symlink_to(other)
    (out / "02-Timestamp.xml").write_bytes(b"of the last time")
    files = [Path(file) for file in explained.said(HONEST, "--octets", str(out))["octets"]]
    assert [(file.is_symlink(), file.stat().st_mode & 0o777) for file in files] == [(False, 0o600)] * 2
    assert other.read_bytes() == b"another's"
    assert files[0].read_bytes() == BODY_OCTETS


def test_octets_that_cannot_be_written_end_with_status_2(explained: Explained, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert explained.explain(HONEST, "--octets", str(tmp_path / "file")).exit_code == 2


# --- Whose certificate ------------------------------------------------------------------------------------------------

THUMBPRINT: Final = (
    "<wsse:SecurityTokenReference><wsse:KeyIdentifier "
    'ValueType="http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1#ThumbprintSHA1">'
    f"{b64(hashlib.sha1(ALICE.der).digest())}</wsse:KeyIdentifier></wsse:SecurityTokenReference>"
)
IDENTIFIER: Final = f'<wsse:SecurityTokenReference><wsse:KeyIdentifier ValueType="{X509_PROFILE}#X509v3">{b64(ALICE.der)}</wsse:KeyIdentifier></wsse:SecurityTokenReference>'  # fmt: skip  # noqa: E501


@pytest.mark.parametrize(
    "signing, seen, setting",
    [
        pytest.param(Signing.by(ALICE), "CN=Alice by DirectReference, chain to CN=Root", "trust.ca_files", id="token"),
        pytest.param(
            replace(Signing.by(ALICE, key_info=THUMBPRINT), certificate=None),
            "CN=Alice by Thumbprint, chain to CN=Root",
            "trust.ca_files",
            id="thumbprint",
        ),
        pytest.param(
            replace(Signing.by(ALICE, key_info=IDENTIFIER), certificate=None),
            "CN=Alice by X509KeyIdentifier, chain to CN=Root",
            "trust.ca_files",
            id="key identifier",
        ),
        pytest.param(
            Signing.by(STRANGER), "CN=Alice by DirectReference, pinned", "trust.pinned_certificates", id="pinned"
        ),
    ],
)
def test_it_says_whose_certificate_it_was_how_it_was_named_and_why_it_is_trusted(
    explained: Explained, signing: Signing, seen: str, setting: str
) -> None:
    said = explained.said(signed(signing))
    (found,) = (one for one in said["explanation"] if one["check"] == "certificate")
    assert (found["outcome"], found["seen"], found["setting"]) == ("passed", seen, setting)
    der = STRANGER.der if "pinned" in seen else ALICE.der
    assert (said["certificate_subject"], said["certificate_sha256"]) == ("CN=Alice", hashlib.sha256(der).hexdigest())


# --- In records -------------------------------------------------------------------------------------------------------


def test_no_record_tells_digests_or_content(tmp_path: Path) -> None:
    guarded: Guarding = guarding(tmp_path)
    guard = guarded(audit={"url": "memory://", "record": "all"})
    assert guard.post(HONEST).status == "200 OK"
    assert guard.post(CHANGED).check == "signature.digest"
    told = json.dumps([record.as_dict() for record in guard.records])
    assert len(guard.records) == 2
    assert "CN=Alice" in told
    computed = hashlib.sha256(BODY_OCTETS.replace(b"hello", b"evil")).digest()
    for secret in (*digest_values(HONEST), b64(computed), computed.hex(), "hello", "evil"):
        assert secret not in told
