"""Mistakes in a configuration: reported all at once, each with the place where it is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake."""

    key: str
    """Key path, for example ``services.MemberService.timestamp.use``; empty where it concerns the whole."""
    reason: str
    file: str = ""
    """The configuration file; empty for a policy made in Python."""

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.key, self.reason) if part)


class ConfigError(ValueError):
    """The configuration cannot be used. ``str()`` has one line for each mistake."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))

    def in_file(self, file: str) -> "ConfigError":
        """The same mistakes, said to be in ``file``."""
        return ConfigError([Problem(problem.key, problem.reason, file) for problem in self.problems])
