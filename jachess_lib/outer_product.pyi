from numpy.typing import ArrayLike

from jachess_lib._engine import _Real
from jachess_lib.network import Network

__all__ = ["outer_product_diagonal", "outer_product_hessian", "residual_hessian"]

def outer_product_hessian(
    net: Network,
    X: ArrayLike,
    *,
    out: _Real | None = None,
    weights: ArrayLike | None = None,
) -> _Real: ...
def outer_product_diagonal(
    net: Network,
    X: ArrayLike,
    *,
    out: _Real | None = None,
    weights: ArrayLike | None = None,
) -> _Real: ...
def residual_hessian(
    net: Network,
    X: ArrayLike,
    T: ArrayLike,
    *,
    out: _Real | None = None,
    weights: ArrayLike | None = None,
) -> _Real: ...
