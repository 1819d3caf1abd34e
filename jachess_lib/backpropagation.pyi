from numpy.typing import ArrayLike

from jachess_lib._engine import _Array, _Real
from jachess_lib.network import Network, Trace

__all__ = ["error", "error_gradient", "error_gradients", "error_signals"]

def error(
    net: Network, X: ArrayLike, T: ArrayLike, *, weights: ArrayLike | None = None
) -> float: ...
def error_signals(net: Network, trace: Trace, T: _Real) -> list[_Array]: ...
def error_gradient(
    net: Network,
    X: ArrayLike,
    T: ArrayLike,
    *,
    out: _Array | None = None,
    weights: ArrayLike | None = None,
) -> _Array: ...
def error_gradients(
    net: Network, X: ArrayLike, T: ArrayLike, *, out: _Array | None = None
) -> _Array: ...
