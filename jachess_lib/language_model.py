"""A small language model of parts that know how to differentiate themselves.

| symbol | code | shape |
| --- | --- | --- |
| letters beside places, one token a row | `X`, from `token_inputs` | (N, D) |
| the next letters, one-hot | `T` | (N, K) |
| what comes out of a part, and how it moves along v | `y`, `R_y` | (N, M_out) |
| ∂E/∂y of a part, and how it moves along v | `delta`, `R_delta` | (N, M_out) |
| what a part keeps for its way back, and how that moves | `kept`, `R_kept` | by part |
| ∂E/∂W, the gradient as a matrix | `block` | (M_out, M_in) |

Every part has four methods. `forward` gives y and what to keep; `pushforward` gives
R{y}; `pullback` gives Jᵀδ and ∂E/∂W; `curvature` gives R{J}ᵀδ, and what it adds to
∂E/∂W. A tuple of parts is a network, and a tuple within it a branch that is added to
what goes past it. E is a mean over the tokens, in nats; there are no biases.

Source: Pearlmutter (1994) for R{·}; Gupta, Koren and Singer (2018), and Bernstein and
Newhouse (2024), for the step of Shampoo and its polar factor.
"""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh, svd
from scipy.sparse.linalg import LinearOperator

from jachess_lib._engine.language_model import (
    check_curvature,
    check_gradient,
    check_heads,
    check_hidden,
    check_letters,
    check_matrix,
    check_rows,
    check_step,
    check_steps,
    check_tokens,
    check_transformer,
    design,
    flat_parts,
    frozen_weights,
    generators_of,
    names_of,
    sampled_labels,
    with_matrices,
)
from jachess_lib.network import one_hot
from jachess_lib.output_units import OUTPUT_UNITS

__all__ = [
    "Attention",
    "Generator",
    "Hidden",
    "Linear",
    "Norm",
    "Stack",
    "StackOperator",
    "named_blocks",
    "newton_schulz",
    "null_dimension",
    "null_generators",
    "one_step_shampoo",
    "polar_factor",
    "sampled_diagonal",
    "stack_error",
    "stack_gradient",
    "token_inputs",
    "transformer",
]

SOFTMAX = OUTPUT_UNITS["softmax"]


def mean(a):
    """Return the mean of the last index, which stays, of length 1."""
    return a.mean(axis=-1, keepdims=True)


def total(a):
    """Return the sum over the last index, which stays, of length 1."""
    return a.sum(axis=-1, keepdims=True)


def transposed(a):
    """Return the array with its last two indices exchanged."""
    return a.swapaxes(-1, -2)


@dataclass(frozen=True, eq=False)
class Linear:
    """y = W x, with W of shape (M_out, M_in)."""

    W: np.ndarray

    def __post_init__(self):
        object.__setattr__(self, "W", check_matrix("W", self.W))

    def forward(self, x):
        """Return y, and what is kept: x and W."""
        return x @ self.W.T, (x, self.W)

    def pushforward(self, kept, R_x, move):
        """Return R{y} and R{kept}; `move` is the part with V in the place of W."""
        x, W = kept
        return R_x @ W.T + x @ move.W.T, (R_x, move.W)

    def pullback(self, kept, delta):
        """Return Jᵀδ, and ∂E/∂W in a list."""
        x, W = kept
        return delta @ W, [delta.T @ x]

    def curvature(self, kept, R_kept, delta):
        """Return R{J}ᵀδ, and what it adds to ∂E/∂W: the same with R{x} and V."""
        return self.pullback(R_kept, delta)


@dataclass(frozen=True, eq=False)
class Hidden:
    """y = h(x), element by element, with h by its name or one of your own."""

    unit: object = "gelu"

    def __post_init__(self):
        object.__setattr__(self, "unit", check_hidden(self.unit))

    def forward(self, x):
        """Return y, and what is kept: h′ and h″."""
        return self.unit.h(x), (self.unit.dh(x), self.unit.d2h(x))

    def pushforward(self, kept, R_x, move):
        """Return R{y}, and R{h′}."""
        dh, d2h = kept
        return dh * R_x, d2h * R_x

    def pullback(self, kept, delta):
        """Return Jᵀδ; there are no weights."""
        return kept[0] * delta, []

    def curvature(self, kept, R_dh, delta):
        """Return R{J}ᵀδ."""
        return R_dh * delta, []


