"""Small faults, planted one at a time in the plain bodies: each changes an answer.

The functions of the chapters are decorated, which testers of this kind leave out. So
here every operator, index, constant and subscript of theirs is changed in turn, and
the changed module must fail or answer otherwise on networks of different widths. That
the answers themselves are right is held elsewhere, by oracles.
"""

import ast
import copy
import inspect
import types
from importlib import import_module

import numpy as np
import pytest
from oracles import targets

import jachess_lib as jl
from jachess_lib._engine import choice

LESSONS = (
    "network",
    "backpropagation",
    "jacobian",
    "sensitivity",
    "hessian",
    "outer_product",
    "hessian_vector",
    "levenberg_marquardt",
    "inverse",
    "laplace",
    "kronecker",
    "influence",
)
# What is no fault, (function, line as it is changed): both matrices are symmetric, and
# a step that changes nothing may be taken or not.
NO_FAULTS = {
    (  # any negative length is the one that is left over
        "activation_variance",
        "half = solve_triangular(root, J.reshape(-2, J.shape[-1]).T, lower=True)",
    ),
    ("gains", "return first_moves(root, J.reshape(-2, J.shape[-1])).reshape(J.shape)"),
    (
        "newton_moves",
        "held = np.eye(J.shape[1]) - M @ einsum('nkp,nlp->nlk', J, gain)",
    ),
    ("one_layer_down", "M = einsum('nj,kj,nkq->nqj', unit.dh(a), V, B)"),
    (
        "one_step",
        "if gain >= 0:\n    at, D = (trial, np.maximum(D, fit.scales(trial.J)))",
    ),
    (
        "middle",
        "return einsum('snk,snl->nlk', trace.y - t, trace.y - t) / len(t)",
    ),
    ("outer_product_hessian", "return einsum('nkp,nkl,nlq->qp', J, M, J)"),
}

OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult}
OPERATORS |= {ast.Pow: ast.Mult, ast.Lt: ast.LtE, ast.Gt: ast.GtE, ast.Eq: ast.NotEq}
OTHER_NAMES = {"dh": "d2h", "d2h": "dh", "h": "dh", "times": "residual"}


def faults_at(node):
    """Yield functions that change a node of the tree, each in one way."""
    kind = type(getattr(node, "op", None))
    if kind in OPERATORS and not isinstance(node, ast.UnaryOp):
        yield lambda node: setattr(node, "op", OPERATORS[kind]())
    if isinstance(node, ast.BinOp) and kind in (ast.Sub, ast.Div, ast.MatMult):
        yield lambda node: node.__dict__.update(left=node.right, right=node.left)
    if isinstance(node, ast.Compare) and type(node.ops[0]) in OPERATORS:
        yield lambda node: setattr(node, "ops", [OPERATORS[type(node.ops[0])]()])
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield lambda node: setattr(node, "value", node.value + 1)
    if isinstance(node, ast.Constant) and "->" in str(node.value):
        yield from subscripts(node.value)
    if isinstance(node, ast.Attribute) and node.attr in OTHER_NAMES:
        yield lambda node: setattr(node, "attr", OTHER_NAMES[node.attr])
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield lambda node: setattr(node, "attr", "real")
    if isinstance(node, (ast.If, ast.IfExp)):
        yield lambda node: setattr(node, "test", ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.AugAssign):
        yield lambda node: setattr(node, "op", ast.Sub())


def subscripts(text):
    """Yield changes of one index of an einsum to another of its own, or an exchange."""
    taken, given = text.split("->")
    letters = sorted(set(taken) - set(","))
    for place, letter in enumerate(taken):
        for other in letters:
            if letter not in (",", other):
                new = f"{taken[:place]}{other}{taken[place + 1 :]}->{given}"
                yield lambda node, new=new: setattr(node, "value", new)
    for i in range(len(given) - 1):
        new = f"{taken}->{given[:i]}{given[i + 1]}{given[i]}{given[i + 2 :]}"
        yield lambda node, new=new: setattr(node, "value", new)


def planted(module):
    """Yield (function, changed line, tree) for each fault in a module."""
    tree = ast.parse(inspect.getsource(module))
    for n, function in enumerate(tree.body):
        if not isinstance(function, ast.FunctionDef):
            continue
        places = [
            node
            for statement in function.body
            for node in ast.walk(statement)
            if not is_text(statement)
        ]
        for place, node in enumerate(places):
            for fault in faults_at(node):
                changed = copy.deepcopy(tree)
                nodes = [
                    node
                    for statement in changed.body[n].body
                    for node in ast.walk(statement)
                    if not is_text(statement)
                ]
                fault(nodes[place])
                ast.fix_missing_locations(changed)
                where = next(
                    s for s in changed.body[n].body if nodes[place] in ast.walk(s)
                )
                yield function.name, ast.unparse(where), changed


def is_of(module, thing):
    return getattr(thing, "__module__", None) == module.__name__


