import subprocess
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import save_file
from sklearn import preprocessing
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import PCA, FastICA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline

import jachess_lib as jl
from jachess_lib.interop import from_safetensors, from_sklearn, from_torch, to_torch

RNG = np.random.default_rng(0)
X = RNG.normal(3, 2, (40, 4)) * [1, 10, 0.1, 1]
Y = RNG.normal(5, 3, (40, 2))
KINDS = np.arange(40) % 3


def fitted(model, T):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, T)


def regressor(layers, activation="relu", **settings):
    return MLPRegressor(
        hidden_layer_sizes=layers, activation=activation, random_state=0, **settings
    )


def near(found, expected, rtol=1e-12):
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * scale)


# scikit-learn


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("layers", [(5,), (6, 3), ()])
def test_regressors_have_the_same_outputs(activation, layers):
    model = fitted(regressor(layers, activation, max_iter=5), Y)
    net = from_sklearn(model)
    assert net.sizes == (4, *layers, 2)
    near(net(X), model.predict(X))
    assert from_sklearn(fitted(model, Y[:, 0]))(X).shape == (40, 1)


@pytest.mark.parametrize(("T", "K"), [(KINDS, 3), (KINDS > 1, 1), (KINDS[::-1], 3)])
def test_classifiers_have_the_same_probabilities(T, K):
    model = fitted(MLPClassifier((5,), "tanh", max_iter=5, random_state=0), T)
    net, p = from_sklearn(model), model.predict_proba(X)
    assert net.output.name == ("softmax" if K > 1 else "sigmoid")
    near(net(X), p if K > 1 else p[:, 1:])


def test_the_error_is_the_one_it_was_fitted_to_without_its_penalty():
    model = MLPClassifier((5,), "tanh", alpha=0, max_iter=5, random_state=0)
    net = from_sklearn(fitted(model, KINDS))
    lost = -np.log(model.predict_proba(X)[np.arange(40), KINDS]).sum()
    assert jl.error(net, X, jl.one_hot(KINDS, 3)) == pytest.approx(lost, rel=1e-12)


SCALERS = [
    preprocessing.StandardScaler(),
    preprocessing.StandardScaler(with_mean=False),
    preprocessing.StandardScaler(with_std=False),
    preprocessing.MinMaxScaler((-1, 2)),
    preprocessing.MaxAbsScaler(),
    preprocessing.RobustScaler(),
    preprocessing.RobustScaler(with_centering=False, with_scaling=False),
    PCA(3),
    PCA(whiten=True),
]


@pytest.mark.parametrize("scaler", SCALERS, ids=str)
def test_a_scaler_becomes_part_of_the_first_layer(scaler):
    model = fitted(make_pipeline(scaler, regressor((5,), max_iter=5)), Y)
    net = from_sklearn(model)
    assert net.sizes[0] == 4
    near(net(X), model.predict(X))


def test_a_pipeline_of_several_and_a_scaled_target():
    inner = make_pipeline(
        preprocessing.MinMaxScaler(),
        "passthrough",
        PCA(3),
        regressor((5, 4), "tanh"),
    )
    for scaler in (
        preprocessing.StandardScaler(),
        preprocessing.MinMaxScaler(),
        PCA(),
        None,
    ):
        model = fitted(TransformedTargetRegressor(inner, transformer=scaler), Y)
        near(from_sklearn(model)(X), model.predict(X))


def test_the_jacobian_is_in_the_units_of_the_raw_inputs():
    model = make_pipeline(preprocessing.StandardScaler(), regressor((5,), "tanh"))
    J = jl.input_jacobian(from_sklearn(fitted(model, Y)), X[:1])[0]
    for i, step in enumerate(1e-4 * X.std(axis=0)):
        dx = step * np.eye(4)[i]
        ahead, behind = model.predict(X[:1] + dx), model.predict(X[:1] - dx)
        near(J[:, i], (ahead - behind)[0] / (2 * step), rtol=1e-6)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_single_precision_is_kept():
    model = regressor((5,), "tanh", max_iter=5)
    model.fit(X.astype(np.float32), Y.astype(np.float32))
    assert from_sklearn(model).w.dtype == np.float32


