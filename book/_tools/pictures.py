"""Draw the picture at the head of each chapter: python -m book._tools.pictures.

Small, drawn in the colours of the page, which a reader may turn dark, and computed by
the library: no line is there for ornament. The landing page shows the same.
"""

from pathlib import Path

import numpy as np

import jachess_lib as jl
from book._tools.svg import arrow, cells, circle, line, network, path, picture, text

PLACE = Path(__file__).resolve().parents[1] / "_static" / "chapters"
POINT = np.array([[0.5, -1.0, 0.2]])


def _small():
    """Return the 3-4-2 network of these pictures, and the pattern that it sees."""
    return jl.Network.random((3, 4, 2), seed=6), POINT, np.array([[0.4, -0.6]])


def one_vector():
    """Draw a network, and the one vector that holds all its weights."""
    net, X, _ = _small()
    trace = jl.forward(net, X)
    values = [X[0], trace.z[1][0, 1:], trace.y[0]]
    first, second = (net.w[block][None] for block in net.slices)
    return (
        network(30, 12, 230, 156, net, values)
        + arrow(300, 90, 340, 90)
        + cells(360, 62, 15, first)
        + cells(360, 103, 15, second)
        + text(360, 54, "W[0], 16 weights")
        + text(360, 136, "W[1], 10 weights")
    )


def error_signals():
    """Draw δ on every unit, and the way that it runs."""
    net, X, T = _small()
    from jachess_lib.backpropagation import error_signals as signals

    deltas = [d[0] for d in signals(net, jl.forward(net, X), T)]
    values = [np.zeros(3), *deltas]
    numbers = [[], *[[f"{d:+.2f}" for d in row] for row in deltas]]
    return (
        network(170, 12, 300, 150, net, values, numbers, hollow=1)
        + arrow(430, 172, 210, 172, "residual")
        + text(560, 90, "y − t", "residual", 16)
        + arrow(548, 86, 500, 86, "residual")
    )


def backward_wave():
    """Draw ∂y₀/∂a on every unit, and the row of the Jacobian that it ends in."""
    net, X, _ = _small()
    trace = jl.forward(net, X)
    slope = net.hidden[0].dh(trace.a[0][0])
    hidden = net.W[1][0, 1:] * slope
    J = jl.input_jacobian(net, X)[0]
    numbers = [[], [f"{v:+.2f}" for v in hidden], ["+1.00", "+0.00"]]
    return (
        text(20, 30, "row 0 of J", "J", 15)
        + "".join(
            text(38, y, f"{v:+.2f}".replace("-", "−"), "J", 15)
            for v, y in zip(J[0], (64, 104, 144), strict=True)
        )
        + network(140, 12, 330, 150, net, [J[0], hidden, [1, 0]], numbers)
        + arrow(470, 172, 150, 172, "J")
    )


def _corner(p):
    """Return where a distribution over three classes lies in the triangle."""
    corners = np.array([[60, 165], [250, 165], [155, 12]])
    return np.asarray(p) @ corners


def softmax_triangle():
    """Draw the three ways in which a share can move, and the matrix that says so."""
    y = np.array([1, 2, 3]) / 6
    M = np.diag(y) - np.outer(y, y)
    at, edge = _corner(y), [_corner(e) for e in np.eye(3)]
    turn = np.linspace(0, 2 * np.pi, 60)
    values, vectors = np.linalg.eigh(M)
    plane = vectors[:, 1:] * np.sqrt(values[1:]) * 0.5
    ring = [_corner(y + plane @ [np.cos(s), np.sin(s)]) for s in turn]
    shares = "".join(
        text(
            430 + 62 * k,
            52 + 45 * l,
            f"{36 * M[k, l]:.0f}/36".replace("-", "−"),
            "M",
            17,
        )
        for k in range(3)
        for l in range(3)
    )
    return (
        path(edge, "ink", closed=True)
        + path(ring, "M", closed=True)
        + "".join(arrow(*at, *_corner(y + row), "J") for row in M)
        + circle(*at, 4, "ink")
        + text(365, 97, "M  =", "M", 19)
        + shares
    )


