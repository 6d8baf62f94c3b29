"""A client from the names of files: what is done is expected back, and every mistake is told at once."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.client.echo import answer, enveloped
from tests.client.serving import CLIENT, OTHER, ROOT, SERVER, Live, live, opening, plan, signing
from tests.messages import NOW
from wsguard.client import AnswerRefused, Answers, Material, Securing, Sent, ZeepSecurity, from_files, verify_answer
from wsguard.policy.demands import TimestampDemands
from wsguard.policy.problems import ConfigError
from wsguard.policy.surroundings import KeyFile


@pytest.fixture
def files(service: Live, tmp_path: Path) -> Path:
    """A directory with the keys of the service."""
    (tmp_path / "other.pem").write_bytes(OTHER.pem)
    (tmp_path / "naked.pem").write_bytes(CLIENT.key_pem)
    return tmp_path


def everything(files: Path, **changes: Any) -> ZeepSecurity:
    usual = {
        "username": "alice",
        "password_file": files / "password",
        "sign": files / "client.pem",
        "encrypt_for": files / "server-certificate.pem",
        "ca_files": files / "ca.pem",
    }
    (files / "password").write_text("secret\n")
    return from_files(**{**usual, **changes})


class TestWhatIsExpected:
    def test_is_what_is_done(self, files: Path) -> None:
        made = everything(files)
        plan, answers = made.securing, made.answers
        assert isinstance(plan, Securing)
        assert (plan.timestamp, plan.signed_parts) == (timedelta(minutes=5), ("Body", "Timestamp", "UsernameToken"))
        assert (answers.timestamp.use, answers.signed_parts) == ("required", ("Body", "Timestamp"))
        assert (answers.encrypted_parts, answers.signature_confirmation) == (("Body",), True)

    def test_is_less_where_less_is_done(self, files: Path) -> None:
        answers = from_files(username="a", password="b-secret", timestamp=0, ca_files=[files / "ca.pem"]).answers
        assert (answers.timestamp.use, answers.signed_parts) == ("optional", ("Body",))
        assert (answers.encrypted_parts, answers.signature_confirmation) == ((), False)

    def test_is_a_confirmation_where_a_password_signs(self, files: Path) -> None:
        security = from_files(
            username="alice", password="b-secret", password_type="DerivedKey", ca_files=[files / "ca.pem"]
        )
        assert isinstance(security.securing, Securing)
        assert security.securing.signature_method == "hmac-sha256"
        assert security.answers.signature_confirmation is True

    @pytest.mark.parametrize(
        ("password_type", "parts"),
        [("PasswordText", ("Body", "UsernameToken")), ("PasswordDigest", ("Body",)), ("DerivedKey", ("Body",))],
    )
    def test_a_password_is_encrypted_where_the_body_is(
        self, files: Path, password_type: str, parts: tuple[str, ...]
    ) -> None:
        own = {} if password_type == "DerivedKey" else {"sign": files / "client.pem"}
        asked: Any = {"sign": None, "decrypt": files / "client.pem", **own, "password_type": password_type}
        made = everything(files, **asked).securing
        said = everything(files, **asked, encrypted_parts=("Body",)).securing
        assert isinstance(made, Securing)
        assert isinstance(said, Securing)
        assert (made.encrypted_parts, said.encrypted_parts) == (parts, ("Body",))

    def test_a_password_that_is_encrypted_is_taken(self, files: Path, tmp_path: Path) -> None:
        taking = live(tmp_path, username_token={"password_types": ["PasswordText"]})
        security = everything(files, password_type="PasswordText")
        security = ZeepSecurity(security.securing, security.answers, clock=taking.guarded.clock)
        client = taking.client(security)
        assert client.echo() == "hello"
        assert b"secret" not in client.wire.sent[0]
        taking.guarded.guard.close()

    def test_is_what_is_said(self, files: Path) -> None:
        answers = everything(files, expect=["signed"]).answers
        assert (answers.timestamp.use, answers.encrypted_parts) == ("optional", ())
        assert answers.signature_confirmation is False

    def test_is_nothing_only_where_that_is_said(self, files: Path) -> None:
        made = from_files(username="alice", password="the-secret", unsafe_unsigned=True)
        tree = verify_answer(enveloped(answer("hello")), made.answers, Sent(), NOW)
        assert (tree.signer, tree.signed_parts, tree.fault) == (None, frozenset(), None)


def test_a_request_and_its_answer(service: Live, files: Path) -> None:
    made = everything(files, sign={"file": files / "client.pem"}, key_identifier="IssuerSerial", decrypt=None)
    clocked = ZeepSecurity(made.securing, made.answers, clock=service.guarded.clock)
    with pytest.raises(AnswerRefused):  # the guard does not know the certificate that IssuerSerial names
        service.client(clocked).echo()
    made = everything(files, server_subject="CN=S.*", decrypt=[KeyFile(file=files / "client.pem")])
    clocked = ZeepSecurity(made.securing, made.answers, clock=service.guarded.clock)
    assert service.client(clocked).echo() == "hello"


class TestMistakes:
    def mistakes(self, **arguments: Any) -> dict[str, str]:
        """Argument -> what is wrong with it."""
        with pytest.raises(ConfigError) as caught:
            from_files(**arguments)
        return {problem.key: problem.reason for problem in caught.value.problems}

    def test_all_are_told_at_once(self, tmp_path: Path) -> None:
        nowhere = tmp_path / "nowhere.pem"
        found = self.mistakes(
            username="alice", sign=nowhere, encrypt_for=nowhere, server_certificate=nowhere, ca_files=[nowhere],
            decrypt=[nowhere], expect=("everything",),
        )  # fmt: skip
        assert set(found) == {
            "username", "sign", "encrypt_for", "server_certificate", "trust.ca_files[0]", "decrypt", "expect",
        }  # fmt: skip
        assert found["username"] == "a username and one of password, password_env and password_file go together"
        assert found["sign"] == f"{nowhere}: cannot be read: No such file or directory"

    @pytest.mark.parametrize(
        ("arguments", "key", "reason"),
        [
            ({}, "", "nobody's signature would be believed"),
            ({"unsafe_unsigned": True, "timestamp": 0}, "", "this secures nothing"),
            ({"ca_files": "client.pem"}, "trust.ca_files[0]", "is no authority"),
            ({"ca_files": "ca.pem", "expect": ["timestamp"]}, "expect", "unsafe_unsigned takes it nevertheless"),
            ({"unsafe_unsigned": True, "expect": ["signed"]}, "expect", "contradict unsafe_unsigned"),
            ({"ca_files": "ca.pem", "expect": ["signed", "encrypted"]}, "", "no key in decrypt"),
            ({"ca_files": "ca.pem", "sign": "naked.pem"}, "sign", "no certificate beside the key"),
            ({"ca_files": "ca.pem", "sign": {"file": "client.pem", "password": "hunter22"}}, "sign", "password: "),
            ({"ca_files": "ca.pem", "sign": "server-certificate.pem"}, "sign", "no private key in it"),
            ({"ca_files": "ca.pem", "server_subject": "("}, "server_subject", "not a regular expression"),
            ({"ca_files": "ca.pem", "username": "a", "password_env": "NOT_THERE"}, "password_env", "no variable"),
            ({"ca_files": "ca.pem", "digest": "md5", "sign": "client.pem"}, "", "'md5' is not one of"),
            ({"ca_files": "ca.pem", "timestamp": -5}, "", "longer than no time"),
        ],
    )
    def test_each_is_told_clearly(
        self, files: Path, monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any], key: str, reason: str
    ) -> None:
        monkeypatch.chdir(files)
        found = self.mistakes(**arguments)
        assert reason in found[key]
        assert "hunter22" not in str(found)

    def test_an_argument_that_does_not_exist(self, files: Path) -> None:
        with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
            everything(files, colour="red")


class TestAnswers:
    """Demands that prove nothing are refused when they are made."""

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            ({}, "nobody's signature would be believed"),
            ({"unsafe_unsigned": True}, "signature_confirmation proves nothing"),
            ({"server_certificate": SERVER.certificate, "signed_parts": ("Timestamp",)}, "has no Body"),
            ({"server_certificate": SERVER.certificate, "signed_parts": ("Body",)}, "a Timestamp is demanded"),
            ({"server_certificate": SERVER.certificate, "encrypted_parts": ("Body",)}, "no key in decrypt"),
        ],
    )
    def test_are_refused(self, arguments: dict[str, Any], reason: str) -> None:
        with pytest.raises(ValueError, match=reason):
            Answers(**arguments)

    def test_confirmation_of_signatures_that_are_encrypted(self) -> None:
        demanded = Answers(trusted=Material(anchors=(ROOT.certificate,)))
        with pytest.raises(ValueError, match="encrypted_parts names Signature"):
            ZeepSecurity(plan(encrypted_parts=("Body", "Signature")), demanded)

    def test_which_need_no_confirmation_may_be_encrypted(self, tmp_path: Path) -> None:
        service = live(tmp_path, response={"sign": True, "timestamp": True})
        expected = Answers(
            trusted=Material(anchors=(ROOT.certificate,)), signature_confirmation=False, decrypt=(opening(CLIENT),)
        )
        client = service.client(service.security(plan(encrypted_parts=("Body", "Signature")), expected))
        assert client.echo() == "hello"

    def test_a_naive_time(self) -> None:
        demanded = Answers(
            unsafe_unsigned=True, signature_confirmation=False, timestamp=TimestampDemands(use="optional")
        )
        with pytest.raises(ValueError, match="aware"):
            verify_answer(b"<a/>", demanded, Sent(), NOW.replace(tzinfo=None))
        assert signing(CLIENT).usual_method == "rsa-sha256"
