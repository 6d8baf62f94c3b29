"""The ways in: how a message for one target may be secured, and by whom, so that it must be taken."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Literal

from wsguard.policy import Demands, Policy
from wsguard.policy.demands import PasswordType
from wsguard.proving.allowed import Kind, allowed
from wsguard.proving.cast import Cast, Sender
from wsguard.proving.recipients import Recipient

SignedBy = Literal["", "certificate", "shared key"]
_MADE: Final[tuple[PasswordType, ...]] = ("PasswordDigest", "PasswordText")
_NOT_MADE: Final = "the proof makes no messages of users who sign with a key made of their password (DerivedKey)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What a message of one sender carries."""

    sender: Sender
    timestamp: bool
    password_type: PasswordType | Literal[""]
    """Empty: there is no UsernameToken."""
    signed_by: SignedBy
    """Empty: there is no Signature."""
    recipient: Recipient | None = None
    """For whom it is encrypted; None: it is not."""

    def __str__(self) -> str:
        parts = (
            "Timestamp" if self.timestamp else "",
            self.password_type,
            f"signature by {self.signed_by}" if self.signed_by else "",
            f"encryption by {self.recipient.name}" if self.recipient else "",
        )
        how = ", ".join(filter(None, parts)) or "nothing"
        return f"{self.sender.label}: {how}" if self.sender.label else how

    @property
    def authenticates(self) -> bool:
        """Whether it says of anybody whose message it is."""
        return bool(self.password_type or self.signed_by)


@dataclass(frozen=True, slots=True)
class Found:
    """The ways to one target, and why there are no others."""

    ways: tuple[Way, ...]
    reasons: tuple[str, ...] = ()


class WayFinder:
    """Finds the ways to the targets of one configuration."""

    def __init__(self, policy: Policy, recipients: tuple[Recipient, ...], today: date) -> None:
        """
        Args:
            policy: with the entries of everybody who was made up.
            recipients: for whom messages can be encrypted.
            today: the day (UTC) for dated permissions.
        """
        self._policy = policy
        self._recipients = recipients
        self._today = today

    def find(self, demands: Demands, cast: Cast) -> Found:
        """Every way to the target of ``cast``."""
        ways: list[Way] = []
        reasons = [] if cast.senders else ["no [[client]] may call it"]
        reasons += [_NOT_MADE] if demands.username_token.makes_keys else []
        for sender in cast.senders:
            for kind in _kinds(sender, demands):
                try:
                    ways += self._of(sender, kind, demands, cast)
                except LookupError as error:
                    who = f"{sender.label}: " if sender.label else ""
                    reasons.append(f"{who}{error.args[0]}")
        return Found(tuple(ways), tuple(dict.fromkeys(reasons)))

    def _of(self, sender: Sender, kind: tuple[bool, bool], demands: Demands, cast: Cast) -> Iterator[Way]:
        """
        Raises:
            LookupError: there is none; why.
        """
        has_user, is_signed = kind
        signed_by = self._signed_by(sender, demands, cast) if is_signed else ""
        passwords: tuple[PasswordType | Literal[""], ...] = ("",)
        if has_user:
            passwords = tuple(one for one in demands.username_token.password_types if one in _MADE)
        if not passwords:
            raise LookupError(_NOT_MADE)
        timestamp = demands.timestamp.use != "forbidden"
        plain = [Way(sender=sender, timestamp=timestamp, password_type=one, signed_by=signed_by) for one in passwords]
        if demands.encryption.use == "required":
            recipient = self.recipient(demands, sender.client)
            yield from (replace(way, recipient=recipient) for way in plain)
            return
        yield from plain
        if demands.encryption.use == "optional" and self._recipients:
            try:
                yield replace(plain[0], recipient=self.recipient(demands, sender.client))
            except LookupError:
                return

    def recipient(self, demands: Demands, client: str) -> Recipient:
        """For whom a message under ``demands`` is encrypted.

        Raises:
            LookupError: nobody can; why.
        """
        for one in self._recipients:
            kinds: tuple[Kind, ...] = ("encryption",) if one.secret else ("encryption", "key_transport")
            names = [one.usable(kind, self.usable(kind, demands, client)) for kind in kinds]
            if all(names):
                return one
        raise LookupError("the proof can encrypt for none of the keys: RSA in keys.decrypt, or keys.shared of AES")

    def usable(self, kind: Kind, demands: Demands, client: str) -> tuple[str, ...]:
        """What both the service and the top of the file take: before it is opened nobody can tell which holds."""
        top = allowed(kind, self._policy, client, self._today)
        return tuple(name for name in allowed(kind, demands, client, self._today) if name in top)

    def _signed_by(self, sender: Sender, demands: Demands, cast: Cast) -> SignedBy:
        names = allowed("signature", demands, sender.client, self._today)
        entry = sender.entry
        wants_secret = entry is not None and bool(entry.shared_key)
        if sender.signer is not None and not wants_secret:
            if any(name.startswith(("rsa-", "ecdsa-")) for name in names):
                return "certificate"
            raise LookupError("no signature method for certificates is allowed")
        if sender.shared is not None and (entry is None or wants_secret):
            if any(name.startswith("hmac-") for name in names):
                return "shared key"
            raise LookupError("algorithms.signature allows no HMAC, so that no shared key can sign")
        raise LookupError(cast.missing or "it has no certificate to sign with")


def _kinds(sender: Sender, demands: Demands) -> list[tuple[bool, bool]]:
    """Whether there is a user, and whether there is a signature: as little as is demanded, and as much as may be."""
    entry = sender.entry
    user, signature = demands.username_token.use, demands.signature.use
    if entry is not None:
        wants_user, wants_signer = bool(entry.username), bool(entry.certificate or entry.shared_key)
        least = (wants_user and user != "forbidden", wants_signer and signature != "forbidden")
        return [(least[0] or user == "required", least[1] or signature == "required")]
    least = (user == "required", signature == "required")
    able = signature != "forbidden" and (sender.signer or sender.shared) is not None
    most = (user != "forbidden", least[1] or able)
    return list(dict.fromkeys((least, most)))
