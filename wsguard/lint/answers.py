"""How answers are secured."""

from collections.abc import Iterator
from typing import Final

from wsguard.lint.finding import Finding, Look, Looker, Rule

_ANSWER_UNSIGNED: Final = Rule(
    name="lint.answer_unsigned",
    risk="medium",
    finds="answers are encrypted and not signed",
    cure="set response.sign = true, with keys.sign",
)
_ANSWER_BODY_UNSIGNED: Final = Rule(
    name="lint.answer_body_unsigned",
    risk="medium",
    finds="answers are signed, and their Body is not",
    cure='add "Body" to response.signed_parts',
)
_ANSWER_UNDATED: Final = Rule(
    name="lint.answer_undated",
    risk="medium",
    finds="signed answers have no signed date and do not say what they answer",
    cure='set response.timestamp = true with "Timestamp" in response.signed_parts, and signature_confirmation too',
)
_ANSWER_WITHHELD: Final = Rule(
    name="lint.answer_withheld",
    risk="medium",
    finds="answers are encrypted for the signer, and a message need not be signed",
    cure='set signature.use = "required", or name a client',
)
_ANSWER_FOR_ANOTHER: Final = Rule(
    name="lint.answer_for_another",
    risk="medium",
    finds="answers are encrypted for one client, and others may call",
    cure='set response.encrypt = "useReqSigCert", or let only that client call: services of [[client]]',
)
_FAULT_UNSECURED: Final = Rule(
    name="lint.fault_unsecured",
    risk="low",
    finds="answers are secured and faults are not",
    cure="set response.secure_faults = true",
)
_SECURITY_HEADER_KEPT: Final = Rule(
    name="lint.security_header_kept",
    risk="low",
    finds="the application is given the Security header, and with it tokens and passwords",
    cure="set handoff.remove_security_header = true; who was authenticated is in the environ",
)

ANSWER_CATALOGUE: Final = (
    _ANSWER_UNSIGNED, _ANSWER_BODY_UNSIGNED, _ANSWER_UNDATED, _ANSWER_WITHHELD, _ANSWER_FOR_ANOTHER, _FAULT_UNSECURED,
    _SECURITY_HEADER_KEPT,
)  # fmt: skip


def _anybody_answers(look: Look) -> Iterator[Finding]:
    response = look.demands.response
    if response.encrypt and not response.sign:
        text = "answers are encrypted and not signed: anybody can encrypt for a client, so it cannot tell who answered"
        yield _ANSWER_UNSIGNED.at("response.sign", text)
    if response.sign and "Body" not in response.signed_parts:
        text = "the Body of an answer is not signed: anybody on the way can change it"
        yield _ANSWER_BODY_UNSIGNED.at("response.signed_parts", text)


def _old_answers_pass(look: Look) -> Iterator[Finding]:
    response = look.demands.response
    dated = response.timestamp and "Timestamp" in response.signed_parts
    if response.sign and not (dated or response.signature_confirmation):
        text = "signed answers have no signed date and do not say what they answer: an old one passes for a new one"
        yield _ANSWER_UNDATED.at("response.timestamp", text)


def _answers_find_no_recipient(look: Look) -> Iterator[Finding]:
    encrypt, clients = look.demands.response.encrypt, look.policy.client
    if encrypt == "useReqSigCert" and look.demands.signature.use == "optional":
        yield _ANSWER_WITHHELD.at(
            "response.encrypt",
            "answers are encrypted for the signer, and a message need not be signed: then it is carried out, and its"
            " answer is withheld",
        )
    elif encrypt not in ("", "useReqSigCert") and any(not one.services and one.name != encrypt for one in clients):
        text = f"whoever else calls gets an answer that only {encrypt} can read"
        yield _ANSWER_FOR_ANOTHER.at("response.encrypt", text)


def _faults_are_not_secured(look: Look) -> Iterator[Finding]:
    response = look.demands.response
    if (response.sign or response.encrypt) and not response.secure_faults:
        text = "answers are secured and faults are not: anybody on the way can send one"
        yield _FAULT_UNSECURED.at("response.secure_faults", text)


def _the_application_sees_tokens(look: Look) -> Iterator[Finding]:
    if not look.demands.handoff.remove_security_header:
        text = "the application is given our Security header: whatever it logs may hold a token or a password"
        yield _SECURITY_HEADER_KEPT.at("handoff.remove_security_header", text)


ANSWER_RULES: Final[tuple[Looker, ...]] = (
    _anybody_answers,
    _old_answers_pass,
    _answers_find_no_recipient,
    _faults_are_not_secured,
    _the_application_sees_tokens,
)
