from typing import Any, Literal

from numpy.typing import ArrayLike
from scipy.optimize import OptimizeResult

from jachess_lib._engine import _Real
from jachess_lib.network import Network

__all__ = ["levenberg_marquardt"]

def damped_step(J: _Real, r: _Real, damping: float, D: _Real) -> _Real: ...
def foretold_fall(J: _Real, p: _Real, damping: float, D: _Real) -> float: ...
def next_damping(damping: float, growth: float, gain: float) -> tuple[float, float]: ...
def covariance(J: _Real, r: _Real) -> _Real: ...
def one_step(
    fit: Any, at: Any, D: _Real, damping: float, growth: float
) -> tuple[Any, _Real, float, float, tuple[float, float, float]]: ...
def levenberg_marquardt(
    net: Network,
    X: ArrayLike,
    T: ArrayLike,
    *,
    free: ArrayLike | None = None,
    alpha: float = 0.0,
    scale: Literal["diagonal", "identity"] = "diagonal",
    damping: float = 1e-3,
    tolerance: float = 1e-10,
    max_steps: int = 1000,
    weights: ArrayLike | None = None,
) -> OptimizeResult: ...
