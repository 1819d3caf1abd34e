"""The network as a torch.nn.Module, for the libraries that want one."""

import numpy as np
import torch
from torch import nn

from benchmarks.peers.base import Call


class Model:
    """A module, its loss, its data, and the way back into the library's order.

    `scale` is what a sum of squares lacks: torch's carries no ½.
    """

    def __init__(self, problem):
        self.places = problem.permutation()
        self.inverse = np.argsort(self.places)
        self.module = as_module(problem.net)
        self.X = torch.from_numpy(problem.X)
        self.v = torch.from_numpy(problem.v[self.places])
        if problem.net.output.name == "softmax":
            self.loss = nn.CrossEntropyLoss(reduction="sum")
            self.T, self.scale = torch.from_numpy(problem.T.argmax(1)), 1.0
        else:
            self.loss = nn.MSELoss(reduction="sum")
            self.T, self.scale = torch.from_numpy(problem.T), 0.5

    def call(self, run, needs=0, scale=None):
        """Return the Call of a function whose tensor is in torch's order."""
        scale = self.scale if scale is None else scale

        def as_array(result):
            array = result.detach().numpy()
            for axis in range(array.ndim):
                array = array.take(self.inverse, axis)
            return array if scale == 1 else scale * array

        return Call(run, as_array, needs)

    def like_parameters(self, v):
        """Return a flat vector cut into pieces like the parameters."""
        parameters = list(self.module.parameters())
        pieces = v.split([p.numel() for p in parameters])
        return [piece.view_as(p) for piece, p in zip(pieces, parameters, strict=True)]


def as_module(net):
    """Return the network as linear layers with tanh between them."""
    parts = []
    for W in net.W:
        layer = nn.Linear(W.shape[1] - 1, W.shape[0])
        layer.weight = nn.Parameter(torch.from_numpy(W[:, 1:].copy()))
        layer.bias = nn.Parameter(torch.from_numpy(W[:, 0].copy()))
        parts += [layer, nn.Tanh()]
    return nn.Sequential(*parts[:-1])
