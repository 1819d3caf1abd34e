"""Time the judge: `python -m benchmarks.judge hw1 -j 2` grades a thousand submissions.

Half are the solved notebook, a quarter have one function that is wrong, a quarter are
stubs; a few loop beside them and are timed apart. Prints a table and writes
`_build/bench/judge.json`.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from benchmarks.machine import describe_machine
from coursework import release
from coursework.judge import exam, log, report, run, sandbox, submissions

OUT = Path(__file__).resolve().parents[1] / "_build" / "bench" / "judge.json"
SEED = bytes(range(32))
KINDS = ("solved", "one wrong", "solved", "stub")
LOOPS = 4


def variant(solved, stub, kind, drawn, number):
    """Return one submission of a kind as bytes; none is the same as another."""
    notebook = json.loads(json.dumps(stub if kind == "stub" else solved))
    tail = f"# submission {number}\n"
    question = drawn.questions[number % len(drawn.questions)]
    if kind == "one wrong":
        tail += f"right = {question.function}\n"
        tail += (
            f"def {question.function}(*values):\n    return 2 * right(*values) + 1\n"
        )
    if kind == "looping":
        tail += f"def {question.function}(*values):\n    while True: pass\n"
    cell = {"cell_type": "code", "metadata": {}, "source": tail}
    notebook["cells"].append(cell)
    return json.dumps(notebook).encode()


def hand_in(folder, name, drawn, kinds):
    """Write submissions of these kinds, in turn, into a folder."""
    folder.mkdir()
    solved, stub = release.notebooks(name)
    for number, kind in enumerate(kinds):
        data = variant(solved, stub, kind, drawn, number)
        student = f"{number:04}-{kind.replace(' ', '-')}"
        (folder / f"{student}.ipynb").write_bytes(data)
    return submissions.collect(folder)


def timed(drawn, found, jobs, book):
    """Grade submissions; return (results, wall seconds, sorted seconds of each)."""
    begin = time.perf_counter()
    results = run.run(drawn, found, book, jobs=jobs)
    wall = time.perf_counter() - begin
    each = sorted(record["seconds"] for record in log.read(book).values())
    return results, wall, each


def marks_are_right(drawn, results):
    """Tell whether every kind has the marks that it should have."""
    for student, result in results.items():
        number, _, kind = student.partition("-")
        lost = drawn.points - report.total(result)
        least = drawn.questions[int(number) % len(drawn.questions)].points
        # A function that is wrong may be called by others, which then are wrong too.
        low, high = {"solved": (0, 0), "stub": (drawn.points,) * 2}.get(
            kind, (least, drawn.points)
        )
        if not low <= lost <= high:
            return False
    return True


def measure(name, count, jobs):
    """Return what was measured, as plain data."""
    drawn = exam.draw(exam.load(name), SEED)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        kinds = [KINDS[n % len(KINDS)] for n in range(count)]
        found = hand_in(folder / "many", name, drawn, kinds)
        loops = hand_in(folder / "loops", name, drawn, ["looping"] * LOOPS)
        level = sandbox.level()
        results, wall, each = timed(drawn, found, jobs, folder / "many.jsonl")
        looped, _, longest = timed(drawn, loops, jobs, folder / "loops.jsonl")
    return {
        "assignment": name,
        "isolation": level,
        "submissions": count,
        "jobs": jobs,
        "wall": round(wall, 2),
        "per_submission_and_core": round(wall * jobs / count, 4),
        "median": each[len(each) // 2],
        "slowest": each[-1],
        "slowest_looping": longest[-1],
        "marks_right": marks_are_right(drawn, results | looped),
        "machine": describe_machine(),
    }


def main():
    """Measure, print a table, and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("assignment", nargs="?", default="hw1")
    parser.add_argument("-n", "--count", type=int, default=1000)
    parser.add_argument("-j", "--jobs", type=int, default=2)
    options = parser.parse_args()
    result = measure(options.assignment, options.count, options.jobs)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    for name, value in result.items():
        print(f"{name:>24}  {value}")


if __name__ == "__main__":
    main()