@dataclass(frozen=True, eq=False)
class Norm:
    """y = (x − ⟨x⟩)/s with s² = ⟨(x − ⟨x⟩)²⟩, means over the units of one token."""

    def forward(self, x):
        """Return y, and what is kept: y and s."""
        x = x - mean(x)
        s = np.sqrt(mean(x**2))
        return x / s, (x / s, s)

    def pushforward(self, kept, R_x, move):
        """Return R{y}, and R{y} with R{s}: J is symmetric, so it is the way back."""
        R_y, R_s = self.pullback(kept, R_x)[0], mean(kept[0] * R_x)
        return R_y, (R_y, R_s)

    def pullback(self, kept, delta):
        """Return Jᵀδ = (δ − ⟨δ⟩ − y⟨y δ⟩)/s."""
        y, s = kept
        return (delta - mean(delta) - y * mean(y * delta)) / s, []

    def curvature(self, kept, R_kept, delta):
        """Return R{J}ᵀδ: the three y and s of the way back move, one by one."""
        (y, s), (R_y, R_s) = kept, R_kept
        R_Js = R_y * mean(y * delta) + y * mean(R_y * delta)
        return -(R_Js + R_s * self.pullback(kept, delta)[0]) / s, []


@dataclass(frozen=True, eq=False)
class Attention:
    """y_t = Σ_s p_ts v_s with p = softmax(q·k/√d) over the tokens s ≤ t, by head.

    x holds q, k and v side by side, each head after head; N rows are N/length texts.
    """

    length: int
    heads: int = 1

    def __post_init__(self):
        check_heads(self.length, self.heads)

    def split(self, x, count):
        """Return `count` arrays of shape (texts, heads, length, d)."""
        d = x.shape[1] // (count * self.heads)
        x = x.reshape(-1, self.length, count, self.heads, d)
        return x.transpose(2, 0, 3, 1, 4)

    def join(self, *parts):
        """Return what `split` takes apart, of shape (N, count · heads · d)."""
        x = np.array(parts).transpose(1, 3, 0, 2, 4)
        return x.reshape(x.shape[0] * self.length, math.prod(x.shape[2:]))

    def forward(self, x):
        """Return y, and what is kept: q and k, divided by the root of √d, v and p."""
        q, k, v = self.split(x, 3)
        c = q.shape[-1] ** -0.25
        q, k, later = c * q, c * k, np.triu(np.ones((self.length,) * 2, bool), 1)
        # eq-language-model-attention: a_ts = q_t·k_s/√d, p_ts = e^a_ts / Σ_s e^a_ts
        a = np.where(later, -np.inf, q @ transposed(k))
        e = np.exp(a - a.real.max(axis=-1, keepdims=True))
        p = e / total(e)
        return self.join(p @ v), (q, k, v, p)

    def pushforward(self, kept, R_x, move):
        """Return R{y}, and how q, k, v and p move."""
        q, k, v, p = kept
        R_q, R_k, R_v = self.split(R_x, 3)
        c = q.shape[-1] ** -0.25
        R_q, R_k = c * R_q, c * R_k
        R_a = R_q @ transposed(k) + q @ transposed(R_k)
        R_p = p * (R_a - total(p * R_a))
        return self.join(R_p @ v + p @ R_v), (R_q, R_k, R_v, R_p)

    def pullback(self, kept, delta):
        """Return Jᵀδ."""
        q, k, v, p = kept
        (delta,) = self.split(delta, 1)
        c, B = q.shape[-1] ** -0.25, delta @ transposed(v)
        # eq-language-model-softmax: ∂E/∂a_ts = p_ts (B_ts − Σ_r p_tr B_tr)
        A = p * (B - total(p * B))
        return self.join(c * A @ k, c * transposed(A) @ q, transposed(p) @ delta), []

    def curvature(self, kept, R_kept, delta):
        """Return R{J}ᵀδ: all of the way back is differentiated, but for δ."""
        (q, k, v, p), (R_q, R_k, R_v, R_p) = kept, R_kept
        (delta,) = self.split(delta, 1)
        c, B, R_B = q.shape[-1] ** -0.25, delta @ transposed(v), delta @ transposed(R_v)
        B = B - total(p * B)
        R_B = R_B - total(R_p * B + p * R_B)
        A, R_A = p * B, R_p * B + p * R_B
        R_q_back = R_A @ k + A @ R_k
        R_k_back = transposed(R_A) @ q + transposed(A) @ R_q
        return self.join(c * R_q_back, c * R_k_back, transposed(R_p) @ delta), []


