"""Which of two types spyne takes an element for, where both have one name: ``xsi:type="t:Express"`` in two namespaces.

Both namespaces are spyne's own, so ``t`` may be bound to either, and exclusive canonicalization does not say to which.
"""

import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.guarding import Guarded
from tests.signature.signatures import ALICE, ROOT, bent
from tests.signing import BODY, TIMESTAMP, Part, Signing, signed
from tests.trust.trusting import as_pem

if sys.version_info >= (3, 12):
    pytest.skip("spyne 2.14 does not import on Python 3.12", allow_module_level=True)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # spyne imports cgi, and brings a six of its own
    spyne = pytest.importorskip("spyne")
    from spyne.protocol.soap import Soap11
    from spyne.server.wsgi import WsgiApplication

pytestmark = [
    pytest.mark.filterwarnings("ignore:'cgi' is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:_SixMetaPathImporter:ImportWarning"),
]

TNS = "urn:bank"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"
TAKEN: list[str] = []
"""The namespaces of the types that the application was given."""


def pay(ctx: Any, way: Any, cheap: Any, dear: Any, note: Any) -> None:
    TAKEN.append(type(way).get_namespace())


def bank() -> Any:
    """A service that is paid in one of two ways of one name, as two versions of a schema have them, or in a third."""

    def kind(name: str, namespace: str, base: Any) -> Any:
        members = {"__namespace__": namespace, "__type_name__": name, "code": spyne.Unicode}
        return type(spyne.ComplexModel)(name, (base,), members)

    way = kind("Way", TNS, spyne.ComplexModel)
    cheap, dear = kind("Express", "urn:cheap", way), kind("Express", "urn:dear", way)
    only = kind("Slow", "urn:slow", way)
    method = spyne.rpc(way, cheap, dear, only, _returns=None)(pay)
    service = type(spyne.Service)("Bank", (spyne.Service,), {"pay": method})
    return WsgiApplication(spyne.Application([service], TNS, in_protocol=Soap11(), out_protocol=Soap11()))


BANK = bank()


@pytest.fixture(params=["the tree", "the octets"], autouse=True)
def handed_as(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What spyne goes on with; everything here holds of both."""
    TAKEN.clear()
    if request.param == "the octets":
        monkeypatch.setattr("wsguard.spyne._untouched", lambda environ: None)


@pytest.fixture
def guard(tmp_path: Path) -> Guarded:
    """The bank behind a guard that demands signatures."""
    (tmp_path / "root.pem").write_bytes(as_pem(ROOT))
    return Guarded(
        BANK,
        signature={"use": "required"},
        username_token={"use": "optional"},
        trust={"ca_files": [tmp_path / "root.pem"]},
    )


def sent(way: str, declared: str, part: Part = BODY) -> bytes:
    """Signed by Alice, with what is declared on the Envelope."""
    return signed(
        Signing.by(ALICE, parts=(part, TIMESTAMP)),
        body=f'<b:pay xmlns:b="{TNS}" xmlns:xsi="{XSI}">{way}</b:pay>',
        envelope_attributes=declared,
    )


EXPRESS = '<b:way xsi:type="t:Express"/>'


def test_a_type_whose_name_two_namespaces_have_is_not_taken_for_the_other(guard: Guarded) -> None:
    message = sent(EXPRESS, 'xmlns:t="urn:cheap"')
    on_its_way = bent(message.decode(), ('xmlns:t="urn:cheap"', 'xmlns:t="urn:dear"'))
    assert guard.post(on_its_way).check == "signature.coverage"
    assert TAKEN == []


@pytest.mark.parametrize(
    ("way", "declared"),
    [
        pytest.param(EXPRESS, 'xmlns:t="urn:cheap"', id="on the Envelope"),
        pytest.param('<b:way xmlns:t="urn:cheap" xsi:type="t:Express"/>', "", id="where it stands"),
        pytest.param('<b:way xsi:type=" t:Express&#10;"/>', 'xmlns:t="urn:cheap"', id="white space around it"),
        pytest.param('<b:way xsi:type="Express"/>', 'xmlns="urn:cheap"', id="the default namespace"),
    ],
)
def test_nor_is_it_taken_for_the_one_that_it_seems_to_be(guard: Guarded, way: str, declared: str) -> None:
    answer = guard.post(sent(way, declared))
    assert answer.check == "signature.coverage"
    assert answer.record is not None
    assert answer.record.explanation[-1]["seen"] == "Express, which several have"


@pytest.mark.parametrize(
    ("way", "declared", "prefixes"),
    [
        pytest.param(EXPRESS, 'xmlns:t="urn:cheap"', "t", id="a prefix"),
        pytest.param('<b:way xsi:type="Express"/>', 'xmlns="urn:cheap"', "#default", id="the default namespace"),
    ],
)
def test_it_is_taken_where_its_binding_is_signed(guard: Guarded, way: str, declared: str, prefixes: str) -> None:
    message = sent(way, declared, Part("#body", prefixes=prefixes))
    assert guard.post(message).status == "200 OK"
    assert TAKEN == ["urn:cheap"]
    on_its_way = bent(message.decode(), (declared, declared.replace("cheap", "dear")))
    assert guard.post(on_its_way).check == "signature.digest"


def test_a_type_whose_name_one_namespace_has_needs_no_signed_binding(guard: Guarded) -> None:
    message = sent('<b:way xsi:type="t:Slow"/><b:note xsi:nil="true"/>', 'xmlns:t="urn:slow"')
    assert guard.post(message).status == "200 OK"
    assert TAKEN == ["urn:slow"]


def test_behind_a_reference_not_even_a_signed_prefix_says_which(guard: Guarded) -> None:
    """spyne moves what is referred to, and lxml takes out declarations that another prefix makes needless there."""
    referred = f'<x id="w" xmlns:xsi="{XSI}"><b:way xmlns:b="{TNS}" xmlns:t="urn:cheap" xsi:type="t:Express"/></x>'
    body = f'<b:pay xmlns:b="{TNS}" href="#w"/>{referred}'
    signing = Signing.by(ALICE, parts=(Part("#body", prefixes="t"), TIMESTAMP))
    message = signed(signing, body=body, envelope_attributes='xmlns:t="urn:dear"')
    on_its_way = bent(message.decode(), ('xmlns:t="urn:dear"', 'xmlns:t="urn:dear" xmlns:u="urn:cheap"'))
    assert guard.post(on_its_way).check == "signature.coverage"
    assert TAKEN == []
