"""Every entry of every public function, held against a ball that contains the truth.

What is proved is the arithmetic: that the floats are where the lesson's equations put
them. That the equations are the derivatives is shown elsewhere, by witnesses which
share no line with a lesson.
"""

import mpmath as mp
import numpy as np
import pytest
from balls import (
    DEEP,
    ENGINES,
    FAR,
    FUNCTIONS,
    REACH,
    SHALLOW,
    STRAIGHT,
    SUMS,
    case,
    distances,
    held,
    in_precision,
    proved_digits,
    truth,
    truths,
)
from balls_applied import applied, applied_digits, laplace, proved_equations
from oracles import Plain, case_name, exact, mp_gradient

import jachess_lib as jl
from jachess_lib.hidden_units import HiddenUnit

# Units that an entry may be away from the truth. The units of a network are right to a
# few of their own, and sums of many terms stay far below what they may add up to.
STATED = 3
# Digits of the largest entry that every entry has.
DIGITS = {np.float64: 14, np.float32: 5.5}

NEAR_AND_FAR = pytest.mark.parametrize(
    "arguments", [DEEP[0], (*FAR[0], 85)], ids=["near", "far"]
)


def hold(c, dtypes=REACH, **how):
    """Return the largest number of units and the least digits of every function."""
    true, least = truths(c, **how), {}
    for dtype in dtypes:
        for engine in ENGINES:
            for name, (units, digits) in distances(
                c, true, engine, dtype, **how
            ).items():
                assert units < STATED, (name, engine, dtype.__name__, units)
                least[dtype] = min(digits, least.get(dtype, np.inf))
    return least


@pytest.mark.parametrize("arguments", SHALLOW + DEEP, ids=lambda c: case_name(c[:3]))
def test_every_entry_is_where_the_ball_is(arguments):
    least = hold(case(*arguments))
    assert all(least[dtype] > DIGITS[dtype] for dtype in DIGITS), least


@pytest.mark.parametrize("reach", REACH.values())
@pytest.mark.parametrize("arguments", FAR, ids=lambda c: case_name(c[:3]))
def test_every_digit_far_out(arguments, reach):
    c = case(*arguments, reach)
    assert np.abs(jl.forward(c.net, c.X).a[-1]).max() > 0.9 * reach
    dtypes = [dtype for dtype in REACH if REACH[dtype] >= reach]
    hold(c, dtypes, functions=STRAIGHT)


@NEAR_AND_FAR
def test_every_sum_with_weights(arguments):
    hold(case(*arguments), functions=SUMS, weighted=True)


@NEAR_AND_FAR
def test_every_product_of_an_operator(arguments, engine):
    c = case(*arguments)
    names = ("hessian_vector_product", "gauss_newton_vector_product")
    true = truths(c, {name: FUNCTIONS[name] for name in names})
    for dtype in REACH:
        d = in_precision(c, dtype)
        exact, outer = jl.HessianOperator(d.net, d.X, d.T), jl.GaussNewtonOperator
        for name, operator in zip(names, (exact, outer(d.net, d.X)), strict=True):
            for product in (operator @ d.v, (operator @ np.stack([d.v] * 2, 1))[:, 1]):
                assert product.dtype == dtype
                assert held(product, true[name], dtype)[0] < STATED


def test_every_lesson_is_proved():
    lessons = {name for name in jl.__all__ if hasattr(getattr(jl, name), "plain")}
    assert {name.partition(" ")[0] for name in FUNCTIONS} == lessons


def test_the_ledger_s_digits():
    digits = proved_digits()
    assert set(digits) == set(FUNCTIONS)
    assert min(digits.values()) > DIGITS[np.float64]


def test_every_digit_of_what_the_hessian_is_for():
    digits = applied_digits()
    assert len(digits) > 20
    assert min(digits.values()) > DIGITS[np.float64], digits


def test_equations_of_every_kind_are_proved():
    modules = {label.split("-")[1] for label in proved_equations()}
    assert modules > {"jacobian", "laplace", "kronecker", "influence", "language"}


def test_balls_hold_what_another_witness_says():
    c = case((2, 3, 4, 3), ("tanh", "gelu"), "softmax", 2)
    plain, X, T = Plain(c.net), exact(c.X), exact(c.T)
    found = [plain.error(exact(c.net.w), X, T)]
    found += mp_gradient(lambda w: plain.error(w, X, T), exact(c.net.w))
    gradient = truth(jl.error_gradient, c.net, c.X, c.T)
    true = [truth(jl.error, c.net, c.X, c.T), *gradient]
    for number, t in zip(found, true, strict=True):
        assert abs(number - mp.mpf(t.value.str(45, radius=False))) < 1e-24


# Check the checker


@pytest.mark.parametrize(
    ("unit", "part", "wrong"),
    [
        (jl.HIDDEN_UNITS["tanh"], "dh", lambda a: 1 - np.tanh(a) ** 2),
        (jl.HIDDEN_UNITS["gelu"], "d2h", lambda a: a * np.exp(-a * a)),
        (jl.OUTPUT_UNITS["sigmoid"], "residual", lambda a, T: 1 / (1 + np.exp(-a)) - T),
        (jl.OUTPUT_UNITS["softmax"], "diagonal", lambda a: np.exp(-np.abs(a))),
    ],
    ids=["tanh", "gelu", "sigmoid", "softmax"],
)
def test_planted_mistakes_are_caught(unit, part, wrong, monkeypatch):
    is_hidden = isinstance(unit, HiddenUnit)
    hidden = unit.name if is_hidden else "softplus"
    output = "softmax" if is_hidden else unit.name
    c = case((2, 3, 4), hidden, output, 4, 85)
    hold(c, [np.float64], functions=STRAIGHT)
    monkeypatch.setitem(vars(unit), part, wrong)
    with pytest.raises(AssertionError, match="blocked|plain"):
        hold(c, [np.float64], functions=STRAIGHT)


def test_a_mistake_in_the_twelfth_digit_is_caught():
    c = case(*DEEP[0])
    true = truth(jl.exact_hessian, c.net, c.X, c.T)
    H = jl.exact_hessian(c.net, c.X, c.T)
    assert held(H, true, np.float64)[0] < STATED
    H[0, -1] *= 1 + 1e-12
    assert held(H, true, np.float64)[0] > STATED


def test_a_mistake_in_the_twelfth_digit_of_an_application_is_caught():
    for name, value, true in applied():
        value = np.array(value, dtype=float, ndmin=1)
        value.flat[np.argmax(abs(value))] *= 1 + 1e-12
        assert held(value, true, np.float64)[1] < 12.5, name


def test_a_solver_in_single_precision_is_caught(monkeypatch):
    solve = laplace.solve_triangular
    monkeypatch.setattr(
        laplace,
        "solve_triangular",
        lambda R, B, **how: solve(R.astype(np.float32), B, **how),
    )
    assert applied_digits()["activation_variance"] < 9
