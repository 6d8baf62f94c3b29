"""Algorithms that are weak, and those that nothing can be made with."""

from collections.abc import Iterator
from typing import Final

from wsguard.lint.finding import Finding, Look, Looker, Rule

BROKEN_ALGORITHMS: Final = frozenset(
    {
        "rsa-sha1", "ecdsa-sha1", "hmac-sha1", "sha1",
        "aes128-cbc", "aes192-cbc", "aes256-cbc", "tripledes-cbc", "rsa-1_5",
    }
)  # fmt: skip
"""SHA-1: NIST SP 800-131A revision 2, §3. CBC and RSA 1.5: XML Encryption 1.1 §5.2 and §5.5.1 (padding oracles)."""

_INCLUSIVE: Final = frozenset({"c14n", "c14n-with-comments", "c14n11"})

_ALGORITHM_WEAK: Final = Rule(
    name="lint.algorithm_weak",
    risk="medium",
    finds="an algorithm that is known to be weak is allowed for everybody and without end",
    cure="name the clients that need it and a date in [[algorithms.legacy]]",
)
_KEYS_SHORT: Final = Rule(
    name="lint.keys_short",
    risk="medium",
    finds="RSA keys of less than 2048 bits are taken",
    cure="set algorithms.min_rsa_bits to 2048 or more",
)
_CANONICALIZATION_INCLUSIVE: Final = Rule(
    name="lint.canonicalization_inclusive",
    risk="low",
    finds="inclusive canonicalization is taken",
    cure='use "exc-c14n" (WSS 1.1 §8.1)',
)
_HMAC_WITHOUT_KEY: Final = Rule(
    name="lint.hmac_without_key",
    risk="low",
    finds="HMAC is allowed, and there is no key for it",
    cure="take it out, give keys.shared, or take DerivedKey among username_token.password_types",
)

ALGORITHM_CATALOGUE: Final = (_ALGORITHM_WEAK, _KEYS_SHORT, _CANONICALIZATION_INCLUSIVE, _HMAC_WITHOUT_KEY)


def _algorithms_are_old(look: Look) -> Iterator[Finding]:
    algorithms = look.demands.algorithms
    for key in ("signature", "digest", "encryption", "key_transport"):
        old = [name for name in getattr(algorithms, key) if name in BROKEN_ALGORITHMS]
        if old:
            text = f"{', '.join(old)}: known to be weak, allowed for everybody and without end"
            yield _ALGORITHM_WEAK.at(f"algorithms.{key}", text)
    if algorithms.min_rsa_bits < 2048:
        yield _KEYS_SHORT.at("algorithms.min_rsa_bits", f"RSA keys of {algorithms.min_rsa_bits} bits are taken")


def _canonicalization_is_inclusive(look: Look) -> Iterator[Finding]:
    listed = [name for name in look.demands.algorithms.canonicalization if name in _INCLUSIVE]
    if listed:
        text = f"{', '.join(listed)} signs the namespaces around too: a message that is relayed no longer verifies"
        yield _CANONICALIZATION_INCLUSIVE.at("algorithms.canonicalization", text)


def _hmac_has_no_keys(look: Look) -> Iterator[Finding]:
    listed = [method for method in look.demands.algorithms.signature if method.startswith("hmac-")]
    if listed and not look.policy.keys.shared and not look.demands.username_token.makes_keys:
        text = f"{', '.join(listed)}: there is no key, shared or of a user, that such a signature could be held against"
        yield _HMAC_WITHOUT_KEY.at("algorithms.signature", text)


ALGORITHM_RULES: Final[tuple[Looker, ...]] = (_algorithms_are_old, _canonicalization_is_inclusive, _hmac_has_no_keys)
