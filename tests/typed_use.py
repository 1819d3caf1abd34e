"""The library as a caller's type checker sees it: `make lint` reads this, nothing runs.

Wrong calls carry an ignored error each; one that is no error any more is one itself.
"""

from collections.abc import Callable
from typing import Any, Literal, assert_type

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

import jachess_lib as jl
from jachess_lib import figures, optimisers

Real = NDArray[np.floating[Any]]
Array = NDArray[np.inexact[Any]]


def right() -> None:
    """Hold each call to the type of what it returns."""
    silu = jl.HiddenUnit("silu", np.tanh, np.cosh, np.sinh)
    net = jl.Network((3, 4, 2), np.zeros(26), hidden=["tanh"], output="softmax")
    own = jl.Network.random([3, 4, 2], hidden=silu, seed=1)
    X, T, v = np.ones((5, 3)), [[0.5, 0.5]] * 5, np.ones(26)

    assert_type(net(X), Array)
    assert_type(jl.forward(net, X).a, list[Array])
    assert_type(net.with_parameters(v).hidden, tuple[jl.HiddenUnit, ...])
    assert_type(jl.one_hot([0, 1], 2), NDArray[np.float64])
    assert_type(jl.error(net, X, T, weights=np.ones(5)), float)
    assert_type(jl.error_gradient(net, X, T, out=np.empty(26)), Array)
    assert_type(jl.error_gradients(net, X, T), Array)
    assert_type(jl.input_jacobian(own, X, out=np.empty((5, 2, 3))), Array)
    assert_type(jl.parameter_jacobian(net, X, of="activations"), Array)
    assert_type(jl.jacobian_vector_product(net, X, X, wrt="inputs"), Array)
    assert_type(jl.vector_jacobian_product(net, X, T, weights=[1.0] * 5), Array)
    assert_type(jl.propagate_error(net, X, X), Real)
    assert_type(jl.propagate_covariance(net, X, np.eye(3)), Real)
    assert_type(jl.chain_jacobian(net, net, X), Real)
    assert_type(jl.exact_hessian(net, X, T, out=np.empty((26, 26)), weights=v), Real)
    assert_type(jl.hessian_block(net, X, T, 0, m=1), Real)
    assert_type(jl.hessian_diagonal(net, X, T), Real)
    assert_type(jl.outer_product_hessian(net, X), Real)
    assert_type(jl.outer_product_diagonal(net, X), Real)
    assert_type(jl.residual_hessian(net, X, T), Real)
    assert_type(jl.hessian_vector_product(net, X, T, v), Real)
    assert_type(jl.gauss_newton_vector_product(net, X, v, out=v), Real)
    assert_type(jl.input_hessian_vector_product(net, X, X), Array)
    assert_type(jl.input_laplacian(net, X), Array)
    assert_type(jl.central_difference(lambda x: x**2, v), Array)
    assert_type(jl.complex_step(np.sin, 1.0), Real)
    fit = jl.levenberg_marquardt(net, X, T, free=[0, 3], scale="identity")
    assert fit.success
    A_inv = jl.inverse_outer_product(net, X, 1.0, out=np.empty((26, 26)))
    assert_type(A_inv, Real)
    assert_type(jl.update_inverse(A_inv, v, -1.0), Real)
    assert_type(jl.obd_saliency(net, X, 1.0), Real)
    assert_type(jl.obs_saliency(net, X, alpha=0.5, weights=np.ones(5)), Real)
    assert_type(jl.prune(net, X, 1.0, 3, rule="obd"), jl.Pruned)
    posterior = jl.laplace(net, X, T, 1.0, beta=2.0, structure="diagonal")
    assert_type(posterior.predict(X).variance, Real)
    assert_type(posterior.reestimate(), tuple[float, float])
    who = jl.influence(net, X, T, 1.0, curvature="exact")
    assert_type(who.moves("first"), Real)
    assert_type(who.move([0, 3]), Real)
    run = jl.gradient_descent(net, X, T, rate=0.1, steps=3, momentum=0.9)
    assert_type(run.effects(X, T), Real)
    assert_type(run.net, jl.Network)
    H = jl.HessianOperator(net, X, T, weights=np.ones(5))
    (factors, *_) = jl.kronecker_factors(net, X, T, kind="empirical")
    assert_type(factors.solve(v, 0.1, split=True), Real)
    assert_type(jl.ekfac(net, X)[0], jl.EigenFactors)
    assert_type(jl.shampoo_factors(np.eye(6), 2, 3, power=0.5).to_dense(), Real)
    assert_type(jl.shared_factors(X, X, X, "reduce"), jl.KroneckerFactors)
    assert_type(jl.nearest_kronecker(np.eye(6), 2, 3), jl.KroneckerFactors)
    assert_type(jl.natural_gradient(net, X, T, 0.1, structure="eigen"), Real)
    assert_type(jl.hessian_spectrum(net, X, T, 2, which="LA"), jl.Spectrum)
    assert_type(jl.lanczos(H, 5, v), jl.Lanczos)
    assert_type(jl.lanczos(np.eye(3), 2).quadrature()[0], Real)
    assert_type(jl.hutchinson_trace(H, 9).value, float)
    assert_type(jl.spectral_density(H, v, 0.1, steps=9, probes=2), Real)
    model = jl.transformer(5, 4, 6, 2, 7, blocks=2, seed=1)
    S = jl.StackOperator(model, X, T, curvature="outer_product")
    assert_type(jl.stack_gradient(model, X, T), Array)
    assert_type(jl.lanczos(S, 5).V, Real)
    assert_type(jl.null_generators(model)[0].transposed(S.to_dense()[0]), Real)
    assert_type(jl.Stack([jl.Linear(v), [jl.Norm(), jl.Hidden("tanh")]])(X), Array)
    head = jl.Stack([jl.Linear(v), jl.Attention(4, heads=2), jl.Linear(v)])
    assert_type(jl.stack_error(head, jl.token_inputs([[0]], 2), T), float)
    assert_type(jl.null_dimension(model, missing=1), int)
    assert_type(jl.null_generators(model), list[jl.Generator])
    for factor in (jl.polar_factor, jl.one_step_shampoo):
        assert_type(factor(X), Real)
    assert_type(jl.newton_schulz(X, steps=5), Real)
    assert_type(jl.sampled_diagonal(model, X, seed=1), Real)
    assert_type(optimisers.muon(jl.named_blocks(model))(v), Real)
    assert_type(H.plus(1.0).at(v), jl.HessianOperator)
    assert_type(jl.GaussNewtonOperator(net, X).diagonal(), Real)
    assert_type(H.trace(probes=9).error, float)
    with jl.engine("auto"):
        assert_type(jl.engine_used(), Literal["plain", "blocked", "compiled"] | None)
    assert_type(jl.HIDDEN_UNITS["tanh"].check(), None)
    assert_type(jl.OUTPUT_UNITS["softmax"].y, Callable[[Array], Array])
    assert_type(jl.__version__, str)
    figures.layer_lines(plt.figure().subplots(), net)


