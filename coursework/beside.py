"""Mistakes with the arguments of a question: what they bring in, and what is lost.

A factor too many, an argument multiplied or added where it should not be, and the right
answer to other arguments. Keys are those of `generic`.
"""

from itertools import combinations

import numpy as np

from coursework.differences import parts
from coursework.generic import at_end, counted


def sizes(given):
    """Return {words: size} of what the arguments have along their axes."""
    found = {}
    for name, value in given.items():
        if isinstance(value, list):
            found[f"len({name})"] = len(value)
            found[f"len({name}[-1])"] = len(value[-1])
        elif isinstance(value, np.ndarray):
            found |= {f"{name}.shape[{axis}]": n for axis, n in enumerate(value.shape)}
        elif isinstance(value, float) and value > 0:
            found[name] = value
    return found


POWERS = ((1, "{}"), (0.5, "√{}"), (2, "{}²"))


def factors(given):
    """Yield (key, factor) for factors that may be too many."""
    numbers = {"2": 2.0, "3": 3.0, "ln 10": np.log(10), "π": np.pi}
    own = sizes(given)
    several = {**numbers, **own}
    for (a, m), (b, n) in combinations(own.items(), 2):
        if m != n:
            several[f"({a} · {b})"] = m * n
    less = {f"({a} − 1)": n - 1 for a, n in own.items() if isinstance(n, int) and n > 1}
    for sign in (1, -1):
        also = ", and its sign is turned round" if sign < 0 else ""
        for words, number in {**several, **less}.items():
            for power, form in POWERS:
                how = form.format(words)
                says = f"every entry is multiplied by {how}, one factor too many{also}."
                yield ("factor too many", says), sign * number**power
                says = f"every entry is divided by {how}, one factor too many{also}."
                yield ("factor too many", says), sign * number**-power
        for words, number in own.items():
            if f"({words} − 1)" in less:
                ratio = number / (number - 1)
                says = f"divided by {words} − 1 in place of {words}{also}."
                yield ("one less in the mean", says), sign * ratio
                yield ("one less in the mean", says), sign * ratio**0.5
    yield ("sign", "the sign is turned round."), -1.0


SHAPED = (
    ("{}", lambda q: q),
    ("{}²", lambda q: q**2),
    ("√{}", np.sqrt),
    ("(1 − {})", lambda q: 1 - q),
    ("{0}(1 − {0})", lambda q: q * (1 - q)),
    ("(1 − {}²)", lambda q: 1 - q**2),
    ("tanh {}", np.tanh),
    ("(1 − tanh² {})", lambda q: 1 - np.tanh(q) ** 2),
)


def beside_arguments(right, given):
    """Yield (key, answer) where an argument is multiplied or added to the answer."""
    for name, value in given.items():
        lists = isinstance(value, list) and isinstance(right, list)
        if not lists and not isinstance(value, np.ndarray):
            continue
        pairs = list(zip(parts(value), parts(right), strict=False))
        if len(pairs) != len(parts(right)):
            continue
        placed = [aligned(q, r) for q, r in pairs]
        if any(q is None for q in placed):
            continue
        for form, change in SHAPED:
            how, q = form.format(name), [change(p) for p in placed]
            yield from beside(right, how, q, form == "{}")


def beside(right, how, q, plain):
    """Yield (key, answer) for one quantity beside the answer."""
    both = list(zip(parts(right), q, strict=True))

    def whole(found):
        return found if isinstance(right, list) else found[0]

    says = f"every entry is multiplied by {how}, one factor too many."
    yield ("factor too many", says), whole([r * p for r, p in both])
    says = f"a factor {how} is missing, or divided out."
    yield ("factor missing", says), whole([r / p for r, p in both])
    if plain or how.startswith(("tanh", "(1 − tanh")):
        for sign, words in ((1, "added"), (-1, "subtracted")):
            says = f"{how} is {words}."
            yield (f"something {words}", says), whole([r + sign * p for r, p in both])
        says = f"this is {how} less the right answer."
        yield ("subtracted from", says), whole([p - r for r, p in both])
    says = f"this is {how}, and nothing else."
    same_shape = [0 * r + p for r, p in both]
    yield ("an argument", says), whole(same_shape)
    yield ("an argument", f"this is −{how}."), whole([-p for p in same_shape])


def aligned(q, r):
    """Return q with axes of length 1 so that it stands on axes of r, or None."""
    shape, rest = [], list(q.shape)
    for n in r.shape[::-1]:
        shape.insert(0, rest.pop() if rest and rest[-1] == n else 1)
    return None if rest or not q.ndim else q.reshape(shape)


# What may become of an argument before it is used


def other_arguments(given, varied):
    """Yield (key, the arguments) with one of them changed, or two, or all patterns."""
    for name in varied or given:
        for key, changed in changed_argument(name, given[name]):
            yield key, [*(given | {name: changed}).values()]
    for (a, p), (b, q) in combinations(given.items(), 2):
        if all(isinstance(x, np.ndarray) for x in (p, q)) and p.shape == q.shape:
            key = (f"{a} and {b} exchanged", f"{a} and {b} are exchanged.")
            yield key, [*(given | {a: q, b: p}).values()]
    if not varied:
        yield from other_patterns(given)


