"""The judge and the assignments agree: solved is full marks, a stub is nothing."""

import json
from pathlib import Path

import pytest
from judge.night import needs

from coursework.judge import exam, grade, report

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(p.parent.name for p in (ROOT / "coursework").glob("hw*/questions.py"))


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_scores_full_and_the_stub_nothing(name):
    from coursework import release

    needs("bubblewrap")
    drawn = exam.draw(exam.load(name), bytes(range(32)))
    solved, stub = (json.dumps(n).encode() for n in release.notebooks(name))
    result = grade.grade(drawn, solved)
    assert report.total(result) == drawn.points, result
    assert result["cells"] == []
    assert report.total(grade.grade(drawn, stub)) == 0


@pytest.fixture
def spoilt():
    """Return a function that grades hw1 with other sources of some functions."""
    from coursework import release

    needs("bubblewrap")
    drawn = exam.draw(exam.load("hw1"), bytes(range(32)))
    solved = json.dumps(release.notebooks("hw1")[0])

    def marks(**changed):
        notebook = json.loads(solved)
        for cell in notebook["cells"]:
            for name, source in changed.items():
                if "".join(cell["source"]).startswith(f"def {name}("):
                    cell["source"] = source
        result = grade.grade(drawn, json.dumps(notebook).encode())
        return {
            name: (m["points"], m["with"]) for name, m in result["questions"].items()
        }

    return marks


@pytest.mark.parametrize("body", ["1 - np.tanh(a)", "..."], ids=["wrong", "none"])
def test_a_wrong_first_question_costs_its_own_points(spoilt, body):
    marks = spoilt(tanh_slope=f"def tanh_slope(a):\n    return {body}")
    assert marks == {
        "q1": (0, []), "q2": (4, []), "q3": (4, ["q1"]), "q4": (5, ["q1"]),
        "q5": (2, []),
    }  # fmt: skip


def test_a_branch_that_is_missing_costs_its_cases(spoilt):
    marks = spoilt(
        tanh_slope="def tanh_slope(a):\n    while True: pass",
        output_derivative="def output_derivative(a, unit):\n    y = outputs(a, unit)\n"
        "    return y[:, :, None] * np.eye(a.shape[1]) - y[:, :, None] * y[:, None, :]",
    )
    assert marks == {
        "q1": (0, []), "q2": (1.6, []), "q3": (4, ["q1", "q2"]),
        "q4": (5, ["q1", "q2"]), "q5": (2, []),
    }  # fmt: skip


def test_right_functions_answer_no_question_of_their_own(spoilt):
    """What keeps a right function of q1 and hands it out has no q1 to answer."""
    thief = (
        "def jacobian_of_one(W, x, unit):\n    global keep\n    keep = tanh_slope\n"
        "    return keep.__globals__['output_derivative'](x, unit)"
    )
    stub = "def tanh_slope(a):\n    return globals().get('keep', lambda a: 0)(a)"
    marks = spoilt(tanh_slope=stub, jacobian_of_one=thief)
    assert marks["q1"] == marks["q3"] == (0, [])


def test_a_helper_holds_nothing_of_later_questions():
    for name in NAMES:
        drawn, functions = exam.draw(exam.load(name), bytes(range(32))), []
        assert [question for question, _ in drawn.helpers] == [
            question.name for question in drawn.questions
        ]
        sources = dict(drawn.helpers)
        for question in reversed(drawn.questions):
            for later in functions:
                assert f"def {later}(" not in sources[question.name]
            functions.append(question.function)
