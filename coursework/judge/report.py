"""The tables that a run leaves: our own, and those that Canvas and Moodle import."""

import csv
import io
import os
import re
import unicodedata
from pathlib import Path


def write(path, text):
    """Write a file as a whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    draft.write_text(text, encoding="utf-8", newline="")
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


def total(result):
    """Return the points of a result, a whole number where they are one."""
    points = round(sum(q["points"] for q in result["questions"].values()), 2)
    return int(points) if points == int(points) else points


def table(rows):
    """Return rows as CSV."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([map(cell, row) for row in rows])
    return stream.getvalue()


def grades(exam, results):
    """Return the table of all points; written questions have an empty column each."""
    written = [f"{name} (written, of {points})" for name, _, points in exam.written]
    header = ["student", *(q.name for q in exam.questions), "total", "of", *written]
    rows = [[*header, "status", "isolation"]]
    for student, result in results:
        points = [result["questions"][q.name]["points"] for q in exam.questions]
        row = [student, *points, total(result), exam.points, *[""] * len(written)]
        rows.append([*row, result["status"], result["level"]])
    return table(rows)


def collected(platform, student):
    """Return the number that a platform gave a student, if `collect` kept it."""
    match = re.fullmatch(rf"{platform}-([0-9]+)", student)
    return match[1] if match else None


def canvas(exam, results):
    """Return the table that a Canvas gradebook imports.

    A student is known by the number of Canvas, and otherwise by the SIS login id.
    """
    rows = [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", exam.title],
        ["    Points Possible", "", "", "", "", exam.points],
    ]
    for student, result in results:
        number = collected("canvas", student)
        login = "" if number else student
        rows.append([student, number or "", "", login, "", total(result)])
    return table(rows)


def moodle(exam, results):
    """Return the table that Moodle imports.

    It is the grading worksheet of the assignment if `collect` has kept the numbers of
    the participants, and otherwise a table of user names for the gradebook.
    """
    numbers = [collected("moodle", student) for student, _ in results]
    rows = [["Username", exam.title, "Feedback"]]
    if all(numbers):
        rows = [["Identifier", "Grade", "Last modified (grade)", "Feedback comments"]]
    for number, (student, result) in zip(numbers, results, strict=True):
        words = f"{total(result)} of {exam.points}"
        if result["status"] != "graded":
            words += f": {result['status']}"
        if all(numbers):
            rows.append([f"Participant {number}", total(result), "", words])
        else:
            rows.append([student, total(result), words])
    return table(rows)
