"""What tests of this package share."""

import pytest

from tests.keys.making import Pki


@pytest.fixture(scope="session")
def pki() -> Pki:
    return Pki()
