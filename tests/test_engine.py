"""Three engines that answer alike, and the connection of a lesson with them."""

import inspect
import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import CASES, HIDDEN, OUTPUT, case, case_name

import jachess_lib as jl
from jachess_lib._engine import choice, compiled, connection


def direction(net):
    """Return a direction in parameter space, of the network's precision."""
    rng = np.random.default_rng(7)
    return rng.standard_normal(net.n_parameters).astype(net.w.dtype)


SUMS = {
    "error": jl.error,
    "error_gradient": jl.error_gradient,
    "exact_hessian": jl.exact_hessian,
    "hessian_block": lambda net, X, T, **k: jl.hessian_block(
        net, X, T, net.depth - 1, 0, **k
    ),
    "hessian_diagonal": jl.hessian_diagonal,
    "outer_product_hessian": lambda net, X, T, **k: jl.outer_product_hessian(
        net, X, **k
    ),
    "outer_product_diagonal": lambda net, X, T, **k: jl.outer_product_diagonal(
        net, X, **k
    ),
    "residual_hessian": jl.residual_hessian,
    "hessian_vector_product": lambda net, X, T, **k: jl.hessian_vector_product(
        net, X, T, direction(net), **k
    ),
    "gauss_newton_vector_product": lambda net, X, T, **k: (
        jl.gauss_newton_vector_product(net, X, direction(net), **k)
    ),
    "vector_jacobian_product": jl.vector_jacobian_product,
    "HessianOperator": lambda net, X, T, **k: (
        jl.HessianOperator(net, X, T, **k) @ np.stack([direction(net)] * 2, axis=1)
    ),
    "GaussNewtonOperator": lambda net, X, T, **k: (
        jl.GaussNewtonOperator(net, X, **k) @ direction(net)
    ),
}
ROWS = {
    "forward": lambda net, X, T: jl.forward(net, X).y,
    "input_jacobian": lambda net, X, T: jl.input_jacobian(net, X),
    "of outputs": lambda net, X, T: jl.parameter_jacobian(net, X),
    "of activations": lambda net, X, T: jl.parameter_jacobian(net, X, of="activations"),
    "error_gradients": jl.error_gradients,
    "propagate_error": lambda net, X, T: jl.propagate_error(net, X, X / 9),
    "input_hessian_vector_product": lambda net, X, T: jl.input_hessian_vector_product(
        net, X, X / 9
    ),
    "input_laplacian": lambda net, X, T: jl.input_laplacian(net, X),
    "jvp of parameters": lambda net, X, T: jl.jacobian_vector_product(
        net, X, direction(net)
    ),
    "jvp of inputs": lambda net, X, T: jl.jacobian_vector_product(
        net, X, X / 9, wrt="inputs"
    ),
    "vjp of inputs": lambda net, X, T: jl.vector_jacobian_product(
        net, X, T, wrt="inputs"
    ),
}
EVERY_SUM = pytest.mark.parametrize("f", SUMS.values(), ids=SUMS)
EVERY = pytest.mark.parametrize("f", (SUMS | ROWS).values(), ids=SUMS | ROWS)


def by(engine, f, *arguments, **keywords):
    """Return what one engine answers."""
    with jl.engine(engine):
        return np.asarray(f(*arguments, **keywords))


def assert_alike(f, *arguments, rtol=1e-12, **keywords):
    """Require the same shape, dtype and numbers, to rounding, of all engines."""
    plain = by("plain", f, *arguments, **keywords)
    for engine in ("blocked", "compiled"):
        found = by(engine, f, *arguments, **keywords)
        assert (found.shape, found.dtype) == (plain.shape, plain.dtype)
        scale = np.abs(plain).max(initial=0)
        np.testing.assert_allclose(found, plain, rtol=rtol, atol=rtol * scale)


def as_single(net, *arrays):
    """Return the network and the arrays in single precision."""
    single = jl.Network(net.sizes, net.w.astype(np.float32), net.hidden, net.output)
    return single, *(A.astype(np.float32) for A in arrays)


@EVERY
@pytest.mark.parametrize("c", CASES, ids=case_name)
def test_engines_answer_alike(f, c):
    assert_alike(f, *case(*c, N=7))


