"""ds:Signature, read by itself: what each part becomes, and that nothing else stands in it."""

import pytest
from lxml import etree

from tests.encrypting import b64
from tests.message.refusing import refused
from tests.messages import DS, NOW, WSSE, WSU
from tests.signing import C14N, DIGESTS, ENVELOPED, EXC_C14N, METHODS, STR_TRANSFORM
from wsguard.algorithms import Algorithms
from wsguard.faults import FailedCheck, InvalidSecurity, MessageFault, UnsupportedAlgorithm
from wsguard.policy.demands import AlgorithmDemands
from wsguard.policy.surroundings import Limits
from wsguard.signature.reading import Canonicalization, Reference, Signature, read_signature

ALL = Algorithms(AlgorithmDemands(canonicalization=("exc-c14n", "c14n")), NOW, spared=False)
EXCLUSIVE = f'<ds:Transform Algorithm="{EXC_C14N}"/>'
DIGEST = f'<ds:DigestMethod Algorithm="{DIGESTS["sha256"]}"/>'
VALUE = f"<ds:DigestValue>{b64(b'd' * 32)}</ds:DigestValue>"
METHOD = f'<ds:CanonicalizationMethod Algorithm="{EXC_C14N}"/>'
PARAMETERS = f"<wsse:TransformationParameters>{METHOD}</wsse:TransformationParameters>"


def in_transforms(*transforms: str, attributes: str = "") -> str:
    return f"<ds:Transforms{attributes}>{''.join(transforms)}</ds:Transforms>"


def listing(prefixes: str | None) -> str:
    attribute = "" if prefixes is None else f' PrefixList="{prefixes}"'
    inner = f'<c:InclusiveNamespaces xmlns:c="{EXC_C14N}"{attribute}/>'
    return in_transforms(f'<ds:Transform Algorithm="{EXC_C14N}">{inner}</ds:Transform>')


def read(
    transforms: str = in_transforms(EXCLUSIVE),
    *,
    uri: str = ' URI="#a"',
    digest: str = DIGEST,
    more: str = "",
    others: tuple[str, ...] = (),
    left: int = 30,
) -> Signature:
    """One of this shape, with a reference to ``uri`` and further ones to ``others``."""
    rest = "".join(f'<ds:Reference URI="#{other}">{transforms}{digest}{VALUE}</ds:Reference>' for other in others)
    reference = f"<ds:Reference{uri}>{transforms}{digest}{VALUE}{more}</ds:Reference>{rest}"
    method = f'<ds:SignatureMethod Algorithm="{METHODS["rsa-sha256"]}"/>'
    info = f"<ds:SignedInfo>{METHOD}{method}{reference}</ds:SignedInfo>"
    rest = f"<ds:SignatureValue>{b64(b'v')}</ds:SignatureValue><ds:KeyInfo/>"
    spaces = f'xmlns:ds="{DS}" xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}"'
    element = etree.fromstring(f"<ds:Signature {spaces}>{info}{rest}</ds:Signature>")
    return read_signature(element, ALL, Limits(), left)


def only(signature: Signature) -> Reference:
    [reference] = signature.references
    return reference


def test_every_part_is_read_as_it_stands() -> None:
    signature = read()
    assert (signature.method, signature.value) == ("rsa-sha256", b"v")
    assert signature.canonicalization == Canonicalization("exc-c14n")
    exclusive = Canonicalization("exc-c14n")
    assert only(signature) == Reference("a", exclusive, False, ("exc-c14n",), "sha256", b"d" * 32)


@pytest.mark.parametrize(
    ("transforms", "names", "dereferences"),
    [
        pytest.param("", ("c14n",), False, id="none"),
        pytest.param(in_transforms(f'<ds:Transform Algorithm="{C14N["c14n"]}"/>'), ("c14n",), False, id="inclusive"),
        pytest.param(
            in_transforms(f'<ds:Transform Algorithm="{ENVELOPED}"/>', EXCLUSIVE),
            ("enveloped-signature", "exc-c14n"),
            False,
            id="enveloped",
        ),
        pytest.param(
            in_transforms(f'<ds:Transform Algorithm="{STR_TRANSFORM}">{PARAMETERS}</ds:Transform>'),
            ("STR-Transform", "exc-c14n"),
            True,
            id="STR-Transform",
        ),
    ],
)
def test_transforms_are_told_by_their_short_names(transforms: str, names: tuple[str, ...], dereferences: bool) -> None:
    reference = only(read(transforms))
    assert (reference.transforms, reference.dereferences) == (names, dereferences)
    assert reference.canonicalization.name == names[-1]


