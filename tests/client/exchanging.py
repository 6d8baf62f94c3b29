"""One request of ours, and the answers that an honest server, or somebody else, could give to it."""

import base64
from collections.abc import Sequence
from typing import Any

import pytest
from lxml import etree
from lxml.etree import _Element

from tests.client.echo import answer, enveloped
from tests.client.serving import CLIENT, LIFETIME, ROOT, SERVER, plan, signing
from tests.guarding import Clock
from tests.messages import DS, NOW, PAYLOAD
from tests.pki import Issued
from wsguard.client import AnswerRefused, Answers, Material, Securing, ZeepSecurity
from wsguard.policy.surroundings import Limits
from wsguard.securing import secure

TRUSTED = Material(anchors=(ROOT.certificate,))


class Exchange:
    """A request that was secured, and the client that waits for its answer."""

    def __init__(self, securing: Securing | None = None, **demands: Any) -> None:
        self.clock = Clock()
        expected = Answers(**{"trusted": TRUSTED, **demands})
        self.security = ZeepSecurity(securing or plan(encrypt_for=None), expected, clock=self.clock)
        self.request: _Element
        self.ask()

    def ask(self) -> None:
        """Secure another request."""
        self.request, _ = self.security.apply(etree.fromstring(enveloped(PAYLOAD)), {})

    @property
    def values(self) -> tuple[bytes, ...]:
        """The SignatureValues of the request."""
        return tuple(base64.b64decode(value.text or "") for value in self.request[0][0].iter(f"{{{DS}}}SignatureValue"))

    def answer(self, octets: bytes | None = None, by: Issued | None = SERVER, **changes: Any) -> bytes:
        """What an honest server answers, with ``changes``."""
        confirmed = self.values if by is not None else None
        usual = {"timestamp": LIFETIME, "sign": None if by is None else signing(by)}
        plan = Securing(**{**usual, "signature_confirmations": confirmed, **changes})
        return secure(octets or enveloped(answer("hello")), plan, NOW, Limits())

    def verify(self, octets: bytes) -> _Element:
        """What zeep goes on with."""
        tree = etree.fromstring(octets, etree.XMLParser(remove_comments=True, resolve_entities=False))
        assert self.security.verify(tree) is tree
        return tree

    def refused(self, octets: bytes) -> AnswerRefused:
        """Why ``octets`` are refused; zeep is left with nothing."""
        tree = etree.fromstring(octets, etree.XMLParser(remove_comments=True, resolve_entities=False))
        with pytest.raises(AnswerRefused) as caught:
            self.security.verify(tree)
        assert (len(tree), tree.text, dict(tree.attrib)) == (0, None, {})
        return caught.value


def encrypted_for_us(**changes: Any) -> dict[str, Any]:
    """How a server encrypts an answer."""
    return {"encrypt_for": CLIENT.certificate, **changes}


def within(octets: bytes, *path: str) -> tuple[_Element, _Element]:
    """A message parsed anew, and the element in it that ``path`` of local names leads to."""
    root = etree.fromstring(octets)
    element = root
    for name in path:
        (element, *_) = (child for child in element if etree.QName(child).localname == name)
    return root, element


def names(elements: Sequence[_Element]) -> list[str]:
    """Local names."""
    return [etree.QName(element).localname for element in elements]
