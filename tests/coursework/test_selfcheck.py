"""The self-check beside its mistakes: patient with garbage, quick, and NumPy alone."""

import ast
import subprocess
import sys
import time

import numpy as np
import pytest
from coursework_tools import check_of, counts, independent, solved
from hypothesis import given, settings
from hypothesis import strategies as st

from coursework.questions import names
from coursework.release import assignment, self_check

QUESTIONS = [(hw, question) for hw in names() for question in assignment(hw).judged]
EVERY_QUESTION = pytest.mark.parametrize(
    ("hw", "question"), QUESTIONS, ids=[f"{hw}-{q.name}" for hw, q in QUESTIONS]
)
EVERY_ASSIGNMENT = pytest.mark.parametrize("hw", names())


def check(hw, question):
    """Return the check of a question."""
    return getattr(check_of(hw), question.name)


class Hostile:
    """An answer that raises whatever is asked of it."""

    def __array__(self, *_, **__):
        raise ValueError("no array here")


def raises(error):
    """Return a function that raises an error."""

    def function(*_):
        raise error

    return function


GARBAGE = {
    "None": (lambda *_: None, "nothing"),
    "dots": (lambda *_: ..., "nothing"),
    "a stub": (raises(NotImplementedError()), "nothing"),
    "an exception": (
        raises(ValueError("shapes (2,3) and (2,3) not aligned")),
        "raises",
    ),
    "a recursion": (raises(RecursionError("deep")), "raises"),
    "an exit": (raises(SystemExit(1)), "raises"),
    "too few arguments": (lambda: 1, "raises"),
    "text": (lambda *_: "J", None),
    "a list of texts": (lambda *_: ["a", "b"], None),
    "a ragged list": (lambda *_: [[1.0, 2.0], [3.0]], None),
    "a deep list": (lambda *_: [[[[[[1.0]]]]]], None),
    "a dictionary": (lambda *_: {"J": 1}, None),
    "a generator": (lambda *_: (x for x in range(3)), None),
    "a function": (lambda *_: np.sin, "not numbers"),
    "an object": (lambda *_: object(), "not numbers"),
    "a hostile object": (lambda *_: Hostile(), "not numbers"),
    "complex": (lambda *_: np.array([1j]), None),
    "booleans": (lambda *_: np.array([True]), None),
    "NaN": (lambda *_: np.nan, None),
    "nothing in an array": (lambda *_: np.zeros((0,)), None),
    "its arguments": (lambda *at: at, None),
}


@EVERY_QUESTION
@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_is_answered_with_words(hw, question, garbage):
    function, name = GARBAGE[garbage]
    verdict = check(hw, question)(function)
    assert not verdict.ok
    assert repr(verdict).startswith(f"✗ {question.name}: ")
    assert "Traceback" not in verdict.text
    if name:
        assert verdict.name == name


@EVERY_QUESTION
def test_what_is_no_function_is_answered(hw, question):
    assert check(hw, question)(3.0).name == "not a function"
    assert check(hw, question)(None).name == "not a function"


@EVERY_QUESTION
def test_nan_is_named(hw, question):
    function = solved(hw)[question.function]

    def poisoned(*arguments):
        answer = function(*arguments)
        if isinstance(answer, list):
            return [table * np.nan for table in answer]
        return answer * np.nan

    assert check(hw, question)(poisoned).name == "not finite"


@EVERY_QUESTION
def test_one_per_mille_is_noticed(hw, question):
    function = solved(hw)[question.function]

    def off(*arguments):
        answer = function(*arguments)
        if isinstance(answer, list):
            return [1.001 * table for table in answer]
        return 1.001 * np.asarray(answer)

    verdict = check(hw, question)(off)
    assert verdict.name == "numbers"
    assert "1.0e-03" in verdict.text


@EVERY_QUESTION
def test_a_changed_argument_is_noticed(hw, question):
    function = solved(hw)[question.function]

    def spoils(first, *rest):
        answer = function(first, *rest)
        table = first[0] if isinstance(first, list) else first
        table += 1
        return answer

    assert check(hw, question)(spoils).name == "changes its argument"


FORMS = {
    "as it is": lambda array: array,
    "column by column": lambda array: np.array(array, order="F"),
    "a view": lambda array: np.stack([array, array], -1)[..., 0],
    "read-only": lambda array: np.broadcast_to(array, np.shape(array)),
    "a list": lambda array: np.asarray(array).tolist(),
    "long double": lambda array: np.asarray(array, np.longdouble),
}


@EVERY_QUESTION
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_right_answers_pass_in_any_form(hw, question, data):
    functions = {
        "the solution": solved(hw)[question.function],
        "loops": independent(hw)[question.name],
        "the library": question.reference,
    }
    function = functions[data.draw(st.sampled_from(sorted(functions)))]
    form = FORMS[data.draw(st.sampled_from(sorted(FORMS)))]
    noise = data.draw(st.floats(-1e-8, 1e-8))
    kind = data.draw(st.sampled_from([list, tuple]))

    def variant(*arguments):
        answer = function(*arguments)
        if isinstance(answer, (list, tuple)):
            return kind(form(table * (1 + noise)) for table in answer)
        return form(np.asarray(answer) * (1 + noise))

    verdict = check(hw, question)(variant)
    assert verdict.ok, verdict.text


# The error is a parabola there, and a difference of it is exact.
DIFFERENCES_COUNT = {("hw2", "q1")}


@EVERY_QUESTION
def test_what_a_check_holds_would_not_earn_the_points(hw, question):
    right, earned = check(hw, question).right, []
    for case in question.cases(np.random.default_rng(2)):
        try:
            answer = right(*case.arguments)
        except (KeyError, ValueError):  # it knows its own cases alone
            answer = None
        earned.append(counts(question, answer, case.arguments))
    assert all(earned) is ((hw, question.name) in DIFFERENCES_COUNT)


@EVERY_QUESTION
def test_an_answer_comes_at_once(hw, question):
    function = solved(hw)[question.function]

    def fastest(function):
        times = []
        for _ in range(3):
            start = time.perf_counter()
            check(hw, question)(function)
            times.append(time.perf_counter() - start)
        return min(times)

    assert fastest(function) < 0.1
    assert fastest(lambda *_: np.zeros(3)) < 0.1


# The one file


@EVERY_ASSIGNMENT
def test_it_imports_numpy_alone_and_is_old_python(hw):
    tree = ast.parse(self_check(hw), feature_version=(3, 10))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module)
    assert imported == {
        "collections.abc", "copy", "dataclasses", "itertools", "numpy", "pathlib",
        "subprocess", "sys", "tempfile", "time",
    }  # fmt: skip


@EVERY_ASSIGNMENT
def test_it_runs_where_there_is_nothing_but_numpy(hw, tmp_path):
    (tmp_path / "check.py").write_text(self_check(hw), encoding="utf-8")
    program = """
import sys
class Wall:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in {"numpy", "check"} | set(sys.stdlib_module_names):
            raise ImportError(name)
sys.meta_path.insert(0, Wall())
sys.path[:] = [p for p in sys.path if p] + ["."]
import check
print([check.q1(f) for f in (None, lambda *_: None)])
assert not {"jachess_lib", "coursework", "scipy"} & set(sys.modules)
"""
    result = subprocess.run(
        [sys.executable, "-I", "-c", program],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert result.stdout.count("✗ q1") == 2
