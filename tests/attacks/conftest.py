"""Fixtures of the attack suite."""

import gc
from collections.abc import Iterator

import pytest

from tests.attacks.cases import SiteName
from tests.attacks.places import Making, Place
from tests.attacks.sites import write_sites


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Making]:
    """Makes a fresh guard of a site."""
    directory = tmp_path_factory.mktemp("sites")
    write_sites(directory)

    def make(site: SiteName) -> Place:
        return Place(directory, site)

    yield make
    # What judges a case freezes what is there.
    gc.unfreeze()
