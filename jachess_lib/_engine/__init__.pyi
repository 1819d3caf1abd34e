from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Literal, NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.linalg import LinearOperator

from jachess_lib.network import Network

__all__ = ["SymmetricOperator", "engine", "engine_used", "lesson"]

# What a function returns: of real numbers, or of complex ones where it takes them.
_Real: TypeAlias = NDArray[np.floating[Any]]
_Array: TypeAlias = NDArray[np.inexact[Any]]
_Engine: TypeAlias = Literal["plain", "blocked", "compiled"]

def engine(name: _Engine | Literal["auto"]) -> AbstractContextManager[None]: ...
def engine_used() -> _Engine | None: ...
def lesson(
    *, out: bool = False, weights: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]: ...

class _Estimate(NamedTuple):
    value: float
    error: float

class SymmetricOperator(LinearOperator):
    net: Network
    def __init__(
        self,
        net: Network,
        X: ArrayLike,
        T: ArrayLike | None,
        weights: ArrayLike | None,
        shift: float = 0.0,
    ) -> None: ...
    def dot(self, x: Any) -> Any: ...
    def at(self, w: ArrayLike) -> Self: ...
    def plus(self, shift: float) -> Self: ...
    def hessp(self, w: ArrayLike, v: ArrayLike) -> _Real: ...
    def to_dense(self) -> _Real: ...
    def diagonal(self) -> _Real: ...
    def trace(self, probes: int | None = None, seed: int = 0) -> _Estimate: ...
    def __array_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any: ...
