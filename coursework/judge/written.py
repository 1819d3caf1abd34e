"""The marks that people give: one table, which nothing but a person changes.

`written.csv` has a line for each student and question. New lines are added where they
are missing, and no line is ever changed. The answers themselves are put side by side on
one page a question; the notebooks are read in the sandbox, and nothing of them is run.
"""

import csv
import html
import io
import math

from coursework.judge import notebook, paper, sandbox, term, view
from coursework.judge.report import cell, plain, write

COLUMNS = ("student", "question", "points", "comment")


def marks(path, exam):
    """Return {student: {question: (points, comment)}} of what people have marked."""
    limits = {name: points for name, _, points in exam.written}
    found = {}
    for number, row in term.rows(path, COLUMNS):
        where = f"{path}, line {number}"
        student, question = row["student"].lstrip("'"), row["question"]
        if question not in limits:
            there = ", ".join(limits)
            raise term.TermError(f"{where}: no written question {question}; {there}")
        text = (row["points"] or "").strip().replace(",", ".")
        if not text:
            continue
        try:
            points = float(text)
        except ValueError:
            points = math.nan
        if not 0 <= points <= limits[question]:
            raise term.TermError(
                f"{where}: {text} points for {student}; from 0 to {limits[question]}"
            )
        if question in found.setdefault(student, {}):
            raise term.TermError(f"{where}: {question} of {student} is marked twice")
        points = int(points) if points == int(points) else points
        found[student][question] = points, plain(row["comment"] or "")
    return found


def add_lines(path, exam, students):
    """Add a line for each student and question that has none; change no other."""
    there = {
        (row["student"].lstrip("'"), row["question"])
        for _, row in term.rows(path, COLUMNS)
    }
    new = [
        (cell(student), name, "", "")
        for name, *_ in exam.written
        for student in students
        if (student, name) not in there
    ]
    before = path.read_text(encoding="utf-8-sig") if path.exists() else ""
    if before and not before.endswith("\n"):
        before += "\n"
    stream = io.StringIO()
    lines = csv.writer(stream, lineterminator="\n")
    lines.writerows([*([] if before else [COLUMNS]), *new])
    if new or not before:
        write(path, before + stream.getvalue())
    return len(new)


def answers(exam, found):
    """Return {question: {student: text}} of the written answers."""
    folder, level = view.build(exam.files), sandbox.level()
    texts = {name: {} for name, *_ in exam.written}
    for submission in found:
        try:
            data = submission.read()
        except notebook.RefusedError as reason:
            said = dict.fromkeys(texts, f"({reason})")
        else:
            said = _answers_of_one(exam, folder, level, data)
        for name, text in said.items():
            texts[name][submission.student] = text
    return texts


def _answers_of_one(exam, folder, level, data):
    """Return {question: text} of one notebook."""
    names = [name for name, *_ in exam.written]
    with sandbox.slot() as uid, sandbox.start(level, folder, uid) as process:
        try:
            return notebook.written_answers(process, data, names)
        except notebook.RefusedError as reason:
            return dict.fromkeys(names, f"({reason})")


def page(exam, name, texts, table):
    """Return the page of one written question: every answer, as plain text."""
    ((title, points),) = [(t, p) for n, t, p in exam.written if n == name]
    articles = [
        f"<article><h2>{html.escape(plain(student))}</h2>"
        f"<pre>{html.escape(lines(text))}</pre></article>"
        for student, text in texts.items()
    ]
    asked = html.escape(f"Write the marks, 0 to {points}, into {table}.")
    body = "\n".join([f"<p>{len(texts)} answers. {asked}</p>", *articles])
    heading = html.escape(f"{exam.title}: {name}, {title}")
    return paper.page(heading, body, width=paper.WIDE)


def lines(text):
    """Return a text with its lines, without other characters that steer a page."""
    return "\n".join(plain(line, 2000) for line in text[:20_000].split("\n"))