PATTERNS = (
    ("first pattern alone", "only the first pattern counts.", slice(0, 1)),
    ("last pattern alone", "only the last pattern counts.", slice(-1, None)),
    ("first pattern left out", "the first pattern does not count: a loop from 1?",
     slice(1, None)),
    ("last pattern left out", "the last pattern does not count: a loop that stops "
     "early?", slice(None, -1)),
)  # fmt: skip


def other_patterns(given):
    """Yield (key, the arguments) with some of the patterns, which are on axis 0."""
    arrays = [q for q in given.values() if isinstance(q, np.ndarray) and q.ndim]
    if not arrays:
        return
    N = len(arrays[0])

    def changed(change):
        return [
            change(q) if isinstance(q, np.ndarray) and q.ndim and len(q) == N else q
            for q in given.values()
        ]

    for name, says, which in PATTERNS:
        yield (name, says), changed(lambda q, which=which: q[which])
    says = "the patterns are averaged before anything is computed."
    yield ("patterns averaged first", says), changed(lambda q: q.mean(0)[None])


def changed_argument(name, value):
    """Yield (key, value) for one argument."""
    if isinstance(value, str):
        for unit in {"linear", "sigmoid", "softmax"} - {value}:
            says = f"outputs that are {value} are treated as {unit}."
            yield (f"{unit} for {value}", says), unit
    elif isinstance(value, float):
        for words, number in (
            (f"√{name}", value**0.5), (f"{name}²", value**2), (f"2 {name}", 2 * value),
            (f"{name}/2", value / 2), (f"−{name}", -value), ("0", 0.0), ("1", 1.0),
        ):  # fmt: skip
            says = f"{words} stands where {name} should."
            yield (f"{words} for {name}", says), number
    elif isinstance(value, list):
        found = [counted(change_of(name, table)) for table in value]
        for key in found[0]:
            if all(key in changed for changed in found):
                yield key[0], [changed[key] for changed in found]
    else:
        yield from change_of(name, value)


def change_of(name, q):
    """Yield (key, value) for one array among the arguments."""
    for words, change in INSTEAD:
        how = words.format(name)
        yield (f"{how} for {name}", f"{how} stands where {name} should."), change(q)
    says = f"{name} is missing: this comes out with 1 in its place."
    yield (f"{name} missing", says), np.ones_like(q)
    says = f"what depends on {name} is missing: this comes out where {name} is 0."
    yield (f"{name} missing", says), np.zeros_like(q)
    says = f"only the sizes of {name} are used, and not its signs."
    yield (f"signs of {name} lost", says), np.abs(q)
    if not q.ndim:
        return
    says = f"{name} is averaged over axis 0: each entry has its own."
    yield (f"{name} averaged", says), np.broadcast_to(q.mean(0), q.shape)
    says = f"the first of {name} is taken for all."
    yield (f"first of {name} for all", says), np.broadcast_to(q[0], q.shape)
    says = f"{name} is centred: its mean over axis 0 is subtracted."
    yield (f"{name} centred", says), q - q.mean(0)
    says = f"{name} is shifted by one along axis 0."
    for shift in (1, -1):
        yield (f"{name} shifted", says), np.roll(q, shift, 0)
    says = f"only the first of {name} counts."
    yield (f"first of {name} alone", says), q * at_end(q, 0, 0)
    says = f"only the last of {name} counts."
    yield (f"last of {name} alone", says), q * at_end(q, 0, -1)
    if q.ndim > 1:
        says = f"the largest of each row of {name} is taken for 1, the others for 0."
        yield (f"largest of {name} alone", says), 1.0 * (q == q.max(-1, keepdims=True))
        says = f"column 0 of {name} is left out, or 0."
        yield (f"column 0 of {name} left out", says), q * ~at_end(q, q.ndim - 1, 0)
        says = f"the last column of {name} is left out, or 0."
        yield (f"last column of {name} left out", says), q * ~at_end(q, q.ndim - 1, -1)
        for shift in (1, -1):
            says = f"the columns of {name} are shifted by one: the biases are in 0."
            yield (f"columns of {name} shifted", says), np.roll(q, shift, -1)
        if q.shape[-1] == q.shape[-2]:
            turned, I = q.swapaxes(-1, -2), np.eye(q.shape[-1])
            yield (f"{name} transposed", f"{name} is transposed."), turned
            says = f"only the diagonal of {name} is used."
            yield (f"diagonal of {name} alone", says), q * I
            says = f"the diagonal of {name} is not used."
            yield (f"diagonal of {name} left out", says), q * (1 - I)
            says = f"{name} is missing: this comes out with I in its place."
            yield (f"{name} missing", says), np.broadcast_to(I, q.shape)


INSTEAD = (
    ("−{}", np.negative),
    ("{}²", np.square),
    ("1 − {}", lambda q: 1 - q),
    ("1 − {}²", lambda q: 1 - q**2),
    ("tanh {}", np.tanh),
    ("1 / {}", lambda q: 1 / q),
    ("2 {}", lambda q: 2 * q),
)
