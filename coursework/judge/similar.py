"""Pairs of submissions whose code is alike: a list to look at, and no accusation.

`copydetect` compares what is left of a code when names, comments and the layout are
taken away. It runs none of it; but it reads the text of strangers, and so it works in a
process of its own, with limits.
"""

import html
import io
import json
import resource
import statistics
import subprocess
import sys
from itertools import combinations

from coursework.judge import notebook, paper, sandbox, view
from coursework.judge.feedback import safe
from coursework.judge.written import lines

LENGTH = 25  # of the shortest piece, in signs, that counts as alike
CODE_LIMIT = 200_000  # signs of one notebook that are compared
SECONDS, BYTES = 600, 4 << 30
SHOWN, LEAST = 20, 0.5
NOTE = """<p>Two that solve a short question well may write the same lines, and what the
notebook gave them is left out. Nobody has cheated because of a number: read the two,
and ask.</p>"""


class ComparingError(Exception):
    """The comparison came to no end."""


def codes(exam, found):
    """Return {student: code} of the notebooks, which a sandbox reads."""
    folder, level = view.build(exam.files), sandbox.level()
    return {s.student: _code(s, folder, level) for s in found}


def _code(submission, folder, level):
    try:
        data = submission.read()
        with sandbox.slot() as uid, sandbox.start(level, folder, uid) as process:
            cells = notebook.code_cells(process, data)
    except notebook.RefusedError:
        return ""
    return "\n".join(source for _, source, _ in cells)


def compare(texts, stub=""):
    """Return [(share, share of a, share of b, a, b), ...] of all pairs, by share.

    A share is the part of a code that the other one holds too; the first is the larger.
    """
    data = json.dumps([texts, stub])
    command = [sys.executable, "-m", "coursework.judge.similar"]
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, text=True, timeout=SECONDS,
            preexec_fn=_limited,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ComparingError(f"it took more than {SECONDS} seconds") from None
    if done.returncode:
        raise ComparingError((done.stderr.splitlines() or ["it was stopped"])[-1])
    return [tuple(pair) for pair in json.loads(done.stdout)]


def _limited():
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))


def _pairs(texts, stub):
    """Return what `compare` returns, here."""
    import copydetect

    def prints(text, known=None):
        stream = io.StringIO(text[:CODE_LIMIT])
        return copydetect.CodeFingerprint(
            "code.py", LENGTH, 1, boilerplate=known, fp=stream
        )

    known = list(prints(stub).hashes) if stub else None
    marks = {s: prints(text, known) for s, text in texts.items() if text.strip()}
    found = []
    for a, b in combinations(marks, 2):
        _, shares, _ = copydetect.compare_files(marks[a], marks[b])
        shares = [min(float(share), 1.0) for share in shares]
        found.append((max(shares), *shares, a, b))
    return sorted(found, key=lambda pair: (-pair[0], pair[3:]))


def page(exam, pairs, texts):
    """Return the page of the pairs that are most alike, their codes side by side."""
    shown = [pair for pair in pairs[:SHOWN] if pair[0] >= LEAST]
    heading = f"{safe(exam.title)}: alike"
    words = f"<p>{len(texts)} notebooks; no two of them to compare.</p>"
    if pairs:
        middle = statistics.median(pair[0] for pair in pairs)
        words = (
            f"<p>{len(texts)} notebooks, {len(pairs)} pairs. Half of the pairs share "
            f"no more than {middle:.0%} of a code. Shown are those that share most, "
            f"{len(shown)} of them, from {LEAST:.0%} on.</p>"
        )
    return paper.page(
        heading,
        "\n".join([words, NOTE, *(_pair(p, texts) for p in shown)]),
        width="100rem",
    )


def _pair(pair, texts):
    _, of_a, of_b, a, b = pair
    cells = "".join(
        f"<td><pre>{html.escape(lines(texts[student]))}</pre></td>"
        for student in (a, b)
    )
    return (
        f"<details><summary>{safe(a)} ({of_a:.0%}) and {safe(b)} ({of_b:.0%})"
        f"</summary><table><tr>{cells}</tr></table></details>"
    )


if __name__ == "__main__":
    json.dump(_pairs(*json.load(sys.stdin)), sys.stdout)