def error_bars():
    """Draw a cloud of inputs, and what the Jacobian makes of it."""
    J = np.array([[1.15, -0.5], [0.35, 0.62]])
    cloud = np.random.default_rng(5).normal(size=(70, 2)) * 22
    turn = np.linspace(0, 2 * np.pi, 60)
    ring = 44 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    left, right = np.array([140, 90]), np.array([480, 90])
    dots = [circle(*(left + p), 1.8, "muted") for p in cloud]
    dots += [circle(*(right + J @ p), 1.8, "muted") for p in cloud]
    return (
        "".join(dots)
        + path(left + ring, "link", closed=True)
        + path(right + ring @ J.T, "J", closed=True)
        + arrow(245, 90, 345, 90)
        + text(285, 80, "J", "J", 18)
        + text(100, 172, "error of the inputs")
        + text(425, 172, "error of the outputs")
    )


def the_v():
    """Draw how wrong a difference is, for x³ at 2, by the length of its step."""
    steps = 10.0 ** -np.arange(0, 16.01, 0.5)
    f, right = (lambda x: x**3), 12.0
    forward = np.abs((f(2 + steps) - f(2.0)) / steps - right)
    central = np.abs((f(2 + steps) - f(2 - steps)) / (2 * steps) - right)
    x = 60 + 28 * -np.log10(steps)

    def down(errors):
        return 24 - 12 * np.log10(np.maximum(errors, 1e-16))

    return (
        line(60, 168, 520, 168, "rule")
        + path(np.stack([x, down(forward)], 1), "negative")
        + path(np.stack([x, down(central)], 1), "positive", dash="6 4")
        + path([(x[0] + 90, 164), (x[-1], 164)], "J", dash="2 3")
        + text(70, 15, "error")
        + text(250, 62, "forward", "negative")
        + text(180, 150, "central", "positive")
        + text(455, 157, "complex step", "J")
        + text(505, 174, "smaller steps →")
    )


def _map(net, A, x, y, side):
    size = side / len(A)
    edge = x + net.slices[0].stop * size, y + net.slices[0].stop * size
    return (
        cells(x, y, size, A)
        + line(edge[0], y, edge[0], y + side, "ink")
        + line(x, edge[1], x + side, edge[1], "ink")
    )


def curvature():
    """Draw the Hessian of the 3-4-2 network: a cell for each pair of weights."""
    net, _, _ = _small()
    rng = np.random.default_rng(3)
    X, T = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
    H = jl.exact_hessian(net, X, T)
    trace = jl.forward(net, X[:1])
    values = [X[0], trace.z[1][0, 1:], trace.y[0]]
    return (
        network(30, 12, 200, 156, net, values)
        + arrow(265, 90, 305, 90)
        + _map(net, H, 340, 6, 168)
        + text(525, 58, "a cell: two")
        + text(525, 80, "weights;")
        + text(525, 108, "a block: two")
        + text(525, 130, "layers")
    )


def two_terms():
    """Draw H as the sum of what is kept and what is dropped."""
    net = jl.Network.random((2, 2, 1), seed=4)
    rng = np.random.default_rng(1)
    X, T = rng.normal(size=(6, 2)), rng.normal(size=(6, 1))
    H, G = jl.exact_hessian(net, X, T), jl.outer_product_hessian(net, X)
    limit = np.abs(H).max()
    return (
        "".join(
            cells(x, 10, 15, A, limit) for x, A in ((20, H), (240, G), (460, H - G))
        )
        + text(185, 86, "=", "ink", 22)
        + text(405, 86, "+", "ink", 22)
        + text(80, 168, "H", "ink", 17)
        + text(270, 168, "Σ JᵀMJ", "J", 17)
        + text(475, 168, "Σ (y − t) ∇∇a", "residual", 17)
    )


