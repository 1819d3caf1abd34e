"""The commands, and that the way of starting them decides nothing."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from book._tools import notebook_text

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / "book" / "_tools"
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
UMLAUTS = "Übung mit Leerzeichen 日本"


def read(name):
    """Return the text of a file of the project."""
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    """Return a folder with blanks and umlauts that holds the tools, and a Python."""
    place = tmp_path / UMLAUTS
    shutil.copytree(TOOLS, place / "book" / "_tools")
    (place / ".venv" / "bin").mkdir(parents=True)
    python(place / ".venv" / "bin" / "python")
    return place


def python(path, version=None):
    """Write a Python that may say it is of another version."""
    lines = ["#!/bin/sh"]
    if version:
        lines += [
            '[ "$1" = -c ] || exit 9',
            f'exec {sys.executable} -c "import sys; sys.version_info = {version}',
            '$2"',
        ]
    else:
        lines.append(f'exec {sys.executable} "$@"')
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o755)
    return path


def start(place, *words, before="", **options):
    """Start a command of setup.sh in a folder; `before` is said to the shell first."""
    line = f'{before} sh book/_tools/setup.sh "$@"'
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} | options
    return subprocess.Popen(
        ["sh", "-c", line, "sh", *words], cwd=place, text=True, **options
    )


@contextmanager
def heard(number):
    """Let what starts here hear a signal, though we run in the background.

    There, or under nohup, a signal may be ignored, and a shell could not trap it.
    """
    usual = signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(number, usual)


def said(*arguments, **options):
    """Run a command of setup.sh; return (exit status, what it said)."""
    with start(*arguments, **options) as process:
        words, _ = process.communicate(timeout=60)
    return process.returncode, words


# One at a time


WAIT = "import sys; print('here', flush=True); sys.stdin.read(); print('done')"


def holder(folder, **options):
    """Start a command that holds the folder until its input ends."""
    command = (sys.executable, "-c", WAIT)
    process = start(folder, "alone", *command, stdin=subprocess.PIPE, **options)
    assert process.stdout.readline() == "here\n"
    return process


def test_the_second_says_that_it_waits_and_then_runs(folder):
    first = holder(folder)
    with start(folder, "alone", "echo", "second") as second:
        assert "waiting" in second.stdout.readline()
        assert second.poll() is None
        first.communicate("")
        assert second.stdout.read() == "second\n"


def test_a_lock_goes_with_its_holder_however_that_ends(folder):
    first = holder(folder, start_new_session=True)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    assert said(folder, "alone", "echo", "second") == (0, "second\n")


def test_a_lock_that_was_cleaned_away_is_none(folder):
    first = holder(folder)
    with start(folder, "alone", "echo", "second") as second:
        assert "waiting" in second.stdout.readline()
        shutil.rmtree(folder / "_build")
        third = holder(folder)  # has a new file, which the second must wait for
        first.communicate("")
        assert "waiting" in second.stdout.readline()
        third.communicate("")
        assert second.stdout.read() == "second\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_stops_us_is_passed_on(folder, number):
    words = (
        "trap 'echo stopped; exit 3' TERM HUP; echo here; while :; do sleep 0.1; done"
    )
    with heard(number):
        process = start(folder, "alone", "sh", "-c", words, before="exec")
    with process:
        assert process.stdout.readline() == "here\n"
        process.send_signal(number)
        assert process.stdout.read() == "stopped\n"
    assert process.returncode == 3


def test_the_status_of_the_command_is_ours(folder):
    assert said(folder, "alone", "sh", "-c", "exit 7") == (7, "")
    assert said(folder, "alone", "sh", "-c", "kill -9 $$") == (137, "")


def test_every_rule_that_writes_is_alone():
    rules = read("Makefile")
    writers = re.search(r"WRITERS := ((?:.*\\\n)*.*)", rules)[1].replace("\\\n", " ")
    one_by_one = rules.split("\nelse\n")[1].split("\nendif\n")[0]
    assert set(re.findall(r"^([a-z-]+):", one_by_one, re.M)) == set(writers.split())


# Wherever, whoever, however


@pytest.mark.parametrize(
    "before",
    ["", "umask 077;", "unset HOME;", "HOME=/nowhere", "LC_ALL=C", "LANG=C LC_ALL= "],
)
@pytest.mark.parametrize("after", ["", "<&-"])
def test_the_way_of_starting_decides_nothing(folder, before, after):
    shows = """import os, sys
