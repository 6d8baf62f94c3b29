"""Fixtures of the tests of encryption before the application."""

import pytest

from tests.guard_encryption.sealing import OPEN, Sealing, sealing
from tests.signature.signatures import SignedGuard


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Sealing:
    """Makes guards that open messages."""
    return sealing(tmp_path_factory.mktemp("sealing"))


@pytest.fixture
def guard(guarded: Sealing) -> SignedGuard:
    """A guard that demands an encrypted Body, and a signature over Body and Timestamp."""
    return guarded()


@pytest.fixture
def opener(guarded: Sealing) -> SignedGuard:
    """A guard that demands an encrypted Body and asks for nobody's name."""
    return guarded(**OPEN)
