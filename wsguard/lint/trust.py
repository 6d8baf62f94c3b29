"""Whose signatures are believed, as far as the configuration says it without its files."""

import re
from collections.abc import Iterator
from typing import Final

from wsguard.lint.finding import Finding, Look, Looker, Rule

_ANYBODY: Final = "?"
"""What only a pattern for everything fits: no name in RFC 4514 is without an equals sign."""

_AUTHORITY_UNNARROWED: Final = Rule(
    name="lint.authority_unnarrowed",
    risk="medium",
    finds="whoever has a certificate of the authorities is a trusted signer",
    cure="set trust.subject_cert_constraints, pin the certificates, or name the peers in [[client]]",
)
_REVOCATION_UNKNOWN: Final = Rule(
    name="lint.revocation_unknown",
    risk="low",
    finds="there are authorities, and no revocation list",
    cure="configure the authorities' lists, and see that they are fetched again in time",
)
_REVOCATION_IMPOSSIBLE: Final = Rule(
    name="lint.revocation_impossible",
    risk="high",
    finds="every authority must have a revocation list, and there is none, so nobody with a chain can call",
    cure='give trust.crl_files, or set trust.crl_coverage = "listed"',
)
_CONSTRAINT_VOID: Final = Rule(
    name="lint.constraint_void",
    risk="medium",
    finds="a constraint on names that every name fits",
    cure="write which names are meant",
)
_CONSTRAINT_UNASKED: Final = Rule(
    name="lint.constraint_unasked",
    risk="low",
    finds="pinned certificates pass whatever the constraints on names say",
    cure="take out of trust.pinned_certificates what the constraints are to hold for",
)
_KNOWN_UNTRUSTED: Final = Rule(
    name="lint.known_untrusted",
    risk="medium",
    finds="certificates are known, and no authority vouches for any, so nobody can sign with them",
    cure="add the authority to trust.ca_files, or move them to trust.pinned_certificates",
)

TRUST_CATALOGUE: Final = (
    _AUTHORITY_UNNARROWED, _REVOCATION_UNKNOWN, _REVOCATION_IMPOSSIBLE, _CONSTRAINT_VOID, _CONSTRAINT_UNASKED,
    _KNOWN_UNTRUSTED,
)  # fmt: skip


def _authorities_vouch_for_all(look: Look) -> Iterator[Finding]:
    trust = look.demands.trust
    if look.demands.signature.use == "forbidden" or not trust.ca_files:
        return
    if not (trust.subject_cert_constraints or trust.issuer_cert_constraints):
        text = "whoever gets a certificate of these authorities, for whatever purpose, is a trusted signer"
        yield _AUTHORITY_UNNARROWED.at("trust.ca_files", text)
    if trust.crl_files:
        return
    if trust.crl_coverage == "chain":
        text = "every signer with a chain is refused: each issuer must have a list, and none is configured"
        yield _REVOCATION_IMPOSSIBLE.at("trust.crl_coverage", text)
    else:
        text = "no revocation list is looked at: a stolen key is good until its certificate expires"
        yield _REVOCATION_UNKNOWN.at("trust.crl_files", text)


def _constraints_narrow_nothing(look: Look) -> Iterator[Finding]:
    trust = look.demands.trust
    if look.demands.signature.use == "forbidden":
        return
    for key in ("subject_cert_constraints", "issuer_cert_constraints"):
        patterns = getattr(trust, key)
        void = [pattern for pattern in patterns if re.fullmatch(pattern, _ANYBODY)]
        if void:
            yield _CONSTRAINT_VOID.at(f"trust.{key}", f"every name fits {' and '.join(void)}")
        if patterns and trust.pinned_certificates:
            text = "constraints are asked of chains only: pinned certificates are trusted whatever their names are"
            yield _CONSTRAINT_UNASKED.at(f"trust.{key}", text)


def _known_certificates_are_nobodys(look: Look) -> Iterator[Finding]:
    trust = look.demands.trust
    lonely = set(trust.known_certificates) - set(trust.pinned_certificates)
    if lonely and not trust.ca_files and look.demands.signature.use != "forbidden":
        text = "known certificates are validated like others, and there is no authority for them in trust.ca_files"
        yield _KNOWN_UNTRUSTED.at("trust.known_certificates", text)


TRUST_RULES: Final[tuple[Looker, ...]] = (
    _authorities_vouch_for_all,
    _constraints_narrow_nothing,
    _known_certificates_are_nobodys,
)
