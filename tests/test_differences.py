import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jachess_lib import (
    central_difference,
    complex_step,
    forward_difference,
)

WAYS = [forward_difference, central_difference, complex_step]
TOLERANCE = {forward_difference: 1e-6, central_difference: 1e-9, complex_step: 1e-15}


def polynomial(x):
    """x³ + 2 x, whose derivative is 3 x² + 2."""
    return x**3 + 2 * x


@pytest.mark.parametrize("way", WAYS)
@given(st.floats(-3, 3))
@settings(deadline=None)
def test_derivative_of_a_polynomial(way, x):
    assert way(polynomial, x) == pytest.approx(3 * x * x + 2, rel=20 * TOLERANCE[way])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("x_shape", [(), (3,), (2, 3), (0,), (1, 0, 2)])
@pytest.mark.parametrize("f_shape", [(), (4,), (2, 2), (0,)])
def test_shapes_and_every_index(way, x_shape, f_shape):
    rng = np.random.default_rng(0)
    A = rng.standard_normal(f_shape + x_shape)
    axes = len(x_shape)
    f = lambda x: np.tensordot(A, x, axes)  # noqa: E731
    D = way(f, rng.standard_normal(x_shape))
    assert D.shape == f_shape + x_shape
    np.testing.assert_allclose(D, A, atol=1e-6)


def test_forward_error_is_first_order_and_central_second():
    x = 0.7
    for way, ratio in [(forward_difference, 10), (central_difference, 100)]:
        errors = [abs(way(np.sin, x, step) - np.cos(x)) for step in (1e-1, 1e-2, 1e-3)]
        np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), ratio, rtol=0.1)


def test_the_formulas_themselves():
    f = lambda x: x**3  # noqa: E731
    assert forward_difference(f, 2.0, 0.5) == (2.5**3 - 2**3) / 0.5
    assert central_difference(f, 2.0, 0.5) == (2.5**3 - 1.5**3) / 1.0
    assert complex_step(f, 2.0) == 12


def test_default_steps_are_near_the_best():
    x, exact = 0.7, np.cos(0.7)
    for way, best in [(forward_difference, 1e-7), (central_difference, 1e-10)]:
        assert abs(way(np.sin, x) - exact) < best
        assert abs(way(np.sin, x, 1e-13) - exact) > 100 * best
        assert abs(way(np.sin, x, 0.1) - exact) > 100 * best


def test_default_steps_grow_with_x():
    calls = []
    forward_difference(lambda x: calls.append(float(x)) or x, 1e6)
    assert calls[1] - calls[0] == pytest.approx(1e6 * 2.0**-26, rel=1e-6)
    calls.clear()
    forward_difference(lambda x: calls.append(float(x)) or x, 1e-6)
    assert calls[1] - calls[0] == pytest.approx(2.0**-26, rel=1e-6)
    calls.clear()
    central_difference(lambda x: calls.append(float(x)) or x, 3.0)
    assert calls[0] - calls[1] == pytest.approx(
        2 * 3 * np.finfo(float).eps ** (1 / 3), rel=1e-6
    )


def test_the_step_that_was_taken_is_the_step_divided_by():
    # 0.1 is not a binary fraction: dividing by it, not by (x + 0.1) − x, costs digits
    assert forward_difference(lambda x: x, 1e9, 0.1) == 1
    assert central_difference(lambda x: x, 1e9, 0.1) == 1


def test_one_step_for_each_entry():
    steps = np.array([0.1, 0.01])
    moved = []
    central_difference(lambda x: moved.append(x.copy()) or x.sum(), np.zeros(2), steps)
    np.testing.assert_allclose(moved, [[0.1, 0], [-0.1, 0], [0, 0.01], [0, -0.01]])


@pytest.mark.parametrize("way", [forward_difference, central_difference])
def test_a_step_lost_in_rounding_is_refused(way):
    with pytest.raises(ValueError, match=r"lost in .* x\[1\], about 3: use"):
        way(lambda x: x, np.array([0.0, 3.0]), 1e-20)
    with pytest.raises(ValueError, match=r"beside x\[0, 1\], about 5"):
        way(lambda x: x, np.array([[0.0, 5.0]]), 1e-20)
    with pytest.raises(ValueError, match="lost in rounding"):
        way(lambda x: x, np.float32(3), 1e-8)


@pytest.mark.parametrize("way", WAYS)
def test_the_number_of_calls(way):
    calls = 0

    def f(x):
        nonlocal calls
        calls += 1
        return x * x

    way(f, np.ones(5))
    assert (
        calls == {forward_difference: 6, central_difference: 10, complex_step: 5}[way]
    )


@pytest.mark.parametrize("way", WAYS)
def test_x_is_left_alone_even_by_a_function_that_writes(way):
    def f(x):
        y = x * x
        x[...] = -1
        return y

    x = np.array([1.0, 2.0])
    D = way(f, x)
    np.testing.assert_array_equal(x, [1, 2])
    np.testing.assert_allclose(np.diag(D), [2, 4], rtol=1e-6)