def forward(parts, x):
    """Return what comes out of a stack, and what each of its parts keeps."""
    kept = []
    for part in parts:
        y, held = (forward if isinstance(part, tuple) else type(part).forward)(part, x)
        x = x + y if isinstance(part, tuple) else y
        kept.append(held)
    return x, kept


def pushforward(parts, kept, R_x, moves):
    """Return R{y} of a stack whose weights move by those of `moves`, and R{kept}."""
    R_kept = []
    for part, held, move in zip(parts, kept, moves, strict=True):
        if isinstance(part, tuple):
            R_y, R_held = pushforward(part, held, R_x, move)
            R_x = R_x + R_y
        else:
            R_x, R_held = part.pushforward(held, R_x, move)
        R_kept.append(R_held)
    return R_x, R_kept


def pullback(parts, kept, delta):
    """Return Jᵀδ of a stack, the δ that each part was given, and every ∂E/∂W."""
    deltas, blocks = [], []
    for part, held in zip(reversed(parts), reversed(kept), strict=True):
        if isinstance(part, tuple):
            below, given, more = pullback(part, held, delta)
            delta = delta + below
        else:
            given = delta
            delta, more = part.pullback(held, delta)
        deltas, blocks = [given, *deltas], more + blocks
    return delta, deltas, blocks


def moved_pullback(parts, kept, R_kept, deltas, R_delta):
    """Return R{Jᵀδ} of a stack, and R{∂E/∂W} of every matrix."""
    R_blocks = []
    every = list(zip(parts, kept, R_kept, deltas, strict=True))
    for part, held, R_held, delta in reversed(every):
        if isinstance(part, tuple):
            below, more = moved_pullback(part, held, R_held, delta, R_delta)
            R_delta = R_delta + below
        else:
            first, blocks = part.pullback(held, R_delta)
            second, turned = part.curvature(held, R_held, delta)
            # eq-language-model-r: R{Jᵀδ} = JᵀR{δ} + R{J}ᵀδ
            R_delta = first + second
            more = [A + B for A, B in zip(blocks, turned, strict=True)]
        R_blocks = more + R_blocks
    return R_delta, R_blocks


def flat(blocks):
    """Return matrices, one for each `Linear`, as one vector of shape (P,)."""
    return np.concatenate([block.ravel() for block in blocks])


