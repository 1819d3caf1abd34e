import mpmath as mp
import numpy as np
import pytest
from oracles import HIDDEN, MP_UNITS, SMOOTH

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
