"""The club's books: members, renewals, charges, claims and prospects in one SQLite file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

_TABLES: Final = """
    CREATE TABLE IF NOT EXISTS members (
        number INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT, category TEXT NOT NULL,
        joined TEXT NOT NULL, paid_until TEXT NOT NULL, fee_cents INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS renewals (
        number INTEGER NOT NULL REFERENCES members, paid_until TEXT NOT NULL, charged_cents INTEGER NOT NULL,
        renewed_by TEXT NOT NULL, incident TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS charges (
        reference INTEGER PRIMARY KEY, number INTEGER NOT NULL REFERENCES members, cents INTEGER NOT NULL,
        purpose TEXT NOT NULL, charged_by TEXT NOT NULL, incident TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS claims (
        reference INTEGER PRIMARY KEY, number INTEGER NOT NULL REFERENCES members, injury TEXT NOT NULL,
        cents INTEGER NOT NULL, settled_by TEXT NOT NULL, incident TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS prospects (
        reference INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, phone TEXT, visit TEXT);
"""
_FIRST_MEMBERS: Final = (
    (1001, "Ada Lovelace", "ada@club.example", "full", "2019-04-01", "2026-03-31", 48000),
    (1002, "Alan Turing", "alan@club.example", "full", "2020-09-15", "2031-12-31", 48000),
    (1003, "Émilie du Châtelet", "emilie@club.example", "junior", "2024-01-10", "2026-01-09", 19950),
    (1004, "Ἀγνοδίκη", None, "honorary", "2001-05-20", "2099-12-31", 0),
)


class UnknownMember(LookupError):
    """No member has this number."""


@dataclass(frozen=True, slots=True)
class Member:
    """One row of the register."""

    number: int
    name: str
    email: str | None
    category: str
    joined: date
    paid_until: date
    fee: Decimal
    """Euros for a year."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """One prolonged membership, and who prolonged it."""

    number: int
    paid_until: date
    charged: Decimal
    """Euros."""
    renewed_by: str
    incident: str
    """Of the request, so that the audit can be asked about it."""


@dataclass(frozen=True, slots=True)
class Charge:
    """An amount that a member owes, and who put it on the account."""

    reference: int
    number: int
    amount: Decimal
    """Euros."""
    purpose: str
    charged_by: str
    incident: str
    """Of the request, so that the audit can be asked about it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An injury that the insurer has paid for, and whose system said so."""

    reference: int
    number: int
    injury: str
    amount: Decimal
    """Euros."""
    settled_by: str
    incident: str
    """Of the request, so that the audit can be asked about it."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """Somebody who may become a member."""

    name: str
    email: str
    phone: str | None = None
    visit: date | None = None
    """When they want to come and look."""


class Club:
    """The books, opened anew for each question: any number of threads and processes may share the file."""

    def __init__(self, file: Path) -> None:
        """Open the books; new ones start with four members.

        Raises:
            sqlite3.Error: the file is no such database, or cannot be written.
        """
        self._file: Final = file
        with self._transaction() as books:
            books.executescript(_TABLES)
            books.executemany("INSERT OR IGNORE INTO members VALUES (?, ?, ?, ?, ?, ?, ?)", _FIRST_MEMBERS)

    def member(self, number: int) -> Member:
        """The member with this number.

        Raises:
            UnknownMember: there is none.
        """
        with self._transaction() as books:
            row = books.execute("SELECT * FROM members WHERE number = ?", (number,)).fetchone()
        if row is None:
            raise UnknownMember(number)
        return _member(row)

    def members(self, unpaid_on: date | None = None) -> list[Member]:
        """All members by number, or those whose fee is not paid on a day."""
        day = (unpaid_on or date.max).isoformat()
        with self._transaction() as books:
            rows = books.execute("SELECT * FROM members WHERE paid_until < ? ORDER BY number", (day,)).fetchall()
        return [_member(row) for row in rows]

    def renew(self, number: int, years: int, today: date, renewed_by: str, incident: str) -> Renewal:
        """Prolong a membership from where it ends, or from today where it has ended, and charge the fee.

        Raises:
            UnknownMember: there is none with this number.
        """
        with self._transaction() as books:
            row = books.execute(
                "UPDATE members SET paid_until = date(max(paid_until, ?), ?) WHERE number = ? RETURNING *",
                (today.isoformat(), f"+{years} years", number),
            ).fetchone()
            if row is None:
                raise UnknownMember(number)
            books.execute(
                "INSERT INTO renewals VALUES (?, ?, ?, ?, ?)",
                (number, row["paid_until"], years * row["fee_cents"], renewed_by, incident),
            )
        paid_until = date.fromisoformat(row["paid_until"])
        return Renewal(number, paid_until, _euros(years * row["fee_cents"]), renewed_by, incident)

    def renewals(self, number: int) -> list[Renewal]:
        """A member's renewals, the oldest first."""
        with self._transaction() as books:
            rows = books.execute("SELECT * FROM renewals WHERE number = ? ORDER BY rowid", (number,)).fetchall()
        return [
            Renewal(
                row["number"],
                date.fromisoformat(row["paid_until"]),
                _euros(row["charged_cents"]),
                row["renewed_by"],
                row["incident"],
            )
            for row in rows
        ]

    def charge(self, number: int, amount: Decimal, purpose: str, charged_by: str, incident: str) -> Charge:
        """Put an amount on a member's account.

        Raises:
            UnknownMember: there is none with this number.
        """
        with self._transaction() as books:
            if books.execute("SELECT 1 FROM members WHERE number = ?", (number,)).fetchone() is None:
                raise UnknownMember(number)
            row = books.execute(
                "INSERT INTO charges (number, cents, purpose, charged_by, incident) VALUES (?, ?, ?, ?, ?) RETURNING *",
                (number, int(amount.scaleb(2)), purpose, charged_by, incident),
            ).fetchone()
        return _charge(row)

    def charges(self, number: int) -> list[Charge]:
        """What was put on a member's account, the oldest first."""
        with self._transaction() as books:
            rows = books.execute("SELECT * FROM charges WHERE number = ? ORDER BY reference", (number,)).fetchall()
        return [_charge(row) for row in rows]

    def settle(self, number: int, injury: str, amount: Decimal, settled_by: str, incident: str) -> Claim:
        """Note what the insurer pays for a member's injury.

        Raises:
            UnknownMember: there is none with this number.
        """
        with self._transaction() as books:
            if books.execute("SELECT 1 FROM members WHERE number = ?", (number,)).fetchone() is None:
                raise UnknownMember(number)
            row = books.execute(
                "INSERT INTO claims (number, injury, cents, settled_by, incident) VALUES (?, ?, ?, ?, ?) RETURNING *",
                (number, injury, int(amount.scaleb(2)), settled_by, incident),
            ).fetchone()
        return _claim(row)

    def claims(self, number: int) -> list[Claim]:
        """A member's claims, the oldest first."""
        with self._transaction() as books:
            rows = books.execute("SELECT * FROM claims WHERE number = ? ORDER BY reference", (number,)).fetchall()
        return [_claim(row) for row in rows]

    def add_prospect(self, prospect: Prospect) -> int:
        """Keep a prospect and give them a reference number."""
        visit = prospect.visit and prospect.visit.isoformat()
        with self._transaction() as books:
            reference: int = books.execute(
                "INSERT INTO prospects (name, email, phone, visit) VALUES (?, ?, ?, ?) RETURNING reference",
                (prospect.name, prospect.email, prospect.phone, visit),
            ).fetchone()[0]
        return reference

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._file)) as connection, connection:
            connection.row_factory = sqlite3.Row
            yield connection


def _member(row: Any) -> Member:  # noqa: ANN401 - a sqlite3.Row: its values have no types
    return Member(
        row["number"],
        row["name"],
        row["email"],
        row["category"],
        date.fromisoformat(row["joined"]),
        date.fromisoformat(row["paid_until"]),
        _euros(row["fee_cents"]),
    )


def _charge(row: Any) -> Charge:  # noqa: ANN401 - a sqlite3.Row: its values have no types
    return Charge(
        row["reference"],
        row["number"],
        _euros(row["cents"]),
        row["purpose"],
        row["charged_by"],
        row["incident"],
    )


def _claim(row: Any) -> Claim:  # noqa: ANN401 - a sqlite3.Row: its values have no types
    return Claim(
        row["reference"],
        row["number"],
        row["injury"],
        _euros(row["cents"]),
        row["settled_by"],
        row["incident"],
    )


def _euros(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)
