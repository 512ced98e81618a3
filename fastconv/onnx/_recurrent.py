"""Recurrent layers with constant weights on fastconv's kernels: the products with the inputs of all steps are one."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastconv._planning import workspace
from fastconv._runners.recurrent import GRU, LSTM, Recurrence
from fastconv.conv import Conv2d
from fastconv.onnx._in_numpy.recurrent import DIRECTIONS
from fastconv.onnx._program import Node
from fastconv.onnx._segments import Kept

_LAYERS: dict[str, tuple[type[Recurrence], int]] = {"GRU": (GRU, 3), "LSTM": (LSTM, 4)}
_MAX_KEPT = 16
_STATES = 5  # the first input that is a state of the beginning


def recurrent(node: Node, inputs: Sequence[Any], kept: Kept) -> "Recurrent | None":
    """What computes a node with these inputs, which are arrays where they are constants; None where NumPy has to."""
    if node.domain or node.kind not in _LAYERS:
        return None
    weights, get = (*inputs, None, None)[1:5], node.attributes
    w, r, b, lengths = weights
    is_plain = not any(get.get(name) for name in ("activations", "clip", "input_forget"))
    is_plain = is_plain and len(inputs) <= _STATES + 2 and (node.kind == "LSTM" or bool(get["linear_before_reset"]))
    given = [one for one in (w, r, b) if one is not None]
    dtype = inputs[0].dtype
    if not is_plain or lengths is not None or dtype not in (np.float32, np.float64) or len(inputs[0].shape) != 3:
        return None
    if not all(isinstance(one, np.ndarray) and one.dtype == dtype for one in given):
        return None
    if w.ndim != 3 or r.ndim != 3 or 0 in r.shape:
        return None
    ways, size = DIRECTIONS.get(get["direction"], ()), r.shape[-1]
    rows = _LAYERS[node.kind][1] * size
    if w.shape[:2] != (len(ways), rows) or r.shape != (len(ways), rows, size) or get.get("hidden_size", size) != size:
        return None  # NumPy's code tells why
    if inputs[0].shape[2] != w.shape[2] or not w.shape[2]:
        return None
    if b is not None and b.shape != (len(ways), 2 * rows):
        return None
    batch = inputs[0].shape[0 if get.get("layout", 0) else 1]
    state = (batch, len(ways), size) if get.get("layout", 0) else (len(ways), batch, size)
    if any((one.dtype, one.shape) != (dtype, state) for one in inputs[_STATES:] if one is not None):
        return None
    made: Any = kept.operation(node, (w, r, b), lambda: Recurrent(node, w, r, b, kept.num_threads))
    assert isinstance(made, Recurrent)
    return made


class Recurrent:
    """A layer whose weights are packed; it is called as what evaluates a node."""

    def __init__(self, node: Node, w: np.ndarray, r: np.ndarray, b: np.ndarray | None, num_threads: int | None) -> None:
        self._layer, self._gates = _LAYERS[node.kind]
        self._ways, self._size = DIRECTIONS[node.attributes["direction"]], r.shape[2]
        self._layers: dict[int, list[Recurrence]] = {}  # for each batch size
        self._is_first = bool(node.attributes.get("layout", 0))
        rows, self._width = r.shape[1], w.shape[2]
        self._inputs, self._states = list[Conv2d](), list[Conv2d]()
        for i in range(len(self._ways)):
            own, recurrent = np.zeros((2, rows), r.dtype) if b is None else b[i].reshape(2, rows)
            late = 0 if self._layer is LSTM else self._size  # the gates at the end whose bias is reset with the state
            own = np.concatenate([own[: rows - late] + recurrent[: rows - late], own[rows - late :]])
            bias = np.concatenate([np.zeros(rows - late, r.dtype), recurrent[rows - late :]]) if late else None
            # The choice of "auto" would follow the number of steps and sequences, and with it the bits.
            self._inputs.append(Conv2d(w[i].T[None, None], own, algorithm="direct", num_threads=num_threads))
            self._states.append(Conv2d(r[i].T[None, None], bias, algorithm="direct", num_threads=1))

    @property
    def packed_bytes(self) -> int:
        """Those of the weights as the kernels read them."""
        plans = [(plan, self._width) for plan in self._inputs] + [(plan, self._size) for plan in self._states]
        return sum(plan.describe((1, 1, 1, channels)).packed_bytes for plan, channels in plans)

    def __call__(self, node: Node, x: np.ndarray, *others: Any) -> list[np.ndarray]:
        """What each step gives, then each state after the last."""
        states = [*others[_STATES - 1 :], None, None][: 2 if self._layer is LSTM else 1]
        if self._is_first:
            x = x.swapaxes(0, 1)
            states = [None if one is None else one.swapaxes(0, 1) for one in states]
        steps, batch, inputs = x.shape
        shape = batch, self._size
        y = np.empty((steps, len(self._ways), *shape), x.dtype)
        first = [np.zeros((len(self._ways), *shape), x.dtype) if one is None else one for one in states]
        ends = [np.array(one, order="C") for one in first]
        if y.size:
            given, layers = x.reshape(1, 1, steps * batch, inputs), self._at(batch, x.dtype)
            for i, is_reverse in enumerate(self._ways):
                self._run(layers[i], self._inputs[i](given), y, i, [one[i] for one in ends], is_reverse)
                ends[0][i] = y[0 if is_reverse else -1, i]
        if self._is_first:
            return [y.transpose(2, 0, 1, 3), *(one.swapaxes(0, 1) for one in ends)]
        return [y, *ends]

    def _at(self, batch: int, dtype: np.dtype) -> list[Recurrence]:
        """The directions for a batch of this size."""
        layers = self._layers.get(batch)
        if layers is None:
            shape, sizes = (1, 1, batch, self._size), (batch, self._size, self._gates, dtype.itemsize)
            if len(self._layers) >= _MAX_KEPT:
                self._layers.clear()
            made = [self._layer(plan._bind((shape,))[0].runner_for(1), *sizes) for plan in self._states]
            layers = self._layers.setdefault(batch, made)
        return layers

    def _run(
        self, layer: Recurrence, added: np.ndarray, y: np.ndarray, i: int, state: list[np.ndarray], is_reverse: bool
    ) -> None:
        """One direction, to whose gates the inputs of all steps add what is given."""
        steps, _, batch, size = y.shape
        rows = self._gates * size
        work = workspace.borrow(layer.memory)
        try:
            layer.run(
                added.reshape(steps, batch, rows), y, i, state, np.empty((batch, rows), y.dtype), work, is_reverse
            )
        finally:
            workspace.give_back(work)
