"""A sum over patterns is a sum over shards: Dask arrays chunked along the patterns.

Each chunk goes through the same function as an array in memory, one task a chunk, and
the partial sums are added up on the workers. A task loads its own chunk, so that no
chunk waits in memory for its turn. The chunks are dealt into branches, a few for each
slot of the scheduler; a branch hands one running total from chunk to chunk, and the
totals of the branches are added as a tree. So the partial sums alive at a time are as
many as there are slots, and not as many as there are chunks.

Dask is never imported here before the caller has made a Dask array.
"""

import sys
from dataclasses import dataclass
from itertools import accumulate
from uuid import uuid4

import numpy as np

from jachess_lib._engine.choice import chosen, engine
from jachess_lib._engine.floats import wide
from jachess_lib._engine.inputs import (
    check_inputs,
    check_multipliers,
    check_shards,
    check_targets,
    check_weights,
    require_given,
    result_array,
)

# Branches for each slot: more are dealt more evenly, fewer hold fewer partial sums.
_BRANCHES = 2
# Partial sums added in one task: two where each may be P×P, more where it is a vector.
_MATRICES, _VECTORS = 2, 8


def any_shards(*values):
    """Return whether one of these is a Dask array."""
    array = sys.modules.get("dask.array")
    return array is not None and any(isinstance(v, array.Array) for v in values)


def sum_over_shards(function, given):
    """Return the sum of a public function over the chunks of X and T in `given`."""
    if "T" in given:
        require_given("T", given["T"])
    given = {k: v for k, v in given.items() if v is not None}
    paired = "u" if "u" in given else "T"
    net, X, T = given.pop("net"), given.pop("X"), given.pop(paired, None)
    return _sum(function, net, X, T, given.pop("out", None), given, paired)


class Kept:
    """Linearised chunks, and what no pattern linearises to: it knows net and dtypes."""

    def __init__(self, empty, parts):
        self.empty, self.parts = empty, parts

    def __getattr__(self, name):
        if name in ("empty", "parts"):  # of a copy that is not filled yet
            raise AttributeError(name)
        return getattr(self.empty, name)


@dataclass(frozen=True)
class _Call:
    """What all tasks share, sent once: the function and all but X and T.

    `paired` is what the function calls T: multipliers u are no targets.
    """

    function: object
    net: object
    keywords: dict
    weights: np.ndarray | None
    engine: str
    paired: str

    def __call__(self, X, T, first=0):
        """Return the function of one chunk, whose rows count from `first`."""
        check_inputs(self.net, X, complex_allowed=True, first=first)
        if T is not None:
            check = check_multipliers if self.paired == "u" else check_targets
            check(self.net, X, T, first=first)
        return self._of(X, T, slice(first, first + len(X)))

    def of_nothing(self, X, T):
        """Return the function of no pattern: a zero, or one error before any task."""
        X, T = (A if A is None else np.empty((0, A.shape[1]), A.dtype) for A in (X, T))
        return self._of(X, T, slice(0))

    def _of(self, X, T, n):
        arrays, keywords = (X,) if T is None else (X, T), self.keywords
        if self.weights is not None:
            keywords = {**keywords, "weights": self.weights[n]}
        with engine(self.engine):
            return self.function(self.net, *arrays, **keywords)


@dataclass(frozen=True)
class _Shard:
    """The graph that loads one chunk of X and T, as data that no scheduler looks into.

    `outside` are the keys that are not loaded here but handed in: what is in memory
    already, or is shared with other chunks.
    """

    first: int
    keys: list
    graph: dict
    outside: list

    def load(self, values):
        """Return (X, T) of the chunk, T = None if there are no targets."""
        import dask

        graph = {**self.graph, **dict(zip(self.outside, values, strict=True))}
        X, *T = dask.get(graph, self.keys)
        return X, (T[0] if T else None)


@dataclass(frozen=True)
class _Part:
    """A linearised chunk, as data that no scheduler looks into."""

    at: object


def _start():
    """Return the total of no shard."""


def _wide(part):
    """Return arrays in double precision, in which many of them may be added."""
    if isinstance(part, np.ndarray):
        return part.astype(wide(part.dtype), copy=False)
    return part


def _fold(total, call, shard, values):
    part = _wide(call(*shard.load(values), shard.first))
    if total is not None:
        part += total  # into the new array: `total` belongs to the scheduler
    return part


