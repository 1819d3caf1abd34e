"""Mistakes that need no list: what can become of any right answer on its way.

Each is tried on the right answer of every case, and named if it gives the student's.
A key is (name, what to tell); the same key stands for the same mistake in every case.
"""

from collections import Counter
from itertools import permutations

import numpy as np

from coursework.differences import same

FIRST_OR_LAST = ((0, "first"), (-1, "last"))


def changes(right):
    """Yield (key, answer) for what may have become of the right answer of a case."""
    for change in (of_squares, of_axes, of_entries):
        yield from each_part(right, change)
    if isinstance(right, list):
        yield from of_layers(right)


def each_part(right, change):
    """Yield (key, answer), where every table of a list is changed in the same way."""
    if not isinstance(right, list):
        yield from change(right)
        return
    found = [counted(change(part)) for part in right]
    for key in found[0]:
        if all(key in changed for changed in found):
            yield key[0], [changed[key] for changed in found]


def counted(changes):
    """Return {(key, how often it came before): answer}."""
    found, times = {}, Counter()
    for key, answer in changes:
        found[key, times[key]] = answer
        times[key] += 1
    return found


def of_entries(r):
    """Yield (key, answer) for changes of every entry."""
    yield ("zeros", "everything is 0."), 0 * r
    yield ("sign", "the sign is turned round."), -r
    yield ("signs lost", "these are sizes: the signs are lost."), np.abs(r)
    yield ("one less", "1 is subtracted from every entry."), r - 1
    yield ("one more", "1 is added to every entry."), r + 1
    yield ("1 minus it", "this is 1 minus the right answer."), 1 - r
    yield ("squared", "every entry is squared."), r**2
    yield ("upside down", "every entry is upside down, 1 over what it is."), 1 / r
    yield ("rounded", "the numbers are rounded to integers."), np.rint(r)
    yield ("cut off", "the numbers are cut off to integers: // or int?"), np.trunc(r)
    yield ("negative lost", "what is negative has become 0."), np.maximum(r, 0)
    yield ("positive lost", "what is positive has become 0."), np.minimum(r, 0)
    yield ("clipped", "the numbers are clipped to 0 … 1."), np.clip(r, 0, 1)
    yield ("clipped", "the numbers are clipped to −1 … 1."), np.clip(r, -1, 1)
    if (r >= 0).all():
        yield ("one root more", "a root is taken once too often."), np.sqrt(r)


def of_axes(r):
    """Yield (key, answer) for changes along an axis, and of the order of the axes."""
    for order in list(permutations(range(r.ndim)))[1:] if r.ndim <= 4 else ():
        names = ", ".join(map(str, order))
        says = f"the axes are in another order: yours are the axes {names} of it."
        yield ("axes permuted", says), r.transpose(order)
    if r.ndim >= 2:
        says = "the numbers are laid out column by column: reshape is no transposition."
        yield ("reshaped", says), r.T.reshape(r.shape)
        yield ("reshaped", says), r.reshape(r.shape[::-1])
        yield ("one vector", "this is one long vector: keep the axes."), r.ravel()
        if 1 in r.shape:
            says = "an axis of length 1 is lost (squeeze?): it belongs to the shape."
            yield ("axis squeezed", says), r.squeeze()
            for axis in np.flatnonzero(np.array(r.shape) == 1):
                yield ("axis squeezed", says), r.squeeze(int(axis))
    for place in (0, -1):
        says = "there is an axis of length 1 too many."
        yield ("axis too many", says), np.expand_dims(r, place)
    for axis in range(r.ndim):
        yield from along(r, axis)
    if r.ndim > 1:
        yield ("summed over all", "everything is summed."), r.sum()
        yield ("averaged over all", "everything is averaged."), r.mean()


def along(r, axis):
    """Yield (key, answer) for changes along one axis."""
    where = f"axis {axis}"
    for words, change in (("summed", np.sum), ("averaged", np.mean)):
        name, says = f"{words} over {where}", f"{where} is {words} over: keep it"
        yield (name, f"{says}."), change(r, axis)
        yield (name, f"{says}, each entry apart."), change(r, axis, keepdims=True)
        spread = np.broadcast_to(change(r, axis, keepdims=True), r.shape)
        yield (name, f"{says}; every entry has the same number."), spread
    says = f"this is the largest along {where}."
    yield (f"largest over {where}", says), r.max(axis)
    yield (f"largest over {where}", says), np.abs(r).max(axis)
    yield (f"{where} reversed", f"{where} runs backwards."), np.flip(r, axis)
    says = f"sums add up along {where}: something is not reset, or cumsum."
    yield (f"adding up along {where}", says), np.cumsum(r, axis)
    for shift in (1, -1):
        says = f"{where} is shifted by one place."
        yield (f"{where} shifted", says), np.roll(r, shift, axis)
    for n, words in FIRST_OR_LAST:
        yield from of_an_end(r, axis, n, words)
    for n in range(1, r.shape[axis] - 1):
        says = f"on {where} there is one entry alone."
        yield (f"one of {where} alone", says), np.take(r, n, axis)
    norm = np.sqrt((r**2).sum(axis, keepdims=True))
    yield (f"{where} normalised", f"{where} is scaled to length 1."), r / norm
    total = r.sum(axis, keepdims=True)
    yield (f"{where} normalised", f"{where} is scaled to the sum 1."), r / total
    says = f"the mean over {where} is subtracted."
    yield (f"{where} centred", says), r - r.mean(axis, keepdims=True)
    column = np.zeros_like(np.take(r, [0], axis))
    for number in (0, 1):
        says = f"{where} has one entry too many, all {number}."
        key = (f"{where} too long", says)
        yield key, np.concatenate([column + number, r], axis)
        yield key, np.concatenate([r, column + number], axis)


