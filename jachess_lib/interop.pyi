from os import PathLike
from typing import Any, Literal

from jachess_lib.network import Network

__all__ = ["from_safetensors", "from_sklearn", "from_torch", "to_torch"]

def from_sklearn(model: Any) -> Network: ...
def from_torch(
    model: Any, output: Literal["linear", "sigmoid", "softmax"] = "linear"
) -> Network: ...
def to_torch(net: Network, *, logits: bool = False) -> Any: ...
def from_safetensors(
    path: str | PathLike[str], hidden: str | None = None, output: str | None = None
) -> Network: ...
