"""Networks from elsewhere: scikit-learn, PyTorch and safetensors files.

| symbol | code | shape |
| --- | --- | --- |
| w_ji of scikit-learn | `coefs_[l][i, j]` | (M_in, M_out) |
| w_ji of PyTorch | `weight[j, i]` | (M_out, M_in) |
| w_j0 | `intercepts_[l][j]`, `bias[j]` | (M_out,) |

What comes back has the outputs of the original to rounding, and its *own* error: the
sum over patterns that belongs to its output unit, without a penalty. What a `Network`
cannot hold is refused by name. None of these packages is imported unless it is used.

Source: the documentation of scikit-learn, PyTorch and safetensors.
"""

import re
from importlib import import_module
from os import PathLike
from pathlib import Path

import numpy as np

from jachess_lib._engine.inputs import check_network
from jachess_lib.network import Network

__all__ = ["from_safetensors", "from_sklearn", "from_torch", "to_torch"]

_SKLEARN_HIDDEN = {"identity": "identity", "logistic": "sigmoid", "tanh": "tanh"}
_SKLEARN_HIDDEN |= {"relu": "relu"}
_SKLEARN_OUTPUT = {"identity": "linear", "logistic": "sigmoid", "softmax": "softmax"}
_TORCH_UNITS = {"Tanh": "tanh", "Sigmoid": "sigmoid", "ReLU": "relu", "GELU": "gelu"}
_TORCH_UNITS |= {"Softplus": "softplus", "Identity": "identity"}


# scikit-learn


def from_sklearn(model):
    """Return the Network of a fitted scikit-learn model, with the same outputs.

    Scalers and projections before it become part of its first layer, and a scaled
    target part of its last: the network then takes and gives *raw* numbers, so that
    its Jacobian is in their units.

    Parameters
    ----------
    model : MLPRegressor, MLPClassifier, Pipeline or TransformedTargetRegressor
        Fitted. A pipeline may hold StandardScaler, MinMaxScaler, MaxAbsScaler,
        RobustScaler and PCA before its network.

    Returns
    -------
    Network
        Its outputs, of shape (N, K), are those of `predict`, or of `predict_proba`; of
        two classes only the second one's probability is there. Of classes, column k
        belongs to `model.classes_[k]`. The error leaves out the penalty `alpha`.

    Raises
    ------
    TypeError
        If the model, or a step of it, is of another kind.
    ValueError
        If it is not fitted, or holds what a Network cannot.
    """
    kind = type(model).__name__
    if kind == "Pipeline":
        *before, (_, last) = model.steps
        steps = [step for _, step in before if step not in (None, "passthrough")]
        return _after(from_sklearn(last), [_affine(step) for step in steps])
    if kind == "TransformedTargetRegressor":
        return _from_scaled_targets(model)
    if kind not in ("MLPRegressor", "MLPClassifier"):
        raise TypeError(
            f"model must be an MLPRegressor, an MLPClassifier, or a Pipeline or "
            f"TransformedTargetRegressor around one, got {_named(model)}"
        )
    _require_fitted(model, "coefs_")
    binarizer = getattr(model, "_label_binarizer", None)
    if getattr(binarizer, "y_type_", "").startswith("multilabel"):
        raise ValueError(
            "model is fitted to several labels a pattern (multilabel), which a Network "
            "does not take: fit one MLPClassifier for each label"
        )
    layers = [
        np.column_stack([b, C.T])
        for b, C in zip(model.intercepts_, model.coefs_, strict=True)
    ]
    return _network(
        layers,
        _translated("activation", model.activation, _SKLEARN_HIDDEN, kind),
        _translated("out_activation_", model.out_activation_, _SKLEARN_OUTPUT, kind),
    )


def _from_scaled_targets(model):
    _require_fitted(model, "regressor_")
    net = from_sklearn(model.regressor_)
    if model.transformer_ is None or _is_identity(model.transformer_):
        return net
    A, b = _affine(model.transformer_)
    if len(A) < A.shape[1]:
        raise ValueError(
            f"the targets of model go through a PCA from {A.shape[1]} to {len(A)}, "
            "which cannot be undone"
        )
    *layers, last = [np.array(W, float) for W in net.W]
    last[:, 0] -= b  # the network's own output is A y + b
    last = np.linalg.solve(A, last)
    return _network([*layers, last], net.hidden, net.output)


