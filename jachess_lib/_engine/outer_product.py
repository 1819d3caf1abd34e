"""The outer-product matrix by the exact blocks without δ, its diagonal by a root."""

from dataclasses import replace

import numpy as np

from jachess_lib._engine.connection import Task, of_parameters
from jachess_lib._engine.floats import wide
from jachess_lib._engine.hessian import check, fill_square, square
from jachess_lib._engine.inputs import check_inputs
from jachess_lib._engine.jacobian import back_through_layer
from jachess_lib._engine.kernels import IN_CACHE, pattern_chunks, sum_over_patterns
from jachess_lib._engine.network import passed, pull


def _check(net, X):
    return {"net": net, "X": check_inputs(net, X)}


def _outer_product_hessian(net, X, out, weights=None):
    fill_square(net, X, None, out, weights)
    return out


def _outer_product_diagonal(net, X, weights=None):
    dtype = np.result_type(X, net.w)
    diagonal = np.zeros(net.n_parameters, wide(dtype))
    in_sweep = net.sizes[-1] * sum(net.sizes[:-1])
    for n in pattern_chunks(len(X), in_sweep, limit=IN_CACHE):
        trace, R = passed(net, X[n]), None
        for l in range(net.depth - 1, -1, -1):
            # Σ_n M_jj z_i² with M_jj = Σ_k R_kj², where M = RᵀR at the outputs and R
            # goes back through the layers as y would
            if R is None:
                M_jj = net.output.diagonal(trace.a[-1])
            else:
                M_jj = np.einsum("nkj,nkj->nj", R, R)
            if weights is not None:
                M_jj = M_jj * weights[n, None]
            squares = sum_over_patterns(M_jj, trace.z[l] ** 2)
            diagonal[net.slices[l]] += squares.ravel()
            if l > 0:
                R = (
                    _root_below(net, trace)
                    if R is None
                    else back_through_layer(net, trace, l, R)
                )
    return diagonal.astype(dtype, copy=False)


def _root_below(net, trace):
    """Return R V with the slopes, of shape (N, K, M), where RᵀR = M at the outputs.

    The rows of M V over √M's own: of the diagonal ones, √M_kk V_k, and of softmax
    √y_k (V_k − Σ_l y_l V_l).
    """
    l, a = net.depth - 1, trace.a[-1]
    scale = net.output.y(a) if net.output.name == "softmax" else net.output.diagonal(a)
    root = np.sqrt(np.where(scale > 0, scale, 1))
    R = pull(net.output, a, net.W[l][:, 1:]) / root[:, :, None]
    R *= net.hidden[l - 1].dh(trace.a[l - 1])[:, None, :]
    return R


def _residual_hessian(net, X, T, out, weights=None):
    # as the lesson does: were δ fixed at the outputs, M = ∂δ/∂a would be 0 there
    fixed = net.with_output(_without_slope(net.output))
    fill_square(fixed, X, T, out, weights)
    return out


def _without_slope(unit):
    return replace(
        unit,
        name=f"{unit.name} without slope",
        diagonal=np.zeros_like,
        times=lambda a, R: np.zeros_like(R),
    )


outer_product_hessian = Task(
    _check,
    _outer_product_hessian,
    result=square("use outer_product_diagonal or a GaussNewtonOperator"),
    is_sum=True,
)
outer_product_diagonal = Task(
    _check, _outer_product_diagonal, result=of_parameters, fills=False, is_sum=True
)
residual_hessian = Task(
    check,
    _residual_hessian,
    result=square("use hessian_diagonal or a HessianOperator"),
    is_sum=True,
)
