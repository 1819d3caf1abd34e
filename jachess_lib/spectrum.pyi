from typing import Any, Literal, NamedTuple

from numpy.typing import ArrayLike
from scipy.sparse.linalg import LinearOperator

from jachess_lib._engine import _Real
from jachess_lib._engine.operators import Estimate
from jachess_lib.network import Network

__all__ = [
    "Lanczos",
    "Spectrum",
    "hessian_spectrum",
    "hutchinson_trace",
    "lanczos",
    "spectral_density",
]

class Spectrum(NamedTuple):
    values: _Real
    vectors: _Real

class Lanczos(NamedTuple):
    diagonal: _Real
    off_diagonal: _Real
    V: _Real
    def quadrature(self) -> tuple[_Real, _Real]: ...

def hessian_spectrum(
    net: Network,
    X: ArrayLike,
    T: ArrayLike | None,
    k: int | None = None,
    *,
    which: Literal["LM", "LA", "SA", "BE"] = "LM",
    curvature: Literal["exact", "outer_product"] = "exact",
    weights: ArrayLike | None = None,
) -> Spectrum: ...
def lanczos(
    A: ArrayLike | LinearOperator[Any],
    steps: int,
    v: ArrayLike | None = None,
    *,
    seed: int = 0,
    reorthogonalise: bool = True,
) -> Lanczos: ...
def hutchinson_trace(
    A: ArrayLike | LinearOperator[Any], probes: int = 100, *, seed: int = 0
) -> Estimate: ...
def spectral_density(
    A: ArrayLike | LinearOperator[Any],
    x: ArrayLike,
    width: float,
    *,
    steps: int = 80,
    probes: int = 10,
    seed: int = 0,
) -> _Real: ...
