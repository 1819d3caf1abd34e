"""Every block of code in the documents: it runs, or it says why it does not.

A block that is not run has a line above it, `<!-- not run: why -->` in a file that is
read as it is and `% not run: why` in a page of the book, where such lines are left out.
What it names must exist all the same: targets of make, modules, files.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

from coursework.judge import sandbox

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    ROOT / "benchmarks" / "README.md",
    *sorted((ROOT / "book").glob("*.md")),
]
CODE_DIRECTIVES = {"{code-block}", "{code}", "{code-cell}", "{literalinclude}"}
WHY = re.compile(r"^(?:<!-- not run: (.+) -->|% not run: (.+))$")
# Where the document speaks of a day's work, the test does a minute's.
SMALLER = {"python -m benchmarks.judge hw1 -j 2": " -n 4"}


class Block(NamedTuple):
    """A fenced block of code of a document."""

    path: Path
    line: int
    language: str
    text: str
    why: str  # it is not run, or ""


def blocks(path, text):
    """Yield the blocks of code of a document; other directives are the book's own."""
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        fence = re.match(r"^(\s*)(`{3,}|~{3,}|:{3,})\s*(\S*)", lines[number])
        begin, number = number, number + 1
        if not fence or (fence[2][0] == ":" and fence[3] not in CODE_DIRECTIVES):
            continue
        end = re.compile(rf"\s*{re.escape(fence[2][0])}{{{len(fence[2])},}}\s*")
        while number < len(lines) and not end.fullmatch(lines[number]):
            number += 1
        if not fence[3].startswith("{") or fence[3] in CODE_DIRECTIVES:
            above = WHY.match(lines[begin - 1].strip() if begin else "")
            why = next(filter(None, above.groups()), "") if above else ""
            body = "\n".join(line.strip() for line in lines[begin + 1 : number])
            if fence[3] in ("python", "{code-cell}"):
                body = "\n".join(lines[begin + 1 : number])
            yield Block(path, begin + 1, fence[3], body, why)
        number += 1


EVERY = [b for p in DOCUMENTS for b in blocks(p, p.read_text(encoding="utf-8"))]
RUN = [block for block in EVERY if not block.why]


def name_of(block):
    return f"{block.path.relative_to(ROOT).as_posix()}:{block.line}"


@pytest.fixture
def copy(tmp_path):
    """Return a copy of the project with this environment."""
    place = tmp_path / "project"
    left_out = shutil.ignore_patterns(
        ".*", "_build", "dist", "mutants", "__pycache__", "node_modules", "results.json"
    )
    shutil.copytree(ROOT, place, ignore=left_out)
    (place / ".venv").symlink_to(BIN.parent)
    subprocess.run(["git", "init", "-q"], cwd=place, check=True)
    (place / "bin").mkdir()
    # The environment is there already, and it is not the copy's to make.
    make = f'#!/bin/sh\nexec {shutil.which("make")} -o env JACHESS_ALONE=1 "$@"\n'
    (place / "bin" / "make").write_text(make)
    (place / "bin" / "make").chmod(0o755)
    return place


def needs_a_sandbox():
    """Skip where nothing can be graded, but fail in continuous integration."""
    try:
        sandbox.level()
    except sandbox.IsolationError as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(str(error))


def script(text):
    """Return the lines of a block, with what is smaller here."""
    text = text.replace("\\\n", " ")
    for line in text.splitlines():
        command = line.split("  #")[0].strip()
        yield command + SMALLER.get(command, "")


@pytest.mark.parametrize("block", RUN, ids=name_of)
def test_a_block_runs(block, copy):
    if block.language == "python":
        command = [sys.executable, "-W", "error", "-c", block.text]
    else:
        assert block.language in ("console", "bash", "sh"), "say why it is not run"
        command = ["sh", "-euxc", "\n".join(script(block.text))]
        if "coursework.judge" in block.text:
            needs_a_sandbox()
    path = f"{copy / 'bin'}:{BIN}:{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=copy,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_there_are_blocks_of_both_kinds():
    assert len(EVERY) > 20
    assert {block.language for block in RUN} >= {"python", "console"}


