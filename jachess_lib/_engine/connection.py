"""The connection of a lesson's plain body with its callers and with the engine.

Reading `lesson` and `Task` once explains every public function: a call is checked, the
result's array is made, and one of the engines fills it.
"""

from dataclasses import dataclass, replace
from functools import cache, wraps
from importlib import import_module
from inspect import Parameter, signature

import numpy as np

from jachess_lib._engine import choice, shards
from jachess_lib._engine.blas import held_if_short
from jachess_lib._engine.floats import underflows, wide
from jachess_lib._engine.inputs import (
    apart,
    check_network,
    check_weights,
    result_array,
)

_NETWORKS = {"net", "outer", "inner"}


def lesson(*, out=False, weights=False):
    """Offer the plain body below to callers, with the keywords that the engine adds.

    The engine's file of the same name has a `Task` of the same name. Where a lesson or
    the engine itself calls the function, it is the plain body and nothing else.
    """

    def decorate(plain):
        @wraps(plain)
        def function(*args, **kwargs):
            if choice.within.get():
                return plain(*args, **kwargs)
            given = defaults.copy()
            given.update(zip(names, args, strict=False))
            given.update(kwargs)
            fits = given.keys() == known and len(args) <= len(names)
            if not fits or (kwargs and kwargs.keys() & names[: len(args)]):
                bound.bind(*args, **kwargs)  # says what is wrong
            return _task(plain).call(plain, function, given)

        bound = _with_keywords(signature(plain), out=out, weights=weights)
        names = [p.name for p in bound.parameters.values() if p.kind != p.KEYWORD_ONLY]
        known = set(bound.parameters)
        defaults = {
            p.name: p.default for p in bound.parameters.values() if p.default != p.empty
        }
        function.__signature__, function.plain = bound, plain
        return function

    return decorate


def _with_keywords(bound, **keywords):
    added = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=None)
        for name, wanted in keywords.items()
        if wanted
    ]
    return bound.replace(parameters=[*bound.parameters.values(), *added])


@cache
def _task(plain):
    module = plain.__module__.rpartition(".")[2]
    return getattr(import_module(f"jachess_lib._engine.{module}"), plain.__name__)


