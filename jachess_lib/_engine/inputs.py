"""Checks of what callers hand in: one clear error, before anything is computed.

Every message names the argument, says what was found and what to do instead.
Private: the public functions call these in their first lines.
"""

import math

import numpy as np

from jachess_lib._engine.memory import require_memory

_DTYPES = (np.float32, np.float64, np.complex64, np.complex128)


def _numbers(name, value, dtype=np.float64):
    """Return `value` as an array of float or complex numbers, else a TypeError.

    `dtype` is given to whole numbers, which carry no precision of their own, and to
    half precision. What is wider than double precision is rounded to it.
    """
    require_given(name, value)
    check_plain(name, value)
    try:
        array = np.asarray(value)
    except ValueError as error:  # rows of different lengths
        raise TypeError(f"{name} is not an array of numbers: {error}") from None
    if array.dtype.kind not in "biufc":
        raise TypeError(
            f"{name} must hold numbers, but its dtype is {array.dtype}: convert it "
            f"with np.asarray({name}, dtype=float) and look for missing values or text"
        )
    return array.astype(_precision(array.dtype, dtype), copy=False)


def require_given(name, value):
    """Refuse None, which would otherwise stand for something else somewhere."""
    if value is None:
        raise TypeError(f"{name} must hold numbers, but it is None")


def _precision(given, default):
    """Return the dtype to compute in, among four, for numbers that come as `given`."""
    native = given.newbyteorder("=")
    if native in _DTYPES:
        return native
    if native.kind == "c":
        return np.dtype(np.complex128)
    return np.dtype(np.float64 if native == np.longdouble else default)


def check_plain(name, value):
    """Refuse arrays whose class means what their plain numbers do not."""
    kind, package = type(value).__name__, type(value).__module__
    if package.startswith("dask."):
        raise TypeError(
            f"{name} is a Dask {kind}, and here it must be in memory: "
            f"use {name}.compute()"
        )
    if package.startswith("scipy.sparse"):
        raise TypeError(
            f"{name} is a SciPy {kind}, and only dense arrays are taken: "
            f"use {name}.toarray()"
        )
    if _is_masked(value):
        raise TypeError(
            f"{name} has a mask, which would be lost: leave those patterns out, or "
            f"fill the masked entries in with np.ma.filled({name}, value)"
        )


def _is_masked(value):
    if isinstance(value, (list, tuple)):
        return any(_is_masked(row) for row in value)
    return isinstance(value, np.ma.MaskedArray)


def _fits(value, dtype, shape):
    """Return whether `value` is an array as the checks make one; None is any length."""
    return (
        type(value) is np.ndarray
        and value.dtype == dtype
        and value.ndim == len(shape)
        and value.shape[-1] == shape[-1]
        and shape[0] in (None, len(value))
    )


def _in_range(array, low, high):
    """Return whether all entries are in [low, high]; NaN is not."""
    lowest = np.minimum.reduce(array, axis=None, initial=high)
    return low <= lowest and np.maximum.reduce(array, axis=None, initial=low) <= high


def _is_finite(array):
    largest = np.finfo(array.dtype).max
    return _in_range(array, -largest, largest)


def _require_finite(name, array, first=0):
    """Refuse entries that are not finite; the rows of `array` count from `first`."""
    if not np.isfinite(array).all():
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        where = ", ".join(map(str, (first + index[0], *index[1:])))
        what = "patterns" if name in ("X", "T", "dX") else "entries"
        raise ValueError(
            f"{name}[{where}] is {array[index]}: every entry must be finite; "
            f"remove or fill in such {what} first"
        )


def _require_real(name, array):
    if np.iscomplexobj(array):
        raise ValueError(
            f"{name} must be real, but its dtype is {array.dtype}: only the forward "
            "pass, the error, its gradients and Jacobians take complex numbers"
        )


def _is_whole(number):
    return isinstance(number, (int, np.integer)) and not isinstance(number, bool)


def check_network(name, net):
    """Require a network, or what has all that is read of one."""
    if not all(hasattr(net, part) for part in ("w", "sizes", "output")):
        raise TypeError(
            f"{name} must be a Network, got {type(net).__name__}: make one with "
            "Network(sizes, w) or Network.random(sizes)"
        )


