from typing import Literal

from numpy.typing import ArrayLike

from jachess_lib._engine import _Array
from jachess_lib.network import Network, Trace

__all__ = [
    "input_jacobian",
    "jacobian_vector_product",
    "parameter_jacobian",
    "vector_jacobian_product",
]

def input_jacobian(
    net: Network, X: ArrayLike, *, out: _Array | None = None
) -> _Array: ...
def back_through_layer(net: Network, trace: Trace, l: int, dy_da: _Array) -> _Array: ...
def parameter_jacobian(
    net: Network,
    X: ArrayLike,
    *,
    of: Literal["outputs", "activations"] = "outputs",
    out: _Array | None = None,
) -> _Array: ...
def jacobian_vector_product(
    net: Network,
    X: ArrayLike,
    v: ArrayLike,
    *,
    wrt: Literal["parameters", "inputs"] = "parameters",
) -> _Array: ...
def vector_jacobian_product(
    net: Network,
    X: ArrayLike,
    u: ArrayLike,
    *,
    wrt: Literal["parameters", "inputs"] = "parameters",
    out: _Array | None = None,
    weights: ArrayLike | None = None,
) -> _Array: ...
