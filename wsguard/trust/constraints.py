"""Name constraints of authorities (RFC 5280 §4.2.1.10) that ``cryptography.x509.verification`` does not look at.

The library holds DNS names, addresses and URIs against them. Of directory names it ignores every constraint that is not
critical, and it does not look for mail addresses in subjects.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from wsguard.certificates.naming import parts_of
from wsguard.faults import FailedAuthentication

_EXPECTED_MAIL: Final = "a subject without mail address under an authority that constrains them"


def check_name_constraints(chain: Sequence[x509.Certificate]) -> None:
    """Refuse a path in which a certificate has a name that an authority above it may not give.

    Args:
        chain: the certificate, those above it, and the anchor; otherwise valid. An anchor's constraints count too.

    Raises:
        FailedAuthentication: ``certificate.untrusted``.
        FOREIGN: an extension cannot be read.
    """
    for depth, authority in enumerate(chain):
        constraints = _constraints(authority)
        if depth and constraints is not None:
            _check_mail(chain[0], constraints)
            for number, certificate in enumerate(chain[:depth]):
                # §6.1.3 (b): an authority's new key under its old name is not held against its own constraints.
                if number == 0 or certificate.subject != certificate.issuer:
                    _check_directory_names(certificate, constraints)


def _constraints(certificate: x509.Certificate) -> x509.NameConstraints | None:
    return next((one.value for one in certificate.extensions if isinstance(one.value, x509.NameConstraints)), None)


def _check_mail(certificate: x509.Certificate, constraints: x509.NameConstraints) -> None:
    """They hold for mail addresses in the subject too."""
    if not certificate.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS):
        return
    subtrees = (*(constraints.permitted_subtrees or ()), *(constraints.excluded_subtrees or ()))
    if any(isinstance(name, x509.RFC822Name) for name in subtrees):
        raise _refused(_EXPECTED_MAIL, certificate.subject)


def _check_directory_names(certificate: x509.Certificate, constraints: x509.NameConstraints) -> None:
    permitted = tuple(_directory_names(constraints.permitted_subtrees or ()))
    excluded = tuple(_directory_names(constraints.excluded_subtrees or ()))
    if not permitted and not excluded:
        return
    for name in _names(certificate):
        if permitted and not any(_is_under(name, subtree) for subtree in permitted):
            among = " or ".join(subtree.rfc4514_string() for subtree in permitted)
            raise _refused(f"a name under {among}, as the authority is constrained", name)
        if any(_is_under(name, subtree) for subtree in excluded):
            raise _refused("no name that is excluded for the authority", name)


def _names(certificate: x509.Certificate) -> Iterator[x509.Name]:
    """The subject, if it says anything, and directory names among the alternative ones."""
    if certificate.subject.rdns:
        yield certificate.subject
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            yield from _directory_names(extension.value)


def _directory_names(names: Iterable[x509.GeneralName]) -> Iterator[x509.Name]:
    return (name.value for name in names if isinstance(name, x509.DirectoryName))


def _is_under(name: x509.Name, subtree: x509.Name) -> bool:
    """Whether ``name`` begins with the parts of ``subtree`` (RFC 5280 §7.1)."""
    above = parts_of(subtree)
    return parts_of(name)[: len(above)] == above


def _refused(expected: str, seen: x509.Name) -> FailedAuthentication:
    return FailedAuthentication(
        "certificate.untrusted", expected=expected, seen=seen.rfc4514_string(), setting="trust.ca_files"
    )