def pushed_along():
    """Draw Hv as v goes round: an ellipse, whose axes are the eigenvectors."""
    H = np.array([[4.2, 1.3], [1.3, 0.8]])
    turn = np.linspace(0, 2 * np.pi, 90)
    ring = np.stack([np.cos(turn), -np.sin(turn)], axis=1)
    flip = np.diag([1, -1])
    middle, scale = np.array([300, 92]), 46
    v = np.array([np.cos(0.8), np.sin(0.8)])
    ellipse = middle + scale * ring @ flip @ H @ flip
    tip, to = middle + 46 * flip @ v, middle + scale * flip @ H @ v
    return (
        path(middle + 46 * ring, "rule", closed=True)
        + path(ellipse, "M", closed=True)
        + arrow(*middle, *tip, "link")
        + arrow(*middle, *to, "residual")
        + text(tip[0] - 16, tip[1] + 2, "v", "link", 18)
        + text(to[0] + 8, to[1] + 10, "Hv", "residual", 18)
    )


def held_back():
    """Draw the valley of a decay, a jump that leaves it, and steps that do not."""
    x = np.linspace(0, 3, 8)
    t, w_1 = 2 * np.exp(-x), np.linspace(-3.9, 0.9, 200)
    e = np.exp(np.outer(w_1, x))
    ee, te = (e**2).sum(axis=1), e @ t

    def place(w_1, w_2):
        return np.stack([330 + 80 * w_1, 165 - 46 * np.clip(w_2, -0.3, 3.5)], 1)

    drawn = ""
    for level in (0.05, 0.4, 1.2, 2.1):
        root = te**2 - ee * (t @ t - 2 * level)  # E is a parabola in w_2
        inside = root >= 0
        half, middle = np.sqrt(root[inside]) / ee[inside], (te / ee)[inside]
        up, down = (place(w_1[inside], middle + sign * half) for sign in (1, -1))
        drawn += path(np.concatenate([up, down[::-1]]), "rule", closed=True)
    start = jl.Network((1, 1, 1), [0, -3, 0, 0.3], "exp")
    ways = [start.w] + [
        jl.levenberg_marquardt(
            start, x[:, None], t[:, None], free=[1, 3], max_steps=k
        ).x
        for k in range(1, 13)
    ]
    way = place(*np.array(ways)[:, [1, 3]].T)
    return (
        drawn
        + path(way, "J")
        + "".join(circle(*p, 2.6, "J") for p in way)
        + arrow(*way[0], 600, way[0, 1] - 31, "residual")
        + circle(*way[0], 4, "ink")
        + text(440, 112, "a tangent, trusted", "residual")
        + text(285, 60, "held back by λ", "J")
    )


def one_weight_goes():
    """Draw a bowl, and two ways from its floor to where one weight is zero."""
    A, w = np.array([[6.0, 4.0], [4.0, 6.0]]), np.array([4.0, -1.0])
    turn = np.linspace(0, 2 * np.pi, 90)
    ring = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    ring = np.linalg.solve(np.linalg.cholesky(A).T, ring.T).T
    damage, surgery = np.array([4, 0]), np.array([10 / 3, 0])

    def at(points):
        return np.array([300, 50]) + (points - [3.7, 0]) * [90, -48]

    bowls = [path(at(w + np.sqrt(2 * L) * ring), "rule", closed=True) for L in (0.4, 1)]
    touching = path(at(w + np.sqrt(10 / 3) * ring), "J", closed=True)
    return (
        "".join(bowls)
        + touching
        + line(60, 50, 580, 50, "ink")
        + arrow(*at(w), *at(damage), "residual")
        + arrow(*at(w), *at(surgery), "J")
        + circle(*at(w), 4, "ink")
        + text(70, 40, "one weight is zero")
        + text(at(damage)[0] + 10, 40, "the other stays", "residual")
        + text(at(surgery)[0] - 20, 40, "it moves", "J", 15)
        + text(at(w)[0] + 10, at(w)[1] + 14, "trained")
    )


