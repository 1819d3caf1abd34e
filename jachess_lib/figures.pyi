from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike

from jachess_lib.network import Network

__all__ = [
    "check_table",
    "draw_network",
    "layer_lines",
    "plain_source",
    "plot_hessian",
    "plot_jacobian",
    "plot_spectrum",
    "show_signed",
]

def plain_source(*functions: Callable[..., Any]) -> str: ...
def check_table(*rows: tuple[str, str, str, ArrayLike]) -> str: ...
def show_signed(ax: Axes, A: ArrayLike, *, limit: float | None = None) -> AxesImage: ...
def layer_lines(ax: Axes, net: Network) -> None: ...
def plot_hessian(
    net: Network,
    H: ArrayLike,
    *,
    ax: Axes | None = None,
    limit: float | None = None,
) -> Axes: ...
def plot_jacobian(
    J: ArrayLike,
    *,
    inputs: Sequence[str] | None = None,
    rows: Sequence[str] | None = None,
    ax: Axes | None = None,
    limit: float | None = None,
) -> Axes: ...
def plot_spectrum(A: ArrayLike, *, ax: Axes | None = None) -> Axes: ...
def draw_network(
    ax: Axes,
    sizes: Sequence[int],
    values: Sequence[ArrayLike],
    *,
    cmap: str = "cividis",
    labels: Sequence[str] | None = None,
) -> PathCollection: ...
