from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from numpy.typing import ArrayLike

from jachess_lib._engine import _Real
from jachess_lib.laplace import Posterior
from jachess_lib.network import Network

__all__ = ["gradient_descent", "influence"]

def first_moves(root: _Real, g: _Real) -> _Real: ...
def gains(root: _Real, J: _Real) -> _Real: ...
def newton_moves(root: _Real, J: _Real, M: _Real, r: _Real) -> _Real: ...
def in_all(posterior: Posterior, moves: _Real) -> _Real: ...

@dataclass(frozen=True, eq=False)
class Influence:
    posterior: Posterior
    X: _Real
    T: _Real
    weights: _Real
    curvature: Literal["outer_product", "exact"]
    structure: Literal["full", "diagonal", "kronecker", "last_layer"]
    @property
    def leverages(self) -> _Real: ...
    def moves(self, order: Literal["newton", "first"] = "newton") -> _Real: ...
    def move(
        self, group: Sequence[int] | _Real, order: Literal["newton", "first"] = "newton"
    ) -> _Real: ...
    def effects(
        self,
        X: ArrayLike,
        T: ArrayLike,
        order: Literal["newton", "first"] = "newton",
    ) -> _Real: ...

def influence(
    net: Network,
    X: ArrayLike,
    T: ArrayLike,
    alpha: float,
    *,
    curvature: Literal["outer_product", "exact"] = "outer_product",
    structure: Literal["full", "diagonal", "kronecker", "last_layer"] = "full",
    weights: ArrayLike | None = None,
) -> Influence: ...

@dataclass(frozen=True, eq=False)
class Descent:
    net: Network
    path: _Real
    X: _Real
    T: _Real
    weights: _Real
    rate: float
    momentum: float
    alpha: float
    def effects(self, X: ArrayLike, T: ArrayLike) -> _Real: ...

def way_back(run: Descent, dE_dw: _Real) -> _Real: ...
def gradient_descent(
    net: Network,
    X: ArrayLike,
    T: ArrayLike,
    *,
    rate: float,
    steps: int,
    momentum: float = 0.0,
    alpha: float = 0.0,
    weights: ArrayLike | None = None,
) -> Descent: ...