mask = os.umask(0)
print(oct(mask), sys.flags.utf8_mode, open(0, closefd=False).read() == "")
open("Ü", "w").write("∂")"""
    options = {} if after else {"stdin": subprocess.DEVNULL}
    line = f'{before} sh book/_tools/setup.sh "$@" {after}'
    done = subprocess.run(
        ["sh", "-c", line, "sh", "alone", sys.executable, "-c", shows],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False, **options,
    )  # fmt: skip
    assert done.stdout == "0o22 1 True\n"
    assert (folder / "Ü").read_text(encoding="utf-8") == "∂"


def test_a_read_only_folder_says_in_one_line_what_is_needed(folder):
    (folder / "_build").write_text("no folder can be made here, not even by root")
    status, words = said(folder, "alone", "echo", "second")
    assert status == 1
    assert words.count("\n") == 1
    assert "read-only" in words
    assert "copy it" in words


def test_an_address_has_no_blank_and_no_umlaut(folder):
    status, address = said(folder, "address", "_build/a b.html", before="LC_ALL=C")
    assert status == 0
    assert re.fullmatch(r"file:///[\w/.%-]+\n", address, re.ASCII)
    assert address.endswith("/%C3%9Cbung%20mit%20Leerzeichen%20%E6%97%A5%E6%9C%AC"
                            "/_build/a%20b.html\n")  # fmt: skip


def test_the_library_is_found_without_the_letters_of_a_path():
    place = next((Path(sys.prefix) / "lib").glob("python3*/site-packages"))
    assert (place / "jachess_lib.pth").read_bytes() == b"../../../..\n"


@pytest.mark.parametrize(
    ("version", "serves"),
    [((3, 10, 9), False), *(((3, m, 0), True) for m in range(11, 15)),
     ((3, 15, 0), False)],
)  # fmt: skip
def test_which_pythons_serve(folder, version, serves):
    name = str(python(folder / "other", version))
    status, words = said(
        folder, "find_python", before=f'PYTHON="{name}"; export PYTHON;'
    )
    assert (status == 0) == serves, words
    if not serves:
        assert "needs Python 3.11, 3.12, 3.13 or 3.14" in words


def test_every_place_names_the_same_pythons():
    project = tomllib.loads(read("pyproject.toml"))["project"]
    found = [c.rsplit(" ", 1)[1] for c in project["classifiers"] if ":: 3." in c]
    assert found == PYTHONS
    assert project["requires-python"] == f">={PYTHONS[0]}"
    flow = yaml.safe_load(read(".github/workflows/test.yml"))
    assert flow["jobs"]["test"]["strategy"]["matrix"]["python"] == PYTHONS
    words = "Python 3.11, 3.12, 3.13 or 3.14"
    assert all(words in read(name) for name in ("README.md", "book/reading.md"))
    assert read("Makefile").count("3.11-3.14") == 2


# The book is built when something has changed


def test_a_book_is_current_until_what_it_is_made_of_changes(folder):
    for name in ("_config.yml", "_toc.yml", "requirements.txt", "book/a.md"):
        (folder / name).write_text("a")
    for name in ("notebooks", "jachess_lib", "coursework", "_build/html"):
        (folder / name).mkdir(parents=True)
    assert said(folder, "book_is_current")[0] == 1
    (folder / "_build/html/index.html").write_text("a")
    assert said(folder, "book_is_current")[0] == 1
    assert said(folder, "book_is_built")[0] == 0
    os.utime(folder / "book/a.md")
    (folder / "jachess_lib/__pycache__").mkdir()
    (folder / "jachess_lib/__pycache__/a.pyc").write_text("a")
    assert said(folder, "book_is_current")[0] == 0
    for name in ("book/a.md", "book/ü b.md", "jachess_lib/a.py", "_toc.yml"):
        (folder / name).write_text("other")
        assert said(folder, "book_is_current")[0] == 1, name
        said(folder, "book_is_built")
        assert said(folder, "book_is_current")[0] == 0
    (folder / "book/a.md").unlink()
    assert said(folder, "book_is_current")[0] == 1


def test_a_port_that_is_taken_is_named_and_no_traceback(tmp_path):
    (tmp_path / "a.html").write_text("a")
    command = [sys.executable, str(TOOLS / "serve.py"), str(tmp_path)]
    with heard(signal.SIGINT):
        first = subprocess.Popen([*command, "0"], stdout=subprocess.PIPE, text=True,
                                 stderr=subprocess.DEVNULL)  # fmt: skip
    address = re.match(r"http://localhost:(\d+)", first.stdout.readline())
    with urllib.request.urlopen(f"http://127.0.0.1:{address[1]}/a.html") as page:
        assert page.read() == b"a"
    second = subprocess.run(
        [*command, address[1]], capture_output=True, text=True, check=False
    )
    assert (second.returncode, second.stderr) == (1, "")
    assert second.stdout.count("\n") == 1
    assert address[1] in second.stdout
    first.send_signal(signal.SIGINT)
    first.communicate()
    assert first.returncode == 0


# What stands beside the commands


def test_the_hooks_are_the_commands_of_lint():
    hooks = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"][0]["hooks"]
    lint = read("Makefile").split("\nlint: ")[1].split("\n\n")[0]
    commands = [" ".join([hook["entry"], *hook["args"]]) for hook in hooks]
    assert commands == [
        line.strip("\t@").replace("$(BIN)", ".venv/bin")
        for line in lint.splitlines()[1:]
    ]
    subprocess.run(
        [Path(sys.executable).parent / "prek", "validate-config",
         ROOT / ".pre-commit-config.yaml"], check=True, capture_output=True,
    )  # fmt: skip


def test_the_hosted_tests_call_the_one_script():
    flow = yaml.safe_load(read(".github/workflows/test.yml"))
    assert set(flow) == {"name", True, "permissions", "concurrency", "jobs"}  # True: on
    job = flow["jobs"]["test"]
    assert job["runs-on"] == "${{ matrix.system }}"
    systems = [s.split("-")[0] for s in job["strategy"]["matrix"]["system"]]
    assert systems == ["ubuntu", "macos", "windows"]
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    assert all({"uses"} & set(step) or {"run"} == set(step) for step in job["steps"])
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    subprocess.run(["bash", "-n", ROOT / ".ci" / "run"], check=True)


def test_the_form_for_a_wrong_equation_is_one():
    form = yaml.safe_load(read(".github/ISSUE_TEMPLATE/wrong-equation.yml"))
    assert {"name", "description", "body"} <= set(form)
    needs = {"markdown": {"value"}, "dropdown": {"label", "options"}}
    for part in form["body"]:
        assert needs.get(part["type"], {"label"}) <= set(part["attributes"])
        assert part["type"] in ("markdown", "input", "textarea", "dropdown")
    ids = [part["id"] for part in form["body"] if part["type"] != "markdown"]
    assert len(set(ids)) == len(ids)


def test_git_compares_notebooks_as_cells(tmp_path):
    cell = {"cell_type": "code", "metadata": {"tags": ["x"]}, "source": ["1 +\n", "1"]}
    cell["outputs"] = [{"text": ["2\n"]}, {"data": {"image/png": "abc"}}]
    words = notebook_text.text({"cells": [cell]})
    assert words == "\n--- code x\n\n1 +\n1\n> 2\n> (image/png, 3 letters)\n"
    assert "*.ipynb diff=notebook\n" in read(".gitattributes")


def test_the_rules_of_accessibility_are_locked_without_a_host():
    lock = read("tests/browser/package-lock.json")
    assert '"version": "4.14.1"' in lock
    assert "sha512-" in lock
    assert "resolved" not in lock
    assert "http" not in lock