@dataclass(frozen=True)
class Task:
    """What the engine knows of one function: its checks, its result and its fast body.

    `check` takes the arguments and returns those of the body. `blocked` computes what
    the plain body does; it takes `weights` where the function does, and the array to
    fill as `out` where `result` says how large that is: (shape, bytes that it takes
    beside, what to use where they are too many). One that does not fill it returns a
    vector, which is copied there if a caller asks. A sum over patterns is one that Dask
    arrays and weights go into; `is_sum` may be a function of the arguments. `finish`
    is applied to the result. `weighed` checks the arguments once more, with `weights`.
    """

    check: object
    blocked: object = None
    result: object = None
    is_sum: object = False
    fills: bool = True
    finish: object = None
    weighed: object = None

    def call(self, plain, public, given):
        """Answer a caller."""
        if self._sums(given) and shards.any_shards(
            given["X"], given.get("T"), given.get("u")
        ):
            check_network("net", given["net"])
            return shards.sum_over_shards(public, given)
        out, weights = given.pop("out", None), given.pop("weights", None)
        engine = choice.chosen()
        # a look by compiled code, of what needs no other, takes a third of the time
        compiled = weights is None and choice.at_once(plain.__name__, engine, given)
        if not compiled:
            return self._checked(engine, plain, given, out, weights)
        if out is not None:
            return self._answer(engine, plain, given, out, weights)
        return self._at_once(compiled, given)

    def _at_once(self, compiled, given):
        """Answer a caller whose arguments are as the checks would return them."""
        if self.result is not None and self.fills:
            given["out"] = self._array(given, None)
        token = choice.within.set(True)
        try:
            with held_if_short(len(given["X"]) * len(given["net"].w)):
                result = choice.first(compiled, self._slowly, **given)
            return self.finish(result) if self.finish else result
        finally:
            choice.within.reset(token)

    @underflows
    def _checked(self, engine, plain, given, out, weights):
        for name in _NETWORKS & given.keys():
            check_network(name, given[name])
        arguments = self.check(**given)
        if weights is not None:
            weights = check_weights(weights, arguments["net"], len(arguments["X"]))
        if self.weighed:
            self.weighed(**arguments, weights=weights)
        return self._answer(engine, plain, arguments, out, weights)

    def _answer(self, engine, plain, arguments, out, weights):
        if out is not None:
            arguments = dict(
                zip(arguments, apart(out, *arguments.values()), strict=True)
            )
        token = choice.within.set(True)
        try:
            with held_if_short(_multiply_adds(**arguments)):
                result = self._compute(engine, plain, arguments, out, weights)
            return self.finish(result) if self.finish else result
        finally:
            choice.within.reset(token)

    def _sums(self, given):
        return self.is_sum(given) if callable(self.is_sum) else self.is_sum

    def _compute(self, engine, plain, arguments, out, weights):
        out = self._array(arguments, out)
        if self.blocked is None or engine == "plain":
            choice.remember("plain")
            result = self.plain(plain, arguments, weights)
        else:
            result = self._fast(engine, plain.__name__, arguments, out, weights)
        if out is None or result is out:
            return result
        out[...] = result
        return out

    def _fast(self, engine, name, arguments, out, weights):
        keywords = {"out": out} if self.result is not None and self.fills else {}
        if weights is None:
            given = (*arguments.values(), *keywords.values())
            arrays = [A for A in given if isinstance(A, np.ndarray)]
            compiled = choice.twin(name, arguments["net"], *arrays, engine=engine)
            if compiled is not None:
                return choice.first(compiled, self._slowly, **arguments, **keywords)
        else:
            keywords["weights"] = weights
        return self._slowly(**arguments, **keywords)

    @underflows
    def _slowly(self, **arguments):
        choice.remember("blocked")
        return self.blocked(**arguments)

    def _array(self, arguments, out):
        """Return the array to fill, if this is a function that fills one."""
        if self.result is None or (out is None and not self.fills):
            return None
        shape, temporaries, instead = self.result(**arguments)
        dtype = _precision(**arguments)
        return result_array(out, shape, dtype, instead=instead, temporaries=temporaries)

    def plain(self, plain, arguments, weights=None):
        """Run the plain body; sums of single precision are taken in double."""
        dtype = _precision(**arguments)
        if self.is_sum:
            arguments = {k: _widened(A) for k, A in arguments.items()}
        if weights is not None:
            arguments["net"] = weighted(arguments["net"], weights)
        result = plain(**arguments)
        return result.astype(dtype, copy=False) if self.is_sum else result


def of_parameters(net, **arguments):
    """Return what a result of shape (P,) takes, as a `Task` asks."""
    return (net.n_parameters,), 0, "use a smaller network"


def _multiply_adds(X, net=None, **others):
    """Return the size of one pass; of two networks in series, nothing."""
    return len(X) * net.n_parameters if net is not None else 0


def _precision(net=None, X=None, v=None, u=None, **others):
    """Return the dtype of a sum: of the network, the patterns and what multiplies."""
    given = {A.dtype for A in (getattr(net, "w", None), X, v, u) if A is not None}
    return np.result_type(*given) if len(given) > 1 else given.pop()


def _widened(value):
    """Return an array or a network in double precision, and all else as it is."""
    if isinstance(value, np.ndarray):
        return value.astype(wide(value.dtype), copy=False)
    if hasattr(value, "with_parameters") and value.w.dtype != wide(value.w.dtype):
        return value.with_parameters(value.w.astype(wide(value.w.dtype)))
    return value


def weighted(net, weights):
    """Return the network with the error Σ_n weights_n E_n; `weights` may be None."""
    return net if weights is None else net.with_output(_weighted(net.output, weights))


def _weighted(unit, weights):
    def scaled(f, columns):
        w = weights.reshape(-1, *[1] * columns)
        return lambda a, *more: w * f(a, *more)

    return replace(
        unit,
        dy_da=scaled(unit.dy_da, 2),
        diagonal=scaled(unit.diagonal, 1),
        times=scaled(unit.times, 1),
        residual=scaled(unit.residual, 1),
        errors=scaled(unit.errors, 0),
        weights=weights,
    )
