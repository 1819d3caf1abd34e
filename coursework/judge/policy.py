"""What a term's policy makes of late work and of the worst assignment.

The policy is a small TOML file that a person writes; what it does to a mark is said on
the page of every student whom it touches.
"""

import math
import tomllib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from coursework.judge.term import TermError

KNOWN = {
    "late": {"per_day", "grace_minutes", "last_day"},
    "due": None,
    "extensions": None,
    "term": {"drop_lowest"},
}


@dataclass(frozen=True)
class Policy:
    """The rules of a term."""

    per_day: float = 0.0
    grace_minutes: float = 0.0
    last_day: float = math.inf
    drop_lowest: int = 0
    due: dict = field(default_factory=dict)
    extensions: dict = field(default_factory=dict)

    def lateness(self, assignment, student, handed_in):
        """Return how many days late that is, every day that has begun counting."""
        due = self.due.get(assignment)
        if due is None or handed_in is None:
            return 0
        days = self.extensions.get(student, {}).get(assignment, 0)
        end = due + timedelta(days=days, minutes=self.grace_minutes)
        if handed_in.tzinfo is None or due.tzinfo is None:
            handed_in = handed_in.replace(tzinfo=due.tzinfo)
        return max(0, math.ceil((handed_in - end) / timedelta(days=1)))

    def share(self, days):
        """Return the part of the points that is left after so many days."""
        if days > self.last_day:
            return 0.0
        return max(0.0, 1 - self.per_day / 100 * days)

    def words(self, days):
        """Return what the policy does to work so many days late."""
        if days > self.last_day:
            return f"{days} days late; after {self.last_day:g} nothing counts"
        return f"{days} days late, {self.per_day:g} % less for each"


def read(path):
    """Return the policy in a file, which may be missing."""
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TermError(f"{path}: {error}") from None
    _known(path, found)
    due = found.get("due", {})
    for name, when in due.items():
        if not isinstance(when, datetime):
            raise TermError(f"{path}: due.{name} is no date with a time of day")
    numbers = found.get("late", {}) | found.get("term", {})
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            raise TermError(
                f"{path}: {name} is {value!r}, and wants a number from 0 on"
            )
    return Policy(**numbers, due=due, extensions=_extensions(path, found))


def _known(path, found):
    for table, names in KNOWN.items():
        given = found.get(table, {})
        if not isinstance(given, dict):
            raise TermError(f"{path}: [{table}] is a table of its own")
        strange = set(given) - names if names is not None else set()
        if strange:
            there = ", ".join(sorted(names))
            raise TermError(
                f"{path}: [{table}] knows no {min(strange)}; it has {there}"
            )
    strange = set(found) - set(KNOWN)
    if strange:
        raise TermError(f"{path}: there is no [{min(strange)}]; see {', '.join(KNOWN)}")


def _extensions(path, found):
    for student, days in found.get("extensions", {}).items():
        fine = isinstance(days, dict) and all(
            isinstance(d, (int, float)) and d >= 0 for d in days.values()
        )
        if not fine:
            raise TermError(f"{path}: extensions.{student} wants days, {{ hw1 = 2 }}")
    return found.get("extensions", {})
