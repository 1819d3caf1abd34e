"""Draw what others show of the site: python -m book._tools.card.

The card of 1200 by 630 dots that a link gets in a chat, and the icon of a phone's home
screen. Both are the Hessian of the 3-4-2 network, as chapter 7 shows it.
"""

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

import jachess_lib as jl
from book._tools.palette import read
from jachess_lib.figures import layer_lines, show_signed

STATIC = Path(__file__).resolve().parents[1] / "_static"
LIGHT = {name: colours[0] for name, colours in read()[0].items()}


def draw_hessian(ax):
    """Draw the matrix, its weak entries too."""
    rng = np.random.default_rng(3)
    net = jl.Network.random((3, 4, 2), seed=6)
    X, T = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
    H = jl.exact_hessian(net, X, T)
    show_signed(ax, np.sign(H) * np.sqrt(np.abs(H)))
    layer_lines(ax, net)
    ax.set_axis_off()


def card():
    """Return the figure of the card."""
    figure = plt.figure(figsize=(12, 6.3), dpi=100, layout="none")
    draw_hessian(figure.add_axes((0.58, 0.1, 0.42, 0.8)))
    for y, words, size in (
        (0.68, "The Jacobian and the Hessian", 33),
        (0.575, "of neural networks", 33),
        (0.2, "derived, coded, and checked five ways", 24),
    ):
        figure.text(0.06, y, words, size=size, color=LIGHT["ink"])
    for x, words, role in (
        (0.06, r"$\mathbf{H}\;=\;\Sigma$", "ink"),
        (0.185, r"$\mathbf{J}^{\top}$", "J"),
        (0.225, r"$\mathbf{M}$", "M"),
        (0.265, r"$\mathbf{J}$", "J"),
        (0.29, r"$+\;\Sigma$", "ink"),
        (0.365, r"$(y-t)\,\nabla\nabla a$", "residual"),
    ):
        figure.text(x, 0.4, words, size=34, color=LIGHT[role])
    return figure


def icon():
    """Return the figure of the icon."""
    figure = plt.figure(figsize=(1.8, 1.8), dpi=100, layout="none")
    draw_hessian(figure.add_axes((0.08, 0.08, 0.84, 0.84)))
    return figure


if __name__ == "__main__":
    mpl.use("Agg")
    plt.style.use("jachess_lib.jachess")
    for name, figure in (("card", card()), ("touch-icon", icon())):
        figure.savefig(STATIC / f"{name}.png", dpi=100, metadata={"Software": None})