@pytest.mark.parametrize("block", [b for b in EVERY if b.why], ids=name_of)
def test_a_reason_is_one(block):
    assert len(block.why.split()) >= 4


# What a document names, in a block or in a line, is there.

WORDS = [(p.name, p.read_text(encoding="utf-8")) for p in DOCUMENTS]
HISTORY = "CHANGELOG.md"  # names what there was


def missing(text):
    """Return what commands of a text name and the project does not have."""
    rules = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", rules, re.MULTILINE))
    lost = [f"make {t}" for t in re.findall(r"\bmake ([a-z][a-z-]+)", code(text))
            if t not in targets]  # fmt: skip
    for module in re.findall(r"python -m ([\w.]+)", code(text)):
        if not find_spec(module.rstrip(".")):
            lost.append(f"python -m {module}")
    for tool in re.findall(r"\.venv[/\\](?:bin|Scripts)[/\\]([\w-]+)", text):
        if not (BIN / tool).exists():
            lost.append(f".venv: {tool}")
    for name in re.findall(r"-r ([\w./-]+)", code(text)):
        if not (ROOT / name).exists():
            lost.append(name)
    for name in re.findall(r"coursework\.release ([\w ]+)", code(text)):
        lost += [n for n in name.split() if not (ROOT / "coursework" / n).exists()]
    return lost


def code(text):
    """Return what stands in backticks or fences of a text."""
    fenced = re.findall(r"^ *```.*?^ *```", text, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    return "\n".join(fenced + re.findall(r"`[^`\n]+`", rest))


@pytest.mark.parametrize(("name", "text"), WORDS, ids=[name for name, _ in WORDS])
def test_what_commands_name_is_there(name, text):
    if name != HISTORY:
        assert missing(text) == []


@pytest.mark.parametrize(
    "line",
    [
        "`make books`",
        "```console\nmake release-chekc\n```",
        "`python -m coursework.juge`",
        r"`.venv\Scripts\jupyter-boook build .`",
        "`pip install -r requirement.txt`",
        "`python -m coursework.release hw9`",
    ],
)
def test_what_is_not_there_is_missed(line):
    assert len(missing(line)) == 1


def test_the_lines_for_windows_parse():
    for document in ("README.md", "book/reading.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        lines = re.findall(r"^(?:py -3|\.venv\\Scripts\\).*$", text, re.MULTILINE)
        assert len(lines) >= 3
        for line in lines:
            program, *words = shlex.split(line, posix=False)
            assert not re.search(r"[\"'&|<>^%]", line), "the shells of Windows differ"
            if program == "py":
                assert re.fullmatch(r"-3\.1[1-4]", words[0])
                assert words[1:] == ["-m", "venv", ".venv"]


# The reader of blocks itself


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```console\nmake book\n```", [("console", "make book", "")]),
        ("  ```sh\n  a\n  ```", [("sh", "a", "")]),
        ("~~~sh\na\n~~~", [("sh", "a", "")]),
        (
            "% not run: it needs four hands\n```sh\na\n```",
            [("sh", "a", "it needs four hands")],
        ),
        ("<!-- not run: it is a b c -->\n```sh\na\n```", [("sh", "a", "it is a b c")]),
        ("```{figure} x\n```\n```\na\n```", [("", "a", "")]),
        (":::{note}\n```sh\na\n```\n:::", [("sh", "a", "")]),
        (":::{code-block} sh\na\n:::", [("{code-block}", "a", "")]),
        ("````md\n```sh\na\n```\n````", [("md", "```sh\na\n```", "")]),
    ],
)
def test_blocks_are_found(text, expected):
    found = [(b.language, b.text, b.why) for b in blocks(ROOT, text)]
    assert found == expected