@pytest.mark.parametrize("way", WAYS)
def test_float32_of_a_curved_function_and_of_nothing(way):
    x = np.array([0.5], np.float32)
    assert way(np.exp, x).item() == pytest.approx(np.exp(0.5), rel=2e-3)
    assert way(np.exp, x[:0]).dtype == np.float32


@pytest.mark.parametrize("way", WAYS)
def test_float32_stays_float32_and_whole_numbers_become_float(way):
    D = way(lambda x: x * x, np.array([1.5], np.float32))
    assert D.dtype == np.float32
    assert D.item() == pytest.approx(3, rel=2e-3)
    assert way(lambda x: x * x, np.array([3])).dtype == np.float64
    assert way(lambda x: x * x, 3) == pytest.approx(6)


def test_complex_step_is_right_to_the_last_digits_where_differences_fail():
    f = lambda x: np.exp(x) / np.sqrt(np.sin(x) ** 3 + np.cos(x) ** 3)  # noqa: E731
    exact = 4.05342789389862101  # at 1.5, from 50-digit arithmetic
    assert complex_step(f, 1.5) == pytest.approx(exact, rel=4e-16)
    assert abs(central_difference(f, 1.5) - exact) > 1e-13


@pytest.mark.parametrize(
    "f", [np.abs, lambda x: x.real**2, lambda x: (x * x.conj()).real]
)
def test_complex_step_refuses_functions_that_drop_the_imaginary_part(f):
    with pytest.raises(
        ValueError,
        match=r" to pass complex numbers on \(no abs, \.real or float inside\)$",
    ):
        complex_step(f, 1.0)


@pytest.mark.parametrize(
    ("f", "wrong", "right"),
    [
        (lambda x: x.real * x, -3, -6),
        (lambda x: np.abs(x) * x, 3, 6),
        (lambda x: x.conj(), -1, 1),
    ],
)
def test_complex_step_cannot_see_a_part_that_is_lost(f, wrong, right):
    """What the docstring warns of: the other way finds it."""
    assert complex_step(f, -3.0) == pytest.approx(wrong)
    assert central_difference(f, -3.0) == pytest.approx(right, rel=1e-8)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("x", [np.nan, np.inf, 1j, "1.0", [1.0, np.nan], None])
def test_x_must_be_real_and_finite(way, x):
    with pytest.raises(ValueError, match="finite real numbers"):
        way(lambda x: x, x)
    with pytest.raises(ValueError, match=r"such as \[1\.0, inf, 2\.0\]$"):
        way(lambda x: x, [1, np.inf, 2, 3])


@pytest.mark.parametrize("way", [forward_difference, central_difference])
@pytest.mark.parametrize("step", [0, -1e-3, np.inf, np.nan, [1e-3, 1e-3]])
def test_the_step_must_be_positive(way, step):
    with pytest.raises(ValueError, match="step must be a positive number"):
        way(lambda x: x, np.ones(3), step)


# Functions that keep their memory


def reusing(f, shape, dtype=float):
    """Return f with all its values written into one buffer."""
    buffer = np.empty(shape, dtype)

    def g(x):
        buffer[...] = f(x)
        return buffer

    return g


@pytest.mark.parametrize("difference", [forward_difference, central_difference])
@pytest.mark.parametrize(
    "f",
    [
        reusing(np.sin, 3),
        reusing(lambda x: x.sum(), ()),
        lambda x: x,
        lambda x: x[::-1],
        lambda x: np.multiply(x, 2, out=x),
        lambda x: np.broadcast_to(x[:1], 4),
    ],
)
def test_values_are_copied_before_f_is_called_again(difference, f):
    x = np.array([0.3, -1.2, 2.0])
    fresh = difference(lambda x: np.array(f(x.copy())), x)
    found = difference(f, x)
    np.testing.assert_array_equal(found, fresh)
    assert np.abs(found).max() > 0.4
    np.testing.assert_array_equal(x, [0.3, -1.2, 2.0])


def test_the_complex_step_copies_as_well():
    x = np.array([0.3, -1.2, 2.0])
    for f in (reusing(np.sin, 3, complex), lambda z: np.sin(z, out=z)):
        np.testing.assert_allclose(complex_step(f, x), np.diag(np.cos(x)), rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("x", [1e-30, 1e-4, 3.0, -1e8, 1e30])
def test_the_complex_step_at_every_scale(x, dtype):
    at = np.array(x, dtype)
    for f, slope in [
        (lambda x: x**2, lambda x: 2 * x),
        (lambda x: 1 / x, lambda x: -1 / x**2),
        (lambda x: np.sqrt(x * x), np.sign),
    ]:
        expected = slope(at.astype(np.float64))
        if np.abs(expected) < np.finfo(dtype).max:
            found = complex_step(f, at)
            assert found.dtype == dtype
            rel = 2 * float(np.finfo(dtype).eps)
            assert float(found) == pytest.approx(float(expected), rel=rel)


def test_the_complex_step_at_zero_and_of_plain_numbers():
    assert complex_step(lambda x: x**2, 3.0) == 6
    assert complex_step(np.sin, 0.0) == 1
    assert complex_step(lambda x: x**3 + 1e-20 * x, np.zeros(2))[1, 1] == 1e-20
