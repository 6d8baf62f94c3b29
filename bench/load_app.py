"""What servers serve under load: the application bare, or behind the guard whose file the environment names."""

import os
from pathlib import Path
from typing import Final
from wsgiref.types import WSGIApplication

import wsguard
from bench.orders import application as orders

CONFIG: Final = "WSGUARD_LOAD_CONFIG"
"""Environment variable: the file; without one there is no guard."""


def _made() -> WSGIApplication:
    bare: WSGIApplication = orders()
    config = os.environ.get(CONFIG, "")
    return wsguard.guard(bare, Path(config)) if config else bare


application: Final = _made()