@EVERY
@pytest.mark.parametrize("N", [0, 1])
@pytest.mark.parametrize("output", OUTPUT)
def test_few_patterns(f, N, output):
    assert_alike(f, *case((3, 2, 4, 2), "softplus", output, N=N))


@EVERY
@pytest.mark.parametrize("output", OUTPUT)
def test_single_precision(f, output):
    net, X, T = as_single(*case((3, 6, 4), "tanh", output, N=130))
    assert_alike(f, net, X, T, rtol=2e-5)
    if f is not jl.error:
        assert by("plain", f, net, X, T).dtype == np.float32


widths = st.lists(st.integers(1, 6), min_size=2, max_size=5)


@given(widths, st.data())
@settings(deadline=None, max_examples=60)
def test_any_network(sizes, data):
    units = st.sampled_from(HIDDEN)
    layers = st.lists(units, min_size=len(sizes) - 2, max_size=len(sizes) - 2)
    # an exponential of an exponential soon leaves the numbers
    hidden = data.draw(layers.filter(lambda units: units.count("exp") <= 1))
    output = data.draw(st.sampled_from(OUTPUT))
    N = data.draw(st.integers(0, 70))
    net, X, T = case(tuple(sizes), hidden, output, N=N)
    for f in (SUMS | ROWS).values():
        assert_alike(f, net, X, T, rtol=1e-10)


# Weights


@EVERY_SUM
@pytest.mark.parametrize("output", OUTPUT)
def test_weights_multiply_each_pattern_s_share(f, output, engine):
    net, X, T = case((3, 5, 4, 2), ("tanh", "gelu"), output, N=70)
    weights = np.random.default_rng(0).normal(size=70)  # some are negative
    found = np.asarray(f(net, X, T, weights=weights))
    shares = [f(net, X[[n]], T[[n]]) for n in range(70)]
    expected = sum(w * np.asarray(s) for w, s in zip(weights, shares, strict=True))
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12 * scale)


@EVERY_SUM
def test_weights_do_not_change_the_precision(f, engine):
    net, X, T = as_single(*case((3, 5, 4, 2), "tanh", "softmax", N=70))
    weights = np.linspace(-1, 2, 70)
    found = np.asarray(f(net, X, T, weights=weights))
    double = jl.Network(net.sizes, net.w.astype(float), net.hidden, net.output)
    expected = np.asarray(f(double, X.astype(float), T.astype(float), weights=weights))
    if f is not jl.error:
        assert found.dtype == np.float32
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5 * scale)


@EVERY_SUM
def test_a_weight_of_minus_one_deletes_a_pattern(f):
    net, X, T = case((3, 4, 2), "tanh", "softmax", N=6)
    twice = np.concatenate([X, X[2:3]]), np.concatenate([T, T[2:3]])
    deleted = f(net, *twice, weights=[1, 1, 1, 1, 1, 1, -1])
    expected = np.asarray(f(net, np.delete(X, 2, 0), np.delete(T, 2, 0)))
    scale = np.abs(expected).max()
    np.testing.assert_allclose(deleted, expected, rtol=1e-11, atol=1e-12 * scale)


@EVERY_SUM
def test_weights_that_do_not_fit(f):
    net, X, T = case((3, 4, 2), N=5)
    for wrong, error, message in [
        (np.ones(4), ValueError, r"weights must have shape \(N,\) = \(5,\)"),
        (np.ones((5, 1)), ValueError, "weights must have shape"),
        (2.0, ValueError, "weights must have shape"),
        ([1, 1, np.nan, 1, 1], ValueError, r"weights\[2\] is nan"),
        (np.ones(5) + 0j, ValueError, "weights must be real"),
        (["a"] * 5, TypeError, "weights must hold numbers"),
        (np.ma.masked_array(np.ones(5), [0, 1, 0, 0, 0]), TypeError, "mask"),
    ]:
        with pytest.raises(error, match=message):
            f(net, X, T, weights=wrong)


# The choice


