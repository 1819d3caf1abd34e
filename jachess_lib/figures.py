"""What more than one chapter shows with: pieces of Matplotlib, sources, tables.

Never imported by the mathematics. The style sheet beside this file sets everything
else: `plt.style.use("jachess_lib.jachess")`.
"""

import ast
import inspect
import textwrap
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.colors import LinearSegmentedColormap

__all__ = ["check_table", "draw_network", "layer_lines", "plain_source", "show_signed"]

# Maps with signs run from the last line's colour by way of paper to the second one's:
# the style sheet has a colour for either sign. Chapters say cmap="signed".
_STYLE = mpl.rc_params_from_file(
    Path(__file__).with_name("jachess.mplstyle"), use_default_template=False
)
_LINES = _STYLE["axes.prop_cycle"].by_key()["color"]
_ENDS = [_LINES[-1], _STYLE["axes.facecolor"], _LINES[1]]
_ENDS = ["#" + colour.lstrip("#") for colour in _ENDS]  # a sheet may leave it out
mpl.colormaps.register(LinearSegmentedColormap.from_list("signed", _ENDS), force=True)


def plain_source(*functions):
    """Return the source of functions as a lesson shows it: no docstring, no decorator.

    Parameters
    ----------
    *functions : callable
        Functions and classes of the library.

    Examples
    --------
    >>> from jachess_lib.network import with_constant_unit
    >>> print(plain_source(with_constant_unit))
    def with_constant_unit(z, constant=1):
        return np.concatenate([np.full_like(z[:, :1], constant), z], axis=1)
    """
    return "\n\n".join(map(_without_docstring, functions))


def _without_docstring(function):
    source = textwrap.dedent(inspect.getsource(inspect.unwrap(function)))
    node, lines = ast.parse(source).body[0], source.splitlines()
    hidden = set(range(node.lineno - 1))  # the decorators
    if ast.get_docstring(node):
        doc = node.body[0]
        hidden |= set(range(doc.lineno - 1, doc.end_lineno))
    return "\n".join(line for i, line in enumerate(lines) if i not in hidden)


class _Table(str):
    """Markdown that a notebook draws as a table and a terminal prints as it is."""

    __repr__ = str.__str__

    def _repr_markdown_(self):
        return str(self)


def check_table(*rows):
    """Return the table of a check: who confirms it, and what each mistake would cost.

    Parameters
    ----------
    *rows : (str, str, str, float)
        A witness and how far it was found to be; a planted mistake and its distance.

    Raises
    ------
    ValueError
        If a mistake is not seen: its distance is below 0.005, or not a number. And if
        a row has another form.

    Examples
    --------
    >>> check_table(("by hand", "below 1e-14", "no slope", 0.53))
    | witness | away | planted mistake | away |
    | :-- | :-- | :-- | --: |
    | by hand | below 1e-14 | no slope | 0.53 |
    """
    lines = ["| witness | away | planted mistake | away |", "| :-- | :-- | :-- | --: |"]
    for row in rows:
        if len(row) != 4 or np.size(row[-1]) != 1:
            raise ValueError(
                "a row must be (witness, its distance, mistake, its distance), the "
                f"last a single number, got {row!r}"
            )
        witness, digits, mistake, off = *row[:3], np.asarray(row[-1]).item()
        if not off >= 0.005:
            raise ValueError(f"{mistake!r} is {off} away: this check does not see it")
        lines.append(f"| {witness} | {digits} | {mistake} | {off:.2f} |")
    return _Table("\n".join(lines))


def show_signed(ax, A, *, limit=None):
    """Draw a matrix with red for positive, blue for negative and paper for zero.

    What is not a number is left blank, and an infinite entry has full colour.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    A : array, shape (R, C)
        The matrix.
    limit : float, optional
        The magnitude of full colour; the largest |entry| unless given.

    Returns
    -------
    matplotlib.image.AxesImage
        The picture, for a colour bar.
    """
    magnitudes = np.abs(A)
    limit = limit or magnitudes[np.isfinite(magnitudes)].max(initial=0) or 1
    return ax.imshow(A, cmap="signed", vmin=-limit, vmax=limit)


def layer_lines(ax, net):
    """Draw the borders between the weight layers on a picture of a (P, P) matrix."""
    for block in net.slices[:-1]:
        ax.axhline(block.stop - 0.5, color="black", linewidth=0.8, linestyle="-")
        ax.axvline(block.stop - 0.5, color="black", linewidth=0.8, linestyle="-")


def draw_network(ax, sizes, values, *, cmap="cividis", labels=None):
    """Draw a layered network, each unit filled by its value.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw; its axis lines are taken away.
    sizes : sequence of int
        Units in each layer.
    values : sequence of arrays, shapes (M,)
        One value for each unit of each layer.
    cmap : str
        Colour map of the values.
    labels : sequence of str, optional
        A text below each layer.

    Returns
    -------
    matplotlib.collections.PathCollection
        The units, for a colour bar.
    """
    x = np.concatenate([np.full(m, column, float) for column, m in enumerate(sizes)])
    y = np.concatenate([(m - 1) / 2 - np.arange(m) for m in sizes])  # unit 0 on top
    ends = np.cumsum([0, *sizes])
    for left, middle, right in zip(ends, ends[1:], ends[2:], strict=False):
        for i in range(left, middle):
            for j in range(middle, right):
                ax.plot(
                    x[[i, j]],
                    y[[i, j]],
                    color="0.75",
                    linewidth=0.6,
                    linestyle="-",
                    zorder=1,
                )
    units = ax.scatter(
        x,
        y,
        c=np.concatenate(values),
        cmap=cmap,
        s=130,
        edgecolors="black",
        linewidths=0.8,
        zorder=2,
    )
    for column, text in enumerate(labels or ()):
        ax.text(column, y.min() - 0.8, text, ha="center", va="top")
    ax.set_ylim(y.min() - 1.6, y.max() + 0.6)
    ax.set_axis_off()
    return units
