"""The foreign stacks. One that is missing is skipped, or ends the run where INTEROP_REQUIRED is set."""

import os
from collections.abc import Iterator
from functools import cache
from typing import Final

import pytest

from tests.interop import java, node
from tests.interop.gsoap.running import Gsoap
from tests.interop.gsoap.running import prepare as prepare_gsoap
from tests.interop.java import Wss4j
from tests.interop.node import NodeSoap
from tests.interop.pki import Pki
from tests.interop.stacks import Missing

PREPARATIONS: Final = {"wss4j": java.prepare, "nodesoap": node.prepare, "gsoap": prepare_gsoap}
"""Fixture of a stack -> what must be done once before it can be used."""


@cache
def missing(stack: str) -> str:
    """Why a stack cannot be used and what to do, in one line; empty where it can."""
    try:
        PREPARATIONS[stack]()
    except Missing as reason:
        return f"{stack} is not tested: {reason}"
    return ""


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests of a stack that is missing: from one place, so that pytest's summary has one line for all of them."""
    assert isinstance(item, pytest.Function)
    for stack in PREPARATIONS.keys() & set(item.fixturenames):
        if missing(stack) and os.environ.get("INTEROP_REQUIRED"):
            pytest.exit(missing(stack), returncode=1)
        if missing(stack):
            pytest.skip(missing(stack))


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """Certificates and keys as files."""
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="session")
def wss4j(pki: Pki) -> Iterator[Wss4j]:
    """A running WSS4J."""
    with java.running(pki) as started:
        yield started


@pytest.fixture(scope="session")
def nodesoap(pki: Pki) -> NodeSoap:
    """A node-soap that can be run."""
    return NodeSoap(pki)


@pytest.fixture(scope="session")
def gsoap(pki: Pki) -> Gsoap:
    """A gSOAP that can be run."""
    return Gsoap(pki)
