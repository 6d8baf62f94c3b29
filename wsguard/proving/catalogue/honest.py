"""What must be taken: a guard that refuses everything is as broken as one that accepts everything."""

from collections.abc import Iterator
from typing import Final

from wsguard.proving.case import Case
from wsguard.proving.catalogue import when
from wsguard.proving.catalogue.control import Attack, Control
from wsguard.proving.rows import ACCEPTED


def _honest(case: Case) -> Iterator[Attack]:
    yield Attack("none: an honest message", (ACCEPTED,), case.sent())


CONTROLS: Final = (Control("honest", when.always, _honest, each="way"),)