def opening_bars():
    """Draw a curve with its error bars, which open where there are no data."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, 160)
    x = x[abs(x) > 1][:40, None]
    t = np.sin(2 * x) + 0.2 * rng.standard_normal(x.shape)
    start = jl.Network.random((1, 5, 1), seed=0)
    net = jl.levenberg_marquardt(start, x, t, alpha=0.01, tolerance=1e-9).net
    every = np.linspace(-4, 4, 161)[:, None]
    y, variance, _ = jl.laplace(net, x, t, 0.25, 25.0).predict(every)
    width = 2 * np.sqrt(variance)

    def place(x, y):
        down = np.clip(90 - 26 * y, 4, 176)
        return np.stack([320 + 75 * x, down], axis=-1).reshape(-1, 2)

    band = np.concatenate([place(every, y + width), place(every, y - width)[::-1]])
    return (
        path(band, "M", closed=True)
        + path(place(every, y), "ink")
        + "".join(circle(*p, 2.4, "J") for p in place(x, t))
        + text(286, 140, "no data")
    )


def steep_and_flat():
    """Draw a zigzag walk down a bowl, and the eigenvalues of a small network."""
    H, w, way = np.array([[5.0, 2.0], [2.0, 2.0]]), np.array([1.0, -0.6]), []
    for _ in range(9):
        way.append(w)
        w = w - 0.3 * H @ w
    turn = np.linspace(0, 2 * np.pi, 90)
    ring = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    ring = np.linalg.solve(np.linalg.cholesky(H).T, ring.T).T

    def at(points):
        return np.array([150, 88]) + np.asarray(points) * [95, -52]

    net = jl.Network.random((3, 4, 2), output="softmax", seed=6)
    rng = np.random.default_rng(3)
    X, T = rng.normal(size=(8, 3)), rng.dirichlet(np.ones(2), 8)
    values = np.linalg.eigvalsh(jl.exact_hessian(net, X, T))
    x = 360 + 240 * (values - values[0]) / np.ptp(values)
    colours = np.where(values < -1e-9, "negative", "positive")
    stems = [line(p, 120, p, 60, c) for p, c in zip(x, colours, strict=True)]
    return (
        "".join(path(at(s * ring), "rule", closed=True) for s in (0.5, 1, 1.6))
        + path(at(way), "link")
        + "".join(circle(*p, 2.5, "link") for p in at(way))
        + line(340, 120, 620, 120, "ink")
        + "".join(stems)
        + text(350, 145, "eigenvalues of H: most near zero")
    )


def two_small_ones():
    """Draw two factors, their Kronecker product, and the block that it stands for."""
    net = jl.Network.random((3, 4, 2), output="softmax", seed=6)
    X = np.random.default_rng(3).normal(size=(8, 3))
    A, B = jl.kronecker_factors(net, X)[0]
    block = jl.outer_product_hessian(net, X)[net.slices[0], net.slices[0]]
    return (
        cells(24, 60, 15, B)
        + text(92, 96, "⊗", "ink", 18)
        + cells(118, 60, 15, A)
        + text(190, 96, "=", "ink", 18)
        + cells(218, 18, 9, np.kron(B, A))
        + text(374, 96, "≃", "ink", 18)
        + cells(402, 18, 9, block)
        + text(24, 140, "outwards")
        + text(118, 140, "inwards")
        + text(553, 96, "16 weights")
    )


def who_looks_at_whom():
    """Draw the shares of attention of a text, and the eigenvalues of its G."""
    net = jl.transformer(5, 6, 6, 2, 4, seed=3)
    letters = np.random.default_rng(2).integers(0, 5, (60, 6))
    X = jl.token_inputs(letters, 5)
    x = X @ net.W[0].T
    norm, qkv, attention, _ = net.parts[1]
    p = attention.forward(qkv.forward(norm.forward(x)[0])[0])[1][3][0, 0]
    cells = "".join(
        circle(70 + 28 * s, 28 + 24 * t, 2 + 10 * p[t, s] ** 0.5, "J")
        for t in range(6)
        for s in range(t + 1)
    )
    G = jl.StackOperator(net, X, curvature="outer_product").to_dense()
    values = np.linalg.eigvalsh(G)[::-1] / np.linalg.eigvalsh(G)[-1]
    height = np.clip(np.log10(np.maximum(values, 1e-12)), -12, 0)
    across = 310 + 280 * np.arange(len(values)) / len(values)
    fall = np.column_stack([across, 22 - 9.5 * height])
    edge = 310 + 280 * (1 - jl.null_dimension(net) / len(values))
    return (
        cells
        + line(310, 145, 600, 145, "ink")
        + line(edge, 18, edge, 145, "rule")
        + path(fall, "M")
        + text(edge + 8, 80, "nobody notices")
    )


def one_who_pulls():
    """Draw a line through dots, and where it goes if the farthest dot leaves."""
    rng = np.random.default_rng(4)
    x = np.append(rng.uniform(-2, 0.5, 14), 3.4)[:, None]
    t = 0.5 * x + 0.25 * rng.standard_normal(x.shape)
    t[-1] = -0.9
    start = jl.Network((1, 1), [0.0, 0.0])
    net = jl.levenberg_marquardt(start, x, t, alpha=0.1, tolerance=1e-9).net
    far = net.with_parameters(net.w + jl.influence(net, x, t, 0.1).moves()[-1])

    def place(x, y):
        return np.stack([260 + 85 * x, 90 - 45 * y], axis=-1).reshape(-1, 2)

    all_the_way, to_the_top = np.array([[-2.4], [4.0]]), np.array([[-2.4], [3.2]])
    (*others, last) = place(x, t)
    return (
        path(place(all_the_way, net(all_the_way)), "ink")
        + path(place(to_the_top, far(to_the_top)), "residual")
        + "".join(circle(*p, 3, "J") for p in others)
        + circle(*last, 5, "residual")
        + text(last[0] - 60, last[1] + 24, "if it leaves")
    )


PICTURES = {
    1: (one_vector, "A network of 3, 4 and 2 units, and its 26 weights in two rows."),
    2: (error_signals, "The network with an error signal on every unit, run from right "
        "to left, from the residual y − t."),
    3: (backward_wave, "The network with a derivative of the first output on every "
        "unit; the three at the inputs are the first row of the Jacobian."),
    4: (softmax_triangle, "A triangle with a point inside, three arrows that start "
        "there, an ellipse around it, and the three by three matrix M."),
    5: (error_bars, "A round cloud of inputs, and the slanted ellipse that the "
        "Jacobian makes of it."),
    6: (the_v, "The error of a difference falls as the step shrinks, then rises "
        "again: a V; the complex step stays at the bottom."),
    7: (curvature, "The network, and its Hessian: 26 by 26 cells in four blocks."),
    8: (two_terms, "Three coloured matrices: the Hessian is the sum of the outer "
        "products and of a second, paler one."),
    9: (pushed_along, "A unit vector v on a circle, and Hv on a longer ellipse."),
    10: (held_back, "Level lines of a valley; from one point a long arrow leaves "
        "the picture, and a line with dots runs down to the bottom."),
    11: (one_weight_goes, "Ellipses around the trained weights, and two arrows to the "
        "line where one weight is zero: straight, and to where an ellipse touches."),
    12: (opening_bars, "A wavy curve through two groups of dots, inside a band that "
        "is narrow among the dots and wide where there are none."),
    13: (steep_and_flat, "A zigzag walk down a bowl, and a row of stems for the "
        "eigenvalues: many close to zero, a few far to the right."),
    14: (two_small_ones, "Two matrices of four by four cells, their Kronecker product "
        "of sixteen by sixteen, and beside it a block of the curvature that looks "
        "nearly the same."),
    15: (who_looks_at_whom, "A triangle of dots, larger where a token looks more; and "
        "a curve that falls slowly, then all at once."),
    16: (one_who_pulls, "Dots along a rising slope and one far below it at the right; "
        "a flat line through all of them, and a rising one without the last."),
}  # fmt: skip


def files():
    """Return {path: text} of all pictures."""
    return {
        PLACE / f"{number:02d}.svg": picture(draw(), 640, 180, words)
        for number, (draw, words) in PICTURES.items()
    }


if __name__ == "__main__":
    for name, drawn in files().items():
        name.write_text(drawn, encoding="utf-8")
