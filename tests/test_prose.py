"""The numbers of the prose pages, and a story of chapter 4, computed again.

Each page states its setting; `draw` is that setting: weights, inputs and targets are
standard normal, targets of sigmoid and softmax outputs are random labels.
"""

import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

import jachess_lib as jl
from jachess_lib.backpropagation import error_signals
from jachess_lib.jacobian import back_through_layer

BOOK = Path(__file__).resolve().parents[1] / "book"


def page(name):
    """Return the text of a page."""
    return (BOOK / f"{name}.md").read_text(encoding="utf-8")


def draw(sizes, output, N, seed):
    """Return a tanh network with data of the pages' setting."""
    rng = np.random.default_rng(seed)
    P = sum(m_out * (1 + m_in) for m_in, m_out in pairwise(sizes))
    net = jl.Network(sizes, rng.normal(size=P), output=output)
    X, K = rng.normal(size=(N, sizes[0])), sizes[-1]
    if output == "linear":
        return net, X, rng.normal(size=(N, K))
    if output == "sigmoid":
        return net, X, (rng.random((N, K)) < 0.5) * 1.0
    return net, X, jl.one_hot(rng.integers(K, size=N), K)


def relative(A, B):
    """Return the distance of A from B in the Frobenius norm, relative to B."""
    return np.linalg.norm(A - B) / np.linalg.norm(B)


def empirical_fisher(net, X, T):
    """Return Σ ∇E_n ∇E_nᵀ."""
    g = jl.error_gradients(net, X, T)
    return g.T @ g


def mixed_block(net, X, T, printed):
    """Return PRML (5.95) summed over the patterns, as printed or put right."""
    trace, V2 = jl.forward(net, X), net.W[1][:, 1:]
    x, z, h = trace.z[0], trace.z[1][:, 1:], net.hidden[0].dh(trace.a[0])
    delta, WM = trace.y - T, np.einsum("lj,nkl->nkj", V2, net.output.dy_da(trace.a[1]))
    I = np.eye(z.shape[1])
    if printed:
        fed = np.einsum("ni,nJ,nk,jJ->jikJ", x, h, delta, I)
        return fed + np.einsum("ni,nJ,nj,nkJ->jikJ", x, h, z, WM)
    fed = np.einsum("ni,nj,nk,jJ->jikJ", x, h, delta, I)
    return fed + np.einsum("ni,nj,nJ,nkj->jikJ", x, h, z, WM)


def without_output_biases(H, net):
    """Return the block of H for one weight of each layer as a [j, i, k, j′] array."""
    first, second = net.slices
    return H[first, second].reshape(*net.W[0].shape, *net.W[1].shape)[..., 1:]


@pytest.mark.parametrize("output", list(jl.OUTPUT_UNITS))
def test_errata_5_95(output):
    right, printed = [], []
    for seed in range(20):
        net, X, T = draw((3, 4, 2), output, 5, seed)

        def gradient(w, net=net, X=X, T=T):
            return jl.error_gradient(net.with_parameters(w), X, T)

        H = without_output_biases(jl.central_difference(gradient, net.w, 1e-5), net)
        right.append(relative(mixed_block(net, X, T, printed=False), H))
        printed.append(relative(mixed_block(net, X, T, printed=True), H))
        exact = without_output_biases(jl.complex_step(gradient, net.w), net)
        assert relative(mixed_block(net, X, T, printed=False), exact) < 1e-14
    assert max(right) < 1e-10
    row = f"| {output} | below 1e-10 | {min(printed):.2f} to {max(printed):.2f} |"
    assert row in page("errata")


def test_errata_empirical_fisher():
    net, X, T = draw((3, 4, 1), "linear", 20, 0)
    G = jl.outer_product_hessian(net, X)
    apart = relative(empirical_fisher(net, X, T), G)
    assert f"differ by {apart:.2f}," in page("errata")
    assert np.abs(empirical_fisher(net, X, net(X))).max() < 1e-25
    assert relative(jl.exact_hessian(net, X, net(X)), G) < 1e-13


def test_errata_r_operator():
    rng = np.random.default_rng(0)
    net = jl.Network((3, 4, 2), rng.normal(size=26))
    v, X, T = rng.normal(size=26), rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    trace, V = jl.forward(net, X), net.with_parameters(v).W
    unit, W2, delta = net.hidden[0], net.W[1][:, 1:], trace.y - T
    h1, h2 = unit.dh(trace.a[0]), unit.d2h(trace.a[0])
    R_a, back = trace.z[0] @ V[0].T, delta @ W2
    R_z = np.column_stack([np.zeros(5), h1 * R_a])
    R_out = trace.z[1] @ V[1].T + R_z @ net.W[1].T
    rest = h1 * (delta @ V[1][:, 1:] + R_out @ W2)

    def product(first):
        below = (first + rest).T @ trace.z[0]
        above = R_out.T @ trace.z[1] + delta.T @ R_z
        return np.concatenate([below.ravel(), above.ravel()])

    Hv = jl.exact_hessian(net, X, T) @ v
    assert relative(product(h2 * R_a * back), Hv) < 1e-14
    missed = relative(product(h2 * R_a + back), Hv)
    assert f"the sum misses by {missed:.2f}." in page("errata")


