from collections.abc import Sequence
from typing import Literal, NamedTuple

from numpy.typing import ArrayLike

from jachess_lib._engine import _Real
from jachess_lib.network import Network

__all__ = [
    "Pruned",
    "inverse_outer_product",
    "obd_saliency",
    "obs_saliency",
    "prune",
    "update_inverse",
]

class Pruned(NamedTuple):
    net: Network
    deleted: tuple[int, ...]

def inverse_outer_product(
    net: Network,
    X: ArrayLike,
    alpha: float,
    *,
    out: _Real | None = None,
    weights: ArrayLike | None = None,
) -> _Real: ...
def update_inverse(
    inverse: ArrayLike, J: ArrayLike, M: ArrayLike | None = None
) -> _Real: ...
def obd_saliency(
    net: Network,
    X: ArrayLike,
    alpha: float,
    *,
    out: _Real | None = None,
    weights: ArrayLike | None = None,
) -> _Real: ...
def obs_saliency(
    net: Network,
    X: ArrayLike,
    alpha: float,
    *,
    out: _Real | None = None,
    weights: ArrayLike | None = None,
) -> _Real: ...
def prune(
    net: Network,
    X: ArrayLike,
    alpha: float,
    count: int,
    *,
    rule: Literal["obs", "obd", "magnitude"] = "obs",
    move: bool | None = None,
    deleted: Sequence[int] = (),
    refresh: int = 1,
    weights: ArrayLike | None = None,
) -> Pruned: ...
