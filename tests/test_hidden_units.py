import copy
import math
import pickle

import mpmath as mp
import numpy as np
import pytest
from oracles import HIDDEN, MP_UNITS, SMOOTH, case
from test_engine import ROWS, SUMS, assert_alike

import jachess_lib as jl
from jachess_lib import HIDDEN_UNITS, complex_step
from jachess_lib.hidden_units import HiddenUnit

POINTS = np.array([-30.0, -6.5, -1.7, -0.3, -1e-9, 1e-9, 0.4, 1.9, 7.1, 33.0])


def derivative(name, order):
    """Return the unit differentiated by mpmath, as a function of one float."""
    return lambda a: float(mp.diff(MP_UNITS[name], mp.mpf(a), order))


@pytest.mark.parametrize("name", HIDDEN)
def test_value_slope_and_bend_against_fifty_digits(name):
    unit = HIDDEN_UNITS[name]
    for f, order in [(unit.h, 0), (unit.dh, 1), (unit.d2h, 2)]:
        expected = [derivative(name, order)(a) for a in POINTS]
        np.testing.assert_allclose(f(POINTS), expected, rtol=1e-12, atol=2e-16)


@pytest.mark.parametrize("name", HIDDEN)
def test_complex_step_through_value_and_slope(name):
    unit = HIDDEN_UNITS[name]
    for a in POINTS:
        assert complex_step(unit.h, a) == pytest.approx(
            unit.dh(a), rel=1e-13, abs=1e-15
        )
        assert complex_step(unit.dh, a) == pytest.approx(
            unit.d2h(a), rel=1e-13, abs=1e-15
        )


@pytest.mark.parametrize("name", SMOOTH)
def test_a_planted_error_of_one_per_mille_is_caught(name):
    unit = HIDDEN_UNITS[name]
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(
            1.001 * unit.dh(0.4), complex_step(unit.h, 0.4), rtol=1e-4
        )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", HIDDEN)
def test_extreme_values_stay_finite_and_keep_their_precision(name, dtype):
    a = np.array([-1e4, -800, -90, 0, 90, 800, 1e4], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for f in (HIDDEN_UNITS[name].h, HIDDEN_UNITS[name].dh, HIDDEN_UNITS[name].d2h):
            values = f(a)
            assert np.isfinite(values).all()
            assert values.dtype == dtype


@pytest.mark.parametrize(
    ("name", "h", "dh"),
    [
        ("identity", [-1e4, 1e4], [1, 1]),
        ("tanh", [-1, 1], [0, 0]),
        ("sigmoid", [0, 1], [0, 0]),
        ("softplus", [0, 1e4], [0, 1]),
        ("relu", [0, 1e4], [0, 1]),
        ("gelu", [0, 1e4], [0, 1]),
    ],
)
def test_limits_far_out(name, h, dh):
    a = np.array([-1e4, 1e4])
    np.testing.assert_array_equal(HIDDEN_UNITS[name].h(a), h)
    np.testing.assert_array_equal(HIDDEN_UNITS[name].dh(a), dh)
    np.testing.assert_array_equal(HIDDEN_UNITS[name].d2h(a), [0, 0])


def test_small_slopes_of_the_sigmoid_keep_their_digits():
    # σ(1 − σ) would give 0 here
    slope = HIDDEN_UNITS["sigmoid"].dh(np.array([60.0, -60.0]))
    np.testing.assert_allclose(slope, np.exp(-60.0), rtol=1e-12)


@pytest.mark.parametrize(
    ("dtype", "inside", "outside"),
    [(np.float64, 706.0, 707.0), (np.float32, 85.5, 86.0)],
)
def test_exp_is_held_where_it_would_soon_overflow(dtype, inside, outside):
    unit = HIDDEN_UNITS["exp"]
    a = np.array([inside, outside, 1e4], dtype)
    h, dh, d2h = unit.h(a), unit.dh(a), unit.d2h(a)
    np.testing.assert_allclose(h[0], np.exp(np.array(inside, dtype)), rtol=1e-6)
    assert h[1] == h[2] > h[0]
    assert np.isfinite(10 * h[2])
    np.testing.assert_array_equal(dh[1:], 0)
    np.testing.assert_array_equal(dh, d2h)


def test_slope_at_the_kink_is_zero():
    assert HIDDEN_UNITS["relu"].dh(np.array([0.0, -0.0])).tolist() == [0, 0]


@pytest.mark.parametrize("name", HIDDEN)
def test_a_plain_number_a_whole_number_and_an_empty_array_are_welcome(name):
    unit = HIDDEN_UNITS[name]
    for f in (unit.h, unit.dh, unit.d2h):
        assert float(f(0.5)) == float(f(np.array([0.5]))[0])
        assert np.shape(f(np.empty((0, 3)))) == (0, 3)
        assert float(f(2)) == pytest.approx(float(f(2.0)))


@pytest.mark.parametrize("name", HIDDEN)
def test_arguments_are_left_alone(name):
    a = np.array([-1.0, 2.0])
    for f in (HIDDEN_UNITS[name].h, HIDDEN_UNITS[name].dh, HIDDEN_UNITS[name].d2h):
        result = f(a)
        assert not np.shares_memory(result, a)
    np.testing.assert_array_equal(a, [-1, 2])


def test_the_table_is_keyed_by_name():
    assert list(HIDDEN_UNITS) == [
        "identity",
        "tanh",
        "sigmoid",
        "softplus",
        "relu",
        "gelu",
        "exp",
    ]
    for name, unit in HIDDEN_UNITS.items():
        assert isinstance(unit, HiddenUnit)
        assert unit.name == name
        assert repr(unit) == f"HiddenUnit('{name}')"
        with pytest.raises(AttributeError):
            unit.name = "other"


# Units of one's own


def logistic(a):
    return 1 / (1 + np.exp(-a))


def silu(a):
    return a * logistic(a)


def silu_slope(a):
    return logistic(a) + a * logistic(a) * logistic(-a)


def silu_bend(a):
    return logistic(a) * logistic(-a) * (2 - a * np.tanh(a / 2))


SILU = HiddenUnit("silu", silu, silu_slope, silu_bend)


def with_silu(N=9):
    """Return a network with two units of the table and one of ours, with X and T."""
    _, X, T = case((3, 4, 5, 2, 3), "tanh", "softmax", N=N)
    return jl.Network.random((3, 4, 5, 2, 3), ("tanh", SILU, SILU), "softmax"), X, T


def test_a_unit_of_one_s_own_on_every_engine():
    net, X, T = with_silu()
    for f in (SUMS | ROWS).values():
        assert_alike(f, net, X, T)
    with jl.engine("compiled"):
        jl.input_jacobian(net, X)
        assert jl.engine_used() == "blocked"


def test_a_unit_of_one_s_own_against_differences(engine):
    net, X, T = with_silu()
    gradient = complex_step(
        lambda w: jl.error_gradient(net.with_parameters(w), X, T) @ np.ones(len(w)),
        net.w,
    )
    H = jl.exact_hessian(net, X, T)
    np.testing.assert_allclose(H.sum(axis=0), gradient, rtol=1e-11, atol=1e-13)
    J = np.stack([complex_step(lambda x: net(x[None])[0], x) for x in X])
    np.testing.assert_allclose(jl.input_jacobian(net, X), J, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))]
)
def test_copies_of_units_are_equal(again):
    net, *_ = with_silu()
    assert again(SILU) == SILU
    assert again(HIDDEN_UNITS["gelu"]) is HIDDEN_UNITS["gelu"]
    assert again(net) == net
    assert hash(again(net)) == hash(net)
    assert again(net).hidden == net.hidden


