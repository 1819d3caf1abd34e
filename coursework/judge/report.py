"""The tables that a run leaves: our own, and those that Canvas and Moodle import."""

import csv
import io
import os
import re
import unicodedata
from pathlib import Path


def write(path, content):
    """Write a file, text or bytes, as a whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    draft.write_bytes(content if isinstance(content, bytes) else content.encode())
    os.replace(draft, path)


def plain(text, limit=400):
    """Return a text on one line without characters that steer a terminal or a page."""
    kept = (" " if unicodedata.category(c)[0] in "CZ" else c for c in str(text)[:limit])
    return "".join(kept).strip()


def cell(value):
    """Return a value of a table that no spreadsheet takes for a formula."""
    if isinstance(value, str):
        value = plain(value)
        return f"'{value}" if value[:1] in ("=", "+", "-", "@") else value
    return value


def whole(points):
    """Return points to two digits, as a whole number where they are one."""
    points = round(points, 2)
    return int(points) if points == int(points) else points


def total(result):
    """Return the points of a result."""
    return whole(sum(q["points"] for q in result["questions"].values()))


def table(rows, head=()):
    """Return rows as CSV, below those of a head, which are left as they are."""
    stream = io.StringIO()
    lines = csv.writer(stream, lineterminator="\n")
    lines.writerows([*head, *(map(cell, row) for row in rows)])
    return stream.getvalue()


def grades(exam, book):
    """Return the table of all points, those of people and what the policy took."""
    header = ["student", "name", "email", *(q.name for q in exam.questions)]
    header += [name for name, *_ in exam.written]
    rows = [[*header, "days late", "total", "of", "status", "isolation"]]
    for row in book.rows:
        points = [row.result["questions"][q.name]["points"] for q in exam.questions]
        points += [row.written.get(name, ("",))[0] for name, *_ in exam.written]
        who = [row.student, row.name, row.email]
        last = [row.days, row.total, book.of, row.result["status"], row.result["level"]]
        rows.append([*who, *points, *last])
    return table(rows)


def collected(platform, student):
    """Return the number that a platform gave a student, if `collect` kept it."""
    match = re.fullmatch(rf"{platform}-([0-9]+)", student)
    return match[1] if match else None


def canvas(exam, book):
    """Return the table that a Canvas gradebook imports.

    A student is known by the number of Canvas, and otherwise by the SIS login id.
    """
    head = [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", exam.title],
        ["    Points Possible", "", "", "", "", book.of],
    ]
    rows = []
    for row in book.rows:
        number = collected("canvas", row.student)
        login = "" if number else row.student
        rows.append([row.name or row.student, number or "", "", login, "", row.total])
    return table(rows, head)


def moodle(exam, book):
    """Return the table that Moodle imports.

    It is the grading worksheet of the assignment if `collect` has kept the numbers of
    the participants, and otherwise a table of user names for the gradebook.
    """
    numbers = [collected("moodle", row.student) for row in book.rows]
    rows = [["Username", exam.title, "Feedback"]]
    if all(numbers):
        rows = [["Identifier", "Grade", "Last modified (grade)", "Feedback comments"]]
    for number, row in zip(numbers, book.rows, strict=True):
        words = f"{row.total} of {book.of}"
        if row.result["status"] != "graded":
            words += f": {row.result['status']}"
        if row.policy:
            words += f"; {row.policy}"
        if all(numbers):
            rows.append([f"Participant {number}", row.total, "", words])
        else:
            rows.append([row.student, row.total, words])
    return table(rows)