@pytest.mark.parametrize("seed", range(3))
def test_errata_library(seed):
    """The size of a Hessian, and weights of a quadrature that are squared twice."""
    assert "196 EB" in page("errata")
    assert 4 * 7_000_000_000**2 == 196 * 10**18
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(200, 200))
    A, V = (A + A.T) / 2, rng.choice([-1.0, 1.0], size=(200, 1)) / 200**0.5
    for _ in range(19):  # an orthonormal basis of the Krylov space
        u = A @ V[:, -1]
        for _ in range(2):
            u -= V @ (V.T @ u)
        V = np.column_stack([V, u / np.linalg.norm(u)])
    weights = np.linalg.eigh(V.T @ A @ V)[1][0] ** 2
    assert abs(weights.sum() - 1) < 1e-12
    assert (weights**2).sum() < 0.1
    assert "their squares to less than a tenth." in page("errata")


def test_which_matrix_empirical_fisher():
    a, b, c = (
        relative(empirical_fisher(net, X, T), jl.outer_product_hessian(net, X))
        for net, X, T in (draw((3, 4, 3), "softmax", 20, seed) for seed in range(3))
    )
    assert f"it was {a:.2f}, {b:.2f} and {c:.2f} away from" in page("which_matrix")


def becker_lecun(net, X, T):
    """Return the diagonal by the sweep that keeps only diagonals of M."""
    trace = jl.forward(net, X)
    delta = trace.y - T
    bend = np.diagonal(net.output.dy_da(trace.a[-1]), axis1=1, axis2=2)
    parts = []
    for l in range(net.depth - 1, -1, -1):
        parts.insert(0, (bend.T @ trace.z[l] ** 2).ravel())
        if l > 0:
            unit, a, V = net.hidden[l - 1], trace.a[l - 1], net.W[l][:, 1:]
            bend = unit.dh(a) ** 2 * (bend @ V**2) + unit.d2h(a) * (delta @ V)
            delta = unit.dh(a) * (delta @ V)
    return np.concatenate(parts)


def test_which_matrix_becker_lecun():
    def off(sizes, output):
        net, X, T = draw(sizes, output, 20, 0)
        return relative(becker_lecun(net, X, T), jl.hessian_diagonal(net, X, T))

    for output in ("linear", "sigmoid"):  # one hidden layer and a diagonal M: exact
        assert off((3, 4, 2), output) < 1e-13
    softmax, deep = off((3, 4, 2), "softmax"), off((3, 4, 5, 2), "linear")
    text = page("which_matrix")
    assert f"it was {100 * softmax:.0f} % off for 3-4-2" in text
    assert f"and {100 * deep:.0f} % off for 3-4-5-2" in text


def test_which_matrix_largest_learning_rate():
    net, X, _ = draw((3, 4, 2), "linear", 20, 0)
    rng = np.random.default_rng(1)
    for _ in range(3):
        H = jl.outer_product_hessian(net, rng.normal(size=X.shape))
        largest = np.linalg.eigvalsh(H)[-1]
        start = rng.normal(size=len(H))
        for factor, grows in [(1.99, False), (2.01, True)]:
            w = start
            for _ in range(2000):
                w = w - factor / largest * (H @ w)
            steepest = np.linalg.eigh(H)[1][:, -1]
            assert (abs(w @ steepest) > abs(start @ steepest)) == grows
    assert r"$2/\lambda_{\max}$" in page("which_matrix")


def test_which_matrix_a_weight_that_is_used_twice():
    """One row of weights on two tokens, a = w·x + w·x′: one column for both."""
    rng = np.random.default_rng(0)
    token, other = rng.normal(size=(2, 5, 3))
    line = jl.Network((3, 1), rng.normal(size=4))
    J = sum(jl.parameter_jacobian(line, x, of="activations") for x in (token, other))
    G = np.einsum("nkp,nkq->pq", J, J)
    each = sum(jl.outer_product_hessian(line, x) for x in (token, other))

    def gradient(w):
        net = line.with_parameters(w)
        return np.einsum("nkp,nk->p", J, net(token) + net(other))

    assert relative(G, jl.complex_step(gradient, line.w)) < 1e-13
    assert relative(each, G) > 0.1
    assert "used at several places" in page("which_matrix")