def check_sizes(sizes):
    """Return the layer sizes (D, …, K) as a tuple of ints."""
    try:
        sizes = tuple(sizes)
    except TypeError:
        raise ValueError(
            f"sizes must be a sequence such as (4, 10, 3), got {sizes!r}"
        ) from None
    whole = all(map(_is_whole, sizes))
    if len(sizes) < 2 or not whole or min(sizes) < 1:
        raise ValueError(
            f"sizes must be two or more positive whole numbers (inputs, hidden …, "
            f"outputs), got {sizes}"
        )
    return tuple(int(m) for m in sizes)


def check_hidden_unit(unit, table):
    """Return the hidden unit of that name, or a unit that a caller has made."""
    name = getattr(unit, "name", None)
    if not isinstance(unit, type(next(iter(table.values())))) or unit is table.get(
        name
    ):
        return check_unit("hidden", unit, table)
    if name in table:
        raise ValueError(
            f"there is a hidden unit {name!r} already, and this one is another: give "
            "it a name of its own"
        )
    return unit


def check_unit(kind, unit, table):
    """Return the unit of that name; a unit of the table stands for itself."""
    name = unit if isinstance(unit, str) else getattr(unit, "name", None)
    known = table.get(name) if isinstance(name, str) else None
    if known is None or not (isinstance(unit, str) or unit is known):
        raise ValueError(
            f"unknown {kind} unit {unit!r}: choose one of {', '.join(table)}"
        )
    return known


def check_hidden_units(hidden, table, count):
    """Return a hidden unit for each of `count` layers, given one (name) or all."""
    if isinstance(hidden, (str, *{type(unit) for unit in table.values()})):
        return (check_hidden_unit(hidden, table),) * count
    if not isinstance(hidden, (list, tuple)) or len(hidden) != count:
        raise ValueError(
            f"hidden must be one name, or a list of one for each of the {count} hidden "
            f"layers, got {hidden!r}"
        )
    return tuple(check_hidden_unit(unit, table) for unit in hidden)


def check_vector(name, vector, length, *, complex_allowed=False):
    """Return a finite vector of shape (length,)."""
    vector = _numbers(name, vector)
    _require_length(name, vector, length)
    if not complex_allowed:
        _require_real(name, vector)
    _require_finite(name, vector)
    return vector


def check_direction(net, v, *, complex_allowed=False):
    """Return the finite vector v of shape (P,), real if nothing else is allowed.

    Its precision is the wider of its own and the network's, as NumPy says.
    """
    w = net.w
    if w.dtype.kind == "f" and _fits(v, w.dtype, w.shape) and _is_finite(v):
        return v
    v = check_operand(v, net.w.dtype)
    _require_length("v", v, net.n_parameters)
    if not complex_allowed:
        _require_real("v", v)
    _require_finite("v", v)
    return v


def check_operand(v, dtype):
    """Return v, real or complex, in the dtype of its product with such a matrix."""
    check_plain("v", v)
    given = np.asarray(v)
    v = given if given.dtype.kind in "biufc" else _numbers("v", given)
    return v.astype(np.result_type(v.dtype, dtype), copy=False)


def _require_length(name, vector, length):
    if vector.shape != (length,):
        raise ValueError(
            f"{name} must have shape (P,) = ({length},), one entry for each parameter "
            f"of the network, got shape {vector.shape}"
        )


def _batch(name, array, n_columns, meaning, hint=None):
    """Return `array` if its shape is (N, n_columns), else explain what would fit."""
    if array.ndim != 2 or array.shape[1] != n_columns:
        hint = _hint_for_shape(name, array, n_columns) if hint is None else hint
        raise ValueError(
            f"{name} must have shape (N, {n_columns}), one column for each {meaning} "
            f"of the network, got shape {array.shape}{hint}"
        )
    return array


def _hint_for_shape(name, array, n_columns):
    """Return how one dimension becomes the two that are asked for, if it can."""
    if array.ndim == 1 and n_columns == 1:
        return f"; one number a pattern is a column: use {name.lower()}[:, None]"
    if array.ndim == 1 and len(array) == n_columns:
        return f"; a single pattern is a batch of one: use {name.lower()}[None, :]"
    return ""


