from dataclasses import dataclass
from typing import Literal, NamedTuple

from numpy.typing import ArrayLike

from jachess_lib._engine import _Real
from jachess_lib.network import Network

__all__ = ["laplace"]

def posterior_precision(H: _Real, alpha: float, beta: float) -> _Real: ...
def log_evidence(
    E: float, w: _Real, root: _Real, alpha: float, beta: float, count: float
) -> float: ...
def determined(root: _Real, alpha: float) -> float: ...
def activation_variance(J: _Real, root: _Real) -> _Real: ...
def moderated(a: _Real, variance: _Real) -> _Real: ...

class Prediction(NamedTuple):
    mean: _Real
    variance: _Real
    noise: float

@dataclass(frozen=True, eq=False)
class Posterior:
    net: Network
    alpha: float
    beta: float
    error: float
    count: float
    places: _Real
    root: _Real
    gradient: _Real
    @property
    def log_evidence(self) -> float: ...
    @property
    def gamma(self) -> float: ...
    @property
    def decrement(self) -> float: ...
    @property
    def covariance(self) -> _Real: ...
    def reestimate(self) -> tuple[float, float]: ...
    def sample(self, n: int, seed: int = 0) -> _Real: ...
    def predict(self, X: ArrayLike) -> Prediction: ...

def laplace(
    net: Network,
    X: ArrayLike,
    T: ArrayLike,
    alpha: float,
    beta: float = 1.0,
    *,
    curvature: Literal["outer_product", "exact"] = "outer_product",
    structure: Literal["full", "diagonal", "kronecker", "last_layer"] = "full",
    weights: ArrayLike | None = None,
) -> Posterior: ...
