from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jachess_lib._engine import _Array, _Real

__all__ = ["OUTPUT_UNITS", "OutputUnit"]

@dataclass(frozen=True)
class OutputUnit:
    name: str
    y: Callable[[_Array], _Array]
    dy_da: Callable[[_Array], _Array]
    diagonal: Callable[[_Array], _Array]
    times: Callable[[_Array, _Array], _Array]
    bend: Callable[[_Array, _Array, _Array], _Array]
    residual: Callable[[_Array, _Real], _Array]
    errors: Callable[[_Array, _Real], _Array]
    weights: _Real | None = None
    def error(self, a: _Array, T: _Real) -> np.inexact: ...

OUTPUT_UNITS: dict[str, OutputUnit]