def test_networks_with_other_units_differ():
    net, *_ = with_silu()
    other = HiddenUnit("silu", silu, silu_slope, lambda a: 2 * silu_bend(a))
    assert jl.Network(net.sizes, net.w, ("tanh", SILU, other), "softmax") != net
    assert jl.Network(net.sizes, net.w, ("tanh", SILU, "gelu"), "softmax") != net


def test_functions_that_cannot_be_pickled():
    unit = HiddenUnit("silu", silu, lambda a: silu_slope(a), silu_bend)
    net = jl.Network.random((3, 4, 2), unit)
    assert copy.deepcopy(net) == net
    with pytest.raises(
        pickle.PicklingError, match=r"unit silu cannot .* its dh cannot"
    ):
        pickle.dumps(net)


def test_a_name_of_the_table_is_its_unit_s_alone():
    tanh = HiddenUnit("tanh", silu, silu_slope, silu_bend)
    for hidden in (tanh, [tanh, "tanh"]):
        with pytest.raises(ValueError, match="there is a hidden unit 'tanh' already"):
            jl.Network.random((2, 3, 3, 1)[: 2 + len(np.atleast_1d(hidden))], hidden)
    own = HIDDEN_UNITS["tanh"]
    assert jl.Network.random((2, 3, 1), own).hidden == (own,)


@pytest.mark.parametrize("name", ["", None, 3, b"silu"])
def test_names_that_are_none(name):
    with pytest.raises(TypeError, match="name must be a string"):
        HiddenUnit(name, silu, silu_slope, silu_bend)


def test_parts_that_are_no_functions():
    with pytest.raises(TypeError, match="d2h must be a function of an array, got 0"):
        HiddenUnit("silu", silu, silu_slope, 0)


@pytest.mark.parametrize("unit", [*HIDDEN_UNITS.values(), SILU], ids=lambda u: u.name)
def test_true_derivatives_pass_the_check(unit):
    unit.check()


def test_functions_without_complex_numbers_pass_the_check():
    # |a| is not analytic, and this erf is one of real numbers
    HiddenUnit(
        "softsign",
        lambda a: a / (1 + np.abs(a)),
        lambda a: 1 / (1 + np.abs(a)) ** 2,
        lambda a: -2 * np.sign(a) / (1 + np.abs(a)) ** 3,
    ).check()
    HiddenUnit(
        "erf",
        lambda a: np.array([math.erf(x) for x in a.flat], a.dtype).reshape(a.shape),
        lambda a: (2 / np.pi**0.5 * np.exp(-a * a)).astype(a.dtype),
        lambda a: (-4 * a / np.pi**0.5 * np.exp(-a * a)).astype(a.dtype),
    ).check()


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"dh": lambda a: 1.001 * silu_slope(a)}, "dh is not the derivative of h: at"),
        ({"d2h": lambda a: silu_bend(a) + 1e-4}, "d2h is not the derivative of dh"),
        ({"d2h": lambda a: a * np.nan}, "d2h is not the derivative of dh"),
        ({"h": lambda a: a.sum()}, r"h must return .* it made \(\) in float64"),
        ({"dh": lambda a: silu_slope(a) + np.float64(0)}, "dh must .* in float32"),
        ({"h": lambda a: np.abs(a), "dh": lambda a: 0 * a + 1}, "dh is not"),
    ],
)
def test_planted_mistakes_fail_the_check(parts, message):
    unit = HiddenUnit(**({"name": "silu"} | {
        "h": silu, "dh": silu_slope, "d2h": silu_bend
    } | parts))  # fmt: skip
    with pytest.raises(ValueError, match=f"^silu: {message}"):
        unit.check()