def is_text(statement):
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def run(module, tree):
    """Return the namespace of a module made anew from a tree."""
    new = types.ModuleType(module.__name__)
    new.__file__ = module.__file__
    exec(compile(tree, module.__file__, "exec"), new.__dict__)
    return new


def cases():
    """Yield networks of different widths and units, with X, T and vectors."""
    for sizes, hidden, output, N in (
        ((3, 4, 2, 5), ["softplus", "tanh"], "softmax", 2),
        ((2, 5, 3), "sigmoid", "sigmoid", 1),
        ((4, 2), "tanh", "softmax", 3),
        ((3, 2, 4, 5, 2), ["tanh", "gelu", "softplus"], "linear", 3),
    ):
        rng = np.random.default_rng(sum(sizes))
        net = jl.Network.random(sizes, hidden, output, seed=N)
        D, K, P = sizes[0], sizes[-1], net.n_parameters
        X, T = rng.standard_normal((N, D)), targets(rng, output, N, K)
        v, u, dX = (rng.standard_normal(s) for s in (P, (N, K), (N, D)))
        yield net, X, T, v, u, dX


def in_series(net):
    return jl.Network.random((net.sizes[-1], 3, 4), "softplus", seed=7)


ANSWERS = {
    "network": lambda m, net, X, T, v, u, dX: [
        *(part for parts in m.forward(net, X)[:2] for part in parts),
        m.forward(net, X).y,
        m.one_hot([2, 0, 1], 4),
    ],
    "backpropagation": lambda m, net, X, T, v, u, dX: [
        m.error(net, X, T),
        m.error_gradient(net, X, T),
        m.error_gradients(net, X, T),
    ],
    "jacobian": lambda m, net, X, T, v, u, dX: [
        m.input_jacobian(net, X),
        *(m.parameter_jacobian(net, X, of=of) for of in ("outputs", "activations")),
        m.jacobian_vector_product(net, X, v, wrt="parameters"),
        m.jacobian_vector_product(net, X, dX, wrt="inputs"),
        *(
            m.vector_jacobian_product(net, X, u, wrt=wrt)
            for wrt in ("parameters", "inputs")
        ),
    ],
    "sensitivity": lambda m, net, X, T, v, u, dX: [
        m.propagate_error(net, X, dX),
        m.propagate_covariance(net, X, dX.T @ dX + np.eye(X.shape[1])),
        m.chain_jacobian(in_series(net), net, X),
    ],
    "hessian": lambda m, net, X, T, v, u, dX: [
        m.exact_hessian(net, X, T),
        m.hessian_block(net, X, T, net.depth - 1, 0),
        m.hessian_diagonal(net, X, T),
    ],
    "outer_product": lambda m, net, X, T, v, u, dX: [
        m.outer_product_hessian(net, X),
        m.outer_product_diagonal(net, X),
        m.residual_hessian(net, X, T),
    ],
    "hessian_vector": lambda m, net, X, T, v, u, dX: [
        m.hessian_vector_product(net, X, T, v),
        m.gauss_newton_vector_product(net, X, v),
        m.input_hessian_vector_product(net, X, dX),
        m.input_laplacian(net, X),
    ],
    "levenberg_marquardt": lambda m, net, X, T, v, u, dX: [
        *steps(m, v),
        *fit(m, net.with_output(jl.OUTPUT_UNITS["linear"]), X, T),
    ],
    "inverse": lambda m, net, X, T, v, u, dX: [
        m.inverse_outer_product(net, X, 0.7),
        m.obd_saliency(net, X, 0.7),
        m.obs_saliency(net, X, 0.7),
        m.update_inverse(np.diag(1 + v**2), v, 0.7),
        *deletions(m, net, X),
    ],
    "influence": lambda m, net, X, T, v, u, dX: [*influences(m, net, X, T)],
    "kronecker": lambda m, net, X, T, v, u, dX: [*products(m, net, X, T)],
    "laplace": lambda m, net, X, T, v, u, dX: [
        *posteriors(m, net, X, T),
        *posteriors(m, net.with_output(jl.OUTPUT_UNITS["linear"]), X, T, 3.0),
    ],
}


def deletions(m, net, X):
    """Return what is left of a network, and what has gone, by every rule."""
    token = choice.within.set(False)  # it is a caller of other lessons
    for rule in ("obs", "obd", "magnitude"):
        pruned = m.prune(net, X, 0.7, 7, rule=rule, refresh=3)
        yield from (pruned.net.w, pruned.deleted)
    yield m.prune(net, X, 0.7, 4, weights=np.arange(1.0, 1 + len(X))).net.w
    choice.within.reset(token)


