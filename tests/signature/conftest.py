"""Fixtures of the tests of signatures."""

import pytest

from tests.signature.signatures import Guarding, SignedGuard, guarding


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Guarding:
    """Makes guards that demand signatures."""
    return guarding(tmp_path_factory.mktemp("signatures"))


@pytest.fixture
def guard(guarded: Guarding) -> SignedGuard:
    """A guard that demands a signature over Body and Timestamp."""
    return guarded()
