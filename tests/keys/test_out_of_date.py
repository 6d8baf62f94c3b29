"""Our own certificates past their date: said when the service starts, and by the doctor."""

import json
import logging
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.guarding import Guarded
from tests.messages import NOW
from tests.pki import authority
from wsguard.cli.application import application
from wsguard.keys import out_of_date

DAY = timedelta(days=1)
ROOT = authority()


def key_file(directory: Path, not_before: timedelta, not_after: timedelta) -> Path:
    """A key with a certificate that begins and ends so long from now."""
    issued = ROOT.leaf("server", not_before=NOW + not_before, not_after=NOW + not_after)
    file = directory / "server.pem"
    file.write_bytes(issued.key_pem + issued.pem)
    return file


@pytest.mark.parametrize(
    ("not_before", "not_after", "said"),
    [(-2 * DAY, -DAY, "expired on 2026-11-20"), (DAY, 2 * DAY, "is not valid before 2026-11-22"), (-DAY, DAY, "")],
    ids=["expired", "not yet valid", "valid"],
)
@pytest.mark.parametrize("setting", ["keys.sign", "keys.decrypt[0]"])
def test_a_certificate_out_of_date_is_said_at_start_and_still_used(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    setting: str,
    not_before: timedelta,
    not_after: timedelta,
    said: str,
) -> None:
    source = {"file": key_file(tmp_path, not_before, not_after)}
    with caplog.at_level(logging.WARNING, "wsguard"):
        Guarded(keys={"sign": source} if setting == "keys.sign" else {"decrypt": [source]})
    assert [text for text in caplog.messages if text.startswith(setting)] == (
        [f"{setting}: the certificate {said}: peers will refuse it"] if said else []
    )


def test_a_certificate_is_good_up_to_its_last_moment() -> None:
    certificate = ROOT.leaf(not_before=NOW, not_after=NOW).certificate
    assert out_of_date(certificate, NOW) == ""
    assert out_of_date(certificate, NOW + DAY) != ""
    assert out_of_date(certificate, NOW - DAY) != ""


def test_the_doctor_finds_a_certificate_out_of_date(tmp_path: Path) -> None:
    key_file(tmp_path, -4000 * DAY, -3000 * DAY)
    config = tmp_path / "wsguard.toml"
    config.write_text('[keys]\nsign = { file = "server.pem" }\n')
    result = CliRunner().invoke(application, ["doctor", str(config), "--json"])
    items = [item for item in json.loads(result.stdout)["items"] if item["name"] == "keys.sign"]
    assert [(item["state"], "expired on" in item["text"]) for item in items] == [("failed", True)]