def products(m, net, X, T):
    """Return all that the factors of a network say, and what they solve."""
    token = choice.within.set(False)  # they are callers of other lessons
    for make in (m.kronecker_factors, m.ekfac):
        for kind in ("expected", "sampled", "empirical"):
            found = make(net, X, T, kind=kind, draws=3, seed=1)
            yield from (f.to_dense() for f in found)
    for structure in ("kronecker", "eigen"):
        yield m.natural_gradient(net, X, T, 0.3, structure=structure)
    f = m.kronecker_factors(net, X, weights=np.arange(1.0, 1 + len(X)))[0]
    yield f.solve(np.arange(1.0, 1 + f.B.shape[0] * f.A.shape[0]).reshape(
        f.B.shape[0], f.A.shape[0]), 0.3)  # fmt: skip
    yield m.split_solve(0 * f.A, f.B, np.ones((len(f.B), len(f.A))), 0.3)
    J = np.random.default_rng(0).standard_normal((7, 6))
    for rows, columns in ((2, 3), (3, 2)):
        yield m.nearest_kronecker(J.T @ J, rows, columns).to_dense()
        yield m.nearest_kronecker(J[1:] * [1.0, -1, 1, -1, 1, 1], rows, columns).A
        for power in (1.0, 0.5):
            yield m.shampoo_factors(J.T @ J, rows, columns, power=power).to_dense()
    yield m.shampoo_factors(0 * J.T @ J, 2, 3).to_dense()
    z, S = J.reshape(2, 3, 7), np.arange(36.0).reshape(2, 3, 2, 3)
    for setting in ("expand", "reduce"):
        yield m.shared_factors(z, S, J[:2, :4].reshape(2, 2, 2), setting).to_dense()
    choice.within.reset(token)


def influences(m, net, X, T):
    """Return all that patterns do to a minimum, and through a training."""
    token = choice.within.set(False)  # it is a caller of other lessons
    c = np.arange(1.0, 1 + len(X))
    who = m.influence(net, X, T, 0.7, weights=c)
    yield from (who.moves("first"), who.moves(), who.leverages)
    yield m.influence(net, X, T, 0.7, structure="last_layer").moves("first")
    run = m.gradient_descent(
        net, X, T, rate=0.05, steps=3, momentum=0.6, alpha=0.4, weights=c
    )
    yield from (run.path, run.effects(X + 1, T))
    choice.within.reset(token)


def posteriors(m, net, X, T, beta=1.0):
    """Return all that two posteriors say."""
    for structure in ("full", "last_layer"):
        token = choice.within.set(False)  # it is a caller of other lessons
        post = m.laplace(net, X, T, 0.7, beta, structure=structure)
        choice.within.reset(token)
        yield [post.log_evidence, post.gamma, post.decrement, *post.reestimate()]
        yield from (post.root, post.covariance, post.sample(2), *post.predict(X)[:2])
        yield post.predict(X).noise


def steps(m, v):
    """Return what the parts of a least-squares step give, for tables of 7 by 3."""
    rng = np.random.default_rng(len(v))
    J, r, D = rng.standard_normal((7, 3)), rng.standard_normal(7), np.arange(1.5, 4)
    p = m.damped_step(J, r, 0.3, D)
    rules = [m.next_damping(0.3, 4.0, gain) for gain in (-1.0, 0.0, 0.2, 0.7, 3.0)]
    return [p, m.foretold_fall(J, p, 0.3, D), m.covariance(J, r), rules]


def fit(m, net, X, T):
    """Return the path of a few steps, of several kinds."""
    for keywords in ({"max_steps": 6}, {"scale": "identity", "damping": 1e-9}):
        found = m.levenberg_marquardt(
            net, X, T, **{"max_steps": 12, "alpha": 0.01, **keywords}
        )
        yield np.concatenate([found.costs, found.dampings, found.x])
        yield found.njev


def answers(lesson, module):
    """Yield what the plain bodies of a module give, case by case."""
    token = choice.within.set(True)  # as the engine calls them: nothing is checked
    try:
        for case in cases():
            yield ANSWERS[lesson](module, *case)
    finally:
        choice.within.reset(token)


def differs(lesson, changed, expected):
    """Return whether a changed module fails, or answers otherwise."""
    try:
        for found, right in zip(answers(lesson, changed), expected, strict=True):
            for a, b in zip(found, right, strict=True):
                if np.shape(a) != np.shape(b) or not np.allclose(a, b, rtol=1e-9):
                    return True
    except Exception:  # a fault may show itself in any way
        return True
    return False


@pytest.mark.parametrize("lesson", LESSONS)
@pytest.mark.filterwarnings("ignore")
def test_every_small_fault_changes_an_answer(lesson):
    module = import_module(f"jachess_lib.{lesson}")
    expected = list(answers(lesson, module))
    assert not differs(lesson, module, expected)
    survivors, count = set(), 0
    for function, line, tree in planted(module):
        count += 1
        if not differs(lesson, run(module, tree), expected):
            survivors.add((function, line))
    assert count > 10
    ours = {name for name, f in vars(module).items() if is_of(module, f)}
    assert survivors == {fault for fault in NO_FAULTS if fault[0] in ours}
