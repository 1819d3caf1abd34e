"""The language model: against sums by hand, complex steps, differences and autograd."""

import itertools
import math

import autograd
import autograd.numpy as anp
import autograd.scipy.special as asp
import numpy as np
import pytest

import jachess_lib as jl
from jachess_lib.language_model import (
    Attention,
    Hidden,
    Linear,
    Norm,
    Stack,
    StackOperator,
    matrix_power,
    named_blocks,
    newton_schulz,
    null_dimension,
    null_generators,
    one_step_shampoo,
    polar_factor,
    sampled_diagonal,
    stack_error,
    stack_gradient,
    token_inputs,
    transformer,
)

SIZES = (7, 5, 4, 2, 6)  # letters, length, width, heads, hidden: all different


def case(sizes=SIZES, texts=6, seed=0):
    """Return a transformer with inputs and labels as distributions."""
    rng = np.random.default_rng(seed)
    K, length = sizes[:2]
    X = token_inputs(rng.integers(0, K, (texts, length)), K)
    T = rng.dirichlet(np.ones(K), texts * length)
    return transformer(*sizes, seed=seed + 1), X, T


def gradient_at(net, X, T):
    return lambda w: stack_gradient(net.with_parameters(w), X, T)


def linear(rng, rows, columns):
    return Linear(rng.standard_normal((rows, columns)) / columns**0.5)


def stacks():
    """Return stacks of every shape of branch, with what they take."""
    rng = np.random.default_rng(3)
    draw = lambda rows, columns: linear(rng, rows, columns)  # noqa: E731
    return {
        "transformer": case(SIZES)[0],
        "two blocks, one head": case((4, 3, 5, 1, 2, 2))[0],
        "one matrix": Stack([draw(4, 6)]),
        "bare attention": Stack([draw(9, 6), Attention(3), draw(4, 3)]),
        "branch in a branch": Stack(
            [draw(5, 6), [Norm(), [draw(5, 5), Hidden("tanh")]], Norm(), draw(3, 5)]
        ),
        "starts with a branch": Stack([[draw(6, 6)], Hidden("softplus"), draw(2, 6)]),
    }


EVERY = pytest.mark.parametrize("net", stacks().values(), ids=stacks())


def data(net, tokens=15, seed=0):
    rng = np.random.default_rng(seed)
    T = rng.dirichlet(np.ones(len(net.W[-1])), tokens)
    return rng.standard_normal((tokens, net.W[0].shape[1])), T


# The derivatives


