"""The refusals of encryption: what each says inwardly."""

from wsguard.encryption.refusals import failed, no_key, unknown
from wsguard.faults import FailedCheck, SecurityTokenUnavailable, UnsupportedAlgorithm


def test_every_failure_of_decryption_says_the_same_and_names_no_setting() -> None:
    fault = failed()
    assert isinstance(fault, FailedCheck)
    assert (fault.check, fault.setting) == ("encryption.failed", "")
    assert (fault.expected, fault.seen) == ("data that decrypts to well-formed content", "data that does not")


def test_a_key_that_none_of_ours_is_names_the_setting_that_has_ours() -> None:
    fault = no_key("theirs")
    assert isinstance(fault, SecurityTokenUnavailable)
    assert (fault.check, fault.setting) == ("encryption.key", "keys.decrypt")
    assert (fault.expected, fault.seen) == ("a key of keys.decrypt or keys.shared", "theirs")
    assert no_key("theirs", "the KeyName of one").expected == "the KeyName of one"


def test_an_algorithm_inside_of_another_is_governed_by_no_setting() -> None:
    fault = unknown("P_SHA1", "urn:other")
    assert isinstance(fault, UnsupportedAlgorithm)
    assert (fault.check, fault.setting) == ("encryption.algorithm", "")
    assert (fault.expected, fault.seen) == ("P_SHA1", "urn:other")
