"""Makes what students get: `python -m coursework.release hw1` writes dist/hw1.

Otter strips the solutions from the master notebook; what it leaves of itself is removed
here, and the self-check becomes one file. dist/hw1.zip holds the same files, and
dist/hw1-gradescope the archive that otter makes for Gradescope.
"""

import ast
import json
import re
import shutil
import sys
import warnings
import zipfile
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from coursework.questions import names
from coursework.spoil import marks, slips_marked

HERE = Path(__file__).resolve().parent
DIST = HERE.parent / "dist"

# What every check.py is made of, beside the modules of its assignment.
SHARED = (
    "selfcheck", "naming", "generic", "beside", "differences", "witness", "rehearsal",
)  # fmt: skip
WORTH = (
    "This is the public check again, and no mark: it has no other cases than check.py, "
    "and what check.py holds can satisfy it without a solution. The mark comes from "
    "python -m coursework.judge."
)
GRADESCOPE = """\
# {name} on Gradescope

Upload `{name}-autograder.zip` as the autograder of a programming assignment.

**Not tamper-proof, and no mark.** Each test is the public check of `check.py`, which
every student has. It asks no hidden case; a function of `check.py` itself, handed to it
as the answer, can satisfy it; and Gradescope runs a student's code and the tests in one
process, so that code which is written for it can take full marks. Its points say that
an honest notebook runs there, and no more. The output of each test says so too. Take
the marks of record from `python -m coursework.judge`.
"""


def assignment(name):
    """Return the ASSIGNMENT of a name."""
    return import_module(f"coursework.{name}.questions").ASSIGNMENT


# The self-check in one file


@cache
def self_check(name):
    """Return the text of check.py: one file that imports NumPy alone."""
    imports, bodies = set(), []
    checks = HERE / name / "checks.py"
    shared = (HERE / f"{part}.py" for part in SHARED)
    for path in (*shared, HERE / name / "variants.py", checks):
        found, body = taken_apart(path.read_text(encoding="utf-8"))
        imports |= found
        bodies.append(body)
    title = ast.get_docstring(ast.parse(checks.read_text(encoding="utf-8")))
    bodies += [f"MARKED |= {marks(name)!r}", f"SLIPS |= {slips_marked(name)!r}"]
    bodies.append(rehearsal(name))
    return "\n\n\n".join([f'"""{title}"""', "\n".join(sorted(imports)), *bodies]) + "\n"


def rehearsal(name):
    """Return the lines of check.py that make `check.everything` of an assignment."""
    desk = [
        HERE / "judge" / "desk" / f"{part}.py"
        for part in ("reading", "stand_ins", "cells")
    ]
    found = [
        taken_apart(path.read_text(encoding="utf-8"))
        for path in (*desk, HERE / "stage.py")
    ]
    imports = sorted(set().union(*(lines for lines, _ in found)))
    program = "\n\n\n".join(["\n".join(imports), *(body for _, body in found)])
    asked = assignment(name)
    files = tuple(path.name for path in asked.files)
    functions = {question.name: question.function for question in asked.judged}
    return (
        f"# The dry run\n\nREHEARSAL = r'''\n{program}\n'''\n\n"
        f"everything = Rehearsal(\n    REHEARSAL,\n    {files},\n    {functions},\n"
        "    Path(__file__).parent,\n)"
    )


def taken_apart(source):
    """Return (imports from elsewhere, the rest, without what explains it) of a module.

    A student reads what a check says and not how it does; and it has to stay small.
    """
    lines, imports = source.splitlines(), set()
    tree = ast.parse(source)
    dropped = lines_of_words(tree, lines)
    for node in tree.body[1:]:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            dropped |= set(range(node.lineno, node.end_lineno + 1))
            if not getattr(node, "module", "").startswith("coursework"):
                imports.add(ast.unparse(node))
    kept = [
        line.removesuffix("  # fmt: skip")
        for n, line in enumerate(lines, 1)
        if n not in dropped
    ]
    return imports, re.sub("\n\n+", "\n\n", "\n".join(kept)).strip()


def lines_of_words(tree, lines):
    """Return the numbers of the lines that are docstrings or comments alone."""
    text, words = set(), set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            if ast.get_docstring(node) and len(body) > 1:
                words |= set(range(body[0].lineno, body[0].end_lineno + 1))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text |= set(range(node.lineno, node.end_lineno + 1))
    comments = {n for n, line in enumerate(lines, 1) if line.lstrip().startswith("#")}
    return words | (comments - text)


