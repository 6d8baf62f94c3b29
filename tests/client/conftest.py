"""What the tests of the client share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.serving import Live, live


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Live]:
    """A guard that demands everything and secures its answers altogether."""
    serving = live(tmp_path)
    yield serving
    serving.guarded.guard.close()