def _is_identity(step):
    return type(step).__name__ == "FunctionTransformer" and step.func is None


def _affine(step):
    """Return (A, b) of a fitted transformer, x ↦ A x + b."""
    kind, of = type(step).__name__, _AFFINE.get(type(step).__name__)
    if of is None or getattr(step, "clip", False):
        what = f"{kind} with clip=True" if of else _named(step)
        raise TypeError(
            f"{what} is no affine map that a first layer could take in; "
            f"those that can are {', '.join(_AFFINE)}: transform X before, and give "
            "the network alone"
        )
    _require_fitted(step, "n_features_in_")
    A, b = of(step, np.eye(step.n_features_in_))
    return A, np.broadcast_to(b, len(A)).astype(float)


def _standard(step, eye):
    A = eye / (step.scale_ if step.with_std else 1)
    return A, -A @ step.mean_ if step.with_mean else 0


def _robust(step, eye):
    A = eye / (step.scale_ if step.with_scaling else 1)
    return A, -A @ step.center_ if step.with_centering else 0


def _pca(step, eye):
    A = step.components_
    if step.whiten:
        A = A / np.sqrt(step.explained_variance_)[:, None]
    return A, -A @ step.mean_


_AFFINE = {
    "StandardScaler": _standard,
    "MinMaxScaler": lambda step, eye: (eye * step.scale_, step.min_),
    "MaxAbsScaler": lambda step, eye: (eye / step.scale_, 0),
    "RobustScaler": _robust,
    "PCA": _pca,
}


def _after(net, maps):
    """Return the network with affine maps of its inputs taken into its first layer."""
    first, *layers = [np.array(W) for W in net.W]
    for A, b in reversed(maps):
        bias = first[:, :1] + first[:, 1:] @ b[:, None]
        first = np.hstack([bias, first[:, 1:] @ A])
    return _network([first, *layers], net.hidden, net.output)


def _require_fitted(model, attribute):
    if not hasattr(model, attribute):
        kind = type(model).__name__
        raise ValueError(f"{kind} is not fitted: call its fit method first")


# PyTorch


def from_torch(model, output="linear"):
    """Return the Network of a PyTorch `nn.Sequential`, with the same outputs.

    Parameters
    ----------
    model : torch.nn.Sequential
        Linear layers with one activation or none after each: Tanh, Sigmoid, ReLU, GELU,
        Softplus, Identity. Sequentials within it are taken apart, and Dropout is left
        out if the model is in `eval` mode.
    output : {"linear", "sigmoid", "softmax"}
        What the loss applies to the outputs, such as "softmax" for `CrossEntropyLoss`
        and "sigmoid" for `BCEWithLogitsLoss`. If the model itself ends with a Sigmoid
        or a Softmax, that is the output, and this must be left alone.

    Returns
    -------
    Network
        Of the precision of the model, and with the outputs of the model, after what
        `output` applies to them.

    Raises
    ------
    TypeError
        If the model, or a layer of it, is of another kind.
    ValueError
        If the layers do not alternate, or a setting of one cannot be represented.
    """
    modules = _flat(model, "model")
    last = type(modules[-1]).__name__ if modules else None
    if last in ("Sigmoid", "Softmax"):
        if output != "linear":
            raise ValueError(f"output is {output!r}, but model ends with {last} itself")
        if last == "Softmax" and modules[-1].dim not in (1, -1):
            raise ValueError("Softmax must be over the outputs: dim=-1")
        output, modules = last.lower(), modules[:-1]
    layers, hidden, waiting = [], [], None
    for place, module in enumerate(modules):
        kind = type(module).__name__
        if kind == "Linear":
            if layers:
                hidden.append(waiting or "identity")
            layers.append(_of_linear(module))
            waiting = None
        else:
            unit = _unit_of(module, kind, place, layers)
            if not layers or waiting:
                where = "before the first Linear" if not layers else "after another"
                raise ValueError(f"layer {place}, {kind}, stands {where}")
            waiting = unit
    if not layers:
        raise ValueError("model holds no Linear layer")
    if waiting not in (None, "identity"):
        raise ValueError(
            f"model ends with {type(modules[-1]).__name__}, which no error belongs to: "
            "outputs are linear, sigmoid or softmax"
        )
    return _network(layers, hidden, output)


