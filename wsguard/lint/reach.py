"""Demands that nobody can meet: every message is refused, and nothing says why before the first one comes."""

from collections.abc import Iterator
from typing import Final

from wsguard.lint.finding import Finding, Look, Looker, Rule
from wsguard.policy import Client, Demands

_NOBODY_CAN_SIGN: Final = Rule(
    name="lint.nobody_can_sign",
    risk="high",
    finds="somebody must sign, and no algorithm that is allowed fits a key that is trusted: nobody can call",
    cure="allow an algorithm for the keys that there are: rsa-*, ecdsa-* with [trust], hmac-* for secrets",
)
_NOBODY_CAN_ENCRYPT: Final = Rule(
    name="lint.nobody_can_encrypt",
    risk="high",
    finds="encryption is required, and no algorithm for it is allowed: nobody can call",
    cure="allow one of data encryption, and one of key transport",
)
_CLIENT_CANNOT_CALL: Final = Rule(
    name="lint.client_cannot_call",
    risk="high",
    finds="a client has no way to authenticate at any service that it may call",
    cure="mend the entry, or the demands of its services",
)
_UTF8_REFUSED: Final = Rule(
    name="lint.utf8_refused",
    risk="medium",
    finds="messages in UTF-8 are refused",
    cure='add "utf-8" to http.charsets (WS-I Basic Profile 1.1, R1012)',
)

REACH_CATALOGUE: Final = (_NOBODY_CAN_SIGN, _NOBODY_CAN_ENCRYPT, _CLIENT_CANNOT_CALL, _UTF8_REFUSED)


def _allowed(look: Look, demands: Demands, key: str) -> frozenset[str]:
    """What is listed, and what somebody still has a permission for."""
    alive = (one.algorithm for one in demands.algorithms.legacy if one.until >= look.today)
    return frozenset([*getattr(demands.algorithms, key), *alive])


def _takes_hmac(look: Look, demands: Demands) -> bool:
    return any(name.startswith("hmac-") for name in _allowed(look, demands, "signature"))


def _nobody_can_sign(look: Look) -> Iterator[Finding]:
    demands = look.demands
    if demands.username_token.makes_keys and not _takes_hmac(look, demands):
        text = "users may sign with keys made of their passwords, and no hmac-* is allowed: each of them is refused"
        yield _NOBODY_CAN_SIGN.at("algorithms.signature", text)
    if demands.signature.use != "required":
        return
    # The names of signature methods end in a digest, and no other kind of algorithm begins like one of them.
    methods = _allowed(look, demands, "signature")
    by_certificate = any(name.startswith(("rsa-sha", "rsa-pss-", "ecdsa-")) for name in methods)
    trusts = bool(demands.trust.ca_files or demands.trust.pinned_certificates)
    shares = bool(look.policy.keys.shared)
    if not ((trusts and by_certificate) or (shares and _takes_hmac(look, demands))):
        keys = " and ".join(["certificates"] * trusts + ["shared keys"] * shares)
        text = f"every message is refused: there are {keys}, and no signature algorithm for them is allowed"
        yield _NOBODY_CAN_SIGN.at("algorithms.signature", text)
    for key, known in (("digest", "sha"), ("canonicalization", ("c14n", "exc-c14n"))):
        if not any(name.startswith(known) for name in _allowed(look, demands, key)):
            yield _NOBODY_CAN_SIGN.at(f"algorithms.{key}", f"every message is refused: no {key} is allowed")


def _nobody_can_encrypt(look: Look) -> Iterator[Finding]:
    if look.demands.encryption.use != "required":
        return
    data = _allowed(look, look.demands, "encryption")
    if not any(name.endswith(("-gcm", "-cbc")) for name in data):
        text = "every message is refused: no data encryption is allowed"
        yield _NOBODY_CAN_ENCRYPT.at("algorithms.encryption", text)
    transport = _allowed(look, look.demands, "key_transport")
    opened = any(name in ("rsa-oaep-mgf1p", "rsa-oaep", "rsa-1_5", "ecdh-es") for name in transport)
    if not opened and not look.policy.keys.shared:
        text = "every message is refused: no key transport to a key of keys.decrypt is allowed"
        yield _NOBODY_CAN_ENCRYPT.at("algorithms.key_transport", text)


def _clients_cannot_call(look: Look) -> Iterator[Finding]:
    policy = look.policy
    for index, client in enumerate(policy.client):
        named = tuple(policy.services.get(name, policy) for name in client.services)
        reasons = [_why_not(look, client, demands) for demands in named or policy.every_demand]
        if all(reasons):
            yield _CLIENT_CANNOT_CALL.at(f"client[{index}]", f"{client.name} is always refused: {reasons[0]}")


def _why_not(look: Look, client: Client, demands: Demands) -> str:
    signs = client.certificate is not None or client.shared_key != ""
    if client.username and demands.username_token.use == "forbidden":
        return "it must send a UsernameToken, and username_token.use is forbidden"
    if signs and demands.signature.use == "forbidden":
        return "it must sign, and signature.use is forbidden"
    if client.shared_key and not _takes_hmac(look, demands):
        return "it signs with a shared key, and no hmac-* is allowed"
    if client.certificate and not (demands.trust.ca_files or demands.trust.pinned_certificates):
        return "it signs with a certificate, and no certificate is trusted: trust.ca_files, trust.pinned_certificates"
    return ""


def _utf8_is_refused(look: Look) -> Iterator[Finding]:
    if "utf-8" not in look.policy.http.charsets:
        text = f"only {', '.join(look.policy.http.charsets)} is taken: nearly every client writes UTF-8"
        yield _UTF8_REFUSED.at("http.charsets", text)


REACH_RULES: Final[tuple[Looker, ...]] = (_nobody_can_sign, _nobody_can_encrypt)
REACH_RULES_ONCE: Final[tuple[Looker, ...]] = (_clients_cannot_call, _utf8_is_refused)
