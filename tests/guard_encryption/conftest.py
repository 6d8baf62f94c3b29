"""Fixtures of the tests of encryption before the application."""

from collections.abc import Iterator
from functools import cache
from typing import Final

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.guard_encryption.sealing import OPEN, Sealing, sealing
from tests.signature.signatures import SignedGuard

_READ_ONCE: Final = cache(load_pem_private_key)


@pytest.fixture(scope="package", autouse=True)
def _keys_are_read_once() -> Iterator[None]:
    """OpenSSL proves a private key for a tenth of a second: nine tenths of what it takes to make a guard here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("wsguard.keys.pem.load_pem_private_key", _READ_ONCE)
        yield


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
