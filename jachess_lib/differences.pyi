from collections.abc import Callable
from typing import Any, TypeAlias

from numpy.typing import ArrayLike, NDArray

from jachess_lib._engine import _Array, _Real

__all__ = ["central_difference", "complex_step", "forward_difference"]

_Function: TypeAlias = Callable[[NDArray[Any]], ArrayLike]

def forward_difference(
    f: _Function, x: ArrayLike, step: ArrayLike | None = None
) -> _Array: ...
def central_difference(
    f: _Function, x: ArrayLike, step: ArrayLike | None = None
) -> _Array: ...
def complex_step(f: _Function, x: ArrayLike) -> _Real: ...
