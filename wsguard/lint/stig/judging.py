"""What each rule of the STIG demands of the settings: why it is not applicable, or what it is decided by."""

from collections.abc import Iterator
from typing import Final

from wsguard.lint.stig.case import Case, Evidence
from wsguard.lint.tokens import LONG_WINDOW
from wsguard.names import WSA_2004, WSA_2005
from wsguard.policy import Demands, Exemption

MESSAGE_IDS: Final = frozenset(f"{{{namespace}}}MessageID" for namespace in (WSA_2005, WSA_2004))
"""WS-Addressing 1.0 §3.1, and the submission of 2004."""

# --- What makes it not applicable -------------------------------------------------------------------------------------


def _uses_nothing(demands: Demands) -> bool:
    sections = (demands.timestamp, demands.username_token, demands.signature, demands.encryption)
    return all(section.use == "forbidden" for section in sections)


def _open_to_all(case: Case) -> str:
    if case.subject.exemption is not None:
        return "exempt: nothing of WS-Security is demanded"
    return "no part of WS-Security is taken" if _uses_nothing(case.demands) else ""


# --- Evidence that several rules ask for ------------------------------------------------------------------------------


def _required(case: Case, section: str) -> Evidence:
    use = getattr(case.demands, section).use
    return case.needs(f"{section}.use", use, use == "required", f'set {section}.use = "required"')


def _is_on(case: Case, section: str, key: str) -> Evidence:
    value = getattr(getattr(case.demands, section), key)
    return case.needs(f"{section}.{key}", value, bool(value), f"set {section}.{key} = true")


def _short(case: Case, section: str, key: str) -> Evidence:
    seconds = getattr(getattr(case.demands, section), key)
    cure = f"set {section}.{key} to {LONG_WINDOW} seconds or less"
    return case.needs(f"{section}.{key}", seconds, seconds <= LONG_WINDOW, cure)


def _spared(case: Case) -> Iterator[Evidence]:
    """Clients of whom nothing of it is demanded for now."""
    for index, client in enumerate(case.policy.client):
        reported = client.report_until is not None and client.report_until >= case.today
        if reported and (not client.services or case.subject.service in client.services):
            yield Evidence(
                setting=f"client[{index}].mode",
                value=f"report, until {client.report_until}",
                enough=False,
                cure=f'set mode = "enforce" for {client.name}',
            )


# --- The rules --------------------------------------------------------------------------------------------------------


def signed(case: Case) -> str | list[Evidence]:
    """V-222398. Which messages need integrity is not in the configuration, so all do that are not exempt."""
    exemption = case.subject.exemption
    if exemption is not None:
        return _exempted(case, exemption)
    signature, handoff, trust = case.demands.signature, case.demands.handoff, case.demands.trust
    parts = signature.required_parts
    complete = {"Body", "Timestamp"} <= set(parts) and not MESSAGE_IDS.isdisjoint(parts)
    algorithms = case.demands.algorithms
    methods = (*algorithms.signature, *(one.algorithm for one in algorithms.legacy if one.until >= case.today))
    hmac = [method for method in methods if method.startswith("hmac-")]
    return [
        _required(case, "signature"),
        case.needs(
            "signature.required_parts",
            parts,
            complete,
            f'demand "Body", "Timestamp" and the message\'s id: "{{{WSA_2005}}}MessageID"',
        ),
        case.needs(
            "handoff.unsigned_headers",
            handoff.unsigned_headers,
            handoff.unsigned_headers == "drop",
            'set handoff.unsigned_headers = "drop"',
        ),
        case.needs(
            "trust",
            "certificates" if trust.ca_files or trust.pinned_certificates else "none",
            bool(trust.ca_files or trust.pinned_certificates),
            "say whose certificates are believed: trust.ca_files or trust.pinned_certificates",
        ),
        case.needs(
            "algorithms.signature",
            f"with {', '.join(hmac)}" if hmac else "of certificates",
            not (hmac and case.policy.keys.shared),
            "take hmac-* out: a shared key is no certificate",
        ),
        *_spared(case),
    ]


def _exempted(case: Case, exemption: Exemption) -> str | list[Evidence]:
    """The rule is for messages that need integrity; an exemption that somebody answers for says that these do not."""
    key = case.subject.key
    review = exemption.review
    if exemption.reason and exemption.owner and review is not None and review >= case.today:
        return f"exempt, {exemption.reason}: {exemption.owner} answers for it until {review}"
    return [
        Evidence(
            setting=key,
            value="exempt, without reason, owner or a review to come",
            enough=False,
            cure="write down why these messages need no integrity, who answers for it, and when to look again",
        )
    ]