def check_inputs(net, X, *, name="X", rows=None, complex_allowed=False, first=0):
    """Return the inputs as a finite (N, D) array, with N = `rows` if that is given.

    In a chunk of a larger array, `first` is the place of its first row.
    """
    w = net.w
    if w.dtype.kind == "f" and _fits(X, w.dtype, (rows, net.sizes[0])):
        if _is_finite(X):
            return X
    if name == "X":
        _require_no_shards(net, X)
    X = _batch(name, _numbers(name, X, net.w.real.dtype), net.sizes[0], "input")
    if rows is not None and len(X) != rows:
        raise ValueError(
            f"{name} must have one row for each of the {rows} patterns of X, got shape "
            f"{X.shape}"
        )
    if not complex_allowed:
        _require_real(name, X)
        _require_real("net.w", net.w)
    _require_finite(name, X, first)
    return X


def check_targets(net, X, T, *, first=0):
    """Return the targets as a finite (N, K) array that suits the output unit."""
    if X.dtype == net.w.dtype and _fits(T, X.real.dtype, (len(X), net.sizes[-1])):
        if _suits(net.output.name, T):
            return T
    T = _numbers("T", T)
    _paired_batch(net, X, T)
    _require_real("T", T)
    _require_finite("T", T, first)
    if net.output.name == "sigmoid":
        _require_probabilities(T, "a sigmoid output needs targets in [0, 1]", first)
    if net.output.name == "softmax":
        hint = f"a softmax output needs rows that are distributions; {_one_hot(net)}"
        _require_probabilities(T, hint, first)
        sums = T @ np.ones(T.shape[1])  # in double precision, and faster than sum()
        off = np.abs(sums - 1)
        if off.max(initial=0) > 1e-5:
            n = int(np.argmax(off > 1e-5))
            raise ValueError(
                f"row T[{first + n}] sums to {sums[n]:.6g}, not to 1: {hint}"
            )
    return T.astype(np.result_type(X, net.w).type(0).real.dtype, copy=False)


def _suits(output, T):
    """Return whether the output unit takes these targets: at a glance, and surely."""
    if output != "softmax":
        return _in_range(T, 0, 1) if output == "sigmoid" else _is_finite(T)
    return _in_range(T, 0, 1) and _in_range(T @ np.ones(T.shape[1]), 1 - 5e-6, 1 + 5e-6)


def check_multipliers(net, X, u, *, first=0):
    """Return u as a finite (N, K) array: one number for each output of a pattern."""
    u = _numbers("u", u, net.w.real.dtype)
    _paired_batch(net, X, u, "u")
    _require_finite("u", u, first)
    return u


def _one_hot(net):
    return f"for integer labels use one_hot(labels, {net.sizes[-1]})"


def _paired_batch(net, X, T, name="T"):
    """Require the shape (N, K) of T, with as many rows as X has."""
    N, K = X.shape[0], net.sizes[-1]
    if name != "T":
        hint = None
    elif T.ndim == 1 and K > 1 and not (N == 1 and len(T) == K):
        hint = _hint_for_labels(net, T)
    elif T.shape == (N, 1) and K > 1:
        hint = _hint_for_labels(net, T)
    else:
        hint = None
    _batch(name, T, K, "output", hint)
    if T.shape[0] != N:
        raise ValueError(
            f"X and {name} must have one row for each pattern, got X of shape "
            f"{X.shape} and {name} of shape {T.shape}"
        )


def _hint_for_labels(net, T):
    """Return what to do with T where it holds a class label for each pattern."""
    K = net.sizes[-1]
    if net.output.name != "softmax":
        return ""
    if _is_dask_array(T) or not T.size or (T != np.rint(T)).any():
        return "; a softmax output needs rows that are distributions"
    low, high = T.min(), T.max()
    if low >= 0 and high < K:
        return f"; for integer labels use one_hot(labels, {K})"
    if low >= 1 and high == K:
        return f"; classes count from 0: use one_hot(labels - 1, {K})"
    return (
        f"; one_hot(labels, {K}) takes whole numbers from 0 to {K - 1}, and these go "
        f"from {low:g} to {high:g}"
    )


