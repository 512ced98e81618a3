"""A softmax, or its logarithm, of arrays that are in no graph: along any axes, by fastconv's kernels."""

from functools import partial
from math import prod
from typing import Any

import numpy as np

from fastconv._planning import teams
from fastconv._planning.steps.step import PreparedStep
from fastconv._runners.elementwise import Along
from fastconv.onnx._by_kernels import ByKernels
from fastconv.onnx._in_numpy.normalizations import normalized_axes
from fastconv.onnx._program import Node

_KERNELS = {"Softmax": "softmax", "LogSoftmax": "log_softmax"}


def softmax(node: Node, inputs: list[Any], num_threads: int | None) -> "Softmax | None":
    """What evaluates a softmax of float32 or float64; None of any other node."""
    is_softmax = node.domain == "" and node.kind in _KERNELS and inputs[0].dtype in (np.float32, np.float64)
    return Softmax(num_threads) if is_softmax else None


class Softmax(ByKernels):
    """What evaluates a softmax."""

    def __call__(self, node: Node, x: np.ndarray) -> list[np.ndarray]:
        (first, end), shape = normalized_axes(node, x.ndim), x.shape
        # One axis between those before it and those after it.
        sizes = prod(shape[:first]), prod(shape[first:end]), 1, prod(shape[end:])
        x, out = np.require(x, requirements=("C", "A")).reshape(sizes), np.empty(sizes, x.dtype)
        if x.size:
            prepared = self.prepared((x,), partial(self._step, _KERNELS[node.kind], x))
            prepared.run([x], [(out, sizes[3] * out.itemsize)])
        return [out.reshape(shape)]

    def _step(self, function: str, x: np.ndarray) -> PreparedStep:
        make = partial(Along, function, x.shape, x.itemsize, 0)
        batch, height, width, channels = x.shape
        useful = teams.useful_to_move(2 * x.size)
        return PreparedStep(function, (batch, height, width, channels), self._num_threads, useful, make)
