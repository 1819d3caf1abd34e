"""`python -m coursework.judge`: a term, from its archives to its totals."""

import argparse
import contextlib
import os
import sys
from pathlib import Path

from coursework.judge import (
    cluster,
    commands,
    exam,
    sandbox,
    seed,
    stop,
    submissions,
    term,
)

FAILURES = (
    seed.SeedError,
    sandbox.IsolationError,
    cluster.ClusterError,
    term.TermError,
    OSError,
    ImportError,
)
EVERYBODY = "the-same"
DRAWN = {EVERYBODY: exam.draw, "per-student": exam.variants}
OWN_NUMBERS = "whether each student is asked of numbers of her own; say it every time"
COMMANDS = {
    "run": commands.run,
    "status": commands.status,
    "mark": commands.mark,
    "similar": commands.similar,
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

    def command(name, purpose, *of):
        made = chosen.add_parser(name, help=purpose, description=purpose)
        if "assignment" in of:
            made.add_argument("assignment", help="hw1, or a module with an ASSIGNMENT")
        if "term" in of:
            made.add_argument("term", type=Path, help="the folder of the term")
        return made.add_argument

    command("new-term", commands.new_term.__doc__, "term")
    add = command("collect", commands.collect.__doc__, "assignment", "term")
    add("archive", type=Path, help="what Canvas or Moodle gave you")
    for name, function in COMMANDS.items():
        add = command(name, function.__doc__, "assignment", "term")
        if name not in ("mark", "similar"):
            add("--variants", choices=DRAWN, default=EVERYBODY, help=OWN_NUMBERS)
        if name in ("status", "mark", "similar"):
            continue
        add("-j", "--jobs", type=_positive, default=1, help="how many at once")
        add("--dask", metavar="ADDRESS", help="grade on this Dask cluster")
        if name == "verify":
            add("--sample", type=_positive, help="how many to verify (all)")
        if name == "regrade":
            add("--student", action="append", help="one of them; may be repeated")
    command("totals", commands.sum_up.__doc__, "term")
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
    if options.command == "new-term":
        return commands.new_term(options.term)
    if options.command == "totals":
        return commands.sum_up(options.term)
    place = term.Place(options.term, options.assignment)
    if options.command == "collect":
        exam.load(options.assignment)  # a folder for hw99 helps nobody
        return commands.collect(place, options.archive)
    draw = DRAWN[vars(options).get("variants", EVERYBODY)]
    drawn = draw(exam.load(options.assignment), seed.read(place.key))
    found = submissions.collect(place / "submissions")
    return COMMANDS[options.command](place, options, drawn, found)


def _words(options):
    """Return what to say to whom interrupts a command."""
    if options.command not in COMMANDS:
        return "\nInterrupted."
    place = term.Place(options.term, options.assignment)
    return (
        f"\nInterrupted. {place / 'grades.log.jsonl'} holds what is graded; the same "
        "command goes on from there."
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