def test_the_glossary_names_the_chapter_that_uses_a_word_first():
    chapters = {
        int(path.stem[:2]): "".join(
            s for c in cells if c["cell_type"] == "markdown" for s in c["source"]
        )
        for path in sorted((BOOK.parent / "notebooks").glob("*.ipynb"))
        for cells in [json.loads(path.read_text(encoding="utf-8"))["cells"]]
    }
    texts = {
        n: re.sub(r"\{cite[^`]*`[^`]*`", "", text).split("## Sources")[0].lower()
        for n, text in chapters.items()
    }
    entries = re.findall(
        r"^(\S.*)\n  .* First in \[chapter (\d+)\]\(../notebooks/0?\2_\w+\.ipynb\)\.$",
        page("glossary"),
        re.MULTILINE,
    )
    assert len(entries) == page("glossary").count("First in") > 30
    words = [word.lower() for word, _ in entries]
    assert words == sorted(words)
    for word, number in zip(words, (int(n) for _, n in entries), strict=True):
        found = [n for n, text in texts.items() if word in text]
        assert found[:1] == [number], word


def test_the_shapes_of_the_notation_are_those_of_the_library():
    """Every row of the table that names a shape, at a network of different widths."""
    net, X, T = draw((3, 5, 4, 2), "softmax", 7, 0)
    trace = jl.forward(net, X)
    signals = error_signals(net, trace, T)
    sizes = {"N": 7, "D": 3, "K": 2, "P": net.n_parameters, "M": 4}
    slopes = np.einsum("nkl,lj->nkj", net.output.dy_da(trace.a[-1]), net.W[2][:, 1:])
    g = jl.parameter_jacobian(net, X, of="activations")[:, 0]
    leverages = np.einsum("np,pq,nq->n", g, jl.inverse_outer_product(net, X, 1.0), g)
    found = {
        "x": (X[0], sizes),
        "X": (X, sizes),
        "W[l][j, i]": (net.W[1], {"M_out": 4, "M_in": 5}),
        "W[l][j, 0]": (net.W[1][2, 0], {}),
        "w": (net.w, sizes),
        "a[l]": (trace.a[1], sizes),
        "z[l]": (trace.z[2], sizes),
        "dy_da": (slopes, sizes),
        "error": (jl.error(net, X, T), {}),
        "delta[l]": (signals[1], sizes),
        "J": (jl.input_jacobian(net, X), sizes),
        "H": (jl.exact_hessian(net, X, T), sizes),
        "M": (net.output.dy_da(trace.a[-1]), sizes),
        "g": (jl.parameter_jacobian(net, X, of="activations")[0, 0], sizes),
        "A": (jl.outer_product_hessian(net, X) + np.eye(net.n_parameters), sizes),
        "rho": (leverages, sizes),
        "L": (jl.obs_saliency(net, X, 1.0), sizes),
        "S": (back_through_layer(net, trace, 2, np.tile(np.eye(2), (7, 1, 1))), sizes),
        "values": (jl.hessian_spectrum(net, X, T).values, sizes),
        "Gamma": (jl.polar_factor(np.ones((4, 3))), {"M_out": 4, "M_in": 3}),
        "step": (1e-6, {}),
        "alpha": (1.0, {}),
        "damping": (1e-3, {}),
        "gain": (0.5, {}),
        "np.eye(K)": (np.eye(2), sizes),
    }
    table = page("notation").split("## The table")[1].split("$D$ counts")[0]
    rows = re.findall(
        r"^\| .* \| `([^`]+)`.* \| `?(\(.*?\))`?.* \|$", table, re.MULTILINE
    )
    assert [code for code, _ in rows] == list(found)
    for code, shape in rows:
        value, names = found[code]
        assert np.shape(value) == eval(shape, {}, dict(names)), code


def test_a_letter_with_a_second_use_has_a_first():
    """The second table of the notation names each letter once."""
    rows = page("notation").split("(notation-second)=")[1].split("Chapter 8 calls")[0]
    letters = re.findall(r"^\| (\$.*?\$)(?:, (\$.*?\$))? \|", rows, re.MULTILINE)
    names = [name for pair in letters for name in pair if name]
    assert len(names) == len(set(names)) > 8


@pytest.mark.parametrize(("seed", "division"), [(0, 1), (0, 2), (1, 0), (2, 0)])
def test_the_diagonal_alone_lets_the_error_rise_on_unseen_digits(seed, division):
    """The story of chapter 4, from other starts and on other divisions."""
    data = load_digits()
    X, T = data.data / 16, jl.one_hot(data.target, 10)
    test = np.random.default_rng(division).permutation(len(X)) % 5 == 0
    X_in, T_in = X[~test], T[~test]
    inputs = np.column_stack([np.ones(len(X_in)), X_in])
    net, seen = jl.Network.random((64, 10), output="softmax", seed=seed), {}
    for step in range(1, 3001):
        delta = -T_in * (1 - net(X_in))
        net = net.with_parameters(net.w - 1e-3 * (delta.T @ inputs).ravel())
        if step in (300, 3000):
            right = (net(X[test]).argmax(axis=1) == data.target[test]).mean()
            seen[step] = right, jl.error(net, X[test], T[test])
    assert seen[3000][0] > seen[300][0]
    assert seen[3000][1] > 1.25 * seen[300][1]
