"""What the language model asks of its arguments, its weights, and its symmetries."""

from itertools import pairwise

import numpy as np

from jachess_lib._engine.inputs import (
    _numbers,
    _require_finite,
    _require_real,
    check_choice,
    check_count,
    check_hidden_unit,
    check_index,
    check_labels,
    check_plain,
    check_vector,
    require_given,
)
from jachess_lib.hidden_units import HIDDEN_UNITS

PASSES = ("forward", "pushforward", "pullback", "curvature")


def check_matrix(name, W):
    """Return a finite matrix with entries, complex or not."""
    W = _numbers(name, W)
    if W.ndim != 2 or W.size == 0:
        raise ValueError(
            f"{name} must be a matrix of shape (M_out, M_in), got shape {W.shape}"
        )
    _require_finite(name, W)
    return W


def check_gradient(gradient):
    """Return a finite real matrix."""
    gradient = check_matrix("gradient", gradient)
    _require_real("gradient", gradient)
    return gradient


def check_steps(steps):
    """Return a whole number that is not negative."""
    return check_index("steps", steps, 1000)


def check_hidden(unit):
    """Return the hidden unit of that name, or the caller's own."""
    return check_hidden_unit(unit, HIDDEN_UNITS)


def check_heads(length, heads):
    """Require two positive whole numbers."""
    check_count("length", length)
    check_count("heads", heads)


def check_transformer(n_letters, length, width, heads, hidden, blocks):
    """Return the four sizes that the matrices need."""
    given = {
        "n_letters": n_letters,
        "length": length,
        "width": width,
        "heads": heads,
        "hidden": hidden,
        "blocks": blocks,
    }
    for name, count in given.items():
        check_count(name, count)
    if width % heads:
        raise ValueError(
            f"heads must divide the width, got {heads} heads and a width of {width}"
        )
    if width < 3:
        raise ValueError(
            f"width must be 3 or more, got {width}: behind a norm two units are one "
            "sign, and one is nothing"
        )
    return n_letters, length, width, hidden


def check_letters(letters, n_letters):
    """Return texts of one length as whole numbers, of shape (texts, length)."""
    require_given("letters", letters)
    check_plain("letters", letters)
    letters = np.asarray(letters)
    if letters.ndim != 2 or letters.shape[1] == 0:
        raise ValueError(
            "letters must have shape (texts, length), one text a row, got shape "
            f"{letters.shape}"
        )
    return check_labels(letters.ravel(), n_letters).reshape(letters.shape)


def flat_parts(parts):
    """Yield the parts of a stack, those of its branches among them."""
    for part in parts:
        if isinstance(part, (tuple, list)):
            yield from flat_parts(part)
        else:
            yield part


def frozen_weights(parts):
    """Return the parts as tuples that share one read-only vector, w and its slices."""
    if not isinstance(parts, (tuple, list)):
        raise TypeError(f"parts must be a list of parts, got {type(parts).__name__}")
    found = list(flat_parts(parts))
    for part in found:
        if not all(hasattr(part, name) for name in PASSES):
            raise TypeError(
                f"{part!r} is no part: it needs the methods {', '.join(PASSES)}"
            )
    matrices = [part.W for part in found if hasattr(part, "W")]
    if not matrices or not found or not hasattr(found[-1], "W"):
        raise ValueError("a stack needs a Linear at its end, which gives the logits")
    if _attends(found[0]):
        raise ValueError("a stack needs a Linear before its first Attention")
    ends = np.cumsum([0, *(W.size for W in matrices)])
    slices = tuple(slice(int(p), int(q)) for p, q in pairwise(ends))
    w = np.concatenate([W.ravel() for W in matrices])
    return *_rebuilt(parts, w, slices), slices


def _rebuilt(parts, w, slices):
    """Return the parts with the matrices of w, and w itself, over bytes."""
    w = np.frombuffer(w.tobytes(), w.dtype)  # which nobody can make writable again
    places = iter(slices)

    def again(part):
        if isinstance(part, (tuple, list)):
            return tuple(map(again, part))
        if not hasattr(part, "W"):
            return part
        new = object.__new__(type(part))
        new.__dict__.update(part.__dict__)
        new.__dict__["W"] = w[next(places)].reshape(part.W.shape)
        return new

    return tuple(map(again, parts)), w