def wrong(net: jl.Network, X: Real, T: Real, v: Real) -> None:
    """Call what there is with what does not fit."""
    jl.engine("fast")  # type: ignore[arg-type]
    jl.exact_hessian(X, net, T)  # type: ignore[arg-type]
    jl.exact_hessian(net, X)  # type: ignore[call-arg]
    jl.exact_hessian(net, X, T, v)  # type: ignore[call-arg]
    jl.input_jacobian(net, X, weights=v)  # type: ignore[call-arg]
    jl.parameter_jacobian(net, X, of="y")  # type: ignore[arg-type]
    jl.jacobian_vector_product(net, X, v, wrt="weights")  # type: ignore[arg-type]
    jl.levenberg_marquardt(net, X, T, scale="units")  # type: ignore[arg-type]
    jl.kronecker_factors(net, X, kind="type-2")  # type: ignore[arg-type]
    jl.StackOperator(net, X, T)  # type: ignore[arg-type]
    jl.influence(net, X, T, 1.0).moves("second")  # type: ignore[arg-type]
    jl.laplace(net, X, T, 1.0, structure="block")  # type: ignore[arg-type]
    jl.hessian_block(net, X, T, 0.5, 0)  # type: ignore[arg-type]
    jl.Network((3, 2), "zeros", hidden=3)  # type: ignore[arg-type]
