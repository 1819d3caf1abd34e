"""One small page for each student: points, and in words what failed."""

import html

from coursework.judge.report import plain, total

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}: {student}</title>
<style>
body {{ font: 16px/1.5 sans-serif; max-width: 46rem; margin: auto; padding: 1rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; vertical-align: top; padding: .4rem }}
tr {{ border-top: 1px solid }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{student}: <strong>{points} of {of} points</strong></p>
{refusal}<table>
<tr><th>Question</th><th>Points</th><th>What we saw</th></tr>
{rows}
</table>
{cells}<p>Each question was asked with inputs of its own. What was asked stays secret;
the label says which kind of input it was.</p>
</body>
</html>
"""


def safe(text):
    """Return a text that is neither markup nor control characters."""
    return html.escape(plain(text))


def page(exam, student, result):
    """Return the page of one student."""
    graded = result["status"] == "graded"
    return PAGE.format(
        title=safe(exam.title),
        student=safe(student),
        points=total(result),
        of=exam.points,
        refusal="" if graded else f"<p>Not graded: {safe(result['status'])}.</p>\n",
        rows="\n".join(_rows(exam, result)),
        cells=_cells(result["cells"]),
    )


def _rows(exam, result):
    for question in exam.questions:
        mark = result["questions"][question.name]
        name = f"{safe(question.name)}: {safe(question.title)}"
        points = f"{mark['points']} of {question.points}"
        words = safe(mark["reason"] or "right")
        yield f"<tr><td>{name}</td><td>{points}</td><td>{words}</td></tr>"
    for name, title, points in exam.written:
        name = f"{safe(name)}: {safe(title)}"
        words = "marked by a person"
        yield f"<tr><td>{name}</td><td>– of {points}</td><td>{words}</td></tr>"


def _cells(reports):
    if not reports:
        return ""
    items = "".join(
        f"<li>Cell {number}, <code>{safe(opening)}</code>: {safe(words)}</li>\n"
        for number, opening, words in reports
    )
    return f"<p>These cells stopped; the others were run.</p>\n<ul>\n{items}</ul>\n"