def with_matrices(net, w):
    """Return the stack with other parameters."""
    w = check_vector("w", w, net.n_parameters, complex_allowed=True)
    parts, w = _rebuilt(net.parts, w, net.slices)
    new = object.__new__(type(net))
    W = tuple(part.W for part in flat_parts(parts) if hasattr(part, "W"))
    new.__dict__.update(parts=parts, w=w, slices=net.slices, W=W)
    return new


def _check_stack(net):
    if not all(hasattr(net, name) for name in ("parts", "w", "slices")):
        raise TypeError(
            f"net must be a Stack, got {type(net).__name__}: make one with "
            "Stack(parts) or transformer(…)"
        )


def check_rows(net, X):
    """Return what goes into the stack, of shape (N, D), whole texts."""
    _check_stack(net)
    X, D = _numbers("X", X, net.w.real.dtype), net.W[0].shape[1]
    if X.ndim != 2 or X.shape[1] != D:
        raise ValueError(
            f"X must have shape (N, {D}), one column for each input of the first "
            f"matrix, got shape {X.shape}: token_inputs(letters, n_letters) makes one"
        )
    _require_real("X", X)
    _require_finite("X", X)
    for length in {part.length for part in flat_parts(net.parts) if _attends(part)}:
        if len(X) % length:
            raise ValueError(
                f"X must hold whole texts of {length} tokens, got {len(X)} rows"
            )
    return X


def _attends(part):
    return hasattr(part, "length") and hasattr(part, "heads")


def check_step(net, X):
    """Return X, with one token at least."""
    X = check_rows(net, X)
    if len(X) == 0:
        raise ValueError("X holds no token, and the mean over none has no value")
    return X


def check_tokens(net, X, T):
    """Return X and T, of shapes (N, D) and (N, K), the rows of T distributions."""
    X, T = check_step(net, X), _numbers("T", T, net.w.real.dtype)
    K = net.W[-1].shape[0]
    if T.shape != (len(X), K):
        raise ValueError(
            f"T must have shape (N, K) = ({len(X)}, {K}), one row for each token, got "
            f"shape {T.shape}: for letters use one_hot(letters, {K})"
        )
    _require_real("T", T)
    _require_finite("T", T)
    if T.min() < 0 or abs(T.sum(axis=1) - 1).max() > 1e-5:
        raise ValueError(
            "the rows of T must be distributions, without negative entries and with "
            f"the sum 1: for letters use one_hot(letters, {K})"
        )
    return X, T.astype(np.result_type(X, net.w).type(0).real.dtype, copy=False)


def check_curvature(net, X, T, curvature):
    """Return X and T, which G does without."""
    check_choice("curvature", curvature, ("exact", "outer_product"))
    if T is None and curvature == "outer_product":
        return check_step(net, X), None
    return check_tokens(net, X, T)


def sampled_labels(y, seed):
    """Return a label for each row of probabilities, drawn from it."""
    check_index("seed", seed, 2**63)
    at = np.random.default_rng(seed).random((len(y), 1))
    return (at > y.cumsum(axis=1)).sum(axis=1).clip(0, y.shape[1] - 1)


def design(net):
    """Return letters, length, width, heads and the hidden units of every block."""
    _check_stack(net)
    kinds = ["Linear"], ["Norm", "Linear", "Attention", "Linear"]
    pair = [kinds[1], ["Norm", "Linear", "Hidden", "Linear"]]
    name = lambda part: type(part).__name__  # noqa: E731
    found = [
        list(map(name, part)) if isinstance(part, tuple) else name(part)
        for part in net.parts
    ]
    blocks = len(found[1:-2]) // 2
    attention = {(p.length, p.heads) for p in flat_parts(net.parts) if _attends(p)}
    if found != ["Linear", *pair * blocks, "Norm", "Linear"] or len(attention) != 1:
        raise ValueError(
            "the stack is not built as transformer(…) builds it, and the count holds "
            "for no other"
        )
    ((length, heads),) = attention
    (K, d), hidden = net.W[-1].shape, [W.shape[0] for W in net.W[3:-1:4]]
    if net.W[0].shape != (d, K + length):
        raise ValueError(
            f"the first matrix must have shape ({d}, {K + length}), one column for "
            f"each letter and each place, got shape {net.W[0].shape}"
        )
    return K, length, d, heads, hidden


