"""How answers are secured."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from wsguard.lint.finding import Finding, RuleOfDemands
from wsguard.policy import Demands


def _anybody_answers(demands: Demands, _today: date) -> Iterator[Finding]:
    response = demands.response
    if response.encrypt and not response.sign:
        yield Finding(
            "medium",
            "response.sign",
            "answers are encrypted and not signed: anybody can encrypt for a client, so it cannot tell who answered",
            "set response.sign = true, with keys.sign",
        )
    if response.sign and "Body" not in response.signed_parts:
        yield Finding(
            "medium",
            "response.signed_parts",
            "the Body of an answer is not signed: anybody on the way can change it",
            'add "Body"',
        )


def _old_answers_pass(demands: Demands, _today: date) -> Iterator[Finding]:
    response = demands.response
    dated = response.timestamp and "Timestamp" in response.signed_parts
    if response.sign and not (dated or response.signature_confirmation):
        yield Finding(
            "medium",
            "response.timestamp",
            "signed answers have no signed date and do not say what they answer: an old one passes for a new one",
            'set response.timestamp = true with "Timestamp" in response.signed_parts, and signature_confirmation too',
        )


def _answers_find_no_recipient(demands: Demands, _today: date) -> Iterator[Finding]:
    if demands.response.encrypt == "useReqSigCert" and demands.signature.use == "optional":
        yield Finding(
            "medium",
            "response.encrypt",
            "answers are encrypted for the signer, and a message need not be signed: then it is carried out, and its"
            " answer is withheld",
            'set signature.use = "required", or name a client',
        )


def _faults_are_not_secured(demands: Demands, _today: date) -> Iterator[Finding]:
    response = demands.response
    if (response.sign or response.encrypt) and not response.secure_faults:
        yield Finding(
            "low",
            "response.secure_faults",
            "answers are secured and faults are not: anybody on the way can send one",
            "set response.secure_faults = true",
        )


ANSWER_RULES: Final[tuple[RuleOfDemands, ...]] = (
    _anybody_answers,
    _old_answers_pass,
    _answers_find_no_recipient,
    _faults_are_not_secured,
)
