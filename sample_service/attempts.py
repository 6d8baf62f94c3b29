"""What the demo sends: honest messages, mistaken ones and attacks, each with the verdict that it must get."""

import tomllib
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any, Final

from lxml import etree
from zeep.wsse.signature import Signature

from sample_service.application import SOURCES, USERS
from sample_service.certificates import ACCOUNTING, CANTEEN, EXPIRED, STOLEN, STRANGER, key_pair
from sample_service.claims import CLAIM_ATTEMPTS
from sample_service.client import ClubClient, Exchange, Signed, TimestampOnly, credentials, octets, undated
from sample_service.verdicts import ACCEPTED, EXEMPT, ONE_ANSWER, Attempt, Send, rejected

_USERS: Final = tomllib.loads((SOURCES / USERS).read_text("utf-8"))
FRONT_DESK: Final = ("frontdesk", str(_USERS["frontdesk"]))
RETIRED: Final = ("retired", str(_USERS["retired"]["password"]))
NEWSLETTER: Final = ("newsletter", str(_USERS["newsletter"]["password"]))
TEN_MINUTES: Final = timedelta(minutes=10)
ADA: Final = 1001
CHARGE: Final[dict[str, Any]] = {"number": ADA, "amount": "12.50", "purpose": "Court 3"}
LEAD: Final = {"prospect": {"name": "Emmy Noether", "email": "emmy@example.org", "visit": "2031-05-04"}}


def get_member(security: Callable[[], object] | None = None, number: int = ADA) -> Send:
    """Ask for a member, with a Security header made at the moment of sending."""
    return lambda club: club.call("getMember", security and security(), number=number)


def replay(club: ClubClient) -> Exchange:
    """Record somebody's message, and send the same bytes again."""
    recorded = club.call("getMember", credentials(*FRONT_DESK), number=ADA)
    return club.post(recorded.octets, "getMember")


def other_action(club: ClubClient) -> Exchange:
    """Ask for a member, and say to HTTP that it is the lead form."""
    return club.post(octets(club.message("getMember", number=ADA)), "getMember", action="addProspect")


def no_action(club: ClubClient) -> Exchange:
    """Ask for a member, and say nothing to HTTP."""
    return club.post(octets(club.message("getMember", number=ADA)), "getMember", action="")


def two_operations(club: ClubClient) -> Exchange:
    """Put a second operation behind the one that needs no security."""
    envelope, other = club.message("addProspect", **LEAD), club.message("getMember", number=ADA)
    envelope[-1].append(other[-1][0])
    return club.post(octets(envelope), "addProspect")


def without_namespace(club: ClubClient) -> Exchange:
    """Ask for a member without a namespace: spyne would take it for one of its own operations."""
    envelope = club.message("getMember", number=ADA)
    envelope[-1][0].tag = "getMember"
    return club.post(octets(envelope), "getMember")


def forged_name(club: ClubClient) -> Exchange:
    """Send the lead form with somebody's name and a wrong password on it."""
    return club.call("addProspect", credentials(FRONT_DESK[0], "a guess"), **LEAD)


def with_doctype(club: ClubClient) -> Exchange:
    """Read a file of the server through an external entity."""
    message = octets(club.message("addProspect", **LEAD)).replace(b"Emmy Noether", b"&file;")
    declaration = b'<!DOCTYPE e [<!ENTITY file SYSTEM "file:///etc/hostname">]>'
    end = message.index(b"?>") + 2
    return club.post(message[:end] + declaration + message[end:], "addProspect")


def charge(client: str, **how: Any) -> Send:  # noqa: ANN401 - what Signed takes
    """Charge a member, signed by a client that ``certificates`` made."""
    return lambda club: club.call("chargeMember", _signed(club, client, **how), **CHARGE)


def charge_unsigned(security: Callable[[], object]) -> Send:
    """Charge a member without a signature, with a Security header made at the moment of sending."""
    return lambda club: club.call("chargeMember", security(), **CHARGE)


