"""The hidden cases and their references: right, fresh, and in step with the masters."""

import re

import numpy as np
import pytest
from coursework_tools import counts, independent, master, solved, sources, tables

import jachess_lib as jl
from coursework.draw import network
from coursework.hw3.questions import SHAPES, drawn, pieces
from coursework.questions import names
from coursework.release import assignment
from jachess_lib.laplace import activation_variance

SEEDS = (3, 20261124)
QUESTIONS = [(hw, question) for hw in names() for question in assignment(hw).judged]
EVERY_QUESTION = pytest.mark.parametrize(
    ("hw", "question"), QUESTIONS, ids=[f"{hw}-{q.name}" for hw, q in QUESTIONS]
)
EVERY_ASSIGNMENT = pytest.mark.parametrize("hw", names())


def drawn_cases(question):
    """Return the cases of two seeds."""
    return [
        case for seed in SEEDS for case in question.cases(np.random.default_rng(seed))
    ]


@EVERY_QUESTION
def test_the_master_scores_full(hw, question):
    function = solved(hw)[question.function]
    for case in drawn_cases(question):
        assert counts(question, function(*case.arguments), case.arguments), case.label


@EVERY_QUESTION
def test_the_references_agree_with_loops(hw, question):
    function = independent(hw)[question.name]
    for case in drawn_cases(question):
        assert counts(question, function(*case.arguments), case.arguments), case.label


@EVERY_QUESTION
def test_a_change_of_a_thousandth_does_not_count(hw, question):
    for case in drawn_cases(question):
        right = tables(question.reference(*case.arguments))
        if max(np.abs(table).max() for table in right) > 1e-3:  # saturated: all are 0
            wrong = [1.001 * table for table in right]
            assert not counts(question, wrong, case.arguments), case.label


@EVERY_QUESTION
def test_cases_are_fresh_and_repeatable(hw, question):
    def first(seed):
        cases = question.cases(np.random.default_rng(seed))
        assert 3 <= len(cases) <= 5
        assert len({case.label for case in cases}) == len(cases)
        return [np.ravel(tables(case.arguments[0])[0]).tolist() for case in cases]

    assert first(1) == first(1)
    assert all(one != other for one, other in zip(first(1), first(2), strict=True))


# Witnesses that know nothing of the formulas


def of_network(hw, name):
    """Return the arguments of every drawn case of a question."""
    (question,) = [q for q in assignment(hw).judged if q.name == name]
    return question, [case.arguments for case in drawn_cases(question)]


def test_jacobians_agree_with_the_complex_step():
    question, cases = of_network("hw1", "q4")
    for W, X, unit in cases:
        net = network(W, unit)
        right = [jl.complex_step(lambda x, net=net: net(x[None])[0], x) for x in X]
        assert counts(question, np.array(right), (W, X, unit))
    question, cases = of_network("hw4", "q3")
    for W, X in cases:
        net = network(W, "linear")

        def sums(w, net=net, X=X):
            return jl.forward(net.with_parameters(w), X).a[-1]

        assert counts(question, jl.complex_step(sums, net.w), (W, X))


def test_derivatives_of_units_agree_with_the_complex_step():
    question, cases = of_network("hw1", "q2")
    for a, unit in cases:
        y = jl.OUTPUT_UNITS[unit].y
        right = [jl.complex_step(lambda row, y=y: y(row[None])[0], row) for row in a]
        assert counts(question, np.array(right), (a, unit))
    for hw, function in (("hw1", np.tanh), ("hw3", jl.HIDDEN_UNITS["tanh"].dh)):
        question, cases = of_network(hw, "q1")
        for (a,) in cases:
            right = [jl.complex_step(function, x) for x in a.ravel()]
            assert counts(question, np.reshape(right, a.shape), (a,))


