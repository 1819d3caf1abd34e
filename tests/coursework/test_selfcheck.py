"""The self-check beside its mistakes: patient with garbage, quick, and NumPy alone."""

import ast
import gzip
import subprocess
import sys

import numpy as np
import pytest
from coursework_tools import check_of, independent, solved, tables
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


class UntoldError(Exception):
    """An error whose text raises another."""

    def __str__(self):
        raise self


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
    "a function": (lambda *_: np.sin, None),
    "an object": (lambda *_: object(), None),
    "a hostile object": (lambda *_: Hostile(), None),
    "complex": (lambda *_: np.array([1j]), None),
    "booleans": (lambda *_: np.array([True]), None),
    "an error that cannot be told": (raises(UntoldError()), "raises"),
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
    assert verdict.name == "factor"
    assert "1.001 times" in verdict.text


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
    noise = data.draw(st.floats(-1, 1)) * question.rtol / 100
    kind = data.draw(st.sampled_from([list, tuple]))

    def variant(*arguments):
        answer = function(*arguments)
        if isinstance(answer, (list, tuple)):
            return kind(form(table * (1 + noise)) for table in answer)
        return form(np.asarray(answer) * (1 + noise))

    verdict = check(hw, question)(variant)
    assert verdict.ok, verdict.text


@EVERY_QUESTION
def test_the_check_and_the_judge_hold_the_same_to_be_right(hw, question):
    """The numbers agree to more digits than are asked for, by the same rule."""
    told = check(hw, question)
    assert (told.rtol, told.atol) == (question.rtol, question.atol)
    for case in told.cases:
        right = told.right(*case.arguments)
        for ours, theirs in zip(
            tables(right), tables(question.reference(*case.arguments)), strict=True
        ):
            assert ours.shape == theirs.shape
            near = 0.5 * (question.atol + question.rtol * np.abs(theirs).max())
            assert np.abs(ours - theirs).max() <= near, case.label


# Questions of networks (list W first) whose cases must have sizes that all differ.
NETWORKS = [
    ("hw1", "q3"), ("hw1", "q4"), ("hw2", "q3"), ("hw2", "q4"), ("hw2", "q5"),
    ("hw3", "q6"), ("hw4", "q3"),
]  # fmt: skip


@pytest.mark.parametrize(("hw", "name"), NETWORKS)
def test_all_sizes_of_a_network_s_cases_differ(hw, name):
    cases = getattr(check_of(hw), name).cases
    counts_of_patterns = []
    for case in cases:
        W, X = case.arguments[:2]
        widths = [W[0].shape[1] - 1, *(len(V) for V in W)]
        constants = [width + 1 for width in widths[:-1]]
        N = [] if X.ndim == 1 else [len(X)]
        counts_of_patterns += N
        every = [*widths, *constants, *N]
        assert len(set(every)) == len(every), (case.label, every)
    assert not counts_of_patterns or 1 in counts_of_patterns


@pytest.mark.parametrize("name", ["q2", "q3", "q4"])
def test_all_sizes_of_the_blocks_cases_differ(name):
    ones = []
    for case in check_of("hw3").__dict__[name].cases:
        N, K = case.arguments[-1].shape[:2]
        ones.append(N)
        others = {len(a[0]) for a in case.arguments if np.ndim(a) == 2} - {K}
        assert len(others | {N, K}) == len(others) + 2
    assert 1 in ones


@pytest.mark.parametrize("name", ["q3", "q5", "q6"])
def test_all_sizes_of_the_inverse_s_cases_differ(name):
    ones = []
    for case in check_of("hw5").__dict__[name].cases:
        first, second = case.arguments[:2]
        sizes = first.shape + (second.shape[1:] if name == "q6" else ())
        assert len(set(sizes)) == len(sizes), (case.label, sizes)
        ones.append(1 in sizes)
    assert any(ones)


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
        "collections", "collections.abc", "copy", "dataclasses", "inspect", "itertools",
        "linecache", "numpy", "pathlib", "subprocess", "sys", "tempfile", "time",
        "traceback",
    }  # fmt: skip


@EVERY_ASSIGNMENT
def test_no_two_of_its_parts_have_a_name_in_common(hw):
    """They share one file, where the second would take the place of the first."""
    for text in (self_check(hw), check_of(hw).REHEARSAL):
        names = [getattr(node, "name", None) for node in ast.parse(text).body]
        defined = [name for name in names if name]
        assert len(set(defined)) == len(defined)


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


@EVERY_ASSIGNMENT
def test_it_is_small(hw):
    assert len(gzip.compress(self_check(hw).encode(), 9)) < 30_000
