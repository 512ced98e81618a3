"""Products of two matrices of a run, or of stacks of them, through SciPy's BLAS with the threads of the model.

NumPy's BLAS has threads of its own, which neither `num_threads` nor what else runs on the CPUs is known to.
"""

from functools import partial
from math import prod

import numpy as np

from fastconv._checks.types import Shape
from fastconv._planning import teams
from fastconv._planning.steps.step import PreparedStep
from fastconv._runners.blas import Product
from fastconv.onnx._by_kernels import ByKernels
from fastconv.onnx._program import Node
from fastconv.onnx._steps import Evaluate

_FEW = 2**16  # multiply-adds of a matrix, which NumPy's BLAS has no second thread for
_MOST = 2**31 - 1  # that a BLAS counts


class Products(ByKernels):
    """What evaluates a MatMul, NumPy's products of small matrices and of other dtypes with `other`."""

    def __init__(self, num_threads: int | None, other: Evaluate) -> None:
        super().__init__(num_threads)
        self._other = other

    def __call__(self, node: Node, x: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
        is_float = x.dtype == y.dtype and x.dtype in (np.float32, np.float64)
        if not is_float or min(x.ndim, y.ndim) < 2 or x.shape[-1] != y.shape[-2]:
            return self._other(node, x, y)
        rows, inner, columns = *x.shape[-2:], y.shape[-1]
        if rows * inner * columns <= _FEW or max(rows, inner, columns) > _MOST:
            return self._other(node, x, y)
        x, y = in_steps(x), in_steps(y)
        stack = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
        out = np.empty((*stack, rows, columns), x.dtype)
        if out.size:
            prepared = self.prepared((x, y), partial(self._step, x, y, stack))
            prepared.run([x, y], [(out, columns * out.itemsize)])
        return [out]

    def _step(self, x: np.ndarray, y: np.ndarray, stack: tuple[int, ...]) -> PreparedStep:
        shape = prod(stack), *x.shape[-2:], y.shape[-1]
        make = partial(Product, shape, x.itemsize == 8, told(x, stack), told(y, stack))
        return PreparedStep(
            "blas", (1, *shape[:1], shape[1], shape[3]), self._num_threads, teams.useful(prod(shape)), make
        )


def step_of(x: np.ndarray) -> tuple[int, bool] | None:
    """(values from a row to the next, or from a column where these lie one after the other), None of other strides."""
    item, (row, column), (rows, columns) = x.itemsize, x.strides[-2:], x.shape[-2:]
    for turns, step, near, count, size in (False, row, column, rows, columns), (True, column, row, columns, rows):
        if near == item or size == 1:
            if count == 1:
                return max(size, 1), turns
            if step % item == 0 and size * item <= step <= _MOST * item:
                return step // item, turns
    return None


def in_steps(x: np.ndarray) -> np.ndarray:
    """A stack of matrices whose rows, or columns, are contiguous."""
    return x if x.flags.aligned and step_of(x) else np.ascontiguousarray(x)


def told(x: np.ndarray, stack: Shape) -> tuple[np.ndarray, int, bool]:
    """What `Product` is told of a stack that is `in_steps`."""
    step = step_of(x)
    assert step is not None
    return places(x, stack), *step


def places(x: np.ndarray, stack: Shape) -> np.ndarray:
    """The bytes from the begin of an array to each matrix of a stack, in which it may be several."""
    axes = x.shape[-2:] if x.ndim > 1 else (1, *x.shape)
    whole = np.broadcast_to(x, (*stack, *axes))
    found = np.zeros(stack, np.int64)
    for axis, (size, stride) in enumerate(zip(stack, whole.strides, strict=False)):
        found += (np.arange(size) * stride).reshape(-1, *(1,) * (len(stack) - 1 - axis))
    return found.ravel()
