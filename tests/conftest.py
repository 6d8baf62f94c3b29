"""What tests of several rooms share."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from tests.postgres import binaries, running_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The SQLAlchemy URL of a real PostgreSQL server, for all tests of a run."""
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not tested: its server comes with: pip install pgserver")
    with running_server(programs) as url:
        yield url


@pytest.fixture
def postgres_url(postgres: str) -> str:
    """The URL of an empty database on the real server."""
    name = f"test_{uuid4().hex}"
    engine = create_engine(postgres, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return postgres.replace("/postgres?", f"/{name}?")
