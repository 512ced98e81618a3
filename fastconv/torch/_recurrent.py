"""LSTM and GRU with constant weights on the kernels of the ONNX door, layer after layer."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from fastconv.onnx._program import Node
from fastconv.onnx._recurrent import recurrent
from fastconv.onnx._segments import Kept
from fastconv.onnx._values import Tensor
from fastconv.torch._dtypes import FLOATS
from fastconv.torch._views import strided
from fastconv.torch._weights import Weights

_aten = torch.ops.aten
# {operator: (ONNX's name, the places that its gates have in PyTorch, attributes)}
_KINDS: dict[Any, tuple[str, tuple[int, ...], dict[str, Any]]] = {
    _aten.lstm.input: ("LSTM", (0, 3, 1, 2), {}),
    _aten.gru.input: ("GRU", (1, 0, 2), {"linear_before_reset": 1}),
}


def layers(node: Any, args: Any, likes: Any, weights: Weights, kept: Kept) -> Callable[..., list[Any]] | None:
    """What runs in the place of an operator, with its arguments; None where PyTorch has to.

    `likes` has its results as PyTorch gives them.
    """
    if node.target not in _KINDS or node.kwargs:
        return None
    x, _, parameters, has_biases, count, _, _, is_bidirectional, is_batch_first = args
    ways, each = 1 + is_bidirectional, 4 if has_biases else 2
    is_known = all(isinstance(one, torch.Tensor) and one.device.type == "cpu" for one in parameters)
    if not isinstance(x, Tensor) or not is_known or any(FLOATS.get(one.dtype) != x.dtype for one in parameters):
        return None
    if len(x.shape) != 3 or len(parameters) != count * ways * each:  # of a projected state there are more
        return None
    batch, steps, channels = x.shape if is_batch_first else (x.shape[1], x.shape[0], x.shape[2])
    made = []
    for i in range(count):
        arrays = weights.folded.get((node, i))
        if arrays is None:
            own = parameters[i * ways * each :][: ways * each]
            arrays = weights.folded[node, i] = _arrays(_KINDS[node.target][1], own, each)
        direction = "bidirectional" if is_bidirectional else "forward"
        kind, _, attributes = _KINDS[node.target]
        attributes = {"direction": direction, "layout": 0, **attributes}
        onnx = Node(f"{node.name}.{i}", kind, "", 24, (), (f"{node.name}.{i}",), attributes)
        given = Tensor(node.name, (steps, batch, channels), x.dtype)
        layer = recurrent(onnx, [given, *arrays], kept)
        if layer is None:
            return None
        channels = ways * arrays[1].shape[2]
        made.append((layer, onnx, arrays))
    return _Layers(made, ways, is_batch_first, likes)


def _arrays(gates: tuple[int, ...], parameters: list[torch.Tensor], each: int) -> tuple[Any, ...]:
    """ONNX's three inputs of weights, whose gates have another order, of PyTorch's for each direction."""
    kinds = [[_in_order(gates, one) for one in parameters[i::each]] for i in range(each)]
    inputs, states = np.stack(kinds[0]), np.stack(kinds[1])
    biases = np.concatenate([np.stack(kinds[2]), np.stack(kinds[3])], 1) if each == 4 else None
    return inputs, states, biases


def _in_order(gates: tuple[int, ...], tensor: torch.Tensor) -> np.ndarray:
    parts = np.split(tensor.numpy(force=True), len(gates))
    return np.concatenate([parts[gate] for gate in gates])


class _Layers:
    """Called as PyTorch's operator is."""

    def __init__(self, made: list[tuple[Any, Node, Any]], ways: int, is_batch_first: bool, likes: Any) -> None:
        self._layers, self._ways, self._is_batch_first = made, ways, is_batch_first
        self._strides = [one.stride() for one in likes]

    def __call__(self, x: torch.Tensor, states: Any, *_: Any) -> list[torch.Tensor]:
        """What each step gives, then each state after the last."""
        y = x.numpy(force=True)
        y = y.swapaxes(0, 1) if self._is_batch_first else y
        first = [one.numpy(force=True) for one in ([states] if isinstance(states, torch.Tensor) else states)]
        ends = []
        for i, (layer, node, arrays) in enumerate(self._layers):
            own = [np.ascontiguousarray(one[i * self._ways :][: self._ways]) for one in first]
            y, *last = layer(node, y, *arrays, None, *own)
            steps, ways, batch, size = y.shape
            y = y.transpose(0, 2, 1, 3).reshape(steps, batch, ways * size)
            ends.append(last)
        whole = [y.swapaxes(0, 1) if self._is_batch_first else y, *map(np.concatenate, zip(*ends, strict=True))]
        return [strided(torch.from_numpy(one), strides) for one, strides in zip(whole, self._strides, strict=True)]
