from collections.abc import Callable
from typing import Any

from numpy.typing import ArrayLike

from jachess_lib._engine import _Array, _Real
from jachess_lib.network import Network, Trace

__all__ = ["exact_hessian", "hessian_block", "hessian_diagonal"]

einsum: Callable[..., Any]

def exact_hessian(
    net: Network,
    X: ArrayLike,
    T: ArrayLike,
    *,
    out: _Real | None = None,
    weights: ArrayLike | None = None,
) -> _Real: ...
def second_derivatives(
    net: Network, trace: Trace, delta: list[_Array], M: _Array
) -> _Array: ...
def feed(G: _Array | None, V: _Array, slope: _Array) -> _Array: ...
def one_layer_down(
    net: Network, trace: Trace, delta: list[_Array], l: int, B: _Array
) -> _Array: ...
def put(H: _Array, net: Network, l: int, m: int, block: _Array) -> None: ...
def hessian_block(
    net: Network,
    X: ArrayLike,
    T: ArrayLike,
    l: int,
    m: int,
    *,
    out: _Real | None = None,
    weights: ArrayLike | None = None,
) -> _Real: ...
def hessian_diagonal(
    net: Network,
    X: ArrayLike,
    T: ArrayLike,
    *,
    out: _Real | None = None,
    weights: ArrayLike | None = None,
) -> _Real: ...
