"""When the certificates and revocation lists that a policy names expire."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from wsguard.keys import load_certificates, load_crls, load_key
from wsguard.policy import Policy


def certificate_expiries(policy: Policy) -> dict[str, datetime]:
    """File -> when the first certificate in it expires, for every file of ``policy`` that has one.

    Raises:
        KeyFileError: one cannot be read.
    """
    expiries = {}
    for file in dict.fromkeys(_certificate_files(policy)):
        expiries[str(file)] = min(certificate.not_valid_after_utc for certificate in load_certificates(file))
    own = (*policy.keys.decrypt, *((policy.keys.sign,) if policy.keys.sign else ()))
    for source in own:
        pair = load_key(source)
        if pair.certificate is not None:
            dates = [certificate.not_valid_after_utc for certificate in (pair.certificate, *pair.chain)]
            expiries[str(source.file)] = min(dates)
    return expiries


def _certificate_files(policy: Policy) -> Iterator[Path]:
    for trust in (demands.trust for demands in policy.every_demand):
        yield from (*trust.ca_files, *trust.intermediate_files, *trust.known_certificates, *trust.pinned_certificates)
    yield from (client.certificate for client in policy.client if client.certificate is not None)


def crl_expiries(policy: Policy) -> dict[str, datetime]:
    """File -> when the first revocation list in it is stale, for every file of ``policy``.

    Without the lists that do not say (RFC 5280 §5.1.2.5 demands it; not all do).

    Raises:
        KeyFileError: one cannot be read.
    """
    expiries = {}
    for file in dict.fromkeys(file for demands in policy.every_demand for file in demands.trust.crl_files):
        dates = [crl.next_update_utc for crl in load_crls(file) if crl.next_update_utc is not None]
        if dates:
            expiries[str(file)] = min(dates)
    return expiries
