"""What it was measured on, as far as it matters, and nothing that names a machine."""

import os
import platform
from importlib.metadata import version

from cryptography.hazmat.backends.openssl import backend

PACKAGES = ("lxml", "xmlsec", "cryptography", "spyne", "zeep")


def facts() -> dict[str, str]:
    """Versions, and how many processors there are."""
    return {
        "Python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "OpenSSL": backend.openssl_version_text(),
        "processors": str(os.cpu_count()),
    }


def line() -> str:
    """The same in a line."""
    return ", ".join(f"{name} {what}" for name, what in facts().items()) + ".\n"