@EVERY
def test_which_engine_a_call_took(f):
    net, X, T = case((4, 5, 3), "tanh", "softmax")
    taken = {}
    for engine in ("plain", "blocked", "compiled"):
        by(engine, f, net, X, T)
        taken[engine] = jl.engine_used()
    assert taken["plain"] == "plain"
    compiled = ("compiled", "blocked", "plain")
    assert taken["compiled"] in compiled[compiled.index(taken["blocked"]) - 1 :]


def test_what_was_compiled_is_taken_and_the_rest_is_blocked():
    net, X, T = case((4, 5, 3), "tanh", "softmax")
    gelu = jl.Network(net.sizes, net.w, "gelu", "softmax")
    with jl.engine("compiled"):
        for f, at, name in [
            (jl.input_jacobian, net, "compiled"),
            (jl.input_jacobian, gelu, "blocked"),
            (jl.propagate_error, net, "plain"),
        ]:
            f(at, X, X) if f is jl.propagate_error else f(at, X)
            assert jl.engine_used() == name
        jl.exact_hessian(net, X, T)
        assert jl.engine_used() == "compiled"
        jl.exact_hessian(net, X, T, weights=np.ones(len(X)))
        assert jl.engine_used() == "blocked"


def test_each_thread_has_its_own_choice_and_its_own_last_call():
    net, X, _ = case((3, 4, 2))
    seen = []

    def other():
        seen.append((jl.engine_used(), choice.chosen()))

    with jl.engine("plain"):
        jl.input_jacobian(net, X)
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert jl.engine_used() == "plain"
    assert seen == [(None, "blocked")]


def test_choices_nest_and_end():
    assert choice.chosen() == "blocked"  # of the tests' environment
    with jl.engine("plain"):
        with jl.engine("auto"):
            assert choice.chosen() == "auto"
        assert choice.chosen() == "plain"
        with pytest.raises(ZeroDivisionError), jl.engine("compiled"):
            raise ZeroDivisionError
        assert choice.chosen() == "plain"
    assert choice.chosen() == "blocked"


def test_names_there_are_not(monkeypatch):
    with (
        pytest.raises(ValueError, match="engine must be one of plain, .*, got 'fast'"),
        jl.engine("fast"),
    ):
        pass
    monkeypatch.setenv("JACHESS_ENGINE", "fast")
    with pytest.raises(ValueError, match="JACHESS_ENGINE must be one of plain"):
        jl.error(*case((3, 4, 2)))


def test_compiled_without_numba_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(choice, "find_spec", lambda name: None)
    with (
        pytest.raises(ImportError, match=r"jachess-lib\[fast\]"),
        jl.engine("compiled"),
    ):
        pass
    choice._import_compiled.cache_clear()
    with jl.engine("auto"):
        jl.input_jacobian(*case((3, 4, 2))[:2])
    assert jl.engine_used() == "blocked"
    choice._import_compiled.cache_clear()


def test_those_who_still_set_the_old_variable_are_told(monkeypatch):
    monkeypatch.setenv("JACHESS_COMPILED", "0")
    monkeypatch.delenv("JACHESS_ENGINE")
    choice._look_for_old_name.cache_clear()
    with pytest.warns(FutureWarning, match="set JACHESS_ENGINE to plain, blocked"):
        jl.error(*case((3, 4, 2)))
    jl.error(*case((3, 4, 2)))  # once
    choice._look_for_old_name.cache_clear()


# The connection


LESSONS = {
    name: getattr(jl, name)
    for name in jl.__all__
    if hasattr(getattr(jl, name), "plain")
}


def test_every_function_of_a_network_has_a_lesson():
    others = {
        "Network", "Trace", "one_hot", "forward_difference", "central_difference",
        "complex_step", "HessianOperator", "GaussNewtonOperator", "HiddenUnit",
        "Pruned", "prune", "update_inverse",
        "engine", "engine_used", "levenberg_marquardt", "laplace", "influence",
        "gradient_descent",
        "Lanczos", "Spectrum", "hessian_spectrum", "hutchinson_trace", "lanczos",
        "spectral_density", "EigenFactors", "KroneckerFactors", "ekfac",
        "kronecker_factors", "natural_gradient", "nearest_kronecker",
        "shampoo_factors", "shared_factors",
        "Attention", "Generator", "Hidden", "Linear", "Norm", "Stack", "StackOperator",
        "named_blocks", "newton_schulz", "null_dimension", "null_generators",
        "one_step_shampoo", "polar_factor", "sampled_diagonal", "stack_error",
        "stack_gradient", "token_inputs", "transformer",
    }  # fmt: skip
    functions = {name for name in jl.__all__ if callable(getattr(jl, name))}
    assert set(LESSONS) == functions - others


