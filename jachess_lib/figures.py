"""What more than one chapter shows with: pieces of Matplotlib, sources, tables.

Never imported by the mathematics. The style sheet beside this file sets everything
else: `plt.style.use("jachess_lib.jachess")`.
"""

import ast
import inspect
import textwrap
from pathlib import Path

import numpy as np

try:
    import matplotlib as mpl
    from matplotlib.colors import LinearSegmentedColormap
except ModuleNotFoundError as error:
    if error.name != "matplotlib":
        raise
    raise ModuleNotFoundError(
        "jachess_lib.figures needs Matplotlib, which is not installed: "
        'pip install "jachess-lib[figures]"',
        name="matplotlib",
    ) from None

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


def plot_hessian(net, H, *, ax=None, limit=None):
    """Draw a (P, P) matrix of a network, with a line between its weight layers.

    Parameters
    ----------
    net : Network
        Whose matrix it is.
    H : array, shape (P, P)
        Exact, outer product, or the difference of the two.
    ax : matplotlib.axes.Axes, optional
        Where to draw; new axes unless given.
    limit : float, optional
        The magnitude of full colour; the largest |entry| unless given.

    Returns
    -------
    matplotlib.axes.Axes
        With a colour bar beside.

    Raises
    ------
    ValueError
        If `H` does not have shape (P, P).
    """
    H = np.asarray(H)
    if H.shape != (net.n_parameters, net.n_parameters):
        raise ValueError(
            f"H must have the shape (P, P) = ({net.n_parameters}, {net.n_parameters}) "
            f"of this network, got {H.shape}"
        )
    ax = _new(ax)
    ax.figure.colorbar(show_signed(ax, H, limit=limit), ax=ax)
    layer_lines(ax, net)
    ax.set_xlabel("parameter q")
    ax.set_ylabel("parameter p")
    return ax


def plot_jacobian(J, *, inputs=None, rows=None, ax=None, limit=None):
    """Draw a Jacobian, or one row of it for each of many patterns.

    Parameters
    ----------
    J : array, shape (R, D)
        Such as `input_jacobian(net, x)[0]`, or `input_jacobian(net, X)[:, 0]`.
    inputs : sequence of str, length D, optional
        Names below the columns.
    rows : sequence of str, length R, optional
        Names beside the rows.
    ax : matplotlib.axes.Axes, optional
        Where to draw; new axes unless given.
    limit : float, optional
        The magnitude of full colour; the largest |entry| unless given.

    Returns
    -------
    matplotlib.axes.Axes
        With a colour bar beside.

    Raises
    ------
    ValueError
        If `J` is no matrix or an empty one, or names are too many or too few.
    """
    J = np.asarray(J)
    if J.ndim != 2 or not J.size:
        raise ValueError(
            f"J must be a matrix with entries, got shape {J.shape}: take one pattern, "
            "input_jacobian(net, x)[0], or one output, input_jacobian(net, X)[:, 0]"
        )
    for name, names, count in (("inputs", inputs, J.shape[1]), ("rows", rows, len(J))):
        if names is not None and len(names) != count:
            raise ValueError(f"{name} must have {count} names, got {len(names)}")
    ax = _new(ax)
    image = show_signed(ax, J, limit=limit)
    image.set_extent((-0.5, J.shape[1] - 0.5, len(J) - 0.5, -0.5))
    ax.set_aspect("auto")
    ax.figure.colorbar(image, ax=ax)
    if inputs is not None:
        ax.set_xticks(range(len(inputs)), inputs)
    if rows is not None:
        ax.set_yticks(range(len(rows)), rows)
    return ax


def plot_spectrum(A, *, ax=None):
    """Draw the magnitudes of eigenvalues in their order, the negative ones apart.

    Parameters
    ----------
    A : array, shape (P, P) or (P,)
        A symmetric matrix, or its eigenvalues.
    ax : matplotlib.axes.Axes, optional
        Where to draw; new axes unless given.

    Returns
    -------
    matplotlib.axes.Axes
        The largest eigenvalue stands at the left, the most negative at the right, and
        those below rounding are not drawn.

    Raises
    ------
    ValueError
        If `A` is neither a square matrix nor a vector, or is not finite.
    """
    A = np.asarray(A)
    if A.ndim not in (1, 2) or (A.ndim == 2 and A.shape[0] != A.shape[1]):
        raise ValueError(
            f"A must be a square matrix or a vector of eigenvalues, got shape {A.shape}"
        )
    if not np.isfinite(A).all():
        raise ValueError("A must be finite: an entry is nan or infinite")
    values = np.sort(A if A.ndim == 1 else np.linalg.eigvalsh(A))[::-1]
    ax, place = _new(ax), np.arange(1, 1 + len(values))
    zero = len(values) * np.finfo(float).eps * np.abs(values).max(initial=0)
    for sign, marker, name in ((1, "o", "positive"), (-1, "v", "negative")):
        drawn = sign * values > zero
        if drawn.any():
            ax.semilogy(
                place[drawn], sign * values[drawn], marker, markersize=4, label=name
            )
    ax.set_xlabel("place in the order")
    ax.set_ylabel("|eigenvalue|")
    if ax.lines:
        ax.legend()
    return ax


def _new(ax):
    """Return the axes that are given, or new ones."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt  # where a picture has a window, only on demand

    return plt.subplots()[1]


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