def _flat(model, name):
    """Return the modules of a Sequential, those within it taken apart."""
    if type(model).__name__ != "Sequential":
        raise TypeError(f"{name} must be a torch.nn.Sequential, got {_named(model)}")
    modules = []
    for place, module in enumerate(model):
        if type(module).__name__ == "Sequential":
            modules += _flat(module, f"{name}[{place}]")
        elif not type(module).__name__.startswith("Dropout"):
            modules.append(module)
        elif module.training and module.p > 0:
            raise ValueError(
                f"{name}[{place}] is a {type(module).__name__}, which draws at random "
                "while training: call model.eval() first"
            )
    return modules


def _of_linear(module):
    """Return W of shape (M_out, 1 + M_in) of a Linear layer."""
    if str(module.weight.dtype) not in ("torch.float32", "torch.float64"):
        raise ValueError(
            f"model holds {module.weight.dtype}, which NumPy would not compute with: "
            "call model.float() or model.double() first"
        )
    weight = module.weight.detach().cpu().numpy()
    if module.bias is None:
        return np.insert(weight, 0, 0, axis=1)
    return np.column_stack([module.bias.detach().cpu().numpy(), weight])


def _unit_of(module, kind, place, layers):
    unit = _translated(f"layer {place}", kind, _TORCH_UNITS, "model", TypeError)
    if kind == "GELU" and module.approximate != "none":
        raise ValueError(f"layer {place}, GELU, must have approximate='none'")
    # beyond its threshold it is linear, and off by e^−threshold
    least = 40 if layers and layers[0].dtype == np.float64 else 20
    if kind == "Softplus" and (module.beta != 1 or module.threshold < least):
        raise ValueError(
            f"layer {place}, Softplus, must have beta=1 and a threshold of {least} or "
            f"more, got beta={module.beta} and threshold={module.threshold}: beyond "
            "its threshold it is another function"
        )
    return unit


def to_torch(net, *, logits=False):
    """Return the PyTorch `nn.Sequential` of a network, with the same outputs.

    Parameters
    ----------
    net : Network
        All hidden units but "exp" and your own have a module of PyTorch's.
    logits : bool
        Leave a sigmoid or softmax at the end out, as `BCEWithLogitsLoss` and
        `CrossEntropyLoss` want it.

    Returns
    -------
    torch.nn.Sequential
        Of the precision of the network. Its parameters are copies.

    Raises
    ------
    TypeError
        If `net` is no Network.
    ValueError
        If a hidden unit has no module.
    ImportError
        If PyTorch is not installed.
    """
    check_network("net", net)
    torch = _imported("torch", "PyTorch", "pip install torch")
    names = {unit: kind for kind, unit in _TORCH_UNITS.items()}
    options = {"Softplus": {"threshold": 40}}
    modules = []
    for l, W in enumerate(net.W):
        if l > 0:
            unit = net.hidden[l - 1].name
            kind = _translated("hidden", unit, names, "a Network")
            modules.append(getattr(torch.nn, kind)(**options.get(kind, {})))
        m_out, columns = W.shape
        linear = torch.nn.Linear(columns - 1, m_out)
        linear.weight.data = torch.from_numpy(W[:, 1:].copy())
        linear.bias.data = torch.from_numpy(W[:, 0].copy())
        modules.append(linear)
    if not logits and net.output.name == "sigmoid":
        modules.append(torch.nn.Sigmoid())
    if not logits and net.output.name == "softmax":
        modules.append(torch.nn.Softmax(dim=-1))
    return torch.nn.Sequential(*modules)


# safetensors