@pytest.mark.parametrize("name", LESSONS)
def test_what_a_function_says_of_itself(name):
    function = LESSONS[name]
    task = connection._task(function.plain)
    parameters = inspect.signature(function).parameters
    body = inspect.signature(function.plain).parameters
    assert [p for p in parameters if p not in ("out", "weights")] == list(body)
    assert ("out" in parameters) == (task.result is not None)
    assert ("weights" in parameters) == bool(task.is_sum)
    assert function.__doc__ == function.plain.__doc__
    for keyword in ("out", "weights"):
        if keyword in parameters:
            assert f"    {keyword} : array" in function.__doc__


def test_arguments_that_do_not_exist():
    net, X, _ = case((3, 4, 2))
    with pytest.raises(TypeError, match="unexpected keyword argument 'depth'"):
        jl.input_jacobian(net, X, depth=3)
    with pytest.raises(TypeError, match="missing a required argument: 'X'"):
        jl.input_jacobian(net)


def test_a_lesson_within_a_lesson_is_checked_once(monkeypatch):
    from jachess_lib._engine import network

    calls = []
    checked = network.check_inputs
    monkeypatch.setattr(
        network, "check_inputs", lambda *a, **k: calls.append(1) or checked(*a, **k)
    )
    net, X, T = case((3, 4, 2))
    for engine in ("plain", "blocked"):
        by(engine, jl.exact_hessian, net, X, T)
    assert calls == []
    jl.forward(net, X)
    assert calls == [1]


# Results that lie where an argument is


ARRAYS = ("w", "X", "T", "v", "u", "weights")
LYING = [
    (f, where)
    for f in map(jl.__dict__.get, jl.__all__)
    if hasattr(f, "plain") and "out" in inspect.signature(f).parameters
    for where in ARRAYS
    if where == "w" or where in inspect.signature(f).parameters
]


@pytest.mark.parametrize(
    ("f", "where"), LYING, ids=[f"{f.__name__} at {where}" for f, where in LYING]
)
def test_a_result_may_lie_where_an_argument_is(f, where, engine):
    net, X, T = case((3, 5, 4, 2), "tanh", "softmax", N=12_000)  # some blocks
    given = {"net": net, "X": X, "T": T, "u": T + 1, "v": direction(net)}
    given |= {"alpha": 0.5, "l": 1, "m": 0, "weights": np.linspace(0.5, 2, len(X))}
    given = {key: given[key] for key in inspect.signature(f).parameters if key in given}
    if where != "weights":
        given.pop("weights", None)
    expected = f(**given)
    argument = net.w if where == "w" else given[where]
    memory = np.zeros(max(expected.size, argument.size))
    here = memory[: argument.size].reshape(argument.shape)
    here[...] = argument
    if where == "w":
        given["net"] = jl.Network(net.sizes, here, net.hidden, net.output)
    else:
        given[where] = here
    out = memory[: expected.size].reshape(expected.shape)
    assert f(**given, out=out) is out
    scale = np.abs(expected).max()
    np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-12 * scale)


# Wide outputs never take N·K² numbers


@pytest.mark.parametrize("output", OUTPUT)
@pytest.mark.parametrize(
    ("engine", "hidden"), [("plain", "gelu"), ("blocked", "gelu"), ("compiled", "tanh")]
)
@pytest.mark.parametrize(
    "name", ["hessian_vector_product", "gauss_newton_vector_product"]
)
def test_products_of_wide_outputs_take_the_memory_of_a_gradient(
    output, engine, hidden, name, monkeypatch
):
    monkeypatch.setattr(compiled, "_MOST_KEPT", 0)  # nothing that is there already
    net, X, T = case((20, 8, 1000), hidden, output, N=200)

    def peak(f):
        with jl.engine(engine):
            f(net, X, T)
            tracemalloc.start()
            f(net, X, T)
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return found

    assert peak(SUMS[name]) < 3 * peak(jl.error_gradient) < 6e7


