"""Name constraints of authorities that the library leaves to us: directory names, and mail addresses in subjects."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from tests.pki import Extension, Issued, authority, name
from tests.trust.trusting import Trusting

PARTNER = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Partner")])


def of_partner(common_name: str = "client", organization: str = "Partner") -> x509.Name:
    return name(common_name, organization_name=organization)


def permitted(*names: x509.Name) -> Extension:
    return x509.NameConstraints([x509.DirectoryName(one) for one in names], None), False


def excluded(*names: x509.Name) -> Extension:
    return x509.NameConstraints(None, [x509.DirectoryName(one) for one in names]), False


def also_called(*names: x509.Name) -> Extension:
    return x509.SubjectAlternativeName([x509.DirectoryName(one) for one in names]), False


def trusts(directory: Path, leaf: Issued, *above: Issued, root: Issued) -> bool:
    trusting = Trusting(directory, ca_files=[root])
    try:
        trusting.trusted(leaf, *above)
    except Exception:  # noqa: BLE001 - the next line says which
        assert trusting.check(leaf, *above) == "certificate.untrusted"
        return False
    return True


@pytest.mark.parametrize(
    ("constraint", "subject", "extension", "trusted"),
    [
        (permitted(PARTNER), of_partner(), None, True),
        (permitted(PARTNER), of_partner(organization="  PARTNER "), None, True),
        (permitted(PARTNER), PARTNER, None, True),
        (permitted(PARTNER, name("client")), name("client"), None, True),
        (permitted(PARTNER), name("client"), None, False),
        (permitted(PARTNER), of_partner(organization="Partner2"), None, False),
        (permitted(PARTNER), x509.Name(list(reversed(list(of_partner())))), None, False),
        # The library takes no directory name as an alternative one under an authority that is constrained.
        (permitted(PARTNER), of_partner(), also_called(of_partner("other")), False),
        (permitted(PARTNER), of_partner(), also_called(name("boss")), False),
        (permitted(PARTNER), x509.Name([]), also_called(name("boss")), False),
        (excluded(name("boss")), name("client"), None, True),
        (excluded(name("boss")), name("boss"), None, False),
        (excluded(name("boss")), name("BOSS"), None, False),
        (excluded(PARTNER), of_partner(), None, False),
        (excluded(PARTNER), name("client"), also_called(of_partner()), False),
    ],
)  # fmt: skip
def test_an_authority_gives_only_the_directory_names_that_it_may(
    constraint: Extension, subject: x509.Name, extension: Extension | None, trusted: bool, tmp_path: Path
) -> None:
    root = authority()
    bound = root.authority("bound", extensions=[constraint])
    leaf = bound.leaf(subject, extensions=[extension] if extension else [])
    assert trusts(tmp_path, leaf, bound, root=root) is trusted


def below_another() -> tuple[Issued, Issued, Issued, Issued]:
    root = authority()
    bound = root.authority("bound", extensions=[permitted(PARTNER)])
    lower = bound.authority(of_partner("lower"))
    return root, bound, lower, lower.leaf("client")


def by_an_authority_of_another_name() -> tuple[Issued, Issued, Issued, Issued]:
    root = authority()
    bound = root.authority("bound", extensions=[permitted(PARTNER)])
    lower = bound.authority("lower")
    return root, bound, lower, lower.leaf(of_partner())


@pytest.mark.parametrize("chain", [below_another, by_an_authority_of_another_name])
def test_a_constraint_holds_for_all_that_is_below(
    chain: Callable[[], tuple[Issued, Issued, Issued, Issued]], tmp_path: Path
) -> None:
    root, bound, lower, leaf = chain()
    assert not trusts(tmp_path, leaf, lower, bound, root=root)


def test_a_constraint_of_the_root_counts(tmp_path: Path) -> None:
    root = authority(extensions=[permitted(PARTNER)])
    assert trusts(tmp_path, root.leaf(of_partner()), root=root)
    assert not trusts(tmp_path, root.leaf("client"), root=root)


def test_an_authority_with_a_new_key_keeps_its_own_name(tmp_path: Path) -> None:
    root = authority()
    bound = root.authority("bound", extensions=[permitted(PARTNER)])
    renewed = bound.authority("bound")
    assert trusts(tmp_path, renewed.leaf(of_partner()), renewed, bound, root=root)
    assert not trusts(tmp_path, renewed.leaf("client"), renewed, bound, root=root)
