"""What a rule of the STIG is shown, and what it is decided by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from wsguard.policy import Demands, Exemption, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One service, one exemption, or what holds for the rest."""

    service: str
    """Its name, or the key path of an exemption without one; empty for what no service claims."""
    demands: Demands
    key: str = ""
    """Key path of its entry; empty for the top of the file."""
    exemption: Exemption | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One setting that a rule depends on."""

    setting: str
    value: str
    enough: bool
    cure: str
    """What to write where it is not enough."""

    def __str__(self) -> str:
        return f"{self.setting} = {self.value}"


@dataclass(frozen=True, slots=True)
class Case:
    """What a rule is shown."""

    policy: Policy
    subject: Subject
    today: date

    @property
    def demands(self) -> Demands:
        """Those of the subject."""
        return self.subject.demands

    def needs(self, setting: str, value: object, enough: bool, cure: str) -> Evidence:
        """Evidence of one setting, with the key path where the subject's service may override it."""
        service = self.subject.service
        prefix = f"services.{service}." if service in self.policy.services else ""
        return Evidence(setting=prefix + setting, value=_plain(value), enough=enough, cure=cure)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(str, value))}]"
    return str(value)
