"""PyTorch: torch.func, and torch.autograd where it is the faster or the usual way."""

import torch
from torch.func import grad, hessian, jacfwd, jacrev, jvp, linearize, vjp, vmap
from torch.nn.functional import linear

from benchmarks.peers.base import (
    CHUNK,
    MOST_PRODUCTS,
    Call,
    every_tangent,
    products_again,
    too_many_products,
)


def calls(function, problem):
    """Return the ways of PyTorch, by name."""
    return Peer(problem).calls(function)


def as_array(result):
    """Return a tensor as an array."""
    return result.detach().numpy()


def call(run, needs=0):
    """Return the Call of a function that returns a tensor."""
    return Call(run, as_array, needs)


class Peer:
    """The network written for PyTorch, and its derivatives."""

    def __init__(self, problem):
        self.softmax = problem.net.output.name == "softmax"
        self.shapes = [W.shape for W in problem.net.W]
        self.slices = problem.net.slices
        arrays = (problem.net.w.copy(), problem.X, problem.T, problem.v)
        self.w, self.X, self.T, self.v = map(torch.from_numpy, arrays)
        self.problem = problem
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
        return self.logits_of(self.layers(w), x)

    def logits_of(self, layers, x):
        """Return the same from the matrices, each a leaf of its own."""
        *hidden, last = layers
        for W in hidden:
            x = torch.tanh(linear(x, W[:, 1:], W[:, 0]))
        return linear(x, last[:, 1:], last[:, 0])

    def outputs_of(self, layers, x):
        """Return y."""
        a = self.logits_of(layers, x)
        return torch.softmax(a, -1) if self.softmax else a

    def loss(self, a):
        """Return E as a function of the sums a."""
        if self.softmax:
            return -(self.T * torch.log_softmax(a, -1)).sum()
        return 0.5 * ((a - self.T) ** 2).sum()

    def error(self, w):
        """Return E."""
        return self.loss(self.logits(w, self.X))

    def parameter_rows(self, outputs):
        """Return the derivatives of all outputs, of shape (N, K, P)."""
        per_pattern = vmap(jacrev(outputs), (None, 0))
        J = per_pattern(self.layers(self.w), self.X)
        return torch.cat([block.flatten(2) for block in J], -1)

    def root_rows(self):
        """Return R J with RᵀR = M, of shape (N K, P)."""
        J = self.parameter_rows(self.logits_of)
        if self.softmax:
            y = self.outputs_of(self.layers(self.w), self.X)[:, :, None]
            J = torch.sqrt(y) * (J - y.mT @ J)
        return J.reshape(-1, self.P)

    def rows_bytes(self, copies):
        """Return the bytes of so many arrays of shape (N, K, P)."""
        return copies * self.N * self.K * self.P * self.w.itemsize

    def calls(self, function):
        """Return the ways, by name."""
        return getattr(self, f"calls_{function.lower()}")()

    def calls_error(self):
        """E."""
        return {"torch": call(torch.no_grad()(lambda: self.error(self.w)))}

    def calls_error_gradient(self):
        """∂E/∂w."""

        def backward():
            w = self.w.clone().requires_grad_()
            return torch.autograd.grad(self.error(w), w)[0]

        gradient = grad(self.error)
        return {
            "torch.func.grad": call(lambda: gradient(self.w)),
            "torch.autograd": call(backward),
        }

    def calls_input_jacobian(self):
        """∂y/∂x: both modes, and one backward pass for each output."""
        layers = self.layers(self.w)

        def loop():
            x = self.X.clone().requires_grad_()
            y = self.outputs_of(layers, x)
            sums = y.sum(0)
            rows = [
                torch.autograd.grad(sums[k], x, retain_graph=True)[0]
                for k in range(self.K)
            ]
            return torch.stack(rows, 1)

        reverse = vmap(jacrev(self.outputs_of, 1), (None, 0))
        forward = vmap(jacfwd(self.outputs_of, 1), (None, 0))
        return {
            "torch.func.jacrev": call(lambda: reverse(layers, self.X)),
            "torch.func.jacfwd": call(lambda: forward(layers, self.X)),
            "torch.autograd": call(loop),
        }

    def calls_parameter_jacobian(self):
        """∂y/∂w."""
        needs = self.rows_bytes(3)
        rows = call(lambda: self.parameter_rows(self.outputs_of), needs)
        return {"torch.func.jacrev": rows}

    def calls_exact_hessian(self):
        """H: chunks of products, and the two one-line ways where P is small."""
        one = torch.eye(self.P, dtype=self.w.dtype) if self.P <= MOST_PRODUCTS else None
        products = vmap(self.hvp, chunk_size=CHUNK)
        needs = 3 * self.P**2 * self.w.itemsize
        found = {
            "torch.func products": too_many_products(self.P)
            or call(lambda: products(one), needs)
        }
        found["torch.func.hessian"] = call(
            lambda: hessian(self.error)(self.w), every_tangent(self.problem)
        )
        found["torch.autograd.hessian"] = too_many_products(self.P) or call(
            lambda: torch.autograd.functional.hessian(self.error, self.w)
        )
        return found

    def hvp(self, v):
        """Return Hv, forward over reverse."""
        return jvp(grad(self.error), (self.w,), (v,))[1]

    def calls_hessian_diagonal(self):
        """Diagonal of H, from P products."""
        again = products_again(self.P, "its exact_hessian")
        if skip := too_many_products(self.P) or again:
            return {"torch.func products": skip}
        one = torch.eye(self.P, dtype=self.w.dtype)
        entries = vmap(lambda e: e @ self.hvp(e), chunk_size=CHUNK)
        return {"torch.func products": call(lambda: entries(one))}

    def calls_outer_product_hessian(self):
        """Σ JᵀMJ, as one matrix product of all rows."""

        def matrix():
            rows = self.root_rows()
            return rows.T @ rows

        needs = self.rows_bytes(3) + self.P**2 * self.w.itemsize
        return {"torch.func": call(torch.no_grad()(matrix), needs)}

    def calls_outer_product_diagonal(self):
        """Diagonal of Σ JᵀMJ."""
        run = torch.no_grad()(lambda: (self.root_rows() ** 2).sum(0))
        return {"torch.func": call(run, self.rows_bytes(4))}

    def calls_hessian_vector_product(self):
        """Hv, nothing kept."""

        def double_backward():
            w = self.w.clone().requires_grad_()
            g = torch.autograd.grad(self.error(w), w, create_graph=True)[0]
            return torch.autograd.grad(g, w, self.v)[0]

        return {
            "torch.func": call(lambda: self.hvp(self.v)),
            "torch.autograd": call(double_backward),
        }

    def calls_gauss_newton_vector_product(self):
        """Σ JᵀMJv, nothing kept."""

        def product():
            def logits(w):
                return self.logits(w, self.X)

            a, Jv = jvp(logits, (self.w,), (self.v,))
            MJv = jvp(grad(self.loss), (a,), (Jv,))[1]
            return vjp(logits, self.w)[1](MJv)[0]

        return {"torch.func": call(product)}

    def calls_hessianoperator(self):
        """Hv with the first backward pass kept."""
        w = self.w.clone().requires_grad_()
        g = torch.autograd.grad(self.error(w), w, create_graph=True)[0]
        product = linearize(grad(self.error), self.w)[1]
        return {
            "torch.autograd": call(
                lambda: torch.autograd.grad(g, w, self.v, retain_graph=True)[0]
            ),
            "torch.func.linearize": call(lambda: product(self.v)),
        }

    def calls_gaussnewtonoperator(self):
        """Σ JᵀMJv, linearised once."""

        def logits(w):
            return self.logits(w, self.X)

        a, J = linearize(logits, self.w)
        M = linearize(grad(self.loss), a)[1]
        JT = vjp(logits, self.w)[1]
        product = torch.no_grad()(lambda: JT(M(J(self.v)))[0])
        return {"torch.func.linearize": call(product)}
