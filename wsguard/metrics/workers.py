"""Several processes that serve one application: what each counted is kept in files, and read together.

This is prometheus-client's multiprocess mode, which ``PROMETHEUS_MULTIPROC_DIR`` switches on.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, Metric, multiprocess, values
from prometheus_client.registry import Collector

_DIRECTORY: Final = "PROMETHEUS_MULTIPROC_DIR"
_PREFIX: Final = "wsguard_"


class _Worker(Protocol):
    pid: int


def child_exit(server: object, worker: _Worker) -> None:
    """gunicorn's hook of this name: let prometheus-client forget the gauges of a worker that died.

    Counters and histograms of the dead keep counting, as they must.
    """
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # it has no annotations


class AllWorkers(Collector):
    """What all processes counted, and what this one measures for all of them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry: Final = registry

    def collect(self) -> Iterable[Metric]:
        counted = multiprocess.MultiProcessCollector(None).collect()  # type: ignore[no-untyped-call]  # as above
        shared = {family.name: family for family in counted}
        # What others registered is of one process and says nothing of all: CPU, memory.
        own = (family for family in self._registry.collect() if family.name.startswith(_PREFIX))
        return (*shared.values(), *(family for family in own if family.name not in shared))


def values_are_shared() -> bool:
    """Whether the values of all processes are shared in files.

    Raises:
        ValueError: they should be, and cannot.
    """
    directory = os.environ.get(_DIRECTORY)
    if directory is None:
        return False
    if not Path(directory).is_dir():
        raise ValueError(f"{_DIRECTORY}: there is no directory {directory}")
    # prometheus-client looks at the variable when it is imported, and never again.
    if not getattr(values.ValueClass, "_multiprocess", False):
        raise ValueError(f"{_DIRECTORY} was set after prometheus_client was imported: set it before Python starts")
    return True
