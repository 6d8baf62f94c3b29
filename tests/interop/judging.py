"""A guard as the exchange needs it, and what to compare of a message."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from wsgiref.types import WSGIApplication

from lxml import etree

from tests.guarding import Answer, Guarded
from tests.interop.pki import Pki
from tests.messages import SOAP12

CLIENTS: Final = ("client", "ec")
"""Identities that a message may name without carrying their certificate."""


def guarded(pki: Pki, application: WSGIApplication | None = None, **policy: Any) -> Guarded:
    """A guard of an echo, or of ``application``, that demands a signature by a client of the test CA.

    Settings in ``policy`` take the place of its own.
    """
    trust = {"ca_files": [pki.file("ca", "pem")], "known_certificates": [pki.file(name, "pem") for name in CLIENTS]}
    ours: dict[str, dict[str, Any]] = {
        "signature": {"use": "required"},
        "username_token": {"use": "optional"},
        "trust": trust,
    }
    merged: dict[str, Any] = {name: {**section, **policy.pop(name, {})} for name, section in ours.items()}
    return Guarded(application, **merged, **policy)


def sent(guard: Guarded, message: bytes) -> Answer:
    """The guard's answer to a message, posted with the Content-Type of its SOAP version.

    Judged in a thread of its own: libxml2 keeps the names that a thread has seen, and they may not matter.
    """
    soap12 = etree.QName(etree.fromstring(message)).namespace == SOAP12
    content_type = f"{'application/soap+xml' if soap12 else 'text/xml'}; charset=utf-8"
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(guard.post, message, CONTENT_TYPE=content_type).result()


def body(message: bytes) -> bytes:
    """The canonical Body of a message."""
    envelope = etree.fromstring(message, etree.XMLParser(remove_comments=True))
    (found,) = (child for child in envelope if etree.QName(child).localname == "Body")
    return etree.tostring(found, method="c14n", exclusive=True, with_comments=False)


def replaced(message: bytes, old: bytes, new: bytes) -> bytes:
    """The message with the one ``old`` in it replaced."""
    assert message.count(old) == 1, message
    return message.replace(old, new)


def signature_changed(message: bytes, name: str) -> bytes:
    """The message with another octet in the base64 of the first ``NAME``."""
    found = re.search(rb"<(?:\w+:)?%s>." % name.encode(), message)
    assert found is not None
    place = found.end()
    return message[:place] + (b"B" if message[place:][:1] == b"A" else b"A") + message[place + 1 :]
