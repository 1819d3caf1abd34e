"""One small page for each student: points, and in words what failed.

What a page says may depend on what a submission has found out, so it says little: why
the first question failed, of the others their points or one word in four, and one cell.
`bits` counts.
"""

import html
import math

from coursework.judge import answers, attempt, errors, paper
from coursework.judge.exam import DISAGREEMENTS
from coursework.judge.report import plain

NAMED_CELLS = 100
BRIEF = RIGHT, WRONG, SILENT, LATE = (
    "right",
    "a wrong answer",
    "no answer",
    "no answer in time",
)
BODY = """<p>{student}: <strong>{points} of {of} points</strong></p>
{refusal}{policy}<table>
<tr><th>Question</th><th>Points</th><th>What we saw</th></tr>
{rows}
</table>
{cells}{skipped}<p>Each question was asked with inputs of its own. What was asked stays
secret; the label says which kind of input it was. An error is named by its kind
alone.</p>"""


def safe(text):
    """Return a text that is neither markup nor control characters."""
    return html.escape(plain(text))


def page(exam, row, of):
    """Return the page of one student: a row of the book, with the points there are."""
    result, graded = row.result, row.result["status"] == "graded"
    title, student = safe(exam.title), safe(row.name or row.student)
    body = BODY.format(
        student=student,
        points=row.total,
        of=of,
        refusal="" if graded else f"<p>Not graded: {safe(result['status'])}.</p>\n",
        policy=f"<p>{safe(row.policy)}.</p>\n" if row.policy else "",
        rows="\n".join(_rows(exam, row)),
        cells=_cells(result["cells"]),
        skipped=_skipped(result["not graded"]),
    )
    return paper.page(title, body, title=f"{title}: {student}")


def _rows(exam, row):
    result = row.result
    told = False
    for question in exam.questions:
        mark = result["questions"][question.name]
        name = f"{safe(question.name)}: {safe(question.title)}"
        points = f"{mark['points']} of {question.points}"
        words = brief(mark, question) if told else mark["reason"] or RIGHT
        told = told or bool(mark["reason"])
        if mark["with"]:
            words += f", with a right {' and '.join(mark['with'])} in place of yours"
        words = safe(words)
        yield f"<tr><td>{name}</td><td>{points}</td><td>{words}</td></tr>"
    for name, title, points in exam.written:
        by_hand, comment = row.written.get(name, ("–", "marked by a person"))
        shown, asked = f"{by_hand} of {points}", f"{safe(name)}: {safe(title)}"
        yield f"<tr><td>{asked}</td><td>{shown}</td><td>{safe(comment)}</td></tr>"


def brief(mark, question):
    """Return how much is right, or one of the words of `BRIEF` for why nothing is."""
    reason = mark["reason"]
    if not reason:
        return RIGHT
    if mark["right"]:
        return f"right in {mark['right']} of {len(question.calls)} cases"
    if reason.endswith(DISAGREEMENTS):
        return WRONG
    return LATE if reason in (attempt.TOO_LONG, attempt.NOT_ASKED) else SILENT


def _cells(reports):
    if not reports:
        return ""
    ((number, opening, words),) = reports
    which = f"Cell {number}, <code>{safe(opening)}</code>,"
    if number > NAMED_CELLS:
        which = f"A cell after the first {NAMED_CELLS}"
    return f"<p>{which} is the first that failed: {safe(words)}.</p>\n"


def _skipped(numbers):
    """Say which cells are tagged; the tags were read before any code was run."""
    if not numbers:
        return ""
    which = ", ".join(map(str, numbers[:NAMED_CELLS]))
    more = " and others" if len(numbers) > NAMED_CELLS else ""
    return (
        f"<p>Tagged <code>not-graded</code>: cells {which}{more}. They were not run; "
        "what they define or import was kept.</p>\n"
    )


def bits(exam):
    """Return how many bits a page can carry at most, beside a reason to refuse."""
    broken = len(attempt.BROKEN)
    cells = 1 + (NAMED_CELLS + 1) * (len(errors.WORDS) + broken)
    asked = 3 + len(errors.WORDS) + len(answers.BAD_ANSWERS) + broken
    labels = max(len({call.label for call in q.calls}) for q in exam.questions)
    full = asked + labels * len(DISAGREEMENTS)
    # Some cases right, or none and one of three words, or all; with or without help.
    words = sum(math.log2(2 * (len(q.calls) - 1 + len(BRIEF))) for q in exam.questions)
    return words + math.log2(cells * full)
