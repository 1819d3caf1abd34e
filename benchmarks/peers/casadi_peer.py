"""CasADi: scalar expression graphs, pattern by pattern; for small networks alone."""

import casadi as ca
import numpy as np

from benchmarks.peers.base import Call, Skip

MOST_PARAMETERS = 200


def calls(function, problem):
    """Return the one way there is, where the graph stays small."""
    P = problem.net.n_parameters
    if P > MOST_PARAMETERS:
        return {"CasADi": Skip(f"a scalar graph of a network with P = {P:,}")}
    if problem.dtype != np.float64:
        return {"CasADi": Skip("knows float64 alone")}
    return {"CasADi": evaluation(function, problem)}


def evaluation(function, problem):
    """Return the Call that evaluates the derivative's graph for every pattern."""
    net, N = problem.net, len(problem.X)
    D, K, P = net.sizes[0], net.sizes[-1], net.n_parameters
    w, x, t, v = (ca.SX.sym(n, m) for n, m in (("w", P), ("x", D), ("t", K), ("v", P)))
    y, E = graph(net, w, x, t)
    expression = {
        "error": lambda: E,
        "error_gradient": lambda: ca.gradient(E, w),
        "input_jacobian": lambda: ca.jacobian(y, x),
        "exact_hessian": lambda: ca.hessian(E, w)[0],
        "hessian_vector_product": lambda: ca.jtimes(ca.gradient(E, w), w, v),
    }[function]()
    mapped = ca.Function("f", [w, x, t, v], [expression]).map(
        "f", "serial", N, [0, 3], []
    )
    arguments = [ca.DM(a) for a in (net.w, problem.X.T, problem.T.T, problem.v)]

    def run():
        # Matrices of the patterns stand side by side: of shape (rows, N columns).
        values = np.asarray(mapped(*arguments))
        blocks = values.reshape(len(values), N, -1)
        if function == "input_jacobian":
            return blocks.transpose(1, 0, 2)
        return blocks.sum(1).squeeze()

    return Call(run)


def graph(net, w, x, t):
    """Return the graphs of y and of E for one pattern."""
    a = x
    for l, (s, W) in enumerate(zip(net.slices, net.W, strict=True)):
        V = ca.reshape(w[s.start : s.stop], W.shape[1], W.shape[0]).T
        a = V[:, 1:] @ a + V[:, 0]
        a = ca.tanh(a) if l < net.depth - 1 else a
    if net.output.name == "linear":
        return a, 0.5 * ca.sumsqr(a - t)
    total = ca.sum1(ca.exp(a))
    return ca.exp(a) / total, ca.log(total) - ca.dot(t, a)