def names_of(net):
    """Return where each matrix stands in w, under its name, with its shape."""
    _check_stack(net)
    found, names, places = list(flat_parts(net.parts)), {}, iter(net.slices)
    kind = [type(part).__name__ for part in found] + [""]
    count = kind.count("Attention") or kind.count("Hidden")
    for at, part in enumerate(found):
        if not hasattr(part, "W"):
            continue
        place, shape = next(places), part.W.shape
        before = kind[at - 1] if at else ""
        if before == "Attention":
            name = "O"
        elif before == "Hidden":
            name = "2"
        elif kind[at + 1] == "Attention":
            name = "QKV"
        elif kind[at + 1] == "Hidden":
            name = "1"
        else:
            name = "U" if at == len(found) - 1 else "E"
        number = 0 if name in "EU" or count < 2 else sum(n[0] == name[0] for n in names)
        step = (place.stop - place.start) // len(name)
        for i, letter in enumerate(name):
            label = letter if name in "EU" or count < 2 else f"{letter}_{number}"
            start = place.start + i * step
            names[label] = slice(start, start + step), (shape[0] // len(name), shape[1])
    return names


def generators_of(net):
    """Yield (kind, v, g → Dᵀg) for each way to move the weights unnoticed."""
    K, T, d, heads, hidden = design(net)
    d_head, blocks = d // heads, range(len(hidden))
    E, U = 0, len(net.W) - 1
    qkv, out, one, two = ([4 * b + i for b in blocks] for i in (1, 2, 3, 4))
    ones, letters = np.ones((d, 1)), np.r_[np.ones(K), -np.ones(T)]
    unit = lambda n: np.eye(n)  # noqa: E731

    def straight(kind, l, rows, columns):
        for row in rows:
            for column in columns:
                v = [np.zeros(W.shape) for W in net.W]
                v[l] += np.outer(row, column)
                yield kind, _flat(v), np.zeros_like

    yield from straight("letters against places", E, unit(d), [letters])
    yield from straight("mean of the stream", E, ones.T, unit(K + T))
    for l, m in zip(out, [d] * len(hidden), strict=True):
        yield from straight("mean of the stream", l, ones.T, unit(m))
    for l, m in zip(two, hidden, strict=True):
        yield from straight("mean of the stream", l, ones.T, unit(m))
    for l in [*qkv, *one, U]:
        rows = unit(net.W[l].shape[0])
        yield from straight("mean behind a norm", l, rows, ones.T)
    yield from straight("shift of the logits", U, [np.ones(K)], unit(d))

    def curved(kind, moves):
        """Return the change L W + W R of each (matrix, its rows, L, R) of `moves`."""

        def apply(W, transpose):
            v = [np.zeros(A.shape) for A in W]
            for l, rows, left, right in moves:
                left, right = (left.T, right.T) if transpose else (left, right)
                v[l][rows] += left @ W[l][rows] + W[l][rows] @ right
            return _flat(v)

        def transposed(g):
            return apply([g[s].reshape(W.shape) for s, W in places], True)

        places = list(zip(net.slices, net.W, strict=True))
        return kind, apply(net.W, False), transposed

    every = slice(None)
    writers, readers = [E, *out, *two], [*qkv, *one, U]
    none = lambda l, side: np.zeros((net.W[l].shape[side],) * 2)  # noqa: E731
    yield curved("scale", [(l, every, unit(d), none(l, 1)) for l in writers])
    basis = np.linalg.qr(np.column_stack([ones, unit(d)[:, 1:]]))[0][:, 1:]
    for i in range(d - 1):
        for j in range(i):
            S = np.outer(basis[:, i], basis[:, j])
            S = S - S.T
            moves = [(l, every, S, none(l, 1)) for l in writers]
            moves += [(l, every, none(l, 0), -S) for l in readers]
            yield curved("rotation", moves)
    for b in blocks:
        for head in range(heads):
            q, k, v = (
                slice(i * d + head * d_head, i * d + (head + 1) * d_head)
                for i in range(3)
            )
            for i in range(d_head):
                for j in range(d_head):
                    S = np.zeros((d_head, d_head))
                    S[i, j] = 1
                    wide = np.zeros((d, d))
                    wide[head * d_head + i, head * d_head + j] = 1
                    right = np.zeros((d, d))
                    yield curved(
                        "queries against keys",
                        [(qkv[b], q, S, right), (qkv[b], k, -S.T, right)],
                    )
                    yield curved(
                        "values against outputs",
                        [
                            (qkv[b], v, S, right),
                            (out[b], every, none(out[b], 0), -wide),
                        ],
                    )


def _flat(matrices):
    return np.concatenate([A.ravel() for A in matrices])