@dataclass(frozen=True, eq=False, repr=False)
class Stack:
    """Parts one after the other, with a softmax and cross-entropy at the end.

    Parameters
    ----------
    parts : sequence
        `Linear`, `Hidden`, `Norm` and `Attention`, or parts of your own with their four
        methods. A sequence among them is a branch, x + f(x).

    Attributes
    ----------
    W : tuple of arrays, shapes (M_out, M_in)
        The matrices in the order of the parts, read-only views into `w`.
    w : array, shape (P,)
        All parameters, matrix by matrix, each row by row.
    slices : tuple of slice
        Where each matrix stands in `w`.

    Raises
    ------
    TypeError, ValueError
        If there is no matrix, or a part is none.

    Examples
    --------
    >>> import numpy as np
    >>> net = Stack([Linear([[1.0, 0.0], [0.0, 2.0]])])
    >>> net(np.eye(2)).round(3)
    array([[0.731, 0.269],
           [0.119, 0.881]])
    """

    parts: tuple
    w: np.ndarray = field(init=False)
    W: tuple = field(init=False)
    slices: tuple = field(init=False)

    def __post_init__(self):
        parts, w, slices = frozen_weights(self.parts)
        W = tuple(part.W for part in flat_parts(parts) if hasattr(part, "W"))
        for name, value in (("parts", parts), ("w", w), ("slices", slices), ("W", W)):
            object.__setattr__(self, name, value)

    @property
    def n_parameters(self):
        """The number of parameters P."""
        return len(self.w)

    def with_parameters(self, w):
        """Return the same stack with other parameters, of shape (P,), complex or not.

        A direction v in w is such a stack too: its matrices are V.
        """
        return with_matrices(self, w)

    def __call__(self, X):
        """Return the probabilities of the next letter, of shape (N, K)."""
        return SOFTMAX.y(forward(self.parts, check_rows(self, X))[0])

    def __repr__(self):
        return f"<Stack of {len(self.W)} matrices, P = {self.n_parameters}>"


def stack_error(net, X, T):
    """Return E, a float: the mean over the tokens of the cross-entropy, in nats.

    Parameters
    ----------
    X, T : array, shapes (N, D) and (N, K)
        What goes into the stack and the targets, one token a row.

    Raises
    ------
    ValueError
        If the shapes do not fit, or there is no token.
    """
    X, T = check_tokens(net, X, T)
    return SOFTMAX.error(forward(net.parts, X)[0], T) / len(T)


def stack_gradient(net, X, T):
    """Return ∇E, of shape (P,), by one pass forward and one back.

    Parameters
    ----------
    X, T : array, shapes (N, D) and (N, K)
        What goes into the stack and the targets, one token a row.

    Raises
    ------
    ValueError
        If the shapes do not fit, or there is no token.
    """
    X, T = check_tokens(net, X, T)
    a, kept = forward(net.parts, X)
    return flat(pullback(net.parts, kept, SOFTMAX.residual(a, T) / len(T))[2])


class StackOperator(LinearOperator):
    """H of a stack, or its G, of shape (P, P), by products with vectors.

    The passes along the stack are made once; a product costs one more of each. It goes
    wherever SciPy takes an operator, and to `lanczos` and `hutchinson_trace`.

    Parameters
    ----------
    X, T : array, shapes (N, D) and (N, K)
        What goes into the stack and the targets; T may be None where G is asked for.
    curvature : {"exact", "outer_product"}
        H, or G = (1/N) Σ_n J_nᵀ M_n J_n.

    Attributes
    ----------
    error : float
        E, if there are targets.
    gradient : array, shape (P,)
        ∇E, if there are targets.

    Raises
    ------
    ValueError
        If an argument does not fit.
    """

    def __init__(self, net, X, T=None, *, curvature="exact"):
        X, T = check_curvature(net, X, T, curvature)
        self.net, self.curvature = net, curvature
        self.X, (self.a, self.kept) = X, forward(net.parts, X)
        if T is not None:
            delta = SOFTMAX.residual(self.a, T) / len(T)
            _, self.deltas, blocks = pullback(net.parts, self.kept, delta)
            self.error, self.gradient = SOFTMAX.error(self.a, T) / len(T), flat(blocks)
        super().__init__(self.a.dtype, (net.n_parameters,) * 2)

    def _matvec(self, v):
        parts, v = self.net.parts, np.ravel(v)
        moves = self.net.with_parameters(v).parts
        R_a, R_kept = pushforward(parts, self.kept, np.zeros_like(self.X), moves)
        R_delta = SOFTMAX.times(self.a, R_a) / len(R_a)
        if self.curvature == "outer_product":
            return flat(pullback(parts, self.kept, R_delta)[2])
        return flat(moved_pullback(parts, self.kept, R_kept, self.deltas, R_delta)[1])

    def _adjoint(self):
        return self

    def to_dense(self):
        """Return the matrix, of shape (P, P), by P products."""
        return np.array([self @ v for v in np.eye(self.shape[0], dtype=self.dtype)])