def _require_probabilities(T, hint, first):
    if T.min(initial=0) < 0 or T.max(initial=0) > 1:
        n, k = (int(i) for i in np.argwhere((T < 0) | (T > 1))[0])
        raise ValueError(f"T[{first + n}, {k}] is {T[n, k]:.6g}: {hint}")


def check_shards(net, X, T, name="T"):
    """Return X and T, in memory or as Dask arrays, of shapes that fit each other.

    `name` is what T is called. No chunk is made: what the chunks hold is checked where
    they are.
    """
    X = X if _is_dask_array(X) else _numbers("X", X, net.w.real.dtype)
    T = T if T is None or _is_dask_array(T) else _numbers(name, T)
    for each, A in (("X", X), (name, T)):
        if A is not None and any(map(math.isnan, A.shape)):
            raise ValueError(
                f"{each} has chunks of unknown size, so that its patterns cannot be "
                f"counted: call {each}.compute_chunk_sizes() first"
            )
    _batch("X", X, net.sizes[0], "input")
    if T is not None:
        _paired_batch(net, X, T, name)
    return X, T


def _is_dask_array(value):
    return type(value).__module__.startswith("dask.array")


def _require_no_shards(net, X):
    """Refuse a Dask array where the result has a row for each pattern."""
    if _is_dask_array(X):
        D, K = net.sizes[0], net.sizes[-1]
        raise TypeError(
            "X is a Dask array, which only sums over the patterns take: apply what has "
            "a row for each pattern to each chunk, the outputs by X.map_blocks(net, "
            f"chunks=(X.chunks[0], ({K},)), dtype=X.dtype), the Jacobian by "
            "X.map_blocks(lambda x: input_jacobian(net, x), chunks="
            f"(X.chunks[0], ({K},), ({D},)), new_axis=2, dtype=X.dtype), and so on"
        )


def check_covariance(net, X, covariance):
    """Return one covariance (D, D) for all patterns, or one for each, (N, D, D)."""
    C = _numbers("covariance", covariance)
    D = net.sizes[0]
    if C.shape not in ((D, D), (len(X), D, D)):
        raise ValueError(
            f"covariance must have shape (D, D) = ({D}, {D}), or ({len(X)}, {D}, {D}) "
            f"with one matrix for each pattern, got shape {C.shape}"
        )
    _require_real("covariance", C)
    _require_finite("covariance", C)
    tolerance = _require_symmetric("covariance", C)
    lowest = np.linalg.eigvalsh(C).min(initial=0)
    if lowest < -tolerance:
        raise ValueError(
            f"covariance must have no negative eigenvalue, but one is {lowest:.3g}: no "
            "noise has a negative variance"
        )
    return C.astype(np.result_type(X, net.w), copy=False)


def _require_symmetric(name, C):
    """Refuse what is not symmetric, (…, D, D), and return what rounding may leave."""
    tolerance = 100 * C.shape[-1] * np.finfo(C.dtype).eps * np.abs(C).max(initial=0)
    if (np.abs(C - C.swapaxes(-1, -2)) > tolerance).any():
        raise ValueError(
            f"{name} must be symmetric: use (C + C.swapaxes(-1, -2)) / 2 if it "
            "nearly is"
        )
    return tolerance


def check_array(name, value, shape=None, *, symmetric=False):
    """Return a finite real array in double precision, of the shape asked for."""
    array = _numbers(name, value)
    _require_real(name, array)
    array = array.astype(float, copy=False)
    if shape is not None and array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got shape {array.shape}")
    _require_finite(name, array)
    if symmetric:
        _require_symmetric(name, array)
    return array


def check_count(name, count):
    """Return a positive whole number."""
    if not _is_whole(count) or count < 1:
        raise ValueError(f"{name} must be a positive whole number, got {count!r}")
    return int(count)


def check_number(name, number):
    """Return a finite real number as a float."""
    array = _numbers(name, number)
    if array.ndim or np.iscomplexobj(array) or not np.isfinite(array):
        raise ValueError(f"{name} must be one finite real number, got {number!r}")
    return float(array)


