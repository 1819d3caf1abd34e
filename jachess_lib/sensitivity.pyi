from numpy.typing import ArrayLike

from jachess_lib._engine import _Real
from jachess_lib.network import Network

__all__ = ["chain_jacobian", "propagate_covariance", "propagate_error"]

def propagate_error(net: Network, X: ArrayLike, dX: ArrayLike) -> _Real: ...
def propagate_covariance(
    net: Network, X: ArrayLike, covariance: ArrayLike
) -> _Real: ...
def chain_jacobian(outer: Network, inner: Network, X: ArrayLike) -> _Real: ...
