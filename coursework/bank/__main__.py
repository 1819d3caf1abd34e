"""Writes a bank: `python -m coursework.bank 40 1` puts 40 questions into dist/bank."""

import sys
from pathlib import Path

from coursework.bank.draw import bank
from coursework.bank.moodle import moodle
from coursework.bank.qti import package, qti
from coursework.bank.valid import check
from coursework.release import DIST

MOST = 1000
USAGE = "Run make bank N=40 SEED=1: how many questions, and from which seed."


def main(arguments, dist=DIST):
    """Write the files of a bank; return the exit code."""
    try:
        count, seed = read(arguments)
    except ValueError as trouble:
        print(f"{trouble}. {USAGE}", file=sys.stderr)
        return 2
    questions = bank(count, seed)
    title = f"Jacobian and Hessian, bank {seed}"
    written = {"moodle": moodle(questions, title), "qti12": qti(questions, title)}
    for name, text in written.items():
        check(name, text)
    folder = Path(dist) / "bank"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"moodle-{seed}.xml").write_text(written["moodle"], encoding="utf-8")
    (folder / f"qti-{seed}.zip").write_bytes(package(questions, title))
    print(f"{count} questions of seed {seed}: {folder}/moodle-{seed}.xml for Moodle, "
          f"{folder}/qti-{seed}.zip for Canvas")  # fmt: skip
    return 0


def read(arguments):
    """Return (count, seed), or say which one is wrong."""
    if len(arguments) != 2:
        raise ValueError(f"N and SEED are wanted, and {len(arguments)} were given")
    found = {}
    for name, text, least, most in zip(
        ("N", "SEED"), arguments, (1, 0), (MOST, 2**63 - 1), strict=True
    ):
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise ValueError(
                f"{name} is a whole number from {least} to {most}, and {text!r} is not"
            )
        found[name] = int(text)
    return found["N"], found["SEED"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