REFUSED = {
    "another model": (lambda: LinearRegression(), TypeError, "LinearRegression"),
    "no model": (lambda: 3, TypeError, "int"),
    "a class": (lambda: MLPRegressor, TypeError, "the class MLPRegressor"),
    "not fitted": (lambda: MLPRegressor(), ValueError, "not fitted"),
    "a pipeline not fitted": (
        lambda: make_pipeline(preprocessing.StandardScaler(), MLPRegressor()),
        ValueError,
        "not fitted",
    ),
    "another output": (
        lambda: fitted(regressor((2,), loss="poisson"), Y**2),
        ValueError,
        "'exp'",
    ),
    "multilabel": (
        lambda: fitted(MLPClassifier((2,)), Y > 5),
        ValueError,
        "multilabel",
    ),
    "another step": (
        lambda: fitted(make_pipeline(FastICA(2, max_iter=999), regressor((2,))), Y),
        TypeError,
        "FastICA.*StandardScaler",
    ),
    "clipped": (
        lambda: fitted(
            make_pipeline(preprocessing.MinMaxScaler(clip=True), regressor((2,))), Y
        ),
        TypeError,
        "clip=True",
    ),
    "projected targets": (
        lambda: TransformedTargetRegressor(
            regressor((2,), max_iter=999), transformer=PCA(2), check_inverse=False
        ).fit(X, np.hstack([Y, X[:, :1]])),
        ValueError,
        "from 3 to 2",
    ),
    "curved targets": (
        lambda: fitted(
            TransformedTargetRegressor(
                regressor((2,)), func=np.log1p, inverse_func=np.expm1
            ),
            Y**2,
        ),
        TypeError,
        "FunctionTransformer",
    ),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("make", "error", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_represented_is_refused_by_name(make, error, says):
    with pytest.raises(error, match=says):
        from_sklearn(make())


# PyTorch: the real one in the benchmark's environment, and its likeness here


class Tensor:
    """An array in the clothes of a tensor."""

    def __init__(self, array):
        self.array, self.dtype = np.asarray(array), f"torch.{np.asarray(array).dtype}"

        self.detach = self.cpu = lambda: self
        self.numpy = lambda: self.array


def module(kind, **state):
    """Return something that looks like a module of PyTorch."""
    return type(kind, (SimpleNamespace,), {})(**state)


class Sequential(list):
    """A list that is called as PyTorch's own."""


def linear(m_out, m_in, bias=True, dtype=float):
    W = RNG.standard_normal((m_out, m_in)).astype(dtype)
    b = Tensor(RNG.standard_normal(m_out).astype(dtype)) if bias else None
    return module("Linear", weight=Tensor(W), bias=b)


def test_layers_nest_and_may_lack_a_bias():
    first, second, third = linear(5, 4), linear(3, 5, bias=False), linear(2, 3)
    drop = module("Dropout", p=0.5, training=False)
    inner = Sequential([Sequential([module("Tanh"), drop]), second])
    model = Sequential([first, inner, third, module("Identity")])
    net = from_torch(model, output="softmax")
    assert net.sizes == (4, 5, 3, 2)
    assert [unit.name for unit in net.hidden] == ["tanh", "identity"]
    a = np.tanh(X @ first.weight.array.T + first.bias.array) @ second.weight.array.T
    a = a @ third.weight.array.T + third.bias.array
    near(net(X), np.exp(a) / np.exp(a).sum(axis=1, keepdims=True))


TWO = [linear(3, 4), linear(2, 3)]


@pytest.mark.parametrize(
    ("layers", "error", "says"),
    [
        ([TWO[0], module("ELU"), TWO[1]], TypeError, "layer 1 'ELU'.*Tanh"),
        ([module("Conv2d")], TypeError, "Conv2d"),
        ([module("Tanh"), *TWO], ValueError, "before the first Linear"),
        ([TWO[0], module("Tanh"), module("ReLU"), TWO[1]], ValueError, "after another"),
        ([*TWO, module("Tanh")], ValueError, "ends with Tanh"),
        ([], ValueError, "no Linear"),
        ([*TWO, module("Softmax", dim=0)], ValueError, "dim=-1"),
        ([TWO[0], module("GELU", approximate="tanh")], ValueError, "approximate"),
        ([TWO[0], module("Softplus", beta=2, threshold=90)], ValueError, "beta=2"),
        ([TWO[0], module("Softplus", beta=1, threshold=20)], ValueError, "of 40 or"),
        ([module("Dropout", p=0.5, training=True)], ValueError, "eval"),
        ([linear(3, 4, dtype=np.float16)], ValueError, "float16.*double"),
    ],
)
def test_a_module_that_cannot_be_represented_is_refused_by_name(layers, error, says):
    with pytest.raises(error, match=says):
        from_torch(Sequential(layers))


@pytest.mark.parametrize("last", ["Sigmoid", "Softmax"])
@pytest.mark.parametrize("dim", [1, -1])
def test_the_last_module_is_the_output_unit(last, dim):
    asleep = module("Dropout", p=0.0, training=True)
    model = Sequential([TWO[0], module("Tanh"), asleep, TWO[1], module(last, dim=dim)])
    net = from_torch(model)
    assert (net.output.name, net.sizes) == (last.lower(), (4, 3, 2))
    assert net == from_torch(Sequential(model[:-1]), output=last.lower())


def likeness():
    """Return a package that makes what `from_torch` reads: PyTorch, to `to_torch`."""

    class Linear(SimpleNamespace):
        def __init__(self, ins, outs):
            shapes = {"weight": (outs, ins), "bias": (outs,)}
            super().__init__(**{n: SimpleNamespace(shape=s) for n, s in shapes.items()})

    def made(kind):
        defaults = {"GELU": {"approximate": "none"}, "Softplus": {"beta": 1}}
        return lambda **how: module(kind, **defaults.get(kind, {}), **how)

    kinds = ("Tanh", "Sigmoid", "ReLU", "GELU", "Softplus", "Identity", "Softmax")
    nn = SimpleNamespace(
        Linear=Linear,
        Sequential=lambda *modules: Sequential(modules),
        **{kind: made(kind) for kind in kinds},
    )
    return SimpleNamespace(nn=nn, from_numpy=Tensor)


@pytest.mark.parametrize("output", jl.OUTPUT_UNITS)
@pytest.mark.parametrize("logits", [True, False])
def test_a_network_goes_to_pytorch_and_comes_back(output, logits, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", likeness())
    hidden = ("softplus", "gelu", "tanh", "relu", "identity")
    net = jl.Network.random((4, 3, 2, 5, 3, 6, 2), hidden, output, seed=1)
    model = to_torch(net, logits=logits)
    for place, layer in enumerate(m for m in model if type(m).__name__ == "Linear"):
        outs, ins = net.W[place].shape
        assert (layer.weight.shape, layer.bias.shape) == ((outs, ins - 1), (outs,))
        layer.weight, layer.bias = layer.weight.data, layer.bias.data
    last = type(model[-1]).__name__
    assert last == ("Linear" if logits or output == "linear" else output.capitalize())
    assert from_torch(model, **({"output": output} if logits else {})) == net


def test_other_mistakes_with_modules():
    awake = Sequential([module("Dropout", p=0.5, training=True)])
    with pytest.raises(ValueError, match=r"model\[1\]\[0\] is a Dropout, which draws"):
        from_torch(Sequential([TWO[0], awake]))
    with pytest.raises(TypeError, match=r"must be a torch.nn.Sequential"):
        from_torch(TWO[0])
    with pytest.raises(ValueError, match="ends with Sigmoid itself"):
        from_torch(Sequential([*TWO, module("Sigmoid")]), output="softmax")
    with pytest.raises(ValueError, match=r"'hinge'"):
        from_torch(Sequential(TWO), output="hinge")


def test_a_softplus_as_it_comes_is_one_in_single_precision():
    plus = module("Softplus", beta=1, threshold=20)
    layers = [linear(3, 4, dtype=np.float32), plus, linear(1, 3, dtype=np.float32)]
    assert from_torch(Sequential(layers)).w.dtype == np.float32


@pytest.mark.parametrize(
    ("package", "call", "command"),
    [
        ("torch", lambda: to_torch(jl.Network((2, 1), np.ones(3))), "torch"),
        ("safetensors", lambda: from_safetensors("none.st"), r"jachess-lib\[interop\]"),
    ],
)
def test_a_package_that_is_not_there_is_named(package, call, command, monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, package, raising=False)
    with pytest.raises(ImportError, match=f"not installed: pip install .*{command}"):
        call()


def test_a_package_that_is_broken_says_so_itself(monkeypatch, tmp_path):
    """What it lacks is its own affair: to install it again would not help."""
    (tmp_path / "torch.py").write_text("import nowhere_to_be_found\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match="nowhere_to_be_found"):
        to_torch(jl.Network((2, 1), np.ones(3)))


def test_a_unit_that_pytorch_lacks(monkeypatch):
    linear = SimpleNamespace(weight=SimpleNamespace(), bias=SimpleNamespace())
    nn = SimpleNamespace(Linear=lambda ins, outs: linear)
    torch = SimpleNamespace(nn=nn, from_numpy=np.array)
    monkeypatch.setitem(sys.modules, "torch", torch)
    with pytest.raises(ValueError, match="'exp' of a Network"):
        to_torch(jl.Network.random((4, 3, 2), hidden="exp"))
    with pytest.raises(TypeError, match="net must be a Network, got int: make one"):
        to_torch(3)


def test_no_other_package_is_imported_before_it_is_used():
    code = (
        "import jachess_lib.interop, sys; "
        "sys.exit(any(name in sys.modules for name in "
        "('torch', 'sklearn', 'safetensors', 'matplotlib')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# safetensors


def tensors(net, prefix=""):
    """Return the tensors as PyTorch names those of a Sequential with activations."""
    return {
        f"{prefix}{2 * l}.{name}": np.ascontiguousarray(part)
        for l, W in enumerate(net.W)
        for name, part in (("weight", W[:, 1:]), ("bias", W[:, 0]))
    }


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("depth", [1, 2, 7])
def test_files_hold_the_same_network(tmp_path, dtype, depth):
    sizes = (4, 3, 5, 2, 3, 4, 3, 2)[: depth + 1]
    hidden = "sigmoid" if depth > 1 else "identity"
    net = jl.Network.random(sizes, hidden, "softmax")
    net = jl.Network(sizes, net.w.astype(dtype), net.hidden, net.output)
    path = tmp_path / "network.safetensors"
    save_file(tensors(net, "net."), path, {"hidden": "sigmoid", "output": "softmax"})
    assert from_safetensors(path) == net
    save_file(tensors(net), path)
    assert from_safetensors(str(path), hidden="sigmoid", output="softmax") == net


def test_half_precision_and_a_layer_without_bias(tmp_path):
    W = RNG.standard_normal((3, 4)).astype(np.float16)
    save_file({"weight": W}, tmp_path / "half", {"output": "linear"})
    net = from_safetensors(tmp_path / "half")
    assert net.w.dtype == np.float32
    near(net(X), X @ W.T.astype(float), rtol=1e-6)


NET = jl.Network.random((4, 3, 2))
WRONG = {
    "another tensor": (tensors(NET) | {"scale": np.ones(3)}, "scale"),
    "no layer": ({"bias": np.ones(3)}, "bias"),
    "no tensor": ({}, "holds no layers"),
    "not a table": ({"0.weight": np.ones((3, 4, 2))}, "no table"),
    "whole numbers": ({"0.weight": np.ones((3, 4), int)}, "int64"),
    "other widths": (tensors(NET) | {"2.weight": np.ones((2, 5))}, "takes 5.*gives 3"),
    "another bias": (tensors(NET) | {"0.bias": np.ones(2)}, r"shape \(2,\)"),
}


@pytest.mark.parametrize(("parts", "says"), WRONG.values(), ids=WRONG)
def test_a_file_of_something_else(tmp_path, parts, says):
    save_file(parts, tmp_path / "file", {"hidden": "tanh", "output": "linear"})
    with pytest.raises(ValueError, match=says):
        from_safetensors(tmp_path / "file")


def test_other_mistakes_with_files(tmp_path):
    for path in (3, None, [tmp_path]):
        with pytest.raises(TypeError, match=f"path.*got {type(path).__name__}: give"):
            from_safetensors(path)
    with pytest.raises(FileNotFoundError, match="nothing"):
        from_safetensors(tmp_path / "nothing")
    (tmp_path / "text").write_text("this is no such file, whatever its name")
    with pytest.raises(ValueError, match="cannot be read"):
        from_safetensors(tmp_path / "text")
    save_file(tensors(NET), tmp_path / "nameless")
    with pytest.raises(ValueError, match="hidden units: give hidden="):
        from_safetensors(tmp_path / "nameless")
    with pytest.raises(ValueError, match="output units: give output="):
        from_safetensors(tmp_path / "nameless", hidden="tanh")
    with pytest.raises(ValueError, match="swish"):
        from_safetensors(tmp_path / "nameless", hidden="swish", output="linear")