def _part(start, call, shard, values):
    return _Part(_fold(start, call, shard, values))


def _of_part(product, part, v):
    return product(part.at, v)


def _add(parts):
    if len(parts) == 1:
        return parts[0]
    total = _wide(parts[0]) + parts[1]
    for part in parts[2:]:
        total += part
    return total


def _sum(function, net, X, T, out, keywords, paired):
    """Return the sum of function(net, X_s, T_s, **keywords) over the shards s."""
    X, T = _aligned(net, X, T, paired)
    call = _call(function, net, X, keywords, paired)
    total = call.of_nothing(X, T)
    if out is not None:
        out = result_array(out, total.shape, total.dtype)
    shards, graph = _shards(X, T)
    dtype = getattr(total, "dtype", None)  # an error is a plain number
    if shards:
        del total  # it may be P×P
        name = f"{function.__name__}-{uuid4().hex}"
        graph[f"call-{name}"] = call
        ends = _branches(graph, name, shards)
        total = _compute(graph, _tree(graph, name, ends, _MATRICES))
    if out is None:
        return total if dtype is None else total.astype(dtype, copy=False)
    out[...] = total
    return out


def _call(function, net, X, keywords, paired="T"):
    weights = keywords.pop("weights", None)
    if weights is not None:
        weights = check_weights(weights, net, X.shape[0])
    return _Call(function, net, keywords, weights, chosen(), paired)


