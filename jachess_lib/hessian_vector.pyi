from numpy.typing import ArrayLike

from jachess_lib._engine import SymmetricOperator, _Array, _Real
from jachess_lib.network import Network, Trace

__all__ = [
    "GaussNewtonOperator",
    "HessianOperator",
    "gauss_newton_vector_product",
    "hessian_vector_product",
    "input_hessian_vector_product",
    "input_laplacian",
]

def hessian_vector_product(
    net: Network,
    X: ArrayLike,
    T: ArrayLike,
    v: ArrayLike,
    *,
    out: _Real | None = None,
    weights: ArrayLike | None = None,
) -> _Real: ...
def changes_forward(
    net: Network, trace: Trace, v: _Array
) -> tuple[list[_Array], list[_Array], list[_Array]]: ...
def gauss_newton_vector_product(
    net: Network,
    X: ArrayLike,
    v: ArrayLike,
    *,
    out: _Real | None = None,
    weights: ArrayLike | None = None,
) -> _Real: ...
def input_hessian_vector_product(
    net: Network, X: ArrayLike, v: ArrayLike
) -> _Array: ...
def input_laplacian(net: Network, X: ArrayLike) -> _Array: ...
def slopes_at_inputs(net: Network, X: _Array) -> _Array: ...

class HessianOperator(SymmetricOperator):
    def __init__(
        self,
        net: Network,
        X: ArrayLike,
        T: ArrayLike,
        *,
        weights: ArrayLike | None = None,
    ) -> None: ...

class GaussNewtonOperator(SymmetricOperator):
    def __init__(
        self, net: Network, X: ArrayLike, *, weights: ArrayLike | None = None
    ) -> None: ...
