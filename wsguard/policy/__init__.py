"""The policy: what the guard demands, of whom, and where its stores are. Frozen, and possible by construction.

The models are those that read ``wsguard.toml``: a key of the file is a field here, its documentation the field's.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, Self

from pydantic import Field, model_validator

from wsguard.policy.demands import OVERRIDABLE, Demands, overridden
from wsguard.policy.surroundings import Audit, Faults, Http, Keys, Limits, Replay, Users
from wsguard.policy.values import BASE, Day, File, Name, Operation, Section, Text, UrlPath


class Claim(Section):
    """What of an application something applies to: with both operations and paths, both must match."""

    operations: tuple[Operation, ...] = ()
    """Body children as ``{namespace}name``, or ``{namespace}*``; empty: all on these paths."""
    paths: tuple[UrlPath, ...] = ()
    """Exact request paths (SCRIPT_NAME and PATH_INFO); empty: all."""


class Service(Demands):
    """``[services.NAME]``: what differs from the top of the file for one service.

    NAME is a spyne service class, or any name where ``operations`` or ``paths`` say what it is.
    """

    operations: tuple[Operation, ...] = ()
    """Body children as ``{namespace}name``, or ``{namespace}*``. A spyne service class needs none."""
    paths: tuple[UrlPath, ...] = ()
    """Exact request paths; with operations, both must match."""


class Exemption(Claim):
    """``[[exempt]]``: what needs no security header."""

    service: Text = ""
    """A service by name: a spyne service class or a ``[services.NAME]`` section."""
    reason: Text = ""
    """Why."""
    owner: Text = ""
    """Who answers for it."""
    review: Day | None = None
    """When to think again; overdue ones show up in ``wsguard check``."""

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.service and (self.operations or self.paths):
            raise ValueError("either service, or operations and paths")
        if not (self.service or self.operations or self.paths):
            raise ValueError("nothing is exempted: give service, operations or paths")
        return self


class Client(Section):
    """``[[client]]``: a peer we know, and what it may call. Where any exists, only they are served."""

    name: Name
    """Name in records and permissions."""
    username: Text = ""
    """User of its UsernameToken."""
    certificate: File | None = None
    """Certificate of its signatures; with a username both are demanded of the same message."""
    shared_key: Text = ""
    """Name in keys.shared of the key of its signatures."""
    services: tuple[Name, ...] = ()
    """Services it may call; empty: all."""
    mode: Literal["enforce", "report"] = "enforce"
    """report: what is missing is recorded and passed on, until ``report_until``."""
    report_until: Day | None = None
    """Last day (UTC) of ``mode = "report"``."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not (self.username or self.certificate or self.shared_key):
            raise ValueError("give username, certificate, shared_key, or a username with one of the others")
        if self.certificate and self.shared_key:
            raise ValueError("either certificate or shared_key: nobody signs with both")
        if (self.mode == "report") != (self.report_until is not None):
            raise ValueError('mode = "report" and report_until go together')
        return self


class Policy(Demands):
    """The whole configuration. Construct it with keywords, or read it with ``wsguard.load_policy``.

    Raises:
        pydantic.ValidationError: (a ``ValueError``) with every mistake at once.
    """

    actor: Text = ""
    """Our SOAP actor or role; "next" and none are ours too."""
    users: Users = Users()
    """The user table."""
    replay: Replay = Replay()
    """The replay store."""
    http: Http = Http()
    """HTTP."""
    faults: Faults = Faults()
    """Faults."""
    audit: Audit = Audit()
    """The audit."""
    limits: Limits = Limits()
    """Limits."""
    keys: Keys = Keys()
    """Our keys."""
    services: Mapping[str, Service] = Field(default_factory=dict)
    """Services by name."""
    exempt: tuple[Exemption, ...] = ()
    """What needs no security header."""
    client: tuple[Client, ...] = ()
    """The peers we know."""

    @model_validator(mode="before")
    @classmethod
    def _services_override_the_top(cls, raw: object) -> object:
        if not isinstance(raw, dict):
            return raw
        # Read even where they are left out, so that the files of their defaults are resolved too.
        raw = {"users": {}, "replay": {}, "audit": {}, **raw}
        if not isinstance(raw.get("services"), dict):
            return raw
        top = {key: value for key, value in raw.items() if key in OVERRIDABLE}
        services = {
            name: overridden(top, service) if isinstance(service, dict) else service
            for name, service in raw["services"].items()
        }
        return {**raw, "services": services}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = []
        names = [client.name for client in self.client]
        unknown = [client.name for client in self.client if client.certificate is None]
        if len(set(names)) < len(names):
            problems.append("two [[client]] entries have the same name")
        keys = [key.name for key in self.keys.shared]
        problems += [
            f"client {client.name!r} names no key of keys.shared: {client.shared_key!r}"
            for client in self.client
            if client.shared_key and client.shared_key not in keys
        ]
        for demands in self.every_demand:
            if demands.response.encrypt not in ("", "useReqSigCert", *names):
                problems.append(f"response.encrypt names no client: {demands.response.encrypt!r}")
            elif demands.response.encrypt in unknown:
                problems.append(f"response.encrypt names a client without certificate: {demands.response.encrypt!r}")
            if demands.response.encrypt == "useReqSigCert" and demands.signature.use == "forbidden":
                problems.append("response.encrypt is useReqSigCert, but signature.use is forbidden")
            trust = demands.trust
            if demands.signature.use == "required" and not (
                trust.ca_files or trust.pinned_certificates or self.keys.shared
            ):
                problems.append(
                    "signature.use is required, but nobody's signature is trusted: "
                    "give trust.ca_files, trust.pinned_certificates or keys.shared"
                )
            if demands.encryption.use == "required" and not (self.keys.decrypt or self.keys.shared):
                problems.append(
                    "encryption.use is required, but nothing could be opened: give keys.decrypt or keys.shared"
                )
            if demands.response.sign and self.keys.sign is None:
                problems.append("response.sign needs keys.sign")
            for permission in demands.algorithms.legacy:
                problems += [
                    f"algorithms.legacy names no client: {name!r}" for name in permission.clients if name not in names
                ]
        if problems:
            raise ValueError("; ".join(dict.fromkeys(problems)))
        object.__setattr__(self, "services", MappingProxyType(dict(self.services)))
        return self

    @property
    def every_demand(self) -> tuple[Demands, ...]:
        """The demands of the top level and of each service."""
        return (self, *self.services.values())


__all__ = [
    "BASE", "Audit", "Claim", "Client", "Demands", "Exemption", "Faults", "Http", "Keys", "Limits", "Policy", "Replay",
    "Service", "Users",
]  # fmt: skip
