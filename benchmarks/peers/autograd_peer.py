"""HIPS autograd: NumPy, differentiated by tracing it again at every call."""

import autograd
import autograd.numpy as anp
import numpy as np

from benchmarks.peers.base import Call, Skip


def calls(function, problem):
    """Return the one way there is."""
    w, X, T, v = problem.net.w, problem.X, problem.T, problem.v
    outputs, error = network(problem)
    if function == "error":
        return {"autograd": Call(lambda: error(w))}
    if function == "error_gradient":
        gradient = autograd.grad(error)
        return {"autograd": Call(lambda: gradient(w))}
    if function == "input_jacobian":
        rows = [
            autograd.elementwise_grad(lambda x, k=k: outputs(w, x)[:, k])
            for k in range(T.shape[1])
        ]
        return {"autograd": Call(lambda: np.stack([row(X) for row in rows], 1))}
    if function == "hessian_vector_product":
        product = autograd.hessian_vector_product(error)
        return {"autograd": Call(lambda: product(w, v))}
    if w.size > 1000:
        return {"autograd": Skip("a trace for each row of H: more than a minute")}
    hessian = autograd.hessian(error)
    return {"autograd": Call(lambda: hessian(w))}


def network(problem):
    """Return y as a function of w and x, and E as a function of w."""
    net, X, T = problem.net, problem.X, problem.T
    softmax = net.output.name == "softmax"

    def logits(w, x):
        for l, (s, W) in enumerate(zip(net.slices, net.W, strict=True)):
            V = w[s].reshape(W.shape)
            x = anp.dot(x, V[:, 1:].T) + V[:, 0]
            x = anp.tanh(x) if l < net.depth - 1 else x
        return x

    def log_softmax(a):
        a = a - anp.max(a, 1, keepdims=True)
        return a - anp.log(anp.sum(anp.exp(a), 1, keepdims=True))

    def outputs(w, x):
        a = logits(w, x)
        return anp.exp(log_softmax(a)) if softmax else a

    def error(w):
        a = logits(w, X)
        if softmax:
            return -anp.sum(T * log_softmax(a))
        return 0.5 * anp.sum((a - T) ** 2)

    return outputs, error