def dated(case: Case) -> str | list[Evidence]:
    """V-222399. Its check asks for sequence numbers too; nonces and signatures that are seen once stand for them."""
    if reason := _open_to_all(case):
        return reason
    answer = case.demands.response
    answers = [_is_on(case, "response", "timestamp")] if answer.sign or answer.encrypt else []
    return [
        _required(case, "timestamp"),
        _is_on(case, "timestamp", "require_created"),
        _is_on(case, "timestamp", "require_expires"),
        *answers,
        *_spared(case),
    ]


def validity_is_verified(case: Case) -> str | list[Evidence]:
    """V-222400. The STIG names no longest period; this one is ours."""
    if reason := _open_to_all(case):
        return reason
    windows = [_short(case, "timestamp", key) for key in ("time_to_live", "future_time_to_live", "max_lifetime")]
    token = case.demands.username_token
    if token.use != "forbidden":
        windows += [_short(case, "username_token", key) for key in ("time_to_live", "future_time_to_live")]
        if "PasswordText" in token.password_types:
            windows.append(_is_on(case, "username_token", "require_created"))
    return [_required(case, "timestamp"), *windows, *_spared(case)]


def replays_are_refused(case: Case) -> str | list[Evidence]:
    """V-222530, V-222531. A PasswordDigest always has a nonce, and every signature is remembered."""
    if reason := _open_to_all(case):
        return reason
    replay, token = case.policy.replay, case.demands.username_token
    where = "elsewhere" if replay.url_env or replay.url_file else f"{replay.url.partition(':')[0]}:…"
    unsafe = case.demands.unsafe_unauthenticated
    evidence = [
        case.needs("unsafe_unauthenticated", unsafe, not unsafe, "require a UsernameToken or a Signature"),
        Evidence(
            setting="replay.url",
            value=where,
            enough=not where.startswith("memory"),
            cure="use sqlite:///FILE, or a server that all processes share",
        ),
    ]
    if token.use != "forbidden" and "PasswordText" in token.password_types:
        evidence += [_is_on(case, "username_token", key) for key in ("require_nonce", "require_created")]
    return [*evidence, *_spared(case)]


def passwords_are_hidden(case: Case) -> str | list[Evidence]:
    """V-222543. TLS would do too, and is not seen from here."""
    token, encryption = case.demands.username_token, case.demands.encryption
    if case.subject.exemption is not None or token.use == "forbidden":
        return "no password is taken"
    hidden = encryption.use == "required" and "UsernameToken" in encryption.required_parts
    return [
        case.needs(
            "username_token.password_types",
            token.password_types,
            hidden or "PasswordText" not in token.password_types,
            "allow PasswordDigest only, or demand the UsernameToken encrypted; or show that every hop has TLS",
        )
    ]


def paths_are_validated(case: Case) -> str | list[Evidence]:
    """V-222550."""
    trust = case.demands.trust
    if case.subject.exemption is not None or case.demands.signature.use == "forbidden":
        return "no certificate is taken"
    if not (trust.ca_files or trust.pinned_certificates):
        return "no certificate is trusted"
    return [
        case.needs("trust.ca_files", f"{len(trust.ca_files)} files", bool(trust.ca_files), "give the trust anchors"),
        case.needs(
            "trust.pinned_certificates",
            f"{len(trust.pinned_certificates)} files",
            not trust.pinned_certificates,
            "a pinned certificate needs no path: name its authority instead, and put it into known_certificates",
        ),
        case.needs(
            "trust.crl_coverage",
            trust.crl_coverage,
            trust.crl_coverage == "chain",
            'set trust.crl_coverage = "chain": status of every certificate in the path',
        ),
        case.needs("trust.crl_files", f"{len(trust.crl_files)} files", bool(trust.crl_files), "give the lists"),
    ]


def logons_are_recorded(case: Case) -> str | list[Evidence]:
    """V-222462."""
    audit = case.policy.audit
    schemes = [url.partition(":")[0] for url in audit.url]
    kept = bool(audit.url_env or audit.url_file) or any(scheme != "memory" for scheme in schemes)
    return [
        case.needs("audit.record", audit.record, audit.record == "all", 'set audit.record = "all"'),
        case.needs("audit.url", schemes, kept, "use sqlite:///FILE"),
    ]


def nothing_without_record(case: Case) -> str | list[Evidence]:
    """V-222486."""
    value = case.policy.audit.on_failure
    return [case.needs("audit.on_failure", value, value == "refuse", 'set audit.on_failure = "refuse"')]
