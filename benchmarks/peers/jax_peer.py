"""JAX, compiled: every array is an argument that lies ready, and results are awaited.

Nothing is a constant of the compiled function, which could otherwise be folded away.
"""

import jax
import jax.numpy as jnp

from benchmarks.peers.base import (
    CHUNK,
    Call,
    every_tangent,
    products_again,
    too_many_products,
)

jax.config.update("jax_enable_x64", True)


def calls(function, problem):
    """Return the ways of JAX, by name."""
    return Peer(problem).calls(function)


def call(f, *arguments, needs=0):
    """Return the Call of a compiled f, which waits for its result."""
    return Call(
        lambda: jax.block_until_ready(f(*arguments)), needs=needs, compiled=True
    )


class Peer:
    """The network written in JAX, and its derivatives."""

    def __init__(self, problem):
        self.problem = problem
        self.softmax = problem.net.output.name == "softmax"
        self.shapes = [W.shape for W in problem.net.W]
        self.slices = problem.net.slices
        arrays = (problem.net.w, problem.X, problem.T, problem.v)
        self.w, self.X, self.T, self.v = map(jnp.asarray, arrays)
        self.N, self.K = problem.T.shape
        self.P = problem.net.n_parameters

    def layers(self, w):
        """Return the matrices W[l] of the flat vector."""
        return [
            w[s].reshape(shape)
            for s, shape in zip(self.slices, self.shapes, strict=True)
        ]

    def logits(self, w, x):
        """Return the sums a that go into the output unit."""
        *hidden, last = self.layers(w)
        for W in hidden:
            x = jnp.tanh(x @ W[:, 1:].T + W[:, 0])
        return x @ last[:, 1:].T + last[:, 0]

    def outputs(self, w, x):
        """Return y."""
        a = self.logits(w, x)
        return jax.nn.softmax(a) if self.softmax else a

    def loss(self, a, T):
        """Return E as a function of the sums a."""
        if self.softmax:
            return -jnp.sum(T * jax.nn.log_softmax(a))
        return 0.5 * jnp.sum((a - T) ** 2)

    def error(self, w, X, T):
        """Return E."""
        return self.loss(self.logits(w, X), T)

    def hvp(self, w, v, X, T):
        """Return Hv, forward over reverse."""
        return jax.jvp(lambda w: jax.grad(self.error)(w, X, T), (w,), (v,))[1]

    def gauss_newton_vp(self, w, v, X, T):
        """Return Σ JᵀMJv."""

        def logits(w):
            return self.logits(w, X)

        a, Jv = jax.jvp(logits, (w,), (v,))
        MJv = jax.jvp(lambda a: jax.grad(self.loss)(a, T), (a,), (Jv,))[1]
        return jax.vjp(logits, w)[1](MJv)[0]

    def root_rows(self, w, X):
        """Return R J with RᵀR = M, of shape (N K, P): JᵀMJ is its outer product."""

        def rows(w, x):
            J = jax.jacrev(self.logits)(w, x)
            if not self.softmax:
                return J
            y = self.outputs(w, x)
            return jnp.sqrt(y)[:, None] * (J - y @ J)

        return jax.vmap(rows, (None, 0))(w, X).reshape(-1, self.P)

    def by_products(self, each):
        """Return a function that maps `each` over the unit vectors, in chunks."""

        def all_of_them(w, X, T):
            one = jnp.eye(self.P, dtype=w.dtype)
            return jax.lax.map(lambda e: each(w, e, X, T), one, batch_size=CHUNK)

        return all_of_them

    def calls(self, function):
        """Return the ways, by name."""
        return getattr(self, f"calls_{function.lower()}")()

    def calls_error(self):
        """E."""
        return {"jax": call(jax.jit(self.error), self.w, self.X, self.T)}

    def calls_error_gradient(self):
        """∂E/∂w."""
        f = jax.jit(jax.grad(self.error))
        return {"jax": call(f, self.w, self.X, self.T)}

    def calls_input_jacobian(self):
        """∂y/∂x, both modes."""
        return {
            f"jax.{mode.__name__}": call(
                jax.jit(jax.vmap(mode(self.outputs, 1), (None, 0))), self.w, self.X
            )
            for mode in (jax.jacrev, jax.jacfwd)
        }

    def calls_parameter_jacobian(self):
        """∂y/∂w; forward mode would push P tangents."""
        f = jax.jit(jax.vmap(jax.jacrev(self.outputs), (None, 0)))
        return {"jax.jacrev": call(f, self.w, self.X, needs=self.rows_bytes(2))}

    def rows_bytes(self, copies):
        """Return the bytes of so many arrays of shape (N, K, P)."""
        return copies * self.N * self.K * self.P * self.w.dtype.itemsize

    def calls_exact_hessian(self):
        """H: all at once where P is small, otherwise in chunks."""
        f = jax.jit(self.by_products(lambda w, e, X, T: self.hvp(w, e, X, T)))
        found = {
            "jax products": too_many_products(self.P)
            or call(f, self.w, self.X, self.T, needs=2 * self.P**2 * 8)
        }
        whole = jax.jit(jax.hessian(self.error))
        found["jax.hessian"] = call(
            whole, self.w, self.X, self.T, needs=every_tangent(self.problem)
        )
        return found

    def calls_hessian_diagonal(self):
        """Diagonal of H, from P products."""

        def entry(w, e, X, T):
            return jnp.vdot(e, self.hvp(w, e, X, T))

        f = jax.jit(self.by_products(entry))
        return {
            "jax products": too_many_products(self.P)
            or products_again(self.P, "its exact_hessian")
            or call(f, self.w, self.X, self.T)
        }

    def calls_outer_product_hessian(self):
        """Σ JᵀMJ, as one matrix product of all rows."""

        def matrix(w, X):
            rows = self.root_rows(w, X)
            return rows.T @ rows

        needs = self.rows_bytes(2) + self.P**2 * self.w.dtype.itemsize
        return {"jax": call(jax.jit(matrix), self.w, self.X, needs=needs)}

    def calls_outer_product_diagonal(self):
        """Diagonal of Σ JᵀMJ."""
        f = jax.jit(lambda w, X: (self.root_rows(w, X) ** 2).sum(0))
        return {"jax": call(f, self.w, self.X, needs=self.rows_bytes(2))}

    def calls_hessian_vector_product(self):
        """Hv, nothing kept."""
        f = jax.jit(self.hvp)
        return {"jax": call(f, self.w, self.v, self.X, self.T)}

    def calls_gauss_newton_vector_product(self):
        """Σ JᵀMJv, nothing kept."""
        f = jax.jit(self.gauss_newton_vp)
        return {"jax": call(f, self.w, self.v, self.X, self.T)}

    def calls_hessianoperator(self):
        """Hv, linearised once."""
        gradient = jax.jit(jax.grad(self.error))
        product = jax.jit(
            jax.linearize(lambda w: gradient(w, self.X, self.T), self.w)[1]
        )
        return {"jax.linearize": call(product, self.v)}

    def calls_gaussnewtonoperator(self):
        """Σ JᵀMJv, linearised once."""
        a, J = jax.linearize(lambda w: self.logits(w, self.X), self.w)
        M = jax.linearize(lambda a: jax.grad(self.loss)(a, self.T), a)[1]
        JT = jax.linear_transpose(J, self.w)
        product = jax.jit(lambda v: JT(M(J(v)))[0])
        return {"jax.linearize": call(product, self.v)}
