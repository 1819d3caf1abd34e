from collections.abc import Sequence
from typing import NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jachess_lib._engine import _Array
from jachess_lib.hidden_units import HiddenUnit
from jachess_lib.output_units import OutputUnit

__all__ = ["Network", "Trace", "forward", "one_hot"]

_Hidden: TypeAlias = str | HiddenUnit | Sequence[str | HiddenUnit]

class Trace(NamedTuple):
    a: list[_Array]
    z: list[_Array]
    y: _Array

class Network:
    sizes: tuple[int, ...]
    w: _Array
    hidden: tuple[HiddenUnit, ...]
    output: OutputUnit
    W: tuple[_Array, ...]
    slices: tuple[slice, ...]
    def __init__(
        self,
        sizes: Sequence[int],
        w: ArrayLike,
        hidden: _Hidden = "tanh",
        output: str | OutputUnit = "linear",
    ) -> None: ...
    @classmethod
    def random(
        cls,
        sizes: Sequence[int],
        hidden: _Hidden = "tanh",
        output: str | OutputUnit = "linear",
        seed: int = 0,
    ) -> Self: ...
    @property
    def depth(self) -> int: ...
    @property
    def n_parameters(self) -> int: ...
    def with_parameters(self, w: ArrayLike) -> Self: ...
    def with_output(self, unit: OutputUnit) -> Self: ...
    def index(self, layer: int, j: int, i: int) -> int: ...
    def __call__(self, X: ArrayLike) -> _Array: ...
    def __eq__(self, other: object) -> bool: ...
    def __hash__(self) -> int: ...
    def __copy__(self) -> Self: ...

def forward(net: Network, X: ArrayLike) -> Trace: ...
def with_constant_unit(z: _Array, constant: float = 1) -> _Array: ...
def one_hot(labels: ArrayLike, n_classes: int) -> NDArray[np.float64]: ...
