"""GridSample of images in float32 and float64 on fastconv's loops, linear and nearest."""

from functools import partial
from typing import Any

import numpy as np

from fastconv._planning import teams
from fastconv._planning.steps.step import PreparedStep
from fastconv._runners.sampling import Sample
from fastconv.onnx._by_kernels import ByKernels
from fastconv.onnx._in_numpy.sampling import CUBIC, check
from fastconv.onnx._program import Node
from fastconv.onnx._steps import contiguous


def sampling(node: Node, inputs: list[Any], num_threads: int | None) -> "Sampling | None":
    """What evaluates a GridSample of images; None of any other node, which NumPy has to."""
    if (node.kind, node.domain) != ("GridSample", "") or node.attributes["mode"] in CUBIC:
        return None
    x, grid = inputs
    is_image = len(x.shape) == 4 and x.dtype == grid.dtype and x.dtype in (np.float32, np.float64)
    return Sampling(num_threads) if is_image else None


class Sampling(ByKernels):
    """What evaluates a GridSample; the result lies as a map of a graph does."""

    def __call__(self, node: Node, x: np.ndarray, grid: np.ndarray) -> list[np.ndarray]:
        check(node, x, grid)
        x = contiguous(np.require(x, requirements="A").transpose(0, 2, 3, 1), self._num_threads)
        grid = np.require(grid, requirements=("C", "A"))
        out = np.empty((*grid.shape[:3], x.shape[3]), x.dtype)
        if out.size:
            prepared = self.prepared((x, grid), partial(self._step, node, x, out))
            prepared.run([x, grid], [(out, out.shape[3] * out.itemsize)])
        return [out.transpose(0, 3, 1, 2)]

    def _step(self, node: Node, x: np.ndarray, out: np.ndarray) -> PreparedStep:
        get = node.attributes
        how = x.itemsize == 8, get["padding_mode"], bool(get["align_corners"]), get["mode"] == "nearest"
        useful = teams.useful_to_move(4 * out.size + 20 * out.size // out.shape[3])
        return PreparedStep("direct", out.shape, self._num_threads, useful, partial(Sample, x.shape, out.shape, *how))
