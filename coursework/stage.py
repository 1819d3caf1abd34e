"""The program of a rehearsal: the judge's way to run a notebook, without the judge.

It runs in a process of its own, in a folder that holds the files of the assignment, and
prints a line for each step (`… cell 3`) and for each thing that would go wrong.
"""

import builtins
import io
import os
import sys
import time
import traceback

from coursework.judge.desk.cells import new_namespace, run, run_definitions
from coursework.judge.desk.reading import REFUSALS, RefusedError, code_cells
from coursework.judge.desk.stand_ins import NAMES, Nothing, install

SECONDS = 5.2  # what the judge gives


class Absent:
    """Find nothing but NumPy, the standard library and the stand-ins."""

    def find_spec(self, name, path=None, target=None):
        """Refuse a module that is not there for the marks."""
        first = name.partition(".")[0]
        if first not in {"numpy", *NAMES} | set(sys.stdlib_module_names):
            raise ModuleNotFoundError(f"no module {first} is there for the marks")


def cells_to_run(path, say):
    """Return the cells of a notebook, or say why it cannot be graded."""
    try:
        with open(path, "rb") as file:
            return code_cells(file.read())
    except RefusedError as reason:
        say(f"✗ {REFUSALS[str(reason)]}")
        return []


def what_happened(error, source):
    """Return an error in one line, with the line of the cell where it came up."""
    numbers = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.startswith("<cell")
    ]  # fmt: skip
    number = getattr(error, "lineno", None) or (numbers[0] if numbers else None)
    lines = source.splitlines()
    where = (
        f" in `{lines[number - 1].strip()}`" if number and number <= len(lines) else ""
    )
    try:
        text = str(error)[:200]
    except Exception:
        text = "its text cannot be told"
    return f"{type(error).__name__}{where}: {text}"


def to_read_alone(true_open):
    """Return an `open` that writes nothing: no file can be made where it is marked."""

    def reading(file, mode="r", *rest, **options):
        if set(mode) & set("wax+"):
            raise PermissionError("no file can be written where it is marked")
        return true_open(file, mode, *rest, **options)

    return reading


def rehearse(path, functions):
    """Run a notebook and check its functions; print what would go wrong."""
    said = os.fdopen(os.dup(1), "w", encoding="utf-8")
    sys.stdout = sys.stderr = io.StringIO()
    sys.path.insert(0, os.getcwd())
    import check

    # In the notebook a check says nothing, and a rehearsal begins no other.
    sys.modules["check"] = Nothing()
    install()
    sys.meta_path.insert(0, Absent())
    builtins.open = io.open = to_read_alone(builtins.open)
    namespace, begin = new_namespace(Nothing()), time.process_time()

    def say(line):
        print(line, file=said, flush=True)

    set_aside = []
    for number, source, graded in cells_to_run(path, say):
        say(f"… cell {number}")
        if not graded:
            set_aside.append(str(number))
            run_definitions(source, f"<cell {number}>", namespace)
            continue
        error = run(source, f"<cell {number}>", namespace)
        if error is not None:
            say(f"✗ cell {number}: {what_happened(error, source)}")
    if set_aside:
        say(f"· not graded: cells {', '.join(set_aside)}; what they define was kept.")
    for question, name in functions.items():
        say(f"… {question}")
        if name in namespace:
            say(getattr(check, question)(namespace[name]).text)
        else:
            say(f"✗ {question}: there is no function {name}.")
    seconds = time.process_time() - begin
    if seconds > SECONDS / 2:
        says = (
            f"the judge gives {SECONDS} in all. Shorten it, or tag cells `not-graded`"
        )
        say(f"✗ it took {seconds:.1f} seconds, and {says}.")
    say("done")


if __name__ == "__main__":
    try:
        rehearse(sys.argv[1], dict(pair.split("=") for pair in sys.argv[2:]))
    finally:
        sys.stderr = sys.__stderr__  # where a failure of our own is to be read