@EVERY
def test_the_gradient_by_complex_steps_of_the_error(net):
    X, T = data(net)
    g = stack_gradient(net, X, T)
    of_error = jl.complex_step(
        lambda w: stack_error(net.with_parameters(w), X, T), net.w
    )
    np.testing.assert_allclose(g, of_error, rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(StackOperator(net, X, T).gradient, g)
    assert StackOperator(net, X, T).error == stack_error(net, X, T)


@EVERY
def test_the_hessian_by_complex_steps_of_the_gradient(net):
    X, T = data(net)
    H = StackOperator(net, X, T).to_dense()
    truth = jl.complex_step(gradient_at(net, X, T), net.w)
    np.testing.assert_allclose(H, truth, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(H, H.T, rtol=1e-10, atol=1e-13)


@EVERY
def test_g_is_the_sum_of_j_m_j_over_the_tokens(net):
    X, _ = data(net)
    G = StackOperator(net, X, curvature="outer_product").to_dense()
    y = net(X)
    J = jl.complex_step(lambda w: np.log(net.with_parameters(w)(X)), net.w)
    # of the logits and of log y differ by a number for each token, which M ignores
    M = np.einsum("nk,kl->nkl", y, np.eye(y.shape[1])) - np.einsum("nk,nl->nkl", y, y)
    truth = np.einsum("nkp,nkl,nlq->pq", J, M, J) / len(X)
    np.testing.assert_allclose(G, truth, rtol=1e-10, atol=1e-14)


def test_the_hessian_of_softmax_regression():
    rng = np.random.default_rng(0)
    net, X = Stack([linear(rng, 3, 4)]), rng.standard_normal((5, 4))
    y = net(X)
    H = sum(
        np.kron(np.diag(y[n]) - np.outer(y[n], y[n]), np.outer(X[n], X[n]))
        for n in range(5)
    )
    for T, kind in ((y, "exact"), (None, "outer_product")):
        found = StackOperator(net, X, T, curvature=kind).to_dense()
        np.testing.assert_allclose(found, H / 5, atol=1e-15)


@pytest.mark.parametrize("unit", ["tanh", "gelu", "softplus"])
def test_a_stack_without_norm_is_a_network_of_the_book(unit):
    rng = np.random.default_rng(1)
    V = [rng.standard_normal(shape) for shape in ((4, 3), (2, 4), (5, 2))]
    with_bias = [np.column_stack([np.zeros(len(W)), W]).ravel() for W in V]
    old = jl.Network((3, 4, 2, 5), np.concatenate(with_bias), unit, "softmax")
    net = Stack([Linear(V[0]), Hidden(unit), Linear(V[1]), Hidden(unit), Linear(V[2])])
    X, T = data(net, 9)
    weights = np.concatenate(
        [np.ravel(np.arange(W.size).reshape(W.shape)[:, 1:]) + s.start
         for W, s in zip(old.W, old.slices, strict=True)]
    )  # fmt: skip
    np.testing.assert_allclose(net(X), old(X), rtol=1e-13)
    assert math.isclose(stack_error(net, X, T), jl.error(old, X, T) / 9, rel_tol=1e-13)
    g = jl.error_gradient(old, X, T)[weights] / 9
    np.testing.assert_allclose(stack_gradient(net, X, T), g, atol=1e-15)
    square = np.ix_(weights, weights)
    np.testing.assert_allclose(
        StackOperator(net, X, T).to_dense(),
        jl.exact_hessian(old, X, T)[square] / 9, atol=1e-14,
    )  # fmt: skip
    np.testing.assert_allclose(
        StackOperator(net, X, curvature="outer_product").to_dense(),
        jl.outer_product_hessian(old, X)[square] / 9, atol=1e-14,
    )  # fmt: skip


def by_hand(net, letters, heads):
    """Return the logits of one block, sum by sum and in plain floats."""
    E, QKV, O, one, two, U = (W.tolist() for W in net.W)
    d, texts = len(E), []
    dot = lambda u, v: sum(a * b for a, b in zip(u, v, strict=True))  # noqa: E731
    times = lambda W, x: [dot(row, x) for row in W]  # noqa: E731
    K = len(U)

    def norm(x):
        m = sum(x) / len(x)
        s = math.sqrt(sum((a - m) ** 2 for a in x) / len(x))
        return [(a - m) / s for a in x]

    for text in letters.tolist():
        stream = [
            [E[j][letter] + E[j][K + t] for j in range(d)]
            for t, letter in enumerate(text)
        ]
        qkv = [times(QKV, norm(x)) for x in stream]
        size = d // heads
        for t in range(len(text)):
            mixed = []
            for head in range(heads):
                lo, hi = head * size, (head + 1) * size
                a = [
                    dot(qkv[t][lo:hi], qkv[s][d + lo : d + hi]) / math.sqrt(size)
                    for s in range(t + 1)
                ]
                p = [math.exp(b) for b in a]
                for i in range(lo, hi):
                    mixed.append(
                        sum(p[s] * qkv[s][2 * d + i] for s in range(t + 1)) / sum(p)
                    )
            stream[t] = [x + y for x, y in zip(stream[t], times(O, mixed), strict=True)]
        for t in range(len(text)):
            a = times(one, norm(stream[t]))
            z = [b * (1 + math.erf(b / math.sqrt(2))) / 2 for b in a]
            x = [x + y for x, y in zip(stream[t], times(two, z), strict=True)]
            texts.append(times(U, norm(x)))
    return np.array(texts)


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_the_transformer_sum_by_sum(heads):
    sizes = (7, 5, 4, heads, 6)
    net = transformer(*sizes, seed=2)
    letters = np.random.default_rng(0).integers(0, 7, (3, 5))
    e = np.exp(by_hand(net, letters, heads))
    y = e / e.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(net(token_inputs(letters, 7)), y, rtol=1e-13)


def test_the_softmax_of_attention_by_hand_on_two_tokens():
    """q·k are 0 and ln 3: shares ¼ and ¾; with v = (2, 6), B = (2, 6), y = 5."""
    part = Attention(2)
    x = np.array([[0.0, 0.0, 2.0], [1.0, np.log(3), 6.0]])
    y, kept = part.forward(x)
    np.testing.assert_allclose(y, [[2], [5]], rtol=1e-15)
    np.testing.assert_allclose(kept[3][0, 0], [[1, 0], [0.25, 0.75]], rtol=1e-15)
    back, blocks = part.pullback(kept, np.array([[0.0], [1.0]]))
    # ∂y/∂a = (¼(2 − 5), ¾(6 − 5)) = (−¾, ¾); by q_2: ¾ ln 3, by k: −¾ and ¾
    truth = [[0, -0.75, 0.25], [0.75 * np.log(3), 0.75, 0.75]]
    np.testing.assert_allclose(back, truth, rtol=1e-14)
    assert blocks == []


def autograd_error(sizes, X, T):
    """Return E(w) of one block for HIPS autograd, one head at a time."""
    K, length, d, heads, m = sizes
    shapes = [(d, K + length), (3 * d, d), (d, d), (m, d), (d, m), (K, d)]
    ends = np.cumsum([0, *(a * b for a, b in shapes)])

    def norm(x):
        x = x - anp.mean(x, axis=-1, keepdims=True)
        return x / anp.sqrt(anp.mean(x * x, axis=-1, keepdims=True))

    def error(w):
        E, QKV, O, one, two, U = (
            w[i:j].reshape(s) for i, j, s in zip(ends, ends[1:], shapes, strict=False)
        )
        x = anp.dot(X, E.T)
        qkv = anp.dot(norm(x), QKV.T).reshape((-1, length, 3, heads, d // heads))
        out, mask = [], np.triu(np.full((length, length), -1e30), 1)
        for h in range(heads):
            q, k, v = (qkv[:, :, i, h] for i in range(3))
            a = anp.einsum("ntd,nsd->nts", q, k) / np.sqrt(d // heads) + mask
            e = anp.exp(a - anp.max(a, axis=-1, keepdims=True))
            p = e / anp.sum(e, axis=-1, keepdims=True)
            out.append(anp.einsum("nts,nsd->ntd", p, v))
        z = anp.concatenate(out, axis=-1).reshape((-1, d))
        x = x + anp.dot(z, O.T)
        a = anp.dot(norm(x), one.T)
        x = x + anp.dot(a * (1 + asp.erf(a / np.sqrt(2))) / 2, two.T)
        logits = anp.dot(norm(x), U.T)
        log_sum = anp.log(anp.sum(anp.exp(logits), axis=-1, keepdims=True))
        return -anp.mean(anp.sum(T * (logits - log_sum), axis=-1))

    return error


def test_the_norm_by_hand():
    norm, delta = jl.Norm(), np.array([[1.0, 0, 0, 0]])
    y, kept = norm.forward(np.array([[2.0, 2, 4, 4]]))
    R_y, R_kept = norm.pushforward(kept, np.array([[0.0, 0, 0, 1]]), norm)
    np.testing.assert_allclose(y, [[-1, -1, 1, 1]], rtol=1e-15)
    np.testing.assert_allclose(norm.pullback(kept, delta)[0], [[0.5, -0.5, 0, 0]])
    np.testing.assert_allclose(R_y, [[0, 0, -0.5, 0.5]])
    assert R_kept[1] == 0.25
    bend = norm.curvature(kept, R_kept, delta)[0]
    np.testing.assert_allclose(8 * bend, [[-1, 1, -1, 1]])


def test_gradient_and_products_by_another_autodiff():
    net, X, T = case()
    error = autograd_error(SIZES, X, T)
    assert math.isclose(error(net.w), stack_error(net, X, T), rel_tol=1e-13)
    gradient = autograd.grad(error)
    np.testing.assert_allclose(stack_gradient(net, X, T), gradient(net.w), atol=1e-15)
    v = np.random.default_rng(1).standard_normal(net.n_parameters)
    Hv = autograd.grad(lambda w: anp.dot(gradient(w), v))(net.w)
    np.testing.assert_allclose(StackOperator(net, X, T) @ v, Hv, atol=1e-14)


def test_the_order_of_differences():
    net, X, T = case()
    v = np.random.default_rng(1).standard_normal(net.n_parameters)
    Hv, at = StackOperator(net, X, T) @ v, gradient_at(net, X, T)
    miss = [
        abs((at(net.w + h * v) - at(net.w - h * v)) / (2 * h) - Hv).max()
        for h in (1e-3, 1e-4)
    ]
    assert 80 < miss[0] / miss[1] < 120


def test_the_operator_is_one_for_scipy_and_for_lanczos():
    net, X, T = case()
    H = StackOperator(net, X, T)
    assert H.shape == (net.n_parameters,) * 2
    largest = jl.lanczos(H, 40).quadrature()[0][-1]
    np.testing.assert_allclose(largest, np.linalg.eigvalsh(H.to_dense())[-1], rtol=1e-8)
    np.testing.assert_array_equal(H.T @ net.w, H @ net.w)
    np.testing.assert_allclose((H @ np.eye(H.shape[0]))[:, 3], H.to_dense()[3])


def test_the_blocks_of_g_are_those_of_the_shorter_stacks():
    from jachess_lib._engine.optimisers import tail_operators

    net, X, _ = case((5, 4, 6, 3, 7, 2))
    operator = StackOperator(net, X, curvature="outer_product")
    G, rng = operator.to_dense(), np.random.default_rng(0)
    places = [place for place, _ in tail_operators(operator)]
    assert [p.start for p in places] == [0, *(p.stop for p in places[:-1])]
    assert len(places) == 6
    assert places[-1].stop == len(G)
    for place, tail in tail_operators(operator):
        v = rng.standard_normal(place.stop - place.start)
        padded = np.concatenate([v, np.zeros(tail.shape[0] - len(v))])
        np.testing.assert_allclose(
            (tail @ padded)[: len(v)], G[place, place] @ v, rtol=1e-10, atol=1e-14
        )


# Where G is H


ARCHITECTURES = {
    "attention": ("E", "QKV", "O", "U"),
    "with a last norm": ("E", "QKV", "O", "norm", "U"),
    "with 1 and 2": ("E", "QKV", "O", "12", "U"),
    "a block": ("E", "QKV", "O", "12", "norm", "U"),
}
FREE = {
    "attention": {"V", "O", "U"},
    "with a last norm": {"U"},
    "with 1 and 2": {"2", "U"},
    "a block": {"U"},
}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_diagonal_blocks_of_h_and_g(name):
    rng, d = np.random.default_rng(0), 4
    parts = [linear(rng, d, 12)]
    parts += [[Norm(), linear(rng, 12, 4), Attention(5, 2), linear(rng, 4, 4)]]
    if "12" in ARCHITECTURES[name]:
        parts += [[Norm(), linear(rng, 6, 4), Hidden(), linear(rng, 4, 6)]]
    parts += [Norm()] if "norm" in ARCHITECTURES[name] else []
    net = Stack([*parts, linear(rng, 7, 4)])
    _, X, T = case()
    H = StackOperator(net, X, T).to_dense()
    G = StackOperator(net, X, curvature="outer_product").to_dense()
    for block, (place, _) in named_blocks(net).items():
        share = np.linalg.norm((H - G)[place, place]) / np.linalg.norm(H[place, place])
        assert share < 1e-13 if block in FREE[name] else share > 0.01, (block, share)


# The null space


MODELS = [
    (7, 5, 4, 2, 6), (5, 4, 6, 3, 4), (6, 4, 4, 4, 5), (6, 4, 4, 1, 5),
    (5, 3, 3, 3, 2), (4, 3, 4, 2, 3, 2), (5, 6, 5, 1, 3), (4, 3, 3, 1, 2),
    (4, 3, 4, 1, 2, 2),
]  # fmt: skip
EVERY_MODEL = pytest.mark.parametrize("sizes", MODELS, ids=str)


@EVERY_MODEL
def test_the_null_space_is_counted(sizes):
    net, X, _ = case(sizes, 100, seed=1)
    values = np.linalg.eigvalsh(
        StackOperator(net, X, curvature="outer_product").to_dense()
    )
    zeros = abs(values) < 1e-13 * values[-1]
    assert zeros.sum() == null_dimension(net)
    assert abs(values[~zeros]).min() > 30 * abs(values[zeros]).max()


@EVERY_MODEL
def test_every_generator_is_noticed_by_nobody(sizes):
    net, X, T = case(sizes, 20, seed=1)
    H, G = StackOperator(net, X, T), StackOperator(net, X, curvature="outer_product")
    generators, bent = null_generators(net), 0.0
    for each in generators:
        assert abs(each.v @ H.gradient) < 1e-13
        assert abs(G @ each.v).max() < 1e-14 * (1 + abs(each.v).max())
        Hv = H @ each.v
        np.testing.assert_allclose(Hv, -each.transposed(H.gradient), atol=1e-13)
        bent = max(bent, abs(Hv).max())
    assert bent > 1e-3  # and so they are no null vectors of H
    V = np.array([each.v for each in generators])
    assert np.linalg.matrix_rank(V, tol=1e-9) == null_dimension(net)


def test_the_kinds_of_generators():
    net, X, T = case((5, 4, 6, 3, 7))
    H = StackOperator(net, X, T)
    kinds = [each.kind for each in null_generators(net)]
    counts = {kind: kinds.count(kind) for kind in kinds}
    assert counts == {
        "letters against places": 6,
        "mean of the stream": 9 + 6 + 7,
        "mean behind a norm": 18 + 7 + 5,
        "shift of the logits": 6,
        "scale": 1,
        "rotation": 10,
        "queries against keys": 12,
        "values against outputs": 12,
    }
    for each in null_generators(net):
        straight = each.kind.startswith(("letters", "mean", "shift"))
        assert straight == (abs(H @ each.v).max() < 1e-14), each.kind


def test_letters_that_are_missing():
    K, length, d, heads, m = 6, 4, 4, 2, 3
    net = transformer(K, length, d, heads, m, seed=1)
    letters = np.random.default_rng(0).integers(0, K - 2, (150, length))
    G = StackOperator(net, token_inputs(letters, K), curvature="outer_product")
    values = np.linalg.eigvalsh(G.to_dense())
    zeros = (abs(values) < 1e-13 * values[-1]).sum()
    assert zeros == null_dimension(net, missing=2) == null_dimension(net) + 2 * 3


def test_the_counts_of_the_chapter():
    assert null_dimension(transformer(27, 8, 8, 2, 16)) == 226
    assert null_dimension(transformer(27, 8, 8, 2, 16, 2)) == 354
    assert transformer(27, 8, 8, 2, 16).n_parameters == 1008
    assert transformer(27, 8, 8, 2, 16, 2).n_parameters == 1520
    assert transformer(27, 16, 16, 2, 32).n_parameters == 3168


def test_other_stacks_are_not_counted():
    for net in list(stacks().values())[2:]:
        for count in (null_dimension, null_generators):
            with pytest.raises(ValueError, match="not built as transformer"):
                count(net)
    parts = list(transformer(*SIZES).parts)
    parts[0] = Linear(np.ones((4, 9)))
    with pytest.raises(ValueError, match=r"the first matrix must have shape \(4, 12\)"):
        null_dimension(Stack(parts))


# Names of the matrices


def test_named_blocks():
    net = transformer(*SIZES)
    found = named_blocks(net)
    assert list(found) == ["E", "Q", "K", "V", "O", "1", "2", "U"]
    ends = [place.stop for place, _ in found.values()]
    assert [place.start for place, _ in found.values()] == [0, *ends[:-1]]
    assert ends[-1] == net.n_parameters
    assert [shape for _, shape in found.values()] == [
        (4, 12), (4, 4), (4, 4), (4, 4), (4, 4), (6, 4), (4, 6), (7, 4),
    ]  # fmt: skip
    place, shape = found["K"]
    np.testing.assert_array_equal(net.w[place].reshape(shape), net.W[1][4:8])
    two = named_blocks(transformer(*SIZES, 2))
    assert list(two)[7:] == ["Q_1", "K_1", "V_1", "O_1", "1_1", "2_1", "U"]


# Steps of optimisers


@pytest.mark.parametrize("shape", [(4, 7), (7, 4), (5, 5)])
def test_one_step_of_shampoo_is_the_polar_factor(shape):
    Gamma = np.random.default_rng(0).standard_normal(shape)
    U, sigma, Vt = np.linalg.svd(Gamma, full_matrices=False)
    np.testing.assert_allclose(polar_factor(Gamma), U @ Vt, atol=1e-14)
    np.testing.assert_allclose(one_step_shampoo(Gamma), U @ Vt, atol=1e-11)
    np.testing.assert_allclose(one_step_shampoo(1e6 * Gamma), U @ Vt, atol=1e-11)
    root_mean_square = np.sqrt((polar_factor(Gamma) ** 2).mean())
    assert math.isclose(root_mean_square, max(shape) ** -0.5, rel_tol=1e-13)
    # and nothing of the same length in the spectral norm leads further down
    assert math.isclose((polar_factor(Gamma) * Gamma).sum(), sigma.sum())


def test_singular_values_that_are_zero_have_no_direction():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((6, 2)), rng.standard_normal((2, 4))
    Gamma = a @ b
    U, _, Vt = np.linalg.svd(Gamma)
    truth = U[:, :2] @ Vt[:2]
    np.testing.assert_allclose(polar_factor(Gamma), truth, atol=1e-13)
    np.testing.assert_allclose(one_step_shampoo(Gamma), truth, atol=1e-10)
    for of_nothing in (polar_factor, one_step_shampoo, newton_schulz):
        np.testing.assert_array_equal(of_nothing(np.zeros((3, 2))), np.zeros((3, 2)))


def test_the_power_of_a_matrix():
    A = np.diag([4.0, 9.0, 0.0])
    np.testing.assert_allclose(matrix_power(A, -0.5), np.diag([1 / 2, 1 / 3, 0]))


def test_newton_schulz_lands_in_a_band():
    sigma = np.geomspace(0.01, 1, 2001)
    landed = sigma
    for _ in range(5):
        landed = 3.4445 * landed - 4.775 * landed**3 + 2.0315 * landed**5
    assert 0.681 < landed.min() < 0.683
    assert 1.133 < landed.max() < 1.135
    rng = np.random.default_rng(0)
    U = np.linalg.qr(rng.standard_normal((6, 4)))[0]
    V = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    sigma = np.array([0.9, 0.4, 0.1, 0.02])
    sigma /= np.linalg.norm(sigma)
    landed = sigma
    for _ in range(5):
        landed = 3.4445 * landed - 4.775 * landed**3 + 2.0315 * landed**5
    found = newton_schulz(1e3 * (U * sigma) @ V.T)
    np.testing.assert_allclose(found, (U * landed) @ V.T, atol=1e-13)
    np.testing.assert_allclose(newton_schulz(found, 0), found / np.linalg.norm(found))


def test_the_mean_over_all_labels_is_the_diagonal_of_g():
    """All K² label pairs of two tokens, each with its probability."""
    net, X, _ = case((3, 2, 4, 2, 5), texts=1)
    y, K = net(X), 3
    diagonal = np.diag(StackOperator(net, X, curvature="outer_product").to_dense())
    expected = np.zeros(net.n_parameters)
    for labels in itertools.product(range(K), repeat=2):
        chance = np.prod(y[[0, 1], list(labels)])
        g = stack_gradient(net, X, jl.one_hot(labels, K))
        expected += chance * 2 * g**2
    np.testing.assert_allclose(expected, diagonal, rtol=1e-12, atol=1e-18)
    drawn = [sampled_diagonal(net, X, seed) for seed in range(400)]
    error = np.std(drawn, axis=0) / 400**0.5
    assert (abs(np.mean(drawn, axis=0) - diagonal) < 5 * error + 1e-15).all()
    np.testing.assert_array_equal(drawn[3], sampled_diagonal(net, X, 3))


# The same numbers in other clothes, and bad input


def test_single_precision_stays_single():
    net, X, T = case()
    narrow = net.with_parameters(net.w.astype(np.float32))
    X32, T32 = X.astype(np.float32), T.astype(np.float32)
    assert stack_gradient(narrow, X32, T32).dtype == np.float32
    H = StackOperator(narrow, X32, T32)
    assert (H @ narrow.w).dtype == np.float32
    np.testing.assert_allclose(
        H @ narrow.w, StackOperator(net, X, T) @ net.w, atol=2e-5
    )


def test_large_logits_do_not_overflow():
    net = transformer(*SIZES)
    _, X, T = case()
    large = net.with_parameters(300 * net.w)
    assert np.isfinite(stack_gradient(large, X, T)).all()
    assert np.isfinite(stack_error(large, X, T))


def test_a_stack_never_changes():
    W = np.ones((2, 3))
    net = Stack([Linear(W)])
    W[0, 0] = 7
    assert net.W[0][0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        net.w[0] = 2
    assert net.with_parameters(2 * net.w).W[0][0, 0] == 2
    assert net.W[0][0, 0] == 1
    assert repr(net) == "<Stack of 1 matrices, P = 6>"


def test_no_text_has_no_outputs_and_no_mean():
    net, X, T = case()
    assert net(X[:0]).shape == (0, 7)
    with pytest.raises(ValueError, match="X holds no token"):
        stack_error(net, X[:0], T[:0])


def test_inputs_that_do_not_fit():
    net, X, T = case()
    v = np.ones(net.n_parameters)
    for f in (stack_error, stack_gradient, StackOperator):
        with pytest.raises(TypeError, match="net must be a Stack, got Network"):
            f(jl.Network.random((12, 7)), X, T)
        with pytest.raises(TypeError, match="X must hold numbers, but it is None"):
            f(net, None, T)
        with pytest.raises(ValueError, match=r"X must have shape \(N, 12\)"):
            f(net, X[:, 1:], T)
        with pytest.raises(ValueError, match="whole texts of 5 tokens, got 29 rows"):
            f(net, X[1:], T[1:])
        with pytest.raises(ValueError, match=r"T must have shape \(N, K\) = \(30, 7\)"):
            f(net, X, T[1:])
        with pytest.raises(ValueError, match="rows of T must be distributions"):
            f(net, X, 2 * T)
        with pytest.raises(ValueError, match=r"X\[2, 1\] is nan"):
            f(net, np.where(np.arange(360).reshape(30, 12) == 25, np.nan, X), T)
    with pytest.raises(TypeError, match="T must hold numbers, but it is None"):
        StackOperator(net, X)
    with pytest.raises(ValueError, match="curvature must be one of exact, outer_pro"):
        StackOperator(net, X, T, curvature="fisher")
    with pytest.raises(ValueError, match="w must have shape"):
        net.with_parameters(v[1:])
    with pytest.raises(ValueError, match="seed must be a whole number"):
        sampled_diagonal(net, X, -1)


def test_parts_that_do_not_fit():
    with pytest.raises(TypeError, match="parts must be a list of parts, got Linear"):
        Stack(Linear(np.eye(2)))
    with pytest.raises(TypeError, match="'norm' is no part: it needs the methods"):
        Stack([Linear(np.eye(2)), "norm"])
    for parts in ([], [Norm()], [Linear(np.eye(2)), Norm()]):
        with pytest.raises(ValueError, match="a stack needs a Linear at its end"):
            Stack(parts)
    with pytest.raises(ValueError, match="a Linear before its first Attention"):
        Stack([Attention(2), Linear(np.eye(2))])
    with pytest.raises(ValueError, match=r"W must be a matrix of shape"):
        Linear(np.ones(3))
    with pytest.raises(ValueError, match=r"W\[0, 1\] is inf"):
        Linear([[1.0, np.inf]])
    with pytest.raises(ValueError, match="unknown hidden unit 'swish'"):
        Hidden("swish")
    with pytest.raises(ValueError, match="heads must be a positive whole number"):
        Attention(3, 0)
    with pytest.raises(ValueError, match="heads must divide the width"):
        transformer(5, 4, 6, 4, 3)
    with pytest.raises(ValueError, match="width must be 3 or more, got 2"):
        transformer(5, 4, 2, 1, 3)
    with pytest.raises(ValueError, match="blocks must be a positive whole number"):
        transformer(5, 4, 6, 2, 3, 0)
    with pytest.raises(ValueError, match=r"letters must have shape \(texts, length\)"):
        token_inputs([0, 1], 3)
    with pytest.raises(ValueError, match=r"labels\[1\] is 3, but 3 classes"):
        token_inputs([[0, 3]], 3)
    for f in (polar_factor, one_step_shampoo, newton_schulz):
        with pytest.raises(ValueError, match="gradient must be a matrix"):
            f(np.ones(3))
        with pytest.raises(ValueError, match="gradient must be real"):
            f(np.ones((3, 2)) * 1j)
    with pytest.raises(ValueError, match="steps must be a whole number"):
        newton_schulz(np.eye(2), -1)