def keep(linearise, net, X, T, weights):
    """Return the linearised shards, computed by now and kept where they are."""
    import dask

    X, T = _aligned(net, X, T)
    call = _call(linearise, net, X, {"weights": weights})
    empty = call.of_nothing(X, T)
    shards, graph = _shards(X, T)
    name = f"linearise-{uuid4().hex}"
    graph[f"call-{name}"] = call
    starts = _starts(graph, name, shards)
    for i, shard in enumerate(shards):
        start = starts[i * len(starts) // len(shards)]
        graph[name, i] = (_part, start, f"call-{name}", shard, shard.outside)
    (parts,) = dask.persist(_Keys(graph, [(name, i) for i in range(len(shards))]))
    kept = Kept(empty, parts)
    # a scheduler elsewhere persists in its own time: wait for it, and for its errors
    sum_products(_count, kept, None)
    return kept


def _count(at, v):
    return 1


def sum_products(product, at, v):
    """Return the sum of product(part, v) over the kept parts."""
    total, keys = product(at.empty, v), at.parts.__dask_keys__()
    if not keys:
        return total
    name = f"product-{uuid4().hex}"
    graph = {**at.parts.__dask_graph__(), f"v-{name}": v}
    leaves = [(name, i) for i in range(len(keys))]
    for leaf, key in zip(leaves, keys, strict=True):
        graph[leaf] = (_of_part, product, key, f"v-{name}")
    sums = _compute(graph, _tree(graph, name, leaves, _VECTORS))
    return sums if v is None else sums.astype(total.dtype, copy=False)


def _aligned(net, X, T, paired="T"):
    """Return X and T as Dask arrays whose chunks are whole rows, the same for both."""
    import dask.array as da

    X, T = check_shards(net, X, T, paired)
    if not isinstance(X, da.Array):
        X = da.from_array(X, chunks=(T.chunks[0], -1))
    X = X.rechunk({1: -1})
    if T is None:
        return X, None
    if not isinstance(T, da.Array):
        T = da.from_array(T, chunks=(X.chunks[0], -1))
    return X, T.rechunk({0: X.chunks[0], 1: -1})


def _shards(X, T):
    """Return a `_Shard` for each chunk that has a row, and the graph that they share.

    What serves one chunk alone goes into its shard. As tasks of their own, loads would
    run ahead whenever a worker is free, and their chunks would wait in memory.
    """
    arrays = [X] if T is None else [X, T]
    rows = X.chunks[0]
    chunks = [
        (first, [(A.name, i, 0) for A in arrays])
        for i, first in enumerate(accumulate(rows, initial=0))
        if i < len(rows) and rows[i] > 0
    ]
    graph, needs = _fused(arrays, {key for _, keys in chunks for key in keys})
    inside, outside = _private([keys for _, keys in chunks], graph, needs)
    shards = []
    for (first, keys), own in zip(chunks, inside, strict=True):
        needed = {*keys, *(k for key in own for k in needs[key])} & outside
        graph_of_own = {key: graph[key] for key in own}
        shards.append(_Shard(first, keys, graph_of_own, sorted(needed, key=str)))
    return shards, {key: graph[key] for key in outside}


def _fused(arrays, wanted):
    """Return the graph of the arrays, few tasks a chunk, and what each key needs."""
    import dask

    graph = {}
    for A in dask.optimize(*arrays):
        graph.update(A.__dask_graph__())
    for key in wanted - graph.keys():  # futures: there was nothing to optimise
        graph[key] = next(A.dask[key] for A in arrays if key in A.dask)
    needs = {key: getattr(node, "dependencies", ()) for key, node in graph.items()}
    return graph, needs


def _private(targets, graph, needs):
    """Return the sets of tasks that serve one target each, and the set of the others.

    Each target is a list of keys. The others are data and futures, what needs a future,
    and what serves two targets.
    """
    from dask.core import istask

    inside, outside, owner = [set() for _ in targets], set(), {}
    for i, keys in enumerate(targets):
        waiting = list(keys)
        while waiting:
            key = waiting.pop()
            if key in outside or owner.get(key) == i:
                continue
            if key in owner:  # of another target
                inside[owner[key]].discard(key)
                outside.add(key)
            elif istask(graph[key]) and all(k in graph for k in needs[key]):
                owner[key] = i
                inside[i].add(key)
            else:
                outside.add(key)
            waiting.extend(k for k in needs[key] if k in graph)
    return inside, outside


def _starts(graph, name, shards):
    """Add the starts of the branches to the graph; return their keys.

    A start needs nothing, so that a cluster deals them out to all its workers. Tasks go
    where what they need is: without starts, all would go to the one that holds `call`.
    """
    starts = [
        (f"start-{name}", b) for b in range(min(len(shards), _BRANCHES * _slots()))
    ]
    graph.update((start, (_start,)) for start in starts)
    return starts


def _branches(graph, name, shards):
    """Add one task a shard to the graph; return the keys of the branches' totals."""
    totals = _starts(graph, name, shards)
    for i, shard in enumerate(shards):
        b = i * len(totals) // len(shards)
        graph[name, i] = (_fold, totals[b], f"call-{name}", shard, shard.outside)
        totals[b] = (name, i)
    return totals


def _tree(graph, name, keys, fan_in):
    """Add the sums of these keys' values to the graph; return the key of the total."""
    level = 0
    while len(keys) > 1:
        sums, level = [], level + 1
        for j in range(0, len(keys), fan_in):
            sums.append((f"sum-{name}", level, j))
            graph[sums[-1]] = (_add, keys[j : j + fan_in])
        keys = sums
    return keys[0]


def _slots():
    """Return how many tasks the active scheduler runs at a time."""
    import dask
    from dask.base import get_scheduler
    from dask.system import CPU_COUNT

    get = get_scheduler()
    client = getattr(get, "__self__", None)
    if hasattr(client, "nthreads"):
        return max(1, sum(client.nthreads().values()))
    if get is dask.get:
        return 1
    pool = dask.config.get("pool", None)
    workers = getattr(pool, "_max_workers", None)
    return workers or dask.config.get("num_workers", None) or CPU_COUNT


def _compute(graph, key):
    """Return the value of one key, from whatever scheduler is active."""
    import dask

    # processes would else take six tasks at a time, and leave the others none
    ((total,),) = dask.compute(_Keys(graph, [key]), chunksize=1)
    return total


class _Keys:
    """Some keys of a graph, as Dask's protocol for collections asks."""

    def __init__(self, graph, keys):
        self.graph, self.keys = graph, keys

    def __dask_graph__(self):
        return self.graph

    def __dask_keys__(self):
        return self.keys

    def __dask_postcompute__(self):
        return list, ()

    def __dask_postpersist__(self):
        return _Keys, (self.keys,)

    def __dask_tokenize__(self):
        return self.keys

    @staticmethod
    def __dask_optimize__(graph, keys, **options):
        return graph  # nothing is left to fuse, and branches must stay apart

    @staticmethod
    def __dask_scheduler__(graph, keys, **options):
        from dask.threaded import get

        return get(graph, keys, **options)
