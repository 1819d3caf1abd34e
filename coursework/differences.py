"""Compares two answers, and says in words where and how they differ."""

from itertools import permutations

import numpy as np


def parts(answer):
    """Return an answer as a list of arrays."""
    return answer if isinstance(answer, list) else [answer]


def shapes(answer):
    """Return the shape of an answer, or the list of those of its layers."""
    if isinstance(answer, list):
        return [np.shape(part) for part in answer]
    return np.shape(answer)


def same(answer, right, rtol=1e-6, atol=1e-8):
    """Tell whether two answers agree, to six digits if nothing else is said."""
    return shapes(answer) == shapes(right) and all(
        np.all(np.abs(a - r) <= atol + rtol * np.abs(r).max(initial=0.0))
        for a, r in zip(parts(answer), parts(right), strict=True)
    )


def distance(answer, right):
    """Return the largest difference of two answers over the largest entry."""
    pairs = list(zip(parts(answer), parts(right), strict=True))
    off = max(np.abs(a - r).max(initial=0.0) for a, r in pairs)
    return off / max(1e-300, *(np.abs(r).max(initial=0.0) for _, r in pairs))


def joined(answer):
    """Return the entries of an answer as one vector."""
    return np.concatenate([np.zeros(0), *(np.ravel(part) for part in parts(answer))])


def factor_of(answer, right):
    """Return the number that turns `right` into `answer`, or None."""
    if shapes(answer) != shapes(right):
        return None
    a, r = joined(answer), joined(right)
    if not r.any() or not np.isfinite(a).all():
        return None
    at = np.abs(r).argmax()
    factor = a[at] / r[at]
    return factor if factor and np.abs(a - factor * r).max() <= 1e-6 * abs(
        a[at]) else None  # fmt: skip


def difference(answer, right):
    """Return (name, words): in what an answer of the right shape differs."""
    a, r = joined(answer), joined(right)
    factor = factor_of(answer, right)
    if factor is not None:
        return "factor", f"every entry is {factor:.6g} times what it should be"
    large = np.abs(r) > 1e-9 * np.abs(r).max(initial=0.0)
    if large.any() and same(np.abs(a), np.abs(r)):
        count = f"{np.sum(a[large] / r[large] < 0)} of {large.sum()} entries"
        return "some signs", f"the sizes are right, and the signs of {count} wrong"
    if same(np.sort(a), np.sort(r)):
        return "places", "these are the right numbers, in other places"
    off = np.abs(a - r) > 1e-8 + 1e-6 * np.abs(r).max(initial=0.0)
    where = place_of(answer, right, off) or f"{off.sum()} of {len(off)} entries"
    first = int(off.argmax())
    at = index_of(answer, first)
    says = (
        f"the shape is right and the numbers are not: {where} are wrong; the first, "
        f"{at}, is {a[first]:.6g} in place of {r[first]:.6g}; off by "
        f"{distance(answer, right):.1e} of the largest{by_axis(answer, right)}"
    )
    return "numbers", says


def by_axis(answer, right):
    """Return words if each entry of one axis has a factor of its own."""
    if isinstance(answer, list) or np.ndim(right) < 2 or not np.all(right):
        return ""
    ratios = answer / right
    for axis, length in enumerate(ratios.shape):
        other = tuple(n for n in range(ratios.ndim) if n != axis)
        mean = ratios.mean(other, keepdims=True)
        if length < ratios.size and same(ratios, np.broadcast_to(mean, ratios.shape)):
            each = ", ".join(f"{factor:.4g}" for factor in mean.ravel()[:4])
            return f"; along axis {axis} the factors are {each}"
    return ""


def place_of(answer, right, off):
    """Return words for where the wrong entries lie, if it has a name."""
    if isinstance(answer, list):
        ends = np.cumsum([np.size(part) for part in right])[:-1]
        bad = [piece.any() for piece in np.split(off, ends)]
        if sum(bad) < len(bad):
            which = ", ".join(f"[{l}]" for l, wrong in enumerate(bad) if wrong)
            return f"the tables {which} alone"
        columns = [
            np.flatnonzero(piece.reshape(np.shape(part)).any(0)).tolist()
            for piece, part in zip(np.split(off, ends), right, strict=True)
            if np.ndim(part) == 2
        ]
        return "column 0, the biases, alone" if all(c == [0] for c in columns) else ""
    off = off.reshape(np.shape(right))
    if off.all():
        return "all entries"
    if off.ndim >= 2 and off.shape[-1] == off.shape[-2]:
        on = np.broadcast_to(np.eye(off.shape[-1], dtype=bool), off.shape)
        if not off[~on].any():
            return "entries on the diagonal alone"
        if not off[on].any():
            return "entries off the diagonal alone"
    for axis in range(off.ndim):
        others = tuple(n for n in range(off.ndim) if n != axis)
        bad = np.flatnonzero(off.any(others))
        if off.shape[axis] > 1 and len(bad) < off.shape[axis]:
            which = ", ".join(map(str, bad))
            return f"entries with index {which} on axis {axis} alone"
    return ""


def index_of(answer, place):
    """Return where an entry of the flattened answer stands, as code has it."""
    for l, part in enumerate(parts(answer)):
        if place < np.size(part):
            at = ", ".join(map(str, np.unravel_index(place, np.shape(part))))
            return f"[{l}][{at}]" if isinstance(answer, list) else f"[{at}]"
        place -= np.size(part)


def permuted(answer, right):
    """Return words if the axes of an answer are those of the right one, reordered."""
    if len(parts(answer)) != len(parts(right)):
        return ""
    pairs = list(zip(parts(answer), parts(right), strict=True))
    axes = max(np.ndim(r) for _, r in pairs)
    if not 2 <= axes <= 4 or any(np.ndim(a) != np.ndim(r) for a, r in pairs):
        return ""
    for order in list(permutations(range(axes)))[1:]:
        fits = [np.ndim(r) == axes and same(a, r.transpose(order)) for a, r in pairs]
        if all(fits):
            names = ", ".join(map(str, order))
            return f"the axes are in another order: yours are the axes {names} of it"
    return ""
