"""The step of an attention whose nodes were fused: it reads queries, keys and values wherever they lie."""

from functools import partial
from math import prod

import numpy as np

from fastconv._checks.types import Shape
from fastconv._planning import teams
from fastconv._planning.steps.step import PreparedStep
from fastconv._runners.attention import Attention
from fastconv.onnx._by_kernels import ByKernels
from fastconv.onnx._fusion import DOMAIN
from fastconv.onnx._products import in_steps, places, step_of, told
from fastconv.onnx._program import Node


def attending(node: Node, num_threads: int | None) -> "Attend | None":
    """What evaluates an attention; None of any other node."""
    return Attend(num_threads) if (node.kind, node.domain) == ("Attention", DOMAIN) else None


class Attend(ByKernels):
    """What evaluates an attention."""

    def __call__(
        self, node: Node, q: np.ndarray, k: np.ndarray, v: np.ndarray, *biases: np.ndarray
    ) -> list[np.ndarray]:
        given = [_in_rows(q), in_steps(k), _in_rows(v), *map(_with_columns, biases, [k.shape[-1]] * len(biases))]
        (*stack, heads), rows, width = node.attributes["stacks"][1] or (1,), q.shape[-2], v.shape[-1]
        out = np.empty((*stack, rows, heads, width), q.dtype)
        prepared = self.prepared(given, partial(self._step, node, given))
        prepared.run(given, [(out, heads * width * out.itemsize)])
        y = out.swapaxes(-3, -2)
        return [y if node.attributes["stacks"][1] else y[0]]

    def _step(self, node: Node, given: list[np.ndarray]) -> PreparedStep:
        q, k, v, *biases = given
        first, last = node.attributes["stacks"]
        shape = prod(last), (last or (1,))[-1], q.shape[-2], k.shape[-1], q.shape[-1], v.shape[-1]
        stacks = [_told(q, first), _told(k, first), _told(v, last)]
        for bias, scores in zip(biases, node.attributes["biases"], strict=True):
            stacks.append((places(bias, scores[:-2]), _row(bias), False))
        make = partial(Attention, shape, node.attributes["scale"], q.itemsize, stacks)
        matrices, _, rows, columns, depth, width = shape
        macs = matrices * rows * columns * (depth + width)
        return PreparedStep("direct", (1, matrices, rows, width), self._num_threads, teams.useful(macs), make)


def _told(x: np.ndarray, stack: Shape) -> tuple[np.ndarray, int, bool]:
    """What `Attention` is told of a stack of matrices."""
    found, step, turns = told(x, stack)
    return found, step * x.itemsize, turns


def _in_rows(x: np.ndarray) -> np.ndarray:
    """A stack of matrices whose rows are contiguous."""
    step = step_of(x) if x.flags.aligned else None
    return x if step and not step[1] else np.ascontiguousarray(x)


def _with_columns(bias: np.ndarray, columns: int) -> np.ndarray:
    """A bias whose rows are contiguous, and have all columns."""
    if bias.shape[-1:] != (columns,):
        bias = np.broadcast_to(bias, (*bias.shape[:-1], columns))
    return bias if bias.strides[-1] == bias.itemsize and bias.flags.aligned else np.ascontiguousarray(bias)


def _row(bias: np.ndarray) -> int:
    """The bytes from a row of a bias to the next, 0 where there is one for all."""
    return bias.strides[-2] if bias.ndim > 1 and bias.shape[-2] > 1 else 0