def test_gradients_and_products_agree_with_the_complex_step():
    for name in ("q3", "q5"):
        question, cases = of_network("hw2", name)
        for W, X, T, unit in cases:
            net = network(W, unit)

            def error(w, net=net, X=X, T=T):
                return jl.error(net.with_parameters(w), X, T)

            slopes = net.with_parameters(jl.complex_step(error, net.w)).W
            assert counts(question, slopes, (W, X, T, unit))
    question, cases = of_network("hw3", "q6")
    for W, X, T, V, unit in cases:
        net, v = network(W, unit), np.concatenate([table.ravel() for table in V])

        def along(r, net=net, X=X, T=T, v=v):
            return jl.error_gradient(net.with_parameters(net.w + r * v), X, T)

        product = jl.complex_step(along, np.array(0.0))
        layers = net.with_parameters(product).W
        assert counts(question, layers, (W, X, T, V, unit))


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape[0])
def test_blocks_agree_with_the_complex_step_of_the_gradient(shape):
    W, X, T, unit = drawn(np.random.default_rng(8), *shape[1:])
    net, parts = network(W, unit), pieces(W, X, T, unit)

    def gradient(w):
        return jl.error_gradient(net.with_parameters(w), X, T)

    H, P = jl.complex_step(gradient, net.w), W[0].size
    blocks = {"q2": H[P:, P:], "q3": H[:P, :P], "q4": H[:P, P:]}
    which = {"q2": (3, 6), "q3": (0, 1, 2, 4, 5, 6), "q4": (0, 1, 3, 4, 5, 6)}
    for question in assignment("hw3").judged:
        if question.name in blocks:
            arguments = tuple(parts[i] for i in which[question.name])
            assert counts(question, blocks[question.name], arguments)


def test_the_inverse_agrees_with_the_library():
    question, cases = of_network("hw5", "q1")
    for A_inv, g in cases:
        right = jl.update_inverse(A_inv, g[None], np.eye(1))
        assert counts(question, right, (A_inv, g))
    question, cases = of_network("hw5", "q3")
    for J, A in cases:
        right = activation_variance(J, np.linalg.cholesky(A))
        assert counts(question, right, (J, A))
    question, cases = of_network("hw5", "q7")
    for (gradient,) in cases:
        assert counts(question, jl.polar_factor(gradient), (gradient,))


def test_leaving_out_and_the_two_factors_agree_with_the_library():
    rng = np.random.default_rng(6)
    X, alpha = rng.normal(size=(5, 2)), 0.4
    z = np.insert(X, 0, 1, axis=1)
    left_out, _ = of_network("hw5", "q5")
    t = rng.normal(size=5)
    w = np.linalg.solve(z.T @ z + alpha * np.eye(3), z.T @ t)
    moves = jl.influence(jl.Network((2, 1), w), X, t[:, None], alpha).moves()
    assert counts(left_out, w + moves, (z, t, alpha))
    block, _ = of_network("hw5", "q6")
    net = jl.Network.random((2, 3), output="softmax", seed=0)
    M, S = net.output.dy_da(jl.forward(net, X).a[-1]), np.stack([np.eye(3)] * 5)
    (factors,) = jl.kronecker_factors(net, X)
    assert counts(block, factors.to_dense(), (z, S, M))


# The masters


@EVERY_ASSIGNMENT
def test_the_master_asks_what_the_questions_say(hw):
    asked = {}
    for text in sources(master(hw), "raw"):
        if match := re.match(
            r"# BEGIN QUESTION\nname: (q\d)\n.*?points: (\d)", text, re.S
        ):
            asked[match[1]] = int(match[2])
    assert asked == {q.name: q.points for q in assignment(hw).questions}
    assert 5 <= len(asked) <= 8
    assert (
        f"**Points** {assignment(hw).points} for code"
        in sources(master(hw), "markdown")[0]
    )


@EVERY_QUESTION
def test_stubs_are_short_and_say_shapes(hw, question):
    (code,) = [
        text
        for text in sources(master(hw), "code")
        if text.startswith(f"def {question.function}(")
    ]
    lines = code.splitlines()
    assert '"""' in lines[1]
    assert re.search(r"\(N|\(K|\(P|shape|number|as `error_gradient`", lines[1])
    begin, end = (lines.index(f"    # {word} SOLUTION") for word in ("BEGIN", "END"))
    assert end - begin - 1 <= 20
    assert end == len(lines) - 1
    assert any(
        text == f"check.{question.name}({question.function})"
        for text in sources(master(hw), "code")
    )


@EVERY_ASSIGNMENT
def test_a_master_has_hints_predictions_and_a_rubric(hw):
    text = "\n".join(sources(master(hw), "markdown"))
    for number in (1, 2, 3):
        assert text.count(f"<summary>Hint {number}</summary>") >= 2
    assert text.count("**Predict.**") >= 4
    assert text.count("**Explain.**") >= 2
    for points in range(4):
        assert re.search(rf"^\| {points} \|", text, re.MULTILINE)
    assert "hidden cases remain" in text


@EVERY_ASSIGNMENT
def test_masters_hold_no_output(hw):
    for cell in master(hw)["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
    code = "\n".join(sources(master(hw), "code"))
    assert "jachess" not in code
    used = set(re.findall(r"^(?:import|from) (\w+)", code, re.MULTILINE))
    assert used == {"check", "matplotlib", "numpy", "time"}
