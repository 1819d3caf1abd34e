"""What each command of the judge does; each returns the exit status."""

import random
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

from coursework.judge import (
    book,
    cluster,
    feedback,
    grade,
    log,
    report,
    returning,
    sandbox,
    statistics,
    submissions,
    term,
    totals,
    written,
)
from coursework.judge import collect as collecting
from coursework.judge import run as grading
from coursework.judge import similar as similarity
from coursework.judge.progress import Progress

TABLES = {
    "grades.csv": report.grades,
    "canvas.csv": report.canvas,
    "moodle.csv": report.moodle,
}


def new_term(folder):
    """Make the folder of a term, with its secret, its policy and its roster."""
    try:
        term.new(folder)
    except FileExistsError:
        print(
            f"{folder} is a term already; a new one needs a new folder.",
            file=sys.stderr,
        )
        return 2
    print(f"{folder} holds the secret of the term: keep it, and keep it to yourself.")
    print(f"Fill in {folder / 'roster.csv'} and {folder / 'policy.toml'} if you like.")
    return 0


def collect(place, archive):
    """Take the notebooks out of an archive of Canvas or Moodle."""
    try:
        entries = collecting.collect(archive, place)
    except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        print(f"{archive}: {error}", file=sys.stderr)
        return 2
    for entry in entries:
        if entry.why:
            where = f"; kept as {entry.kept}" if entry.kept else ""
            print(f"not counted: {report.plain(entry.file)} ({entry.why}{where})")
    folder = place / "submissions"
    print(f"{len(submissions.collect(folder))} students in {folder}")
    return 0


def run(place, options, drawn, found, fresh=()):
    """Grade what is not graded yet, and write the tables and the feedback."""
    before = _known(place, drawn, found)[0] if fresh else {}
    results = _grade(options, drawn, found, place / "grades.log.jsonl", fresh)
    _write(place, drawn, results)
    graded = [r for r in results.values() if r["status"] == grade.GRADED]
    levels = ", ".join(sorted({r["level"] for r in graded})) or "none"
    words = f"{len(graded)} graded, {len(results) - len(graded)} refused"
    print(f"{words}; see {place / 'grades.csv'}")
    print(f"Isolation: {levels}")
    for student in fresh:
        if student in before:
            then, now = report.total(before[student]), report.total(results[student])
            print(
                f"{student}: {then} then, {now} now"
                if then != now
                else f"{student}: {now}, as before"
            )
    for name, looks in _strangers(found, drawn):
        print(f"{name} has no function of {drawn.name}: it looks like {looks}.")
    return 0


def _strangers(found, drawn):
    """Yield (student, assignment) where a notebook looks like another assignment's."""
    from coursework.judge.exam import load
    from coursework.questions import names

    if drawn.name not in names():
        return
    heads = {
        name: [f"def {q.function}(".encode() for q in load(name).judged]
        for name in names()
    }
    for submission in found:
        try:
            data = submission.read()
        except grade.notebook.RefusedError:
            continue
        counts = {name: sum(h in data for h in lines) for name, lines in heads.items()}
        likely = max(counts, key=counts.get)
        if counts[likely] > 1 and not counts[drawn.name]:
            yield submission.student, likely


def _write(place, drawn, results):
    """Write the tables and the pages."""
    whole = book.of(place, drawn, results)
    for name, table in TABLES.items():
        report.write(place / name, table(drawn, whole))
    pages = {row.student: feedback.page(drawn, row, whole.of) for row in whole.rows}
    for student, page in pages.items():
        report.write(place / "feedback" / f"{student}.html", page)
    report.write(place / "statistics.html", statistics.page(drawn, whole))
    archives, _ = returning.archives(place, pages)
    for name, data in archives.items():
        report.write(place / name, data)


