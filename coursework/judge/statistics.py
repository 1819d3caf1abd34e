"""What a class made of an assignment: one page, question by question.

Of those that were graded: which part of the points a question gave, whether it parts
those who did well in the rest from those who did not, and the commonest ways to fail.
"""

from collections import Counter

import numpy as np

from coursework.judge import paper
from coursework.judge.feedback import safe
from coursework.judge.grade import GRADED

EXAMPLES, COMMONEST, BINS = 3, 5, 10
WIDTH, HEIGHT = 300, 14
BODY = """<p>{count} graded; points of the judge alone, {mean} of {of} in the mean.</p>
{histogram}
<table>
<tr><th>Question</th><th>Part of its points</th><th>Parts the class</th>
<th>Commonest verdicts</th></tr>
{rows}
</table>
<p>"Parts the class" is the correlation of a question's points with those of all other
questions: near 0 or below, it asks for something else, or is broken.</p>"""


def points_of(exam, book):
    """Return (students, points of shape (students, questions)) of those graded."""
    graded = [row for row in book.rows if row.result["status"] == GRADED]
    table = [
        [row.result["questions"][q.name]["points"] for q in exam.questions]
        for row in graded
    ]
    shape = len(graded), len(exam.questions)
    return graded, np.array(table, dtype=float).reshape(shape)


def discrimination(points):
    """Return the correlation of each column with the sum of the others, NaN if none."""
    found = []
    for n in range(points.shape[1]):
        rest = np.delete(points, n, axis=1).sum(axis=1)
        spread = len(points) > 1 and points[:, n].std() > 0 and rest.std() > 0
        found.append(np.corrcoef(points[:, n], rest)[0, 1] if spread else np.nan)
    return np.array(found)


def page(exam, book):
    """Return the page of a class."""
    graded, points = points_of(exam, book)
    parts = discrimination(points)
    totals = points.sum(axis=1)
    rows = [
        _row(question, graded, points[:, n], parts[n])
        for n, question in enumerate(exam.questions)
    ]
    body = BODY.format(
        count=len(graded),
        mean=f"{totals.mean():.1f}" if len(graded) else "–",
        of=exam.points,
        histogram=_histogram(totals, exam.points),
        rows="\n".join(rows),
    )
    return paper.page(f"{safe(exam.title)}: the class", body, width=paper.WIDE)


def _row(question, graded, points, part):
    reasons = Counter()
    who = {}
    for row in graded:
        reason = row.result["questions"][question.name]["reason"] or "right"
        reasons[reason] += 1
        who.setdefault(reason, []).append(row.student)
    said = "<br>".join(
        f"{count} × {safe(reason)}"
        + ("" if reason == "right" else f" ({safe(', '.join(who[reason][:EXAMPLES]))})")
        for reason, count in reasons.most_common(COMMONEST)
    )
    share = points.mean() / question.points if len(points) else 0.0
    shown = "–" if np.isnan(part) else f"{part:.2f}"
    name = f"{safe(question.name)}: {safe(question.title)}"
    return (
        f"<tr><td>{name}</td><td>{_bar(share)} {share:.0%}</td><td>{shown}</td>"
        f"<td>{said}</td></tr>"
    )


def _bar(share):
    """Return a bar that is filled to a share."""
    full = f'<rect class="all" width="100" height="{HEIGHT}"/>'
    part = f'<rect width="{100 * share:.1f}" height="{HEIGHT}"/>'
    return (
        f'<svg role="img" aria-label="{share:.0%}" width="100" height="{HEIGHT}">'
        f"{full}{part}</svg>"
    )


def _histogram(totals, of):
    """Return how many students have how many points, as a picture with words."""
    counts, edges = np.histogram(totals, bins=BINS, range=(0, of))
    step, top = WIDTH / BINS, max(counts.max(), 1)
    bars = "".join(
        f'<rect x="{n * step + 1:.0f}" y="{80 - 76 * count / top:.1f}" '
        f'width="{step - 2:.0f}" height="{76 * count / top:.1f}"/>'
        for n, count in enumerate(counts)
    )
    words = ", ".join(
        f"{count} from {a:g} to {b:g}"
        for count, a, b in zip(counts, edges, edges[1:], strict=False)
        if count
    )
    label = f"Points: {words}" if words else "Nobody is graded"
    return (
        f'<svg role="img" aria-label="{label}" width="{WIDTH}" height="80">{bars}</svg>'
        f"\n<p>0 … {of} points</p>"
    )
