"""What the demo sends to the ClaimsService: the connector profile of Pega's document, and ways to fall short of it."""

from collections.abc import Callable
from typing import Any, Final

from lxml.etree import _Element

from sample_service.certificates import PEGA_OLD, STRANGER, key_pair
from sample_service.client import ClubClient, Exchange, octets
from sample_service.connector import OLD, AsPublished, connector
from sample_service.verdicts import ACCEPTED, ONE_ANSWER, Attempt, Send, Verdict, rejected
from wsguard.names import XENC

CLAIM: Final[dict[str, Any]] = {"number": 1001, "injury": "Sprained ankle", "amount": "85.00"}
PERMITTED: Final = Verdict("accepted", "encryption.algorithm")
"""The verdict of a message that a dated permission let pass: the record says which check would have refused it."""


def settle(**how: Any) -> Send:  # noqa: ANN401 - what connector takes
    """Settle a claim, signed and encrypted, and take a signed and encrypted answer only."""
    return lambda club: club.call("settleClaim", connector(club.certificates, **how), **CLAIM)


def as_published(club: ClubClient) -> Exchange:
    """The same in the algorithm, the Ids and the references of Pega's published example."""
    security = AsPublished(connector(club.certificates, PEGA_OLD, encryption=OLD))
    return club.call("settleClaim", security, **CLAIM)


def of_nobody(club: ClubClient) -> Exchange:
    """A claim of a number that no member has: the fault of the service itself comes back signed and encrypted."""
    return club.call("settleClaim", connector(club.certificates), **{**CLAIM, "number": 9})


def for_another(club: ClubClient) -> Exchange:
    """Encrypt for somebody else than the club."""
    recipient = key_pair(club.certificates, STRANGER).certificate
    return settle(recipient=recipient)(club)


def again(club: ClubClient) -> Exchange:
    """Lose the answer, and send the same bytes again."""
    message = octets(club.message("settleClaim", connector(club.certificates), **CLAIM))
    club.lose_the_answer(message, "settleClaim")
    return club.post(message, "settleClaim")


def _bent(bend: Callable[[_Element], None]) -> Send:
    def send(club: ClubClient) -> Exchange:
        envelope = club.message("settleClaim", connector(club.certificates), **CLAIM)
        bend(envelope)
        return club.post(octets(envelope), "settleClaim")

    return send


def _change_the_ciphertext(envelope: _Element) -> None:
    value = next(envelope[-1].iter(f"{{{XENC}}}CipherValue"))
    text = value.text or ""
    value.text = text[:40] + ("B" if text[40] == "A" else "A") + text[41:]


tampered = _bent(_change_the_ciphertext)
"""Change one letter of the encrypted Body."""

CLAIM_ATTEMPTS: Final = (
    Attempt("A claim from Pega: signed and encrypted; so is the answer", settle(), ACCEPTED, "CN=pega,"),
    Attempt("A claim of a number that no member has", of_nobody, ACCEPTED, "Client.UnknownMember"),
    Attempt(
        "A claim as in Pega's published example: Triple DES, until its date", as_published, PERMITTED, "CN=pega-old,"
    ),
    Attempt(
        "Triple DES from a client that has no permission",
        settle(encryption=OLD),
        rejected("encryption.algorithm"),
        ONE_ANSWER,
    ),
    Attempt("A claim that is not encrypted", settle(encrypts=False), rejected("encryption.missing"), ONE_ANSWER),
    Attempt("A claim encrypted for somebody else", for_another, rejected("encryption.key"), ONE_ANSWER),
    Attempt("An encrypted claim with one letter changed", tampered, rejected("encryption.failed"), ONE_ANSWER),
    Attempt("An encrypted claim that nobody signed", settle(signs=False), rejected("signature.missing"), ONE_ANSWER),
    Attempt("A claim sent again, byte for byte", again, rejected("replay.signature"), ONE_ANSWER),
)
