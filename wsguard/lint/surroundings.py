"""What a peer is told, and what one message may cost."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from wsguard.lint.finding import Finding, Look, Looker, Rule
from wsguard.policy import Limits

RAISED: Final = 4
"""Times the default. Canonicalization is cubic in namespaces: four times of them cost 64 times the work."""

DEEP: Final = 128
"""Half of libxml2's own bound, 256."""

LEAST: Final[Mapping[str, int]] = MappingProxyType(
    {"body_bytes": 8192, "depth": 12, "elements": 60, "attributes_per_element": 4, "namespaces": 8, "references": 2}
)
"""What signed messages of other stacks have at most, and a little more. Of forty, half have 9 levels, 30 elements, 6
namespaces in scope, 4 KB and 2 references or fewer; the most were 10, 62, 7, 104 KB and 4."""

_DECRYPTION_ORACLE: Final = Rule(
    name="lint.decryption_oracle",
    risk="high",
    finds="there are decryption keys, and different failures get different fault codes",
    cure='set faults.detail = "auto" or "unified"',
)
_FAULTS_TELL: Final = Rule(
    name="lint.faults_tell",
    risk="medium",
    finds="every peer is told which check refused it",
    cure='set faults.detail = "auto"; operators find the check in the audit, under the incident id',
)
_COMPRESSION: Final = Rule(
    name="lint.compression",
    risk="low",
    finds="compressed messages are taken",
    cure="take the encodings out of http.content_encodings, unless a client needs them",
)
_LIMIT_HIGH: Final = Rule(
    name="lint.limit_high",
    risk="medium",
    finds=f"a limit is more than {RAISED} times its default, or limits.depth more than {DEEP}",
    cure="measure what honest messages need, and set the limit a little above",
)
_LIMIT_LOW: Final = Rule(
    name="lint.limit_low",
    risk="medium",
    finds="a limit is so low that ordinary secured messages are refused",
    cure="raise it; the defaults are far above what honest messages need",
)

SURROUNDING_CATALOGUE: Final = (_DECRYPTION_ORACLE, _FAULTS_TELL, _COMPRESSION, _LIMIT_HIGH, _LIMIT_LOW)


def _peers_are_told_much(look: Look) -> Iterator[Finding]:
    detail, opens = look.policy.faults.detail, bool(look.policy.keys.decrypt or look.policy.keys.shared)
    if opens and detail in ("standard", "detailed"):
        text = "with decryption keys, different codes for different failures make a decryption oracle"
        yield _DECRYPTION_ORACLE.at("faults.detail", text)
    elif detail == "detailed":
        text = "every peer is told which check refused it: a map for whoever tries"
        yield _FAULTS_TELL.at("faults.detail", text)


def _compressed_messages_are_taken(look: Look) -> Iterator[Finding]:
    encodings = look.policy.http.content_encodings
    if encodings:
        size = look.policy.limits.body_bytes
        text = f"a few KB of {' or '.join(encodings)} become {size} bytes of XML here: cheap for whoever sends many"
        yield _COMPRESSION.at("http.content_encodings", text)


def _limits_are_unusual(look: Look) -> Iterator[Finding]:
    usual = Limits()
    nobody_signs = all(demands.signature.use == "forbidden" for demands in look.policy.every_demand)
    for key in Limits.model_fields:
        value, default = getattr(look.policy.limits, key), getattr(usual, key)
        if value > (DEEP if key == "depth" else default * RAISED):
            text = f"{value} instead of {default}: one message may cost so much more time or memory"
            yield _LIMIT_HIGH.at(f"limits.{key}", text)
        elif value < LEAST.get(key, 1) and not (key == "references" and nobody_signs):
            text = f"{value} instead of {default}: signed messages of ordinary clients may have more"
            yield _LIMIT_LOW.at(f"limits.{key}", text)


SURROUNDING_RULES: Final[tuple[Looker, ...]] = (
    _peers_are_told_much,
    _compressed_messages_are_taken,
    _limits_are_unusual,
)