# The notebooks


def otter_assign(name, folder):
    """Run otter on an assignment; leave `student` and `autograder` in `folder`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of its own dependencies
        from otter.assign import main as assign  # takes seconds, and few need it
    source = folder / "source"
    source.mkdir()
    shutil.copy(HERE / name / f"{name}.ipynb", source)
    for path in assignment(name).files:
        shutil.copy(path, source)
    (source / "check.py").write_text(self_check(name), encoding="utf-8")
    assign(str(source / f"{name}.ipynb"), str(folder), no_run_tests=True)


def notebooks(name):
    """Return (with solutions, with stubs): the notebook of an assignment as dicts."""
    with TemporaryDirectory() as folder:
        otter_assign(name, Path(folder))
        return tuple(
            read_clean(Path(folder) / version / f"{name}.ipynb")
            for version in ("autograder", "student")
        )


def read_clean(path):
    """Return a notebook as a dict, without outputs and without a trace of otter."""
    cells = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        for mark in ("<!-- BEGIN QUESTION -->", "<!-- END QUESTION -->"):
            source = source.replace(mark, "")
        if source.strip():
            cells.append(clean_cell(cell, source.strip(), f"cell-{len(cells):02d}"))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": cells,
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def clean_cell(cell, source, name):
    """Return a cell with our own tags alone, and with no output."""
    tags = [t for t in cell["metadata"].get("tags", ()) if not t.startswith("otter")]
    clean = {
        "cell_type": cell["cell_type"],
        "id": name,
        "metadata": {"tags": tags} if tags else {},
        "source": source.splitlines(keepends=True),
    }
    if cell["cell_type"] == "code":
        clean |= {"execution_count": None, "outputs": []}
    return clean


def say_what_it_is_worth(archive):
    """Let the archive for Gradescope say, wherever it speaks, what its points are."""
    with zipfile.ZipFile(archive) as packed:
        members = [(info, packed.read(info)) for info in packed.infolist()]
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for info, data in members:
            text = data.decode()
            if info.filename.startswith("tests/"):
                told = f"'locked': False, 'success_message': {WORTH!r}"
                text = text.replace("'locked': False", told)
            elif info.filename == "run_autograder":
                text = text.rstrip() + f"\necho '{WORTH}'\n"
            packed.writestr(info, text)


# The release


def release(name, dist=DIST):
    """Write dist/NAME, its zip and dist/NAME-gradescope whole, or not at all."""
    dist.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=dist, prefix=".") as temporary:
        folder = Path(temporary)
        otter_assign(name, folder)
        student, gradescope = folder / "student", folder / "gradescope"
        notebook = student / f"{name}.ipynb"
        text = json.dumps(read_clean(notebook), indent=1, ensure_ascii=False) + "\n"
        notebook.write_text(text, encoding="utf-8")
        pack(student, name, folder / f"{name}.zip")
        gradescope.mkdir()
        (archive,) = (folder / "autograder").glob("*.zip")
        archive.rename(gradescope / f"{name}-autograder.zip")
        say_what_it_is_worth(gradescope / f"{name}-autograder.zip")
        text = GRADESCOPE.format(name=name)
        (gradescope / "README.md").write_text(text, encoding="utf-8")
        replace(dist / name, student, folder / "old")
        (folder / f"{name}.zip").replace(dist / f"{name}.zip")
        replace(dist / f"{name}-gradescope", gradescope, folder / "old-gradescope")
    return dist / name


def pack(folder, name, archive):
    """Write a zip of the files of a folder, as NAME/file; the same bytes every time."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(folder.iterdir()):
            packed.writestr(zipfile.ZipInfo(f"{name}/{path.name}"), path.read_bytes())


def replace(target, new, old):
    """Put the folder `new` in the place of `target`, which goes to `old`."""
    if target.exists():
        target.rename(old)
    new.rename(target)


def main(wanted):
    """Release the assignments that are named; return the exit code."""
    unknown = [name for name in wanted if name not in names()]
    if unknown or not wanted:
        what = f"no assignment {', '.join(unknown)}" if unknown else "nothing to do"
        print(f"There is {what}. There are {', '.join(names())}.", file=sys.stderr)
        return 2
    for name in wanted:
        folder = release(name)
        print(f"{name}: {folder}, and {folder}-gradescope, whose points are no mark")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
