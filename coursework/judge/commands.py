"""What each command of the judge does; each returns the exit status."""

import random
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

from coursework.judge import (
    cluster,
    feedback,
    grade,
    log,
    report,
    sandbox,
    seed,
    submissions,
)
from coursework.judge import collect as collecting
from coursework.judge import run as grading
from coursework.judge.progress import Progress


def new_seed(path):
    """Make the secret of a term."""
    try:
        seed.make(path)
    except FileExistsError:
        print(f"{path} is there already; a new term needs a new file.", file=sys.stderr)
        return 2
    print(f"{path} holds the secret. Keep it, and keep it to yourself.")
    return 0


def collect(archive, folder):
    """Take the notebooks out of an archive of Canvas or Moodle."""
    try:
        left_out = collecting.collect(archive, folder)
    except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        print(f"{archive}: {error}", file=sys.stderr)
        return 2
    for name, why in left_out.items():
        print(f"left out: {report.plain(name)} ({why})")
    print(f"{len(submissions.collect(folder))} students in {folder}")
    return 0


def run(options, drawn, found, fresh=()):
    """Grade what is not graded yet, and write the tables and the feedback."""
    results = _grade(options, drawn, found, options.log, fresh)
    _write(options, drawn, list(results.items()))
    graded = [r for r in results.values() if r["status"] == grade.GRADED]
    refused = len(results) - len(graded)
    levels = ", ".join(sorted({r["level"] for r in graded})) or "none"
    print(f"{len(graded)} graded, {refused} refused; see {options.output}")
    print(f"Isolation: {levels}")
    return 0


def _write(options, drawn, rows):
    """Write the tables and the pages that were asked for."""
    tables = {
        options.output: report.grades,
        options.canvas: report.canvas,
        options.moodle: report.moodle,
    }
    for path, table in tables.items():
        if path:
            report.write(path, table(drawn, rows))
    if options.feedback:
        for student, result in rows:
            page = feedback.page(drawn, student, result)
            report.write(options.feedback / f"{student}.html", page)


def regrade(options, drawn, found):
    """Grade again, all or some students, and write everything anew."""
    every = [s.student for s in found]
    unknown = set(options.student or ()) - set(every)
    if unknown:
        print(f"no submission of {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    return run(options, drawn, found, fresh=set(options.student or every))


def _grade(options, drawn, found, log_path, fresh=()):
    """Grade on this machine or on a cluster, with a progress bar."""
    options_of_run = {"fresh": fresh, "on_progress": Progress(len(found)).show}
    if options.dask:
        with cluster.connect(options.dask) as client:
            return grading.run(drawn, found, log_path, client=client, **options_of_run)
    sandbox.level()  # no isolation: say so before anything is begun
    return grading.run(drawn, found, log_path, jobs=options.jobs, **options_of_run)


def _known(options, drawn, found):
    """Return {student: result} of what the log holds, and how many are refused."""
    records, known, refused = log.read(options.log), {}, 0
    for submission in found:
        _, result = grading.lookup(drawn, submission, records)
        if result is not None and result["status"] == grade.GRADED:
            known[submission.student] = result
        elif result is not None:
            refused += 1
    return known, refused


def status(options, drawn, found):
    """Say how far a run is."""
    known, refused = _known(options, drawn, found)
    left = len(found) - len(known) - refused
    print(f"{drawn.title}: {len(found)} submissions")
    print(f"{len(known)} graded, {refused} refused, {left} to do")
    if known:
        mean = sum(map(report.total, known.values())) / len(known)
        print(f"mean {mean:.2f} of {drawn.points} points")
    return 0


def verify(options, drawn, found):
    """Grade again and compare with the log; write nothing."""
    known, _ = _known(options, drawn, found)
    names = sorted(known)
    if options.sample is not None and options.sample < len(names):
        names = sorted(random.sample(names, options.sample))
    sample = [s for s in found if s.student in names]
    with tempfile.TemporaryDirectory() as folder:
        again = _grade(options, drawn, sample, Path(folder) / "log.jsonl")
    differ = [name for name in names if again[name] != known[name]]
    for name in differ:
        then, now = report.total(known[name]), report.total(again[name])
        print(f"{name}: {then} then, {now} now")
    print(f"{len(names) - len(differ)} of {len(names)} the same")
    return 1 if differ else 0