def from_safetensors(path, hidden=None, output=None):
    """Return the Network in a safetensors file of plain linear layers.

    Such a file holds tensors and no units. So name these, here or when you write it:
    `save_file(model.state_dict(), path, {"hidden": "tanh", "output": "softmax"})`.

    Parameters
    ----------
    path : str or path
        A file with a tensor "….weight" for each layer, of shape (M_out, M_in), and
        "….bias" beside it if the layer has one, in the order of their names.
    hidden, output : str, optional
        The units, which go before those that the file names.

    Returns
    -------
    Network
        Of the precision of the tensors; float16 becomes float32.

    Raises
    ------
    TypeError
        If `path` does not name a file.
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is none, holds another tensor or names no units, or if its layers
        do not fit each other.
    ImportError
        If safetensors is not installed.
    """
    st = _imported("safetensors", "safetensors", 'pip install "jachess-lib[interop]"')
    if not isinstance(path, (str, PathLike)):
        raise TypeError(
            f"path must name a safetensors file, got {type(path).__name__}: "
            "give a str or a pathlib.Path"
        )
    if not Path(path).is_file():
        raise FileNotFoundError(f"path must be a safetensors file, there is no {path}")
    try:
        with st.safe_open(path, framework="numpy") as file:
            meta = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except (st.SafetensorError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} cannot be read as NumPy arrays: {error}") from error
    units = {
        name: given or meta.get(name)
        for name, given in (("hidden", hidden), ("output", output))
    }
    weights = sorted(filter(_is_weight, tensors), key=_in_numbers)
    for name in tensors:
        if name not in weights and re.sub("bias$", "weight", name) not in weights:
            raise ValueError(f"the tensor {name!r} belongs to no layer of a network")
    layers = [_of_tensors(tensors, name) for name in weights]
    if not layers:
        raise ValueError("the file holds no layers: tensors named '….weight'")
    for name, below, W in zip(weights[1:], layers, layers[1:], strict=False):
        if W.shape[1] != 1 + len(below):
            raise ValueError(
                f"in the order of their names, {name!r} takes {W.shape[1] - 1} inputs, "
                f"and the layer before it gives {len(below)}"
            )
    if len(layers) == 1:
        units["hidden"] = "identity"
    for name, unit in units.items():
        if unit is None:
            raise ValueError(f"the file does not name its {name} units: give {name}=")
    return _network(layers, **units)


def _is_weight(name):
    return name.rpartition(".")[2] == "weight"


def _in_numbers(name):
    """Return a key by which layer 10 comes after layer 9."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _of_tensors(tensors, name):
    weight = tensors[name]
    if weight.ndim != 2 or weight.dtype.kind != "f":
        raise ValueError(
            f"the tensor {name!r} is no table of weights: it has the shape "
            f"{weight.shape} and holds {weight.dtype}"
        )
    if weight.dtype == np.float16:
        weight = weight.astype(np.float32)
    bias = tensors.get(re.sub("weight$", "bias", name), np.zeros(len(weight)))
    if bias.shape != weight.shape[:1]:
        raise ValueError(
            f"the bias beside {name!r} has the shape {bias.shape}, and not "
            f"{weight.shape[:1]}"
        )
    return np.column_stack([bias.astype(weight.dtype), weight])


# What they share


def _imported(package, title, command):
    """Return a package; one that is not installed is named, with how to install it."""
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        message = f"this needs {title}, which is not installed: {command}"
        raise ModuleNotFoundError(message, name=package) from None


def _network(layers, hidden, output):
    """Return the Network of layers (M_out, 1 + M_in)."""
    sizes = (layers[0].shape[1] - 1, *map(len, layers))
    w = np.concatenate([W.ravel() for W in layers])
    return Network(sizes, w, hidden if len(layers) > 1 else "identity", output)


def _translated(what, name, table, whose, error=ValueError):
    if name not in table:
        raise error(
            f"{what} {name!r} of {whose} cannot be represented; "
            f"what can: {', '.join(table)}"
        )
    return table[name]


def _named(thing):
    if isinstance(thing, type):
        return f"the class {thing.__qualname__}, and no fitted one of it"
    kind = type(thing)
    return f"{kind.__module__}.{kind.__qualname__}"
