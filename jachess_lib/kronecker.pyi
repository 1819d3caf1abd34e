from collections.abc import Callable
from typing import Literal, NamedTuple, TypeVar

from numpy.typing import ArrayLike

from jachess_lib._engine import _Real
from jachess_lib.network import Network, Trace

__all__ = [
    "EigenFactors",
    "KroneckerFactors",
    "ekfac",
    "kronecker_factors",
    "natural_gradient",
    "nearest_kronecker",
    "shampoo_factors",
    "shared_factors",
]

_Factors = TypeVar("_Factors")

class KroneckerFactors(NamedTuple):
    A: _Real
    B: _Real
    def to_dense(self) -> _Real: ...
    def solve(self, V: ArrayLike, damping: float, *, split: bool = False) -> _Real: ...

class EigenFactors(NamedTuple):
    U: _Real
    V: _Real
    scales: _Real
    def to_dense(self) -> _Real: ...
    def solve(self, V: ArrayLike, damping: float) -> _Real: ...

def layer_factors(z: _Real, S: _Real, M: _Real, share: _Real) -> KroneckerFactors: ...
def eigen_factors(z: _Real, S: _Real, M: _Real, share: _Real) -> EigenFactors: ...
def middle(
    net: Network,
    trace: Trace,
    T: _Real | None,
    kind: Literal["expected", "sampled", "empirical"],
    draws: int,
    seed: int,
) -> _Real: ...
def of_layers(
    of_layer: Callable[[_Real, _Real, _Real, _Real], _Factors],
    net: Network,
    X: _Real,
    T: _Real | None,
    kind: Literal["expected", "sampled", "empirical"],
    draws: int,
    seed: int,
    share: _Real,
) -> list[_Factors]: ...
def kronecker_factors(
    net: Network,
    X: ArrayLike,
    T: ArrayLike | None = None,
    *,
    kind: Literal["expected", "sampled", "empirical"] = "expected",
    draws: int = 1,
    seed: int = 0,
    weights: ArrayLike | None = None,
) -> list[KroneckerFactors]: ...
def ekfac(
    net: Network,
    X: ArrayLike,
    T: ArrayLike | None = None,
    *,
    kind: Literal["expected", "sampled", "empirical"] = "expected",
    draws: int = 1,
    seed: int = 0,
    weights: ArrayLike | None = None,
) -> list[EigenFactors]: ...
def shared_factors(
    z: ArrayLike,
    S: ArrayLike,
    M: ArrayLike,
    setting: Literal["expand", "reduce"] = "expand",
) -> KroneckerFactors: ...
def rearranged(G: _Real, rows: int, columns: int) -> _Real: ...
def nearest_kronecker(G: ArrayLike, rows: int, columns: int) -> KroneckerFactors: ...
def shampoo_factors(
    G: ArrayLike, rows: int, columns: int, *, power: float = 1.0
) -> KroneckerFactors: ...
def rescaled(U: _Real, V: _Real, gradient: _Real, scales: _Real) -> _Real: ...
def by_vectors(A: _Real, B: _Real, gradient: _Real, damping: float) -> _Real: ...
def split_solve(A: _Real, B: _Real, gradient: _Real, damping: float) -> _Real: ...
def natural_gradient(
    net: Network,
    X: ArrayLike,
    T: ArrayLike,
    damping: float,
    *,
    structure: Literal["kronecker", "eigen"] = "kronecker",
    weights: ArrayLike | None = None,
) -> _Real: ...