@pytest.mark.parametrize("output", OUTPUT)
@pytest.mark.parametrize(
    ("name", "engine", "megabytes"),
    [
        ("outer_product_diagonal", "compiled", 25),
        ("hessian_diagonal", "auto", 25),
        ("hessian_diagonal", "plain", 60),
        ("outer_product_diagonal", "auto", 25),
    ],
)
def test_diagonals_of_wide_outputs_take_a_few_megabytes(
    output, name, engine, megabytes
):
    hidden = "tanh" if engine == "compiled" else "gelu"  # which it leaves to NumPy
    net, X, T = case((20, 8, 1000), hidden, output, N=200)
    tracemalloc.start()
    with jl.engine(engine):
        SUMS[name](net, X, T)
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found < megabytes * 1e6  # N·K² would be 1600 MB


# Operators


@pytest.mark.parametrize("kind", [jl.HessianOperator, jl.GaussNewtonOperator])
def test_what_operators_offer(kind, engine):
    net, X, T = case((3, 4, 2), "tanh", "softmax", N=9)
    weights = np.linspace(-0.5, 2, 9)
    arguments = (X, T) if kind is jl.HessianOperator else (X,)
    operator = kind(net, *arguments, weights=weights)
    dense = operator.to_dense()
    P = net.n_parameters
    np.testing.assert_allclose(operator @ np.eye(P), dense, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(operator.diagonal(), np.diag(dense), rtol=1e-11)
    exact = operator.trace()
    assert exact.value == pytest.approx(np.trace(dense), rel=1e-12)
    assert exact.error == 0
    shifted = operator.plus(0.7).plus(0.3)
    assert isinstance(shifted, kind)
    np.testing.assert_allclose(shifted.to_dense(), dense + np.eye(P), atol=1e-12)
    np.testing.assert_allclose(shifted @ np.eye(P), dense + np.eye(P), atol=1e-12)
    np.testing.assert_allclose(shifted.diagonal(), np.diag(dense) + 1, atol=1e-12)
    assert shifted.trace().value == pytest.approx(np.trace(dense) + P)
    np.testing.assert_allclose(operator @ np.eye(P), dense, rtol=1e-11, atol=1e-13)
    there = kind(net.with_parameters(2 * net.w), *arguments, weights=weights)
    moved = shifted.at(2 * net.w)
    np.testing.assert_allclose(
        moved.to_dense(), there.to_dense() + np.eye(P), atol=1e-11
    )
    v = direction(net)
    np.testing.assert_allclose(operator.hessp(2 * net.w, v), there @ v, atol=1e-11)


def test_the_trace_by_random_signs_is_unbiased_and_knows_its_error():
    net, X, T = case((3, 4, 2), "tanh", "softmax", N=9)
    operator = jl.HessianOperator(net, X, T)
    exact, estimates = operator.trace().value, []
    for seed in range(40):
        estimates.append(operator.trace(probes=50, seed=seed))
    values = np.array([e.value for e in estimates])
    errors = np.array([e.error for e in estimates])
    assert abs(values.mean() - exact) < 4 * values.std() / np.sqrt(40)
    assert 0.5 < values.std() / errors.mean() < 2
    assert operator.trace(probes=1).error == np.inf


@pytest.mark.parametrize("wrong", [0, -1, 2.5, True, "3"])
def test_a_number_of_probes_that_is_none(wrong):
    net, X, T = case((3, 4, 2))
    with pytest.raises(ValueError, match="^probes must be a positive whole number"):
        jl.HessianOperator(net, X, T).trace(probes=wrong)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1j, [1.0, 2.0], "a", None])
def test_a_shift_that_is_no_number(wrong):
    net, X, T = case((3, 4, 2))
    with pytest.raises((ValueError, TypeError), match="^shift must"):
        jl.HessianOperator(net, X, T).plus(wrong)