def replayed_charge(club: ClubClient) -> Exchange:
    """Record a signed message, and send the same bytes again."""
    recorded = charge(ACCOUNTING)(club)
    return club.post(recorded.octets, "chargeMember")


def tampered_charge(club: ClubClient) -> Exchange:
    """Charge more than Accounting has signed."""
    message = octets(club.message("chargeMember", _signed(club, ACCOUNTING), **CHARGE))
    return club.post(message.replace(b">12.50<", b">9912.50<"), "chargeMember")


def wrapped_charge(club: ClubClient) -> Exchange:
    """Keep the Body that Accounting has signed where nobody reads it, and put another in its place.

    Every digest in the signature is still right.
    """
    envelope = club.message("chargeMember", _signed(club, ACCOUNTING), **CHARGE)
    header, body = envelope
    forged = deepcopy(body)
    forged.attrib.clear()
    forged.find(".//{*}amount").text = "9912.50"
    etree.SubElement(header, "{urn:example:nowhere}Kept").append(body)
    envelope.append(forged)
    return club.post(octets(envelope), "chargeMember")


def _signed(club: ClubClient, client: str, **how: Any) -> Signed:  # noqa: ANN401 - what Signed takes
    return Signed(key_pair(club.certificates, client), **how)


ATTEMPTS: Final = (
    Attempt("Digest, nonce, Timestamp", get_member(lambda: credentials(*FRONT_DESK)), ACCEPTED, "Ada Lovelace"),
    Attempt(
        "The same for a list",
        lambda club: club.call("listMembers", credentials(*FRONT_DESK), unpaidOn="2026-06-30"),
        ACCEPTED,
        "Émilie du Châtelet",
    ),
    Attempt(
        "The same for a change: the service knows who calls",
        lambda club: club.call("renewMembership", credentials(*FRONT_DESK), number=ADA, years=2),
        ACCEPTED,
        "frontdesk",
    ),
    Attempt(
        "A number that no member has: the service's own fault passes",
        get_member(lambda: credentials(*FRONT_DESK), number=9),
        ACCEPTED,
        "Client.UnknownMember",
    ),
    Attempt(
        "Timestamp without Created and Expires",
        get_member(lambda: credentials(*FRONT_DESK, timestamp=undated())),
        ACCEPTED,
        "Ada Lovelace",
    ),
    Attempt(
        "The same, with a token made ten minutes ago",
        get_member(lambda: credentials(*FRONT_DESK, timestamp=undated(), age=TEN_MINUTES)),
        rejected("username_token.expired"),
        ONE_ANSWER,
    ),
    Attempt(
        "A wrong password",
        get_member(lambda: credentials(FRONT_DESK[0], "a guess")),
        rejected("username_token.authentication"),
        ONE_ANSWER,
    ),
    Attempt(
        "An unknown user",
        get_member(lambda: credentials("nobody", "a guess")),
        rejected("username_token.authentication"),
        ONE_ANSWER,
    ),
    Attempt(
        "A user who was switched off",
        get_member(lambda: credentials(*RETIRED)),
        rejected("username_token.authentication"),
        ONE_ANSWER,
    ),
    Attempt(
        "A user of another service",
        get_member(lambda: credentials(*NEWSLETTER)),
        rejected("client.operation"),
        ONE_ANSWER,
    ),
    Attempt(
        "The password itself, where the digest is demanded",
        get_member(lambda: credentials(*FRONT_DESK, digest=False)),
        rejected("username_token.password_type"),
        ONE_ANSWER,
    ),
    Attempt(
        "A message made ten minutes ago",
        get_member(lambda: credentials(*FRONT_DESK, age=TEN_MINUTES)),
        rejected("timestamp.expired"),
        ONE_ANSWER,
    ),
    Attempt(
        "A message dated ten minutes ahead",
        get_member(lambda: credentials(*FRONT_DESK, age=-TEN_MINUTES)),
        rejected("timestamp.not_yet_valid"),
        ONE_ANSWER,
    ),
    Attempt("An accepted message, byte for byte again", replay, rejected("replay.nonce"), ONE_ANSWER),
    Attempt("No Security header", get_member(), rejected("security.missing"), ONE_ANSWER),
    Attempt(
        "A Timestamp and no UsernameToken",
        get_member(TimestampOnly),
        rejected("username_token.missing"),
        ONE_ANSWER,
    ),
    Attempt(
        "The lead form without Security header",
        lambda club: club.call("addProspect", **LEAD),
        EXEMPT,
        "1",
    ),
    Attempt("The lead form in somebody's name: it counts for nothing", forged_name, EXEMPT, "2"),
    Attempt(
        "getMember under the lead form's SOAPAction",
        other_action,
        rejected("envelope.soap_action"),
        "soap:Client: The message could not be processed",
    ),
    Attempt(
        "getMember without SOAPAction and without Security header",
        no_action,
        rejected("security.missing"),
        ONE_ANSWER,
    ),
    Attempt(
        "getMember behind the lead form in one Body",
        two_operations,
        rejected("envelope.structure"),
        "soap:Client: The message could not be processed",
    ),
    Attempt(
        "getMember without a namespace",
        without_namespace,
        rejected("operation.unknown"),
        "soap:Client: The message could not be processed",
    ),
    Attempt(
        "The lead form with an external entity",
        with_doctype,
        rejected("envelope.doctype"),
        "soap:Client: The message could not be processed",
    ),
    Attempt("A charge: Body and Timestamp signed by Accounting", charge(ACCOUNTING), ACCEPTED, "CN=accounting,"),
    Attempt(
        "The same, with the certificate in KeyInfo",
        charge(ACCOUNTING, kind=Signature),
        ACCEPTED,
        "CN=accounting,",
    ),
    Attempt("A signed charge with another amount", tampered_charge, rejected("signature.digest"), ONE_ANSWER),
    Attempt(
        "Another charge, with the signed one wrapped in a header block",
        wrapped_charge,
        rejected("signature.coverage"),
        ONE_ANSWER,
    ),
    Attempt("A signed charge, byte for byte again", replayed_charge, rejected("replay.signature"), ONE_ANSWER),
    Attempt(
        "A charge with a Timestamp that is not signed",
        charge(ACCOUNTING, signs_timestamp=False),
        rejected("signature.coverage"),
        ONE_ANSWER,
    ),
    Attempt("A charge that nobody signed", charge_unsigned(TimestampOnly), rejected("signature.missing"), ONE_ANSWER),
    Attempt(
        "A charge with the password of the front desk",
        charge_unsigned(lambda: credentials(*FRONT_DESK)),
        rejected("username_token.forbidden"),
        ONE_ANSWER,
    ),
    Attempt(
        "A charge signed with SHA-1, as zeep does unless told otherwise",
        charge(ACCOUNTING, sha1=True),
        rejected("signature.algorithm"),
        ONE_ANSWER,
    ),
    Attempt(
        "A charge signed under an authority of the sender's own",
        charge(STRANGER),
        rejected("certificate.untrusted"),
        ONE_ANSWER,
    ),
    Attempt(
        "A charge signed with last year's certificate",
        charge(EXPIRED),
        rejected("certificate.expired"),
        ONE_ANSWER,
    ),
    Attempt(
        "A charge signed with a certificate that was revoked",
        charge(STOLEN),
        rejected("certificate.revoked"),
        ONE_ANSWER,
    ),
    Attempt(
        "A charge signed by the canteen, under the same authority",
        charge(CANTEEN),
        rejected("certificate.constraint"),
        ONE_ANSWER,
    ),
    *CLAIM_ATTEMPTS,
)