def token_inputs(letters, n_letters):
    """Return X, of shape (N, D): each letter one-hot, and beside it its place.

    Parameters
    ----------
    letters : array of int, shape (texts, length)
        Texts of one length, one a row, in letters from 0 to n_letters − 1.

    Raises
    ------
    ValueError
        If `letters` are no such numbers.

    Examples
    --------
    >>> token_inputs([[1, 0]], 3)  # two tokens: three letters, two places
    array([[0., 1., 0., 1., 0.],
           [1., 0., 0., 0., 1.]])
    """
    letters = check_letters(letters, n_letters)
    places = np.tile(np.eye(letters.shape[1]), (len(letters), 1))
    return np.hstack([one_hot(letters.ravel(), n_letters), places])


def transformer(n_letters, length, width, heads, hidden, blocks=1, seed=0):
    """Return a decoder as a Stack, with random weights of shape (P,).

    Each block is attention, then two layers with gelu, each behind a `Norm` and beside
    what goes past. The matrices are W_E, then [W_Q; W_K; W_V], W_O, W_1 and W_2 of
    each block, then W_U.

    Parameters
    ----------
    n_letters, length : int
        The letters there are, and the tokens of a text.
    width, heads, hidden : int
        Units of the stream, heads that share them, and units between W_1 and W_2.
    blocks, seed : int
        How many blocks, and the seed of the weights.

    Raises
    ------
    ValueError
        If a number is not positive, or the heads do not divide the width.
    """
    K, T, d, m, rng = (
        *check_transformer(n_letters, length, width, heads, hidden, blocks),
        np.random.default_rng(seed),
    )

    def draw(rows, columns, spread=None):
        scale = columns**-0.5 if spread is None else spread
        return Linear(scale * rng.standard_normal((rows, columns)))

    parts = [draw(d, K + T, 0.5)]
    for _ in range(blocks):
        parts.append((Norm(), draw(3 * d, d), Attention(T, heads), draw(d, d)))
        parts.append((Norm(), draw(m, d), Hidden("gelu"), draw(d, m)))
    return Stack([*parts, Norm(), draw(K, d)])


def named_blocks(net):
    """Return {name: (slice of w of shape (P,), shape of the matrix)}.

    E and U are the first and the last matrix, Q, K and V the thirds of what goes into
    an `Attention` and O what comes after it, 1 and 2 stand before and after a `Hidden`.
    With more than one block a number follows, Q_0, Q_1, …

    Parameters
    ----------
    net : Stack
        A transformer, or some of its parts.

    Raises
    ------
    TypeError
        If it is no `Stack`.
    """
    return names_of(net)


# The directions that no output notices


class Generator(NamedTuple):
    """A way to move the weights that no output notices, v = D w, or v constant.

    `v` has shape (P,), and `transposed(g)` is Dᵀg.
    """

    kind: str
    v: np.ndarray
    transposed: object


def null_generators(net):
    """Return a list of `Generator`: they span the null space of G, of shape (P, P).

    Parameters
    ----------
    net : Stack
        One from `transformer`, or built alike.

    Raises
    ------
    ValueError
        If the stack is built otherwise.
    """
    return [Generator(*each) for each in generators_of(net)]


