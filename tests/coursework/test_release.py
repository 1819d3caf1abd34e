"""A release: complete, clean of otter, and without a line of any solution."""

import json
import re
import zipfile

import pytest
from coursework_tools import (
    graded_code,
    leaked,
    run,
    solution_lines,
    sources,
    stripped,
)

from coursework import release as release_module
from coursework.questions import names
from coursework.release import assignment, main, release

EVERY_ASSIGNMENT = pytest.mark.parametrize("hw", names())


@pytest.fixture(scope="session")
def dist(tmp_path_factory):
    """Return a folder with the release of every assignment."""
    folder = tmp_path_factory.mktemp("dist")
    for hw in names():
        release(hw, folder)
    return folder


def test_solutions_are_known():
    assert len(solution_lines()) > 90
    assert leaked("x\n    return 1 - np.tanh(a) ** 2\n")


@EVERY_ASSIGNMENT
def test_a_release_is_complete(dist, hw):
    files = {path.name for path in assignment(hw).files}
    assert {path.name for path in (dist / hw).iterdir()} == files | {
        f"{hw}.ipynb", "check.py",
    }  # fmt: skip
    for path in assignment(hw).files:
        assert (dist / hw / path.name).read_bytes() == path.read_bytes()
    with zipfile.ZipFile(dist / f"{hw}.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            f"{hw}/{path.name}": path.read_bytes() for path in (dist / hw).iterdir()
        }


@EVERY_ASSIGNMENT
def test_no_line_of_a_solution_is_released(dist, hw):
    for path in [*(dist / hw).iterdir(), dist / f"{hw}-gradescope" / "README.md"]:
        assert leaked(path.read_text(encoding="utf-8")) == [], path.name
    with zipfile.ZipFile(next((dist / f"{hw}-gradescope").glob("*.zip"))) as archive:
        for name in archive.namelist():
            assert leaked(archive.read(name).decode()) == [], name


@EVERY_ASSIGNMENT
def test_the_notebook_is_clean(dist, hw):
    text = (dist / hw / f"{hw}.ipynb").read_text(encoding="utf-8")
    notebook = json.loads(text)
    assert not re.search(r"otter|SOLUTION|HIDDEN|grader|BEGIN|END QUESTION", text)
    assert notebook["metadata"] == {
        "kernelspec": {
            "display_name": "Python 3", "language": "python", "name": "python3",
        },
    }  # fmt: skip
    for cell in notebook["cells"]:
        assert cell["metadata"] in ({}, {"tags": ["not-graded"]})
        assert cell["cell_type"] != "raw"
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    assert notebook == stripped(hw)[1]


@EVERY_ASSIGNMENT
def test_every_question_has_its_stub_and_its_place_for_an_answer(dist, hw):
    notebook = json.loads((dist / hw / f"{hw}.ipynb").read_text(encoding="utf-8"))
    code = sources(notebook, "code")
    for question in assignment(hw).judged:
        (stub,) = [c for c in code if c.startswith(f"def {question.function}(")]
        assert stub.endswith('"""\n    ...')
        assert f"check.{question.name}({question.function})" in code
    places = [t for t in sources(notebook, "markdown") if t.startswith("_Type your")]
    assert len(places) == 1


@EVERY_ASSIGNMENT
def test_stubs_give_nothing_and_solutions_give_something(hw):
    with_solutions, with_stubs = (graded_code(notebook) for notebook in stripped(hw))
    stubs = run(with_stubs, hw, go_on=True)
    done = run(with_solutions, hw)
    for question in assignment(hw).judged:
        for space, ok in ((stubs, False), (done, True)):
            verdict = getattr(space["check"], question.name)(space[question.function])
            assert verdict.ok is ok, verdict


@EVERY_ASSIGNMENT
def test_the_gradescope_archive_says_what_it_is(dist, hw):
    folder = dist / f"{hw}-gradescope"
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "Not tamper-proof, and no mark" in text
    with zipfile.ZipFile(folder / f"{hw}-autograder.zip") as archive:
        tests = {n for n in archive.namelist() if n.startswith("tests/")}
        assert tests == {f"tests/{q.name}.py" for q in assignment(hw).judged}
        assert "files/check.py" in archive.namelist()
        assert release_module.WORTH in archive.read("run_autograder").decode()
        for name in tests:
            space = {}
            exec(archive.read(name), space)
            ((case,),) = (suite["cases"] for suite in space["test"]["suites"])
            assert case["success_message"] == release_module.WORTH


def test_what_the_gradescope_check_is_worth_is_true():
    """It says that a function of check.py itself can satisfy it."""
    hw = "hw1"
    space = run(graded_code(stripped(hw)[1]), hw, go_on=True)
    check = space["check"]
    assert check.q4(check.by_network).ok


def test_releasing_again_gives_the_same_files(dist):
    def files():
        every = [*(dist / "hw1").iterdir(), dist / "hw1.zip"]
        return {path.name: path.read_bytes() for path in every}

    before = files()
    (dist / "hw1" / "stray.txt").write_text("from an old release", encoding="utf-8")
    release("hw1", dist)
    assert files() == before
    assert not [p.name for p in dist.iterdir() if p.name.startswith(".")]


def test_a_release_that_fails_leaves_the_old_one(dist, monkeypatch):
    before = sorted(p.name for p in dist.iterdir())
    monkeypatch.setattr(release_module, "read_clean", lambda path: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        release("hw2", dist)
    assert sorted(p.name for p in dist.iterdir()) == before
    assert (dist / "hw2" / "hw2.ipynb").exists()


def test_an_unknown_name_is_refused_with_the_names_there_are(capsys):
    assert main(["hw9"]) == 2
    there = f"There are {', '.join(names())}."
    assert f"no assignment hw9. {there}" in capsys.readouterr().err
    assert main([]) == 2
    assert there in capsys.readouterr().err
