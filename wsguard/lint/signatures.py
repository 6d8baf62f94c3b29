"""What is signed, and whose signatures are believed."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from wsguard.lint.finding import Finding, RuleOfDemands
from wsguard.policy import Demands


def _headers_pass_unsigned(demands: Demands, _today: date) -> Iterator[Finding]:
    if demands.signature.use == "required" and demands.handoff.unsigned_headers == "keep":
        yield Finding(
            "medium",
            "handoff.unsigned_headers",
            "header blocks that nobody signed reach the application beside a signed Body",
            'set handoff.unsigned_headers = "drop"',
        )


def _signatures_leave_parts_open(demands: Demands, _today: date) -> Iterator[Finding]:
    signature = demands.signature
    if signature.use != "required":
        return
    if "Body" not in signature.required_parts:
        yield Finding(
            "high",
            "signature.required_parts",
            "the Body need not be signed: anybody on the way can change it",
            'add "Body"',
        )
    if "Timestamp" not in signature.required_parts:
        yield Finding(
            "high",
            "signature.required_parts",
            "the Timestamp need not be signed: a signed message never gets old, and is remembered for ten years",
            'add "Timestamp", and set timestamp.use = "required"',
        )


def _authorities_vouch_for_all(demands: Demands, _today: date) -> Iterator[Finding]:
    trust = demands.trust
    if demands.signature.use == "forbidden" or not trust.ca_files:
        return
    if not (trust.subject_cert_constraints or trust.issuer_cert_constraints):
        yield Finding(
            "medium",
            "trust.ca_files",
            "whoever has a certificate of these authorities is a trusted signer",
            "set trust.subject_cert_constraints, pin the certificates, or name the peers in [[client]]",
        )
    if not trust.crl_files:
        yield Finding(
            "low",
            "trust.crl_files",
            "no revocation list is looked at: a stolen key is good until its certificate expires",
            "configure the authorities' lists, and see that they are fetched again in time",
        )


SIGNATURE_RULES: Final[tuple[RuleOfDemands, ...]] = (
    _headers_pass_unsigned,
    _signatures_leave_parts_open,
    _authorities_vouch_for_all,
)