def check_positive(name, number, why=""):
    """Return a finite number above zero; `why` is added to what is said else."""
    number = check_number(name, number)
    if number <= 0:
        raise ValueError(f"{name} must be larger than 0, got {number:g}{why}")
    return number


def check_weights(weights, net, n_patterns):
    """Return one finite real weight for each pattern, of any sign."""
    weights = _numbers("weights", weights)
    if weights.shape != (n_patterns,):
        raise ValueError(
            f"weights must have shape (N,) = ({n_patterns},), one for each pattern, "
            f"got shape {weights.shape}"
        )
    _require_real("weights", weights)
    _require_finite("weights", weights)
    return weights.astype(net.w.real.dtype, copy=False)


def check_series(outer, inner):
    """Require that `outer` takes what `inner` gives."""
    if outer.sizes[0] != inner.sizes[-1]:
        raise ValueError(
            f"outer has {outer.sizes[0]} inputs and inner has {inner.sizes[-1]} "
            "outputs: modules in series need the same number"
        )


def check_choice(name, value, choices):
    """Require one of the names in `choices`."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value!r}")


def check_index(name, index, length):
    """Return a whole number from 0 to length − 1."""
    if not _is_whole(index) or not 0 <= index < length:
        raise ValueError(
            f"{name} must be a whole number from 0 to {length - 1}, got {index!r}"
        )
    return int(index)


def check_labels(labels, n_classes):
    """Return class labels as a vector of whole numbers from 0 to n_classes − 1."""
    if not _is_whole(n_classes) or n_classes < 1:
        raise ValueError(
            f"n_classes must be a positive whole number, got {n_classes!r}"
        )
    check_plain("labels", labels)
    labels = np.asarray(labels)
    whole = labels.dtype.kind in "iu"
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]  # a column, as data sets often hold them
    hint = ""
    if labels.ndim == 1 and labels.dtype.kind == "f" and not (labels % 1).any():
        hint = ": use labels.astype(int)"
    if labels.ndim != 1 or not (whole or labels.size == 0):
        raise ValueError(
            f"labels must be whole numbers of shape (N,), got shape {labels.shape} of "
            f"dtype {labels.dtype}{hint}"
        )
    off = (labels < 0) | (labels >= n_classes)
    if off.any():
        n = int(np.argmax(off))
        raise ValueError(
            f"labels[{n}] is {labels[n]}, but {n_classes} classes are numbered 0 to "
            f"{n_classes - 1}"
        )
    return labels.astype(np.intp)


def apart(out, *arrays):
    """Return the arrays, copied if `out` shares their memory: they are read to the end.

    So a result may be put where an argument is, as NumPy's own functions let it.
    """
    if not isinstance(out, np.ndarray):
        return arrays
    return tuple(A.copy() if np.may_share_memory(out, A) else A for A in arrays)


def result_array(out, shape, dtype, *, instead="use a smaller network", temporaries=0):
    """Return the array to fill: `out` if it fits, else a new one if memory holds it.

    `temporaries` are the bytes that it takes to fill it, and `instead` says what to
    call where they are too many.
    """

    def what():
        return f"a result of shape {shape} in {np.dtype(dtype)}"

    if out is None:
        size = np.dtype(dtype).itemsize * math.prod(shape)
        require_memory(size + temporaries, what, instead)
        try:
            return np.empty(shape, dtype)
        except (MemoryError, ValueError):  # ValueError: larger than any address
            gigabytes = f"{size / 2**30:,.1f} GiB"
            raise MemoryError(
                f"{what()} needs {gigabytes}, more than there is: {instead}"
            ) from None
    if not isinstance(out, np.ndarray):
        raise ValueError(f"out must be a NumPy array, got {type(out).__name__}")
    if isinstance(out, np.ma.MaskedArray):
        raise ValueError("out has a mask, which would be lost: hand in out.data")
    if out.shape != shape or out.dtype != dtype:
        raise ValueError(
            f"out must have shape {shape} and dtype {np.dtype(dtype)}, got shape "
            f"{out.shape} and dtype {out.dtype}"
        )
    if not out.flags.writeable:
        raise ValueError("out is read-only: hand in an array that can be written to")
    require_memory(temporaries, what, instead)
    return out
