"""The club's four SOAP services. Nothing here checks who calls: nothing gets here that the guard did not let through.

Who it is stands in the environ. A service that needs it asks for it, and fails loudly where the guard was forgotten.
"""

# mypy: disallow-subclassing-any=False, disallow-untyped-decorators=False
# spyne has no types: its base classes and its decorator are Any.

import decimal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Final

from spyne import (
    Array,
    ComplexModel,
    Date,
    Decimal,
    Fault,
    Integer,
    MethodContext,
    ServiceBase,
    Unicode,
    UnsignedInteger,
    rpc,
)

from sample_service import data
from wsguard import VerifiedMessage

NAMESPACE: Final = "urn:example:club"

Number = UnsignedInteger(min_occurs=1, nillable=False)
Years = Integer(ge=1, le=5, min_occurs=1, nillable=False)
Name = Unicode(min_len=1, max_len=100, min_occurs=1, nillable=False)
Email = Unicode(pattern=r"[^@\s]+@[^@\s]+", max_len=254)
Category = Unicode(values=["junior", "full", "honorary"], min_occurs=1, nillable=False)
Euros = Decimal(total_digits=8, fraction_digits=2, min_occurs=1, nillable=False)
Amount = Decimal(total_digits=8, fraction_digits=2, gt=0, min_occurs=1, nillable=False)
Purpose = Unicode(min_len=1, max_len=140, min_occurs=1, nillable=False)
Injury = Unicode(min_len=1, max_len=400, min_occurs=1, nillable=False)
Day = Date(min_occurs=1, nillable=False)


class Member(ComplexModel):
    """A member, as the WSDL describes one."""

    __namespace__ = NAMESPACE
    number = Number
    name = Name
    email = Email(min_occurs=0)
    category = Category
    joined = Day
    paid_until = Day(sub_name="paidUntil")
    fee = Euros


class Renewal(ComplexModel):
    """A prolonged membership, as the WSDL describes one."""

    __namespace__ = NAMESPACE
    number = Number
    paid_until = Day(sub_name="paidUntil")
    charged = Euros
    renewed_by = Name(sub_name="renewedBy")


class Charge(ComplexModel):
    """An amount on a member's account, as the WSDL describes one."""

    __namespace__ = NAMESPACE
    reference = Number
    number = Number
    amount = Euros
    purpose = Purpose
    charged_by = Name(sub_name="chargedBy")


class Claim(ComplexModel):
    """An injury that the insurer has paid for, as the WSDL describes one."""

    __namespace__ = NAMESPACE
    reference = Number
    number = Number
    injury = Injury
    amount = Euros
    settled_by = Name(sub_name="settledBy")


class Prospect(ComplexModel):
    """Somebody who may become a member, as the WSDL describes one."""

    __namespace__ = NAMESPACE
    name = Name
    email = Email(min_occurs=1, nillable=False)
    phone = Unicode(max_len=40, min_occurs=0)
    visit = Date(min_occurs=0)


class MemberService(ServiceBase):
    """The register of members. wsguard.toml says nothing of it, so everything is demanded that the file demands."""

    @rpc(Number, _returns=Member)
    def getMember(ctx: MethodContext, number: int) -> data.Member:
        """One member."""
        with _faults():
            return _club(ctx).member(number)

    @rpc(Date, _in_variable_names={"unpaid_on": "unpaidOn"}, _returns=Array(Member))
    def listMembers(ctx: MethodContext, unpaid_on: date | None) -> list[data.Member]:
        """All members, or those whose fee is not paid on a day."""
        return _club(ctx).members(unpaid_on)

    @rpc(Number, Years, _returns=Renewal)
    def renewMembership(ctx: MethodContext, number: int, years: int) -> data.Renewal:
        """Prolong a membership, and note who did it and in which request."""
        environ = ctx.transport.req_env
        message: VerifiedMessage = environ["wsguard.message"]
        today = datetime.now(UTC).date()
        with _faults():
            return _club(ctx).renew(number, years, today, environ["REMOTE_USER"], message.incident)

    @rpc(Number, _returns=Array(Renewal))
    def listRenewals(ctx: MethodContext, number: int) -> list[data.Renewal]:
        """A member's renewals."""
        return _club(ctx).renewals(number)


class BillingService(ServiceBase):
    """What the accounting system writes into the books. wsguard.toml demands its signature over every message."""

    @rpc(Number, Amount, Purpose, _returns=Charge)
    def chargeMember(ctx: MethodContext, number: int, amount: decimal.Decimal, purpose: str) -> data.Charge:
        """Put an amount on a member's account, and note whose signature asked for it."""
        environ = ctx.transport.req_env
        message: VerifiedMessage = environ["wsguard.message"]
        with _faults():
            return _club(ctx).charge(number, amount, purpose, environ["REMOTE_USER"], message.incident)

    @rpc(Number, _returns=Array(Charge))
    def listCharges(ctx: MethodContext, number: int) -> list[data.Charge]:
        """What is on a member's account."""
        return _club(ctx).charges(number)


class ClaimsService(ServiceBase):
    """What the insurer's case system tells of injuries. wsguard.toml demands that it signs and encrypts every message,
    and has every answer signed and encrypted for it.
    """

    @rpc(Number, Injury, Amount, _returns=Claim)
    def settleClaim(ctx: MethodContext, number: int, injury: str, amount: decimal.Decimal) -> data.Claim:
        """Note what the insurer pays for an injury, and whose signature said so."""
        environ = ctx.transport.req_env
        message: VerifiedMessage = environ["wsguard.message"]
        with _faults():
            return _club(ctx).settle(number, injury, amount, environ["REMOTE_USER"], message.incident)

    @rpc(Number, _returns=Array(Claim))
    def listClaims(ctx: MethodContext, number: int) -> list[data.Claim]:
        """A member's claims."""
        return _club(ctx).claims(number)


class ProspectManagerService(ServiceBase):
    """The lead form of the club's web site. wsguard.toml exempts it: REMOTE_USER is not set, whatever a header says."""

    @rpc(Prospect.customize(min_occurs=1, nillable=False), _returns=Integer)
    def addProspect(ctx: MethodContext, prospect: Prospect) -> int:
        """Keep a prospect; the answer is a reference to ask for at the door."""
        return _club(ctx).add_prospect(data.Prospect(prospect.name, prospect.email, prospect.phone, prospect.visit))


def _club(ctx: MethodContext) -> data.Club:
    club: data.Club = ctx.app.config
    return club


@contextmanager
def _faults() -> Iterator[None]:
    """Tell a caller what went wrong, in SOAP."""
    try:
        yield
    except data.UnknownMember as error:
        raise Fault("Client.UnknownMember", f"no member has the number {error}") from None