def of_an_end(r, axis, n, words):
    """Yield (key, answer) for what may happen to the first or last of an axis."""
    where, one = f"axis {axis}", np.take(r, [n], axis)
    at = at_end(r, axis, n)
    says = f"on {where} there is the {words} alone."
    yield (f"{words} of {where} alone", says), np.take(r, n, axis)
    yield (f"{words} of {where} alone", says), one
    says = f"the {words} of {where} is missing."
    yield (f"{words} of {where} missing", says), np.delete(r, n, axis)
    says = f"the {words} of {where} is repeated for all."
    yield (f"{words} of {where} for all", says), np.broadcast_to(one, r.shape)
    says = f"the {words} of {where} is 0."
    yield (f"{words} of {where} is 0", says), np.where(at, 0, r)
    says = f"all but the {words} of {where} is 0."
    yield (f"all but the {words} of {where} is 0", says), np.where(at, r, 0)
    says = f"the sign of the {words} of {where} is turned round."
    yield (f"sign of the {words} of {where}", says), np.where(at, -r, r)


def of_squares(r):
    """Yield (key, answer) for changes of square matrices on the last two axes."""
    if r.ndim < 2 or r.shape[-1] != r.shape[-2]:
        return
    I, turned = np.eye(r.shape[-1]), r.swapaxes(-1, -2)
    diagonal = np.diagonal(r, axis1=-2, axis2=-1)
    yield ("diagonal alone", "only the diagonal is there."), r * I
    says = "this is the diagonal alone, as a vector; the matrix is wanted."
    yield ("diagonal for matrix", says), diagonal
    yield ("diagonal is 0", "the diagonal is 0."), r * (1 - I)
    says = "off the diagonal the sign is turned round."
    yield ("sign off the diagonal", says), r * (2 * I - 1)
    says = "on the diagonal the sign is turned round."
    yield ("sign on the diagonal", says), r * (1 - 2 * I)
    says = "the diagonal counts twice."
    yield ("diagonal twice", says), r * (1 + I)
    yield ("triangle alone", "below the diagonal all is 0."), np.triu(r)
    yield ("triangle alone", "above the diagonal all is 0."), np.tril(r)
    yield ("triangle alone", "this is the upper triangle alone."), np.triu(r, 1)
    yield ("triangle alone", "this is the lower triangle alone."), np.tril(r, -1)
    yield ("added to its transpose", "the transpose is added to it."), r + turned
    says = "it is averaged with its transpose."
    yield ("symmetrised", says), (r + turned) / 2
    says = "1 is added on the diagonal: an identity too many."
    yield ("identity added", says), r + I
    yield ("matrix squared", "the matrix stands there twice, as a product."), r @ r
    rank = np.linalg.matrix_rank(r)
    if np.all(rank == r.shape[-1]):
        yield ("inverse", "the matrix is inverted."), np.linalg.inv(r)


def of_layers(right):
    """Yield (key, answer) for what may become of a list of tables."""
    says = "the layers come in reverse order."
    yield ("layers reversed", says), right[::-1]
    for n, words in FIRST_OR_LAST:
        keep = range(len(right))[n]
        zeros = [r * (l == keep) for l, r in enumerate(right)]
        yield (f"{words} layer alone", f"only the {words} layer is not 0."), zeros
        zeros = [r * (l != keep) for l, r in enumerate(right)]
        yield (f"{words} layer is 0", f"the table of the {words} layer is 0."), zeros
        fewer = right[1:] if n == 0 else right[:-1]
        says = f"the table of the {words} layer is missing."
        yield (f"{words} layer missing", says), fewer
        signs = [r * (1 - 2 * (l == keep)) for l, r in enumerate(right)]
        says = f"in the {words} layer the sign is turned round."
        yield (f"sign of the {words} layer", says), signs
    if all(r.ndim == 2 for r in right):
        for words, column in (("is 0", 0), ("has its sign turned round", -1)):
            changed = [np.concatenate([column * r[:, :1], r[:, 1:]], 1) for r in right]
            yield (f"bias column {words}", f"column 0, the biases, {words}."), changed


def of_the_answer(answer, right):
    """Yield keys of what makes an answer right that has too much."""
    if isinstance(right, list) or not answer.size:
        return
    for axis in range(answer.ndim):
        for n, words in FIRST_OR_LAST:
            says = f"axis {axis} has one entry too many, its {words}: the biases?"
            if same(np.delete(answer, n, axis), right):
                yield f"axis {axis} too long", says
        for words, change in (("sum", np.sum), ("mean", np.mean)):
            if same(change(answer, axis), right):
                yield f"{words} missing", f"the {words} over axis {axis} is missing."


def at_end(q, axis, n):
    """Return where the index of an axis is its first (n = 0) or last (n = −1)."""
    at = np.zeros(q.shape[axis], bool)
    at[n] = True
    return at.reshape([-1 if a == axis else 1 for a in range(q.ndim)])