@pytest.mark.parametrize(
    ("listed", "prefixes"),
    [
        (None, ()),
        ("", ()),
        (" ", ()),
        ("xs", ("xs",)),
        (" \t&#13;&#10;xs  soap ", ("xs", "soap")),
        ("#default xs", ("", "xs")),
        ("X xs X", ("X", "xs")),
        ("&#160;xs", ("\xa0xs",)),
        ("xs&#160;soap", ("xs\xa0soap",)),
    ],
)
def test_a_list_of_prefixes_is_parted_by_xml_white_space_only(listed: str | None, prefixes: tuple[str, ...]) -> None:
    assert only(read(listing(listed))).canonicalization.prefixes == prefixes


def test_as_many_and_as_long_prefixes_as_are_allowed_are_taken() -> None:
    bound = Limits().prefix_list
    names = " ".join(f"p{number}" for number in range(bound))
    assert len(only(read(listing(names))).canonicalization.prefixes) == bound
    with refused("limits.prefix_list", MessageFault) as caught:
        read(listing(f"{names} more"))
    assert (caught.value.setting, caught.value.expected) == ("limits.prefix_list", f"at most {bound}")
    assert only(read(listing("p" * 128))).canonicalization.prefixes == ("p" * 128,)
    with refused("signature.malformed", InvalidSecurity):
        read(listing("p" * 129))


@pytest.mark.parametrize(
    ("transforms", "digest", "more"),
    [
        pytest.param(in_transforms(EXCLUSIVE, attributes=' x="1"'), DIGEST, "", id="an attribute of Transforms"),
        pytest.param(in_transforms(EXCLUSIVE, "<ds:KeyName/>"), DIGEST, "", id="a child of Transforms"),
        pytest.param(in_transforms(), DIGEST, "", id="no Transform"),
        pytest.param(in_transforms(EXCLUSIVE * 3), DIGEST, "", id="three Transforms"),
        pytest.param(in_transforms(EXCLUSIVE), DIGEST.replace("/>", "><a/></ds:DigestMethod>"), "", id="in a digest"),
        pytest.param(in_transforms(EXCLUSIVE), DIGEST, "<ds:KeyName/>", id="a child of the Reference"),
        pytest.param(in_transforms(EXCLUSIVE), DIGEST, "text", id="text in the Reference"),
        pytest.param(
            in_transforms(
                f'<ds:Transform Algorithm="{STR_TRANSFORM}">'
                f"{PARAMETERS.replace('</wsse', '<ds:KeyName/></wsse')}</ds:Transform>"
            ),
            DIGEST,
            "",
            id="a child of the parameters",
        ),
    ],
)
def test_nothing_else_stands_in_a_reference(transforms: str, digest: str, more: str) -> None:
    with refused("signature.malformed", InvalidSecurity):
        read(transforms, digest=digest, more=more)


@pytest.mark.parametrize(("uri", "seen"), [("", "none"), (' URI=""', "none"), (' URI="#"', "#"), (' URI="a"', "a")])
def test_a_reference_to_nothing_here_is_told_as_it_stands(uri: str, seen: str) -> None:
    with refused("signature.reference", FailedCheck) as caught:
        read(uri=uri)
    assert caught.value.seen == seen


def test_an_element_is_named_once_and_the_one_that_is_named_twice_is_told() -> None:
    assert [one.target for one in read(others=("b", "c")).references] == ["a", "b", "c"]
    with refused("signature.reference", FailedCheck) as caught:
        read(others=("b", "c", "b"))
    assert caught.value.seen == "#b twice"


def test_as_many_references_as_are_left_are_taken_and_one_more_is_told_with_the_setting() -> None:
    assert len(read(others=("b", "c"), left=3).references) == 3
    with refused("limits.references", MessageFault) as caught:
        read(others=("b", "c"), left=2)
    bound = Limits().references
    assert (caught.value.setting, caught.value.seen) == ("limits.references", f"{bound + 1}")


def test_a_digest_that_names_no_algorithm_is_refused_as_one_that_is_not_listed() -> None:
    with refused("signature.algorithm", UnsupportedAlgorithm) as caught:
        read(digest="<ds:DigestMethod/>")
    assert caught.value.seen == ""
