"""Derivatives without derivation: finite differences and the complex step.

| symbol | code | shape |
| --- | --- | --- |
| f, x | `f`, `x` | any |
| ∂f/∂x_i | what each function returns | f(x).shape + x.shape |
| ε | `step` | () or x.shape |

This module is the book's witness: it imports NumPy alone and knows nothing of networks.
`step` has the unit of x; everything else has the unit of f over that of x.

Source: Bishop & Bishop, *Deep Learning* (2024), §8.1.4, for the differences;
Squire & Trapp, SIAM Review 40 (1998), for the complex step.
"""

import numpy as np

__all__ = ["central_difference", "complex_step", "forward_difference"]


def forward_difference(f, x, step=None):
    """Return ∂f/∂x by one more call for each entry, of shape f(x).shape + x.shape.

    Truncation costs O(ε) and rounding O(ε_m/ε), where ε_m is the spacing of the
    floating-point numbers at 1. The default step, √ε_m max(1, |x_i|), balances them.

    Parameters
    ----------
    f : callable
        Takes an array like `x`, returns an array or a number.
    x : array, any shape
        Where to differentiate.
    step : float or array of the shape of `x`, optional
        The step ε of each entry.

    Raises
    ------
    ValueError
        If x is not real and finite, or a step is not positive or too small to move x.

    Examples
    --------
    >>> forward_difference(lambda x: x**2, [3.0], step=0.5)
    array([[6.5]])
    """
    x = _point(x)
    steps = _steps(x, step, power=1 / 2)
    f_x = _value(f, x.copy())

    def column(i):
        ahead = _moved(x, i, steps[i])
        width = _width(ahead, x, i)
        # eq-differences-forward: ∂f/∂x_i = [f(x_i + ε) − f(x_i)]/ε + O(ε)
        return (_value(f, ahead) - f_x) / width

    return _stack(column, x, f_x.shape)


def central_difference(f, x, step=None):
    """Return ∂f/∂x by two calls for each entry, of shape f(x).shape + x.shape.

    Truncation costs O(ε²) and rounding O(ε_m/ε); the default step is
    ∛ε_m max(1, |x_i|). Parameters and errors are those of `forward_difference`.

    Examples
    --------
    >>> central_difference(lambda x: x**2, [3.0], step=0.5)
    array([[6.]])
    """
    x = _point(x)
    steps = _steps(x, step, power=1 / 3)

    def column(i):
        ahead, behind = _moved(x, i, steps[i]), _moved(x, i, -steps[i])
        width = _width(ahead, behind, i)
        # eq-differences-central: ∂f/∂x_i = [f(x_i + ε) − f(x_i − ε)]/2ε + O(ε²)
        return (_value(f, ahead) - _value(f, behind)) / width

    return _stack(column, x, np.shape(f(x.copy())) if x.size == 0 else None)


def complex_step(f, x):
    """Return ∂f/∂x by one complex call for each entry, of shape f(x).shape + x.shape.

    Nothing is subtracted, so nothing is lost to rounding: the step is tiny and the
    result is right to the last digits; `f` is called in double precision. It fails
    where `f` is not analytic. If its result is real it says so; but a conjugate inside,
    or one factor of several that lost its imaginary part, as in `abs(x) * x`, gives a
    wrong number without a word.

    Parameters
    ----------
    f : callable
        Takes a complex array like `x`, returns a complex array or number.
    x : array, any shape
        Where to differentiate.

    Raises
    ------
    ValueError
        If x is not real and finite, or `f` returns real numbers.

    Examples
    --------
    >>> complex_step(lambda x: x**2, [3.0])
    array([[6.]])
    """
    x = _point(x)
    # far below x, so that its square is nothing beside it, and as far from underflow
    steps = 1e-50 * np.where(x == 0, 1, np.abs(x).astype(np.float64))
    steps = np.maximum(steps, 1e-300)

    def column(i):
        z = x.astype(np.complex128)
        z[i] += 1j * steps[i]
        with np.errstate(under="ignore"):
            f_z = _value(f, z)
        if not np.iscomplexobj(f_z):
            raise ValueError(
                f"f returned {f_z.dtype} for a complex x: the complex step needs f to "
                "pass complex numbers on (no abs, .real or float inside)"
            )
        # eq-differences-complex: ∂f/∂x_i = Im f(x_i + iε)/ε + O(ε²)
        return (f_z.imag / steps[i]).astype(x.dtype)

    return _stack(column, x, np.shape(f(x.copy())) if x.size == 0 else None)


def _value(f, x):
    """Return f(x) as an array of its own: `f` may write its next value over it."""
    value = f(x)
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError("f returned a masked array, and its mask would be lost")
    return np.array(value)


def _point(x):
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(
            "x has a mask, which would be lost: fill it in with np.ma.filled(x, value)"
        )
    x = np.asarray(x)
    if x.dtype.kind not in "biuf" or not np.isfinite(x).all():
        raise ValueError(
            f"x must hold finite real numbers, got {x.dtype} with values such as "
            f"{x.ravel()[:3].tolist()}"
        )
    return x if x.dtype == np.float32 else x.astype(np.float64)


def _steps(x, step, power):
    if step is None:
        step = np.finfo(x.dtype).eps ** power * np.maximum(1, np.abs(x))
    step = np.asarray(step, dtype=x.dtype)
    if step.shape not in ((), x.shape) or not (step > 0).all() or np.isinf(step).any():
        raise ValueError(
            f"step must be a positive number, or one for each entry of x of shape "
            f"{x.shape}, got {step.tolist()}"
        )
    return np.broadcast_to(step, x.shape)


def _moved(x, i, step):
    moved = x.copy()
    moved[i] += step
    return moved


def _width(ahead, behind, i):
    """Return the step as it was rounded; read it before f can change its argument."""
    width = ahead[i] - behind[i]
    if width == 0:
        raise ValueError(
            f"step is lost in rounding beside x[{', '.join(map(str, i))}], about "
            f"{ahead[i]:.3g}: use a larger one"
        )
    return width


def _stack(column, x, f_shape):
    """Return the columns, one for each entry of x, as f_shape + x.shape."""
    columns = [np.asarray(column(i)) for i in np.ndindex(x.shape)]
    if not columns:
        return np.empty(f_shape + x.shape, x.dtype)
    return np.stack(columns, axis=-1).reshape(columns[0].shape + x.shape)
