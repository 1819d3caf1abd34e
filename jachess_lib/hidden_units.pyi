from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from jachess_lib._engine import _Array

__all__ = ["HIDDEN_UNITS", "HiddenUnit"]

@dataclass(frozen=True)
class HiddenUnit:
    name: str
    h: Callable[[Any], Any]
    dh: Callable[[Any], Any]
    d2h: Callable[[Any], Any]
    def check(self) -> None: ...
    def __post_init__(self) -> None: ...
    def __deepcopy__(self, memo: Any) -> Self: ...

HIDDEN_UNITS: dict[str, HiddenUnit]

def sigmoid(a: _Array) -> _Array: ...
def softplus(a: _Array) -> _Array: ...
