"""`python -m coursework.judge`: run, status, regrade, verify, new-seed."""

import argparse
import random
import sys
import tempfile
from pathlib import Path

from coursework.judge import (
    cluster,
    exam,
    feedback,
    grade,
    log,
    report,
    run,
    sandbox,
    seed,
    submissions,
)
from coursework.judge.progress import Progress

FAILURES = (
    seed.SeedError,
    sandbox.IsolationError,
    cluster.ClusterError,
    OSError,
    ImportError,
)
COMMANDS = {
    "run": "grade what is not graded yet, and write the tables and the feedback",
    "status": "say how far a run is",
    "regrade": "grade again, all or some students, and write everything anew",
    "verify": "grade again and compare with the log; writes nothing",
}


def _positive(text):
    if int(text) < 1:
        raise ValueError
    return int(text)


def parser():
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(
        prog="python -m coursework.judge", description=__doc__
    )
    commands = top.add_subparsers(dest="command", required=True)
    for name, purpose in COMMANDS.items():
        command = commands.add_parser(name, help=purpose, description=purpose)
        add = command.add_argument
        add("assignment", help="hw1, or the module that holds an ASSIGNMENT")
        add("folder", type=Path, help="the submissions, one notebook for each student")
        add("--seed-file", type=Path, required=True, help="the secret of the term")
        add("-o", "--output", type=Path, default=Path("grades.csv"))
        add("--log", type=Path, help="the log (grades.log.jsonl beside grades.csv)")
        if name == "status":
            continue
        add("-j", "--jobs", type=_positive, default=1, help="how many at once")
        add("--dask", metavar="ADDRESS", help="grade on this Dask cluster")
        if name == "verify":
            add("--sample", type=int, help="how many to verify (all)")
            continue
        add("--feedback", type=Path, help="a folder for one page for each student")
        add("--canvas", type=Path, help="a table for the Canvas gradebook")
        add("--moodle", type=Path, help="a table for the Moodle gradebook")
        if name == "regrade":
            add("--student", action="append", help="one of them; may be repeated")
    new = commands.add_parser("new-seed", help="make the secret of a term")
    new.add_argument("file", type=Path)
    return top


def main(arguments=None):
    """Do what the command line says and return the exit status."""
    options = parser().parse_args(arguments)
    if options.command == "new-seed":
        return _new_seed(options.file)
    try:
        drawn = exam.draw(exam.load(options.assignment), seed.read(options.seed_file))
        found = submissions.collect(options.folder)
        options.log = options.log or options.output.with_suffix(".log.jsonl")
        return globals()[f"_{options.command}"](options, drawn, found)
    except FAILURES as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            f"\nInterrupted. {options.log} holds what is graded; the same command "
            "goes on from there.",
            file=sys.stderr,
        )
        return 130


def _new_seed(path):
    try:
        seed.make(path)
    except FileExistsError:
        print(f"{path} is there already; a new term needs a new file.", file=sys.stderr)
        return 2
    print(f"{path} holds the secret. Keep it, and keep it to yourself.")
    return 0


def _run(options, drawn, found, fresh=()):
    results = _grade(options, drawn, found, options.log, fresh)
    rows = list(results.items())
    report.write(options.output, report.grades(drawn, rows))
    for path, make in (
        (options.canvas, report.canvas),
        (options.moodle, report.moodle),
    ):
        if path:
            report.write(path, make(drawn, rows))
    if options.feedback:
        for student, result in rows:
            page = feedback.page(drawn, student, result)
            report.write(options.feedback / f"{student}.html", page)
    graded = [r for r in results.values() if r["status"] == grade.GRADED]
    levels = ", ".join(sorted({r["level"] for r in graded})) or "none"
    print(
        f"{len(graded)} graded, {len(rows) - len(graded)} refused; see {options.output}"
    )
    print(f"Isolation: {levels}")
    return 0


def _regrade(options, drawn, found):
    every = [s.student for s in found]
    unknown = set(options.student or ()) - set(every)
    if unknown:
        print(f"no submission of {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    return _run(options, drawn, found, fresh=set(options.student or every))


def _grade(options, drawn, found, log_path, fresh=()):
    """Grade on this machine or on a cluster, with a progress bar."""
    progress = Progress(len(found))
    arguments = (drawn, found, log_path)
    if options.dask:
        with cluster.connect(options.dask) as client:
            return run.run(
                *arguments, client=client, fresh=fresh, on_progress=progress.show
            )
    sandbox.level()  # no isolation: say so before anything is begun
    return run.run(
        *arguments, jobs=options.jobs, fresh=fresh, on_progress=progress.show
    )


def _known(options, drawn, found):
    """Return {student: result} of what the log holds, and how many are refused."""
    records, known, refused = log.read(options.log), {}, 0
    for submission in found:
        _, result = run.lookup(drawn, submission, records)
        if result is not None and result["status"] == grade.GRADED:
            known[submission.student] = result
        elif result is not None:
            refused += 1
    return known, refused


def _status(options, drawn, found):
    known, refused = _known(options, drawn, found)
    left = len(found) - len(known) - refused
    print(f"{drawn.title}: {len(found)} submissions")
    print(f"{len(known)} graded, {refused} refused, {left} to do")
    if known:
        mean = sum(map(report.total, known.values())) / len(known)
        print(f"mean {mean:.2f} of {drawn.points} points")
    return 0


def _verify(options, drawn, found):
    known, _ = _known(options, drawn, found)
    names = sorted(known)
    if options.sample is not None and options.sample < len(names):
        names = sorted(random.sample(names, options.sample))
    sample = [s for s in found if s.student in names]
    with tempfile.TemporaryDirectory() as folder:
        again = _grade(options, drawn, sample, Path(folder) / "log.jsonl")
    differ = [name for name in names if again[name] != known[name]]
    for name in differ:
        print(
            f"{name}: {report.total(known[name])} then, {report.total(again[name])} now"
        )
    print(f"{len(names) - len(differ)} of {len(names)} the same")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
