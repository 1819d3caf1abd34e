"""Jacobians and Hessians of neural networks, one module for each chapter."""

from jachess_lib._engine import engine, engine_used
from jachess_lib.backpropagation import error, error_gradient, error_gradients
from jachess_lib.differences import central_difference, complex_step, forward_difference
from jachess_lib.hessian import exact_hessian, hessian_block, hessian_diagonal
from jachess_lib.hessian_vector import (
    GaussNewtonOperator,
    HessianOperator,
    gauss_newton_vector_product,
    hessian_vector_product,
    input_hessian_vector_product,
    input_laplacian,
)
from jachess_lib.hidden_units import HIDDEN_UNITS, HiddenUnit
from jachess_lib.influence import gradient_descent, influence
from jachess_lib.inverse import (
    Pruned,
    inverse_outer_product,
    obd_saliency,
    obs_saliency,
    prune,
    update_inverse,
)
from jachess_lib.jacobian import (
    input_jacobian,
    jacobian_vector_product,
    parameter_jacobian,
    vector_jacobian_product,
)
from jachess_lib.kronecker import (
    EigenFactors,
    KroneckerFactors,
    ekfac,
    kronecker_factors,
    natural_gradient,
    nearest_kronecker,
    shampoo_factors,
    shared_factors,
)
from jachess_lib.language_model import (
    Attention,
    Generator,
    Hidden,
    Linear,
    Norm,
    Stack,
    StackOperator,
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
from jachess_lib.laplace import laplace
from jachess_lib.levenberg_marquardt import levenberg_marquardt
from jachess_lib.network import Network, Trace, forward, one_hot
from jachess_lib.outer_product import (
    outer_product_diagonal,
    outer_product_hessian,
    residual_hessian,
)
from jachess_lib.output_units import OUTPUT_UNITS
from jachess_lib.sensitivity import (
    chain_jacobian,
    propagate_covariance,
    propagate_error,
)
from jachess_lib.spectrum import (
    Lanczos,
    Spectrum,
    hessian_spectrum,
    hutchinson_trace,
    lanczos,
    spectral_density,
)

__version__ = "0.1.0"

__all__ = [
    "HIDDEN_UNITS",
    "OUTPUT_UNITS",
    "Attention",
    "EigenFactors",
    "GaussNewtonOperator",
    "Generator",
    "HessianOperator",
    "Hidden",
    "HiddenUnit",
    "KroneckerFactors",
    "Lanczos",
    "Linear",
    "Network",
    "Norm",
    "Pruned",
    "Spectrum",
    "Stack",
    "StackOperator",
    "Trace",
    "central_difference",
    "chain_jacobian",
    "complex_step",
    "ekfac",
    "engine",
    "engine_used",
    "error",
    "error_gradient",
    "error_gradients",
    "exact_hessian",
    "forward",
    "forward_difference",
    "gauss_newton_vector_product",
    "gradient_descent",
    "hessian_block",
    "hessian_diagonal",
    "hessian_spectrum",
    "hessian_vector_product",
    "hutchinson_trace",
    "influence",
    "input_hessian_vector_product",
    "input_jacobian",
    "input_laplacian",
    "inverse_outer_product",
    "jacobian_vector_product",
    "kronecker_factors",
    "lanczos",
    "laplace",
    "levenberg_marquardt",
    "named_blocks",
    "natural_gradient",
    "nearest_kronecker",
    "newton_schulz",
    "null_dimension",
    "null_generators",
    "obd_saliency",
    "obs_saliency",
    "one_hot",
    "one_step_shampoo",
    "outer_product_diagonal",
    "outer_product_hessian",
    "parameter_jacobian",
    "polar_factor",
    "propagate_covariance",
    "propagate_error",
    "prune",
    "residual_hessian",
    "sampled_diagonal",
    "shampoo_factors",
    "shared_factors",
    "spectral_density",
    "stack_error",
    "stack_gradient",
    "token_inputs",
    "transformer",
    "update_inverse",
    "vector_jacobian_product",
]