def null_dimension(net, missing=0):
    """Return the dimension of the null space of G, of shape (P, P), by counting.

    It holds for weights in general position and as many tokens as it takes.

    Parameters
    ----------
    net : Stack
        One from `transformer`, or built alike.
    missing : int
        How many of the letters are nowhere among the inputs.

    Raises
    ------
    ValueError
        If the stack is built otherwise.
    """
    K, T, d, heads, hidden = design(net)
    everywhere = (d + K + T - 1) + (K + d - 1) + 1 + (d - 1) * (d - 2) // 2
    # eq-language-model-null: what each block adds, 4d + 2m + 2d²/heads
    blocks = sum(4 * d + 2 * m + 2 * d**2 // heads for m in hidden)
    one_head = 2 * len(hidden) if heads == 1 else 0
    return everywhere + blocks - one_head + missing * (d - 1)


# Steps of optimisers


def polar_factor(gradient):
    """Return UVᵀ, a float array, for a gradient UΣVᵀ of shape (M_out, M_in).

    Singular values that are zero to rounding have no direction, and are left out.

    Raises
    ------
    ValueError
        If the gradient is no finite matrix.

    Parameters
    ----------
    gradient : array, shape (M_out, M_in)
        ∂E/∂W, or an average of such.
    """
    U, sigma, Vt = svd(check_gradient(gradient), full_matrices=False)
    tiny = sigma.max(initial=0) * max(U.shape[0], Vt.shape[1])
    kept = sigma > tiny * np.finfo(sigma.dtype).eps
    return U[:, kept] @ Vt[kept]


def one_step_shampoo(gradient):
    """Return L^(−1/4) Γ R^(−1/4), a float array, with L = ΓΓᵀ and R = ΓᵀΓ.

    Parameters
    ----------
    gradient : array, shape (M_out, M_in)
        Γ = ∂E/∂W.

    Raises
    ------
    ValueError
        If the gradient is no finite matrix.
    """
    Gamma = check_gradient(gradient)
    L, R = Gamma @ Gamma.T, Gamma.T @ Gamma
    # eq-language-model-shampoo: (ΓΓᵀ)^(−1/4) Γ (ΓᵀΓ)^(−1/4) = UVᵀ
    return matrix_power(L, -0.25) @ Gamma @ matrix_power(R, -0.25)


def matrix_power(A, power):
    """Return A^power of a symmetric matrix on what it does not send to zero."""
    values, Q = eigh(A)
    kept = values > 10 * len(A) * np.finfo(A.dtype).eps * values.max(initial=0)
    return (Q[:, kept] * values[kept] ** power) @ Q[:, kept].T


def newton_schulz(gradient, steps=5):
    """Return Muon's estimate of UVᵀ, a float array, by products of matrices alone.

    Singular values from 0.01 to 1 of the largest that the norm allows land between
    0.682 and 1.134, and not at 1.

    Parameters
    ----------
    gradient : array, shape (M_out, M_in)
        Γ = ∂E/∂W, or an average of such.
    steps : int
        How often 3.4445 σ − 4.775 σ³ + 2.0315 σ⁵ is applied to every singular value σ.

    Raises
    ------
    ValueError
        If the gradient is no finite matrix, or `steps` is negative.
    """
    Gamma, steps = check_gradient(gradient), check_steps(steps)
    norm = np.linalg.norm(Gamma)
    Gamma = Gamma / norm if norm > 0 else Gamma
    for _ in range(steps):
        L = Gamma @ Gamma.T
        Gamma = 3.4445 * Gamma + (-4.775 * L + 2.0315 * L @ L) @ Gamma
    return Gamma


def sampled_diagonal(net, X, seed=0):
    """Return an estimate of the diagonal of G, of shape (P,), by one pass back.

    Labels are drawn from the model's own outputs. The gradient with them, squared and
    times N, has the diagonal of G as its mean. This is how Sophia-G estimates it.

    Parameters
    ----------
    X : array, shape (N, D)
        What goes into the stack, one token a row.
    seed : int
        Of the labels.

    Raises
    ------
    ValueError
        If X does not fit, or the seed is no whole number.
    """
    X = check_step(net, X)
    a, kept = forward(net.parts, X)
    T = one_hot(sampled_labels(SOFTMAX.y(a), seed), a.shape[1])
    # eq-language-model-sampled: ⟨N g_p²⟩ = G_pp, with labels that the model draws
    g = flat(pullback(net.parts, kept, SOFTMAX.residual(a, T) / len(T))[2])
    return len(T) * g**2
