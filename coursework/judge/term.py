"""A term in one folder: its secret, its policy, its students, a folder an assignment.

autumn/
    term.key  policy.toml  roster.csv
    hw1/
        submissions/  attempts/  collected.csv
        grades.csv  canvas.csv  moodle.csv  feedback/  grades.log.jsonl
        statistics.html  written.csv  written/
"""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from coursework.judge import seed
from coursework.judge.report import plain

POLICY = """\
# What becomes of late work, and of the worst assignment. Nothing of it applies as it
# stands: take away the # of what you want.

[late]
# per_day = 10          # per cent of the points, for each day that has begun
# grace_minutes = 15    # so much is not late
# last_day = 5          # later than that is worth nothing

[due]
# hw1 = 2026-10-12T23:59:00+02:00

[extensions]            # days more, by student and assignment
# ada = { hw1 = 2 }

[term]
# drop_lowest = 1       # assignments that do not count, for each student
"""
ROSTER = "id,name,email\n"
IGNORE = "# a term holds a secret, and marks: none of it is for a repository\n*\n"


class TermError(Exception):
    """A table or the policy of a term cannot be understood; says where and why."""


@dataclass(frozen=True)
class Place:
    """Where the files of one assignment of a term are."""

    term: Path
    assignment: str

    @property
    def folder(self):
        """The folder of the assignment."""
        return self.term / self.assignment.rpartition(".")[2]

    def __truediv__(self, name):
        return self.folder / name

    @property
    def key(self):
        """The secret of the term."""
        return self.term / "term.key"


@dataclass(frozen=True)
class Student:
    """A line of the roster."""

    id: str
    name: str = ""
    email: str = ""


def new(folder):
    """Make the folder of a term, with a secret of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    seed.make(folder / "term.key")
    for name, text in (("policy.toml", POLICY), ("roster.csv", ROSTER)):
        if not (folder / name).exists():
            (folder / name).write_text(text, encoding="utf-8")
    (folder / ".gitignore").write_text(IGNORE, encoding="utf-8")


def roster(term):
    """Return {id: Student} of the roster, which may be missing or empty."""
    found = {}
    for number, row in rows(term / "roster.csv", ("id",)):
        name = plain(row["id"])
        if not name or name in found:
            what = "is there twice" if name else "is empty"
            raise TermError(
                f"{term / 'roster.csv'}, line {number}: the id {name} {what}"
            )
        found[name] = Student(name, row.get("name") or "", row.get("email") or "")
    return found


def rows(path, columns):
    """Return [(line, row)] of a table with these columns; none if there is no table."""
    if not path.exists():
        return []
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise TermError(f"{path} is not text in UTF-8; save it as CSV UTF-8") from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    missing = [name for name in columns if name not in (reader.fieldnames or ())]
    if missing:
        there = ", ".join(map(str, reader.fieldnames or ["none"]))
        raise TermError(f"{path}: no column {', '.join(missing)}; there are {there}")
    return [(reader.line_num, row) for row in reader if any(row.values())]
