"""D: chains that a guard must not follow, and clients of our own authority who are not who they say they are."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from tests.attacks.cases import Built, Chapter
from tests.attacks.people import EVIL_ROOT, ISSUING, UNKNOWN, by, rsa_authority, with_chain
from tests.attacks.tokens import user
from tests.messages import sender_time
from tests.pki import DAY, Extension, Issued, authority, name, rsa_key, weakly_signed
from tests.signature.signatures import ALICE, ROOT, STRANGER, bent
from tests.signing import BODY, TIMESTAMP, Part, Signing, binary_token, signed

CHAINED: Final = Chapter("D", "signed")
CLIENTS: Final = Chapter("D", "clients")

BASIC_CONSTRAINTS: Final = "CVE-2002-0862: Microsoft CryptoAPI, basicConstraints"

# --- Who comes along --------------------------------------------------------------------------------------------------


@CHAINED.refused("certificate.untrusted")
def the_chain_of_a_stranger_comes_along_with_its_root() -> Built:
    return with_chain(EVIL_ROOT.leaf("Alice"), EVIL_ROOT)


@CHAINED.refused("certificate.untrusted")
def our_root_comes_along_as_if_it_had_issued_a_strangers_certificate() -> Built:
    return with_chain(STRANGER, ROOT)


@CHAINED.refused("certificate.untrusted", source=BASIC_CONSTRAINTS)
def a_client_is_the_authority_of_another_and_comes_along() -> Built:
    return with_chain(ALICE.leaf("Mallory"), ALICE)


@CHAINED.refused("certificate.untrusted", source=BASIC_CONSTRAINTS)
def a_client_is_the_authority_of_an_authority() -> Built:
    middle = ALICE.authority("Issuing")
    return with_chain(middle.leaf("Mallory"), ALICE, middle)


# --- Chains -----------------------------------------------------------------------------------------------------------

_CONSTRAINED: Final = x509.NameConstraints([x509.DirectoryName(name("Bob"))], None)
_BANK: Final[Extension] = (x509.SubjectAlternativeName([x509.DNSName("bank.example")]), False)
_HOSTS: Final = x509.NameConstraints([x509.DNSName("partner.example")], None)
_NO_MAIL: Final = x509.NameConstraints([x509.RFC822Name("partner.example")], None)
_MAIL: Final = x509.Name([x509.NameAttribute(NameOID.EMAIL_ADDRESS, "root@bank.example")])


def _under(*subject: Any, leaf: Iterable[Extension] = (), **options: Any) -> Callable[[], tuple[Issued, ...]]:
    """A client with these extensions, below an authority that differs by ``options``."""

    def chain() -> tuple[Issued, ...]:
        issuing = ROOT.authority("Issuing", **options)
        return issuing.leaf(*subject or ("Alice",), extensions=leaf), issuing

    return chain


def _too_deep() -> tuple[Issued, ...]:
    upper = ROOT.authority("Upper", path_length=0)
    lower = upper.authority("Lower")
    return lower.leaf("Alice"), upper, lower


def _too_long() -> tuple[Issued, ...]:
    chain = [ROOT.authority("A0")]
    for number in range(1, 7):
        chain.append(chain[-1].authority(f"A{number}"))
    return chain[-1].leaf("Alice"), *chain


def _expired_authority() -> tuple[Issued, ...]:
    issuing = ROOT.authority("Issuing", not_after=sender_time() - DAY)
    return issuing.leaf("Alice"), issuing


CHAINS: Final[dict[str, Callable[[], tuple[Issued, ...]]]] = {
    "that is no authority": _under(ca=False),
    "that does not say whether it is one": _under(ca=None),
    "that may not sign certificates": _under(usage=("crl_sign",)),
    "that may sign for others only": _under(extensions=[(_CONSTRAINED, True)]),
    "that may sign for others only, says a constraint that is not critical": _under(extensions=[(_CONSTRAINED, False)]),
    "that may sign for other hosts only": _under(
        "Alice",
        extensions=[(_HOSTS, True)],
        leaf=[(x509.SubjectAlternativeName([x509.DNSName("bank.example")]), False)],
    ),
    "that may sign for other mail addresses only": _under(_MAIL, extensions=[(_NO_MAIL, True)]),
    "with a critical extension that nobody knows": _under(extensions=[UNKNOWN]),
    "below one that may have none below": _too_deep,
    "far from the root": _too_long,
    "with a small key": lambda: _under(key=rsa_key(1, 1024))(),
}


@CHAINED.each_refused("certificate.untrusted", CHAINS)
def a_certificate_of_an_authority(chain: Callable[[], tuple[Issued, ...]]) -> Built:
    leaf, *above = chain()
    return with_chain(leaf, *above)


def _in_circles() -> tuple[Issued, ...]:
    """Three authorities that issued each other, and none of them by ours."""
    first = authority("A")
    second = first.authority("B")
    third = second.authority("C")
    crossed = [
        third.authority("A", key=first.key),
        third.authority("B", key=second.key),
        second.authority("A", key=first.key),
        first.authority("C", key=third.key),
    ]
    return first.leaf("Alice"), second, third, *crossed


@CHAINED.refused("certificate.untrusted", isolated=True, source="RFC 4158 §2.4: loops in certification paths")
def a_certificate_of_an_authority_that_issued_its_own_issuers() -> Built:
    leaf, *above = _in_circles()
    return with_chain(leaf, *above)


@CHAINED.refused("certificate.expired")
def a_certificate_of_an_authority_that_ended_yesterday() -> Built:
    leaf, *above = _expired_authority()
    return with_chain(leaf, *above)


@CHAINED.refused("certificate.untrusted")
def a_certificate_whose_authority_does_not_come_along() -> Built:
    return by(ISSUING.leaf("Alice"))


WEAK_HASHES: Final[dict[str, hashes.MD5 | hashes.SHA1]] = {"MD5": hashes.MD5(), "SHA-1": hashes.SHA1()}


@CHAINED.each_refused("certificate.untrusted", WEAK_HASHES, source="Sotirov et al., 2008; Leurent and Peyrin, 2020")
def a_certificate_that_its_authority_signed_with(algorithm: hashes.MD5 | hashes.SHA1) -> Built:
    issuing = rsa_authority()
    leaf = issuing.leaf("Alice")
    weak = weakly_signed(leaf, algorithm)
    return with_chain(Issued(leaf.key, weak, issuing), issuing)


# --- Another client ---------------------------------------------------------------------------------------------------

WITH_USER: Final = (BODY, TIMESTAMP, Part("#UT-1"))


@CLIENTS.refused("client.mismatch")
def a_client_of_our_authority_whom_no_entry_names() -> Built:
    return by(ROOT.leaf("Carol"))


@CLIENTS.refused("client.mismatch")
def a_client_whom_our_authority_gave_the_name_of_another() -> Built:
    return signed(Signing.by(ROOT.leaf("Bob")))


@CLIENTS.refused("client.mismatch")
def a_client_leaves_out_the_user_that_belongs_to_him() -> Built:
    return by(ALICE)


@CLIENTS.refused("client.mismatch")
def a_client_signs_the_username_token_of_somebody_else() -> Built:
    return signed(Signing.by(ALICE, parts=WITH_USER), token=user(username="carol"))


@CLIENTS.refused("client.mismatch", source="Blake-Wilson and Menezes, Unknown key-share attacks, 1999: key selection")
def another_certificate_for_the_same_key_takes_the_place_of_the_signers() -> Built:
    text = signed(Signing.by(ALICE, parts=WITH_USER), token=user()).decode()
    other = ROOT.leaf("Mallory", key=ALICE.key)
    return bent(text, (binary_token(ALICE.certificate), binary_token(other.certificate)))


EVERY: Final = (*CHAINED, *CLIENTS)
