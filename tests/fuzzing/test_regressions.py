"""What fuzzing found, by name. The inputs are in ``fuzz/regressions``, and every run of the tests replays them."""

from datetime import datetime
from pathlib import Path

import pytest
from lxml import etree

from fuzz.targets import NAMES, encryption, target
from wsguard.cli.moments import shown
from wsguard.config import load_policy
from wsguard.policy.problems import ConfigError


def test_every_kept_input_belongs_to_a_target() -> None:
    kept = {file.parent.name for name in NAMES for file in target(name).regressions}
    everything = {file.parent.name for file in Path(encryption.__file__).parents[1].glob("regressions/*/*")}
    assert kept == everything != set()


@pytest.mark.parametrize("wrapper", ["{urn:evil}Publish", "{http://schemas.xmlsoap.org/soap/envelope/}Body"])
def test_encrypted_content_of_an_operation_in_the_clear_is_no_encrypted_body(wrapper: str) -> None:
    """Whoever is on the way could choose the operation, one that publishes what it is given."""
    root = etree.fromstring(encryption.messages()[0].octets)
    (data,) = body = root[-1]
    etree.SubElement(body, wrapper).append(data)
    outcome = encryption.guards()[0].post(etree.tostring(root))
    assert outcome.message is None
    assert outcome.record is not None
    assert outcome.record.check == "encryption.coverage"


@pytest.mark.parametrize("utc", [True, False])
@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_without_another_zone_in_a_damaged_audit_is_shown_as_it_is(text: str, utc: bool) -> None:
    assert shown(datetime.fromisoformat(text), utc=utc).zfill(19) == text[:19].replace("T", " ")


@pytest.mark.parametrize("pattern", ["a{99999999999}", f"{'(' * 1000}a{')' * 1000}"], ids=["repeated", "nested"])
def test_a_pattern_that_no_engine_takes_is_an_error_of_the_configuration(tmp_path: Path, pattern: str) -> None:
    file = tmp_path / "wsguard.toml"
    file.write_text(f"[trust]\nsubject_cert_constraints = ['{pattern}']\n")
    with pytest.raises(ConfigError, match=r"trust.subject_cert_constraints\[0\]: not a regular expression"):
        load_policy(file)
