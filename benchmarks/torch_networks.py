"""Take networks from PyTorch and give them back, and record how far the outputs are.

`python -m benchmarks.torch_networks`, in the benchmark's environment, writes
`torch_networks.json`. The tests, which have no PyTorch, hold the distances, and that
this code is what they belong to.
"""

import hashlib
import itertools
import json
import sys
from pathlib import Path

import numpy as np

import jachess_lib as jl
from jachess_lib.interop import from_torch, to_torch

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "torch_networks.json"
SOURCE = ROOT / "jachess_lib" / "interop.py"


def digest():
    """Return what tells this code from another."""
    return hashlib.sha256(SOURCE.read_bytes()).hexdigest()


def models(dtype):
    """Yield (name, model, keywords of `from_torch`, what gives its outputs)."""
    from torch import nn, softmax

    for unit in (nn.Tanh(), nn.Sigmoid(), nn.ReLU(), nn.GELU(), nn.Softplus(1, 40)):
        model = nn.Sequential(
            nn.Linear(4, 5), unit, nn.Linear(5, 3), nn.Linear(3, 2)
        ).to(dtype)
        yield type(unit).__name__, model, {}, model
    model = nn.Sequential(
        nn.Sequential(nn.Linear(4, 6, bias=False), nn.Tanh(), nn.Dropout(0.5)),
        nn.Linear(6, 3),
        nn.Softmax(dim=-1),
    )
    yield "nested, with a softmax", model.to(dtype).eval(), {}, model
    logits = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2)).to(dtype)
    yield "softmax", logits, {"output": "softmax"}, lambda X: softmax(logits(X), 1)
    yield "sigmoid", logits, {"output": "sigmoid"}, lambda X: logits(X).sigmoid()


def networks(dtype):
    """Yield (name, network) with every unit that PyTorch has."""
    units = [name for name in jl.HIDDEN_UNITS if name != "exp"]
    for hidden, output in itertools.product(units, jl.OUTPUT_UNITS):
        net = jl.Network.random((4, 5, 3, 2), hidden, output, seed=1)
        w = net.w.astype(dtype)
        yield f"{hidden}, {output}", jl.Network(net.sizes, w, net.hidden, net.output)


def entry(found, expected):
    """Return the relative distance in units of the precision."""
    away = np.abs(found - expected).max() / np.abs(expected).max()
    return round(float(away / np.finfo(expected.dtype).eps), 2)


def main():
    """Compare both ways, in both precisions."""
    import torch

    torch.manual_seed(0)
    record = {"source": digest(), "from_torch": {}, "to_torch": {}}
    for name in ("float32", "float64"):
        X = np.random.default_rng(0).normal(0, 3, (7, 4)).astype(name)
        given = torch.from_numpy(X)
        for what, model, keywords, outputs in models(getattr(torch, name)):
            net = from_torch(model, **keywords)
            away = entry(net(X), outputs(given).detach().numpy())
            record["from_torch"][f"{what}, {name}"] = away
        for what, net in networks(name):
            back = to_torch(net)
            assert from_torch(back) == net, what
            away = entry(back(given).detach().numpy(), net(X))
            logits = to_torch(net, logits=True)(given).detach().numpy()
            away = max(away, entry(logits, jl.forward(net, X).a[-1]))
            record["to_torch"][f"{what}, {name}"] = away
    RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    farthest = max(max(record[way].values()) for way in ("from_torch", "to_torch"))
    print(f"at most {farthest} units of the last place away")
    return 0


if __name__ == "__main__":
    sys.exit(main())
