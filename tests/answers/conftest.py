"""Fixtures of the tests of answers."""

import pytest

from tests.answers.answering import Answering, answering


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Answering:
    """Makes guards that secure answers."""
    return answering(tmp_path_factory.mktemp("answering"))
