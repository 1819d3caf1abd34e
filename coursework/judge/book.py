"""The book of an assignment: a row a student, from the log, from people, by policy."""

from dataclasses import dataclass
from datetime import datetime

from coursework.judge import grade, policy, term, written
from coursework.judge.report import total, whole

NOTHING = "nothing was handed in"
COLLECTED = ("student", "name", "file", "attempt", "handed_in", "kept", "why")


@dataclass(frozen=True)
class Row:
    """What is known of one student.

    `written` is {question: (points, comment)}, `days` how late it was, and `share` the
    part of the points that the policy leaves.
    """

    student: str
    name: str
    email: str
    result: dict
    written: dict
    days: int = 0
    share: float = 1.0
    policy: str = ""

    @property
    def code(self):
        """The points of the judge."""
        return total(self.result)

    @property
    def total(self):
        """All points, after what the policy takes."""
        by_hand = sum(points for points, _ in self.written.values())
        return whole((self.code + by_hand) * self.share)


@dataclass(frozen=True)
class Book:
    """All rows of an assignment, and how many points there are to be had."""

    rows: tuple
    of: float


def of(place, exam, results):
    """Return the `Book` of {student: result}; who handed in nothing has a row too."""
    known = term.roster(place.term)
    rules = policy.read(place.term / "policy.toml")
    by_hand = written.marks(place / "written.csv", exam)
    marked = {question for marks in by_hand.values() for question in marks}
    handed_in, names = _collected(place / "collected.csv")
    rows, seen = [], set()
    for student, result in results.items():
        entry = _entry(known, student)
        seen.add(entry.id if entry else None)
        # An extension may go by the id of the roster as well as by our own name.
        known_as = entry.id if entry and entry.id in rules.extensions else student
        days = rules.lateness(place.folder.name, known_as, handed_in.get(student))
        rows.append(Row(
            student,
            (entry and entry.name) or names.get(student, ""),
            entry.email if entry else "",
            result,
            by_hand.get(student, {}),
            days,
            rules.share(days),
            rules.words(days) if days else "",
        ))  # fmt: skip
    platform, nothing = _platform(known, results), grade.refused(exam, NOTHING)
    for entry in known.values():
        if entry.id not in seen:
            student = platform + entry.id
            marks = by_hand.get(student, {})
            rows.append(Row(student, entry.name, entry.email, nothing, marks))
    unknown = set(by_hand) - {row.student for row in rows}
    if unknown:
        path = place / "written.csv"
        raise term.TermError(
            f"{path}: marks for {min(unknown)}, who is no student here"
        )
    rows.sort(key=lambda row: row.student.casefold())
    of = exam.points + sum(p for name, _, p in exam.written if name in marked)
    return Book(tuple(rows), of)


def _platform(known, students):
    """Return `canvas-` if the numbers of the roster are those of Canvas, and so on.

    So who handed in nothing goes by the same kind of name as those who did.
    """
    found = {
        student.partition("-")[0] + "-"
        for student in students
        if student not in known and _entry(known, student)
    }
    return found.pop() if len(found) == 1 else ""


def _entry(known, student):
    """Return who of the roster that is: by id, or by the number of a platform."""
    number = student.removeprefix("canvas-").removeprefix("moodle-")
    return known.get(student) or known.get(number)


def _collected(path):
    """Return ({student: when handed in}, {student: name}) of what was collected."""
    times, names = {}, {}
    for number, row in term.rows(path, COLLECTED):
        student = row["student"].lstrip("'")
        names[student] = row["name"] or names.get(student, "")
        if not row["why"] and row["handed_in"]:  # what counts, and not another attempt
            try:
                times[student] = datetime.fromisoformat(row["handed_in"])
            except ValueError:
                words = f"line {number}: {row['handed_in']} is no time"
                raise term.TermError(f"{path}, {words}") from None
    return times, names
