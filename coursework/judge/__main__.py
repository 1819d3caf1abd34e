"""`python -m coursework.judge`: new-seed, collect, run, status, regrade, verify."""

import argparse
import contextlib
import os
import sys
from pathlib import Path

from coursework.judge import cluster, commands, exam, sandbox, seed, stop, submissions

FAILURES = (
    seed.SeedError,
    sandbox.IsolationError,
    cluster.ClusterError,
    OSError,
    ImportError,
)
COMMANDS = {
    "run": commands.run,
    "status": commands.status,
    "regrade": commands.regrade,
    "verify": commands.verify,
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
    chosen = top.add_subparsers(dest="command", required=True)
    for name, function in COMMANDS.items():
        purpose = function.__doc__
        command = chosen.add_parser(name, help=purpose, description=purpose)
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
    taken = chosen.add_parser("collect", help=commands.collect.__doc__)
    taken.add_argument("archive", type=Path, help="what Canvas or Moodle gave you")
    taken.add_argument("folder", type=Path, help="a new folder for the submissions")
    new = chosen.add_parser("new-seed", help="make the secret of a term")
    new.add_argument("file", type=Path)
    return top


def main(arguments=None):
    """Do what the command line says and return the exit status."""
    options = parser().parse_args(arguments)
    with stop.listening():
        try:
            return _do(options)
        except FAILURES as error:
            print(error, file=sys.stderr)
            return 2
        except KeyboardInterrupt as interrupt:
            with contextlib.suppress(OSError):  # the terminal may be gone
                print(_words(options), file=sys.stderr, flush=True)
            return stop.status(interrupt)


def _do(options):
    if options.command == "new-seed":
        return commands.new_seed(options.file)
    if options.command == "collect":
        return commands.collect(options.archive, options.folder)
    options.log = options.log or options.output.with_suffix(".log.jsonl")
    drawn = exam.draw(exam.load(options.assignment), seed.read(options.seed_file))
    found = submissions.collect(options.folder)
    return COMMANDS[options.command](options, drawn, found)


def _words(options):
    """Return what to say to whom interrupts a command."""
    if options.command not in COMMANDS:
        return "\nInterrupted."
    return (
        f"\nInterrupted. {options.log} holds what is graded; the same command goes on "
        "from there."
    )


def _open_streams():
    """Give the standard streams that were closed a place, and let them say any name.

    Otherwise the next file that is opened, the log perhaps, would be standard output.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r+", encoding="utf-8"))
    sys.stdout.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    _open_streams()
    sys.exit(main())