def mark(place, options, drawn, found):
    """Put the written answers side by side, and make lines for their marks."""
    if not drawn.written:
        print(f"{drawn.title} has no written question.")
        return 0
    sandbox.level()
    texts = written.answers(drawn, found)
    table = place / "written.csv"
    new = written.add_lines(table, drawn, [s.student for s in found])
    for name, *_ in drawn.written:
        page = written.page(drawn, name, texts[name], table)
        report.write(place / "written" / f"{name}.html", page)
        print(f"{len(texts[name])} answers in {place / 'written' / f'{name}.html'}")
    print(f"{new} new lines in {table}; write the marks there, then say run again.")
    return 0


def similar(place, options, drawn, found):
    """List the pairs of submissions whose code is most alike, on a page."""
    texts = similarity.codes(drawn, found)
    try:
        pairs = similarity.compare(texts, _stub(drawn.name))
    except similarity.ComparingError as error:
        print(f"The codes could not be compared: {error}.", file=sys.stderr)
        return 2
    report.write(place / "similar.html", similarity.page(drawn, pairs, texts))
    print(f"{len(pairs)} pairs compared; see {place / 'similar.html'}")
    return 0


def _stub(name):
    """Return the code that the students of an assignment begin with, if it has some."""
    from coursework import questions, release

    if name not in questions.names():
        return ""
    _, stub = release.notebooks(name)
    code = (c["source"] for c in stub["cells"] if c["cell_type"] == "code")
    return "\n".join(map("".join, code))


def regrade(place, options, drawn, found):
    """Grade again, all or some students, write everything anew, say what changed."""
    every = [s.student for s in found]
    unknown = set(options.student or ()) - set(every)
    if unknown:
        print(f"no submission of {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    return run(place, options, drawn, found, fresh=options.student or every)


def _grade(options, drawn, found, log_path, fresh=()):
    """Grade on this machine or on a cluster, with a progress bar."""
    options_of_run = {"fresh": fresh, "on_progress": Progress(len(found)).show}
    if options.dask:
        with cluster.connect(options.dask) as client:
            return grading.run(drawn, found, log_path, client=client, **options_of_run)
    sandbox.level()  # no isolation: say so before anything is begun
    return grading.run(drawn, found, log_path, jobs=options.jobs, **options_of_run)


def _known(place, drawn, found):
    """Return {student: result} of what the log holds, and how many are refused."""
    records, known, refused = log.read(place / "grades.log.jsonl"), {}, 0
    for submission in found:
        _, result = grading.lookup(drawn, submission, records)
        if result is not None and result["status"] == grade.GRADED:
            known[submission.student] = result
        elif result is not None:
            refused += 1
    return known, refused


def status(place, options, drawn, found):
    """Say how far a run is."""
    known, refused = _known(place, drawn, found)
    left = len(found) - len(known) - refused
    print(f"{drawn.title}: {len(found)} submissions")
    print(f"{len(known)} graded, {refused} refused, {left} to do")
    if known:
        mean = sum(map(report.total, known.values())) / len(known)
        print(f"mean {mean:.2f} of {drawn.points} points")
    return 0


def verify(place, options, drawn, found):
    """Grade again and compare with the log; write nothing."""
    known, _ = _known(place, drawn, found)
    names = sorted(known)
    if options.sample is not None and options.sample < len(names):
        names = sorted(random.sample(names, options.sample))
    if not names:
        print(
            "Nothing is graded yet, so that nothing can be verified.", file=sys.stderr
        )
        return 2
    sample = [s for s in found if s.student in names]
    with tempfile.TemporaryDirectory() as folder:
        again = _grade(options, drawn, sample, Path(folder) / "log.jsonl")
    differ = [name for name in names if again[name] != known[name]]
    for name in differ:
        then, now = report.total(known[name]), report.total(again[name])
        print(f"{name}: {then} then, {now} now")
    print(f"{len(names) - len(differ)} of {len(names)} the same")
    return 1 if differ else 0


def sum_up(folder):
    """Add up the assignments of a term into totals.csv, by its policy."""
    path, count = totals.write(folder)
    print(f"{count} students in {path}")
    return 0
