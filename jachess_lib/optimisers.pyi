from collections.abc import Callable, Mapping
from typing import TypeAlias

from jachess_lib._engine import _Real

__all__ = ["adam", "gauss_newton", "momentum", "muon", "shampoo", "soap", "sophia"]

_Blocks: TypeAlias = Mapping[str, tuple[slice, tuple[int, int]]]
_Step: TypeAlias = Callable[[_Real], _Real]

def momentum(blocks: _Blocks, beta: float = 0.9) -> _Step: ...
def adam(
    blocks: _Blocks, beta1: float = 0.9, beta2: float = 0.95, epsilon: float = 1e-8
) -> _Step: ...
def sophia(
    blocks: _Blocks, beta1: float = 0.9, beta2: float = 0.95, rho: float = 0.01
) -> Callable[..., _Real]: ...
def shampoo(
    blocks: _Blocks,
    beta: float = 0.9,
    beta1: float = 0.9,
    power: float = -0.25,
    epsilon: float = 1e-5,
) -> _Step: ...
def soap(
    blocks: _Blocks, beta1: float = 0.9, beta2: float = 0.98, epsilon: float = 1e-5
) -> _Step: ...
def muon(
    blocks: _Blocks, beta: float = 0.95, beta2: float = 0.95, ratio: float = 2.0
) -> _Step: ...
def gauss_newton(
    iterations: int = 10,
    damping: float = 0.03,
    layerwise: bool = False,
    keep: float = 0.9,
) -> Callable[..., tuple[_Real, float]]: ...
