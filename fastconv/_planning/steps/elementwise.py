"""Functions of each value, copies among them, and normalisations of pixels as steps."""

from math import prod
from typing import Any

import numpy as np

from fastconv._checks import activations
from fastconv._checks.types import Shape
from fastconv._graph.operations.elementwise import Elementwise
from fastconv._graph.operations.normalization import LocalResponseNorm
from fastconv._graph.operations.operation import Operation
from fastconv._planning import teams
from fastconv._planning.steps.step import PreparedStep
from fastconv._runners.elementwise import Elementwise as ElementwiseRunner
from fastconv._runners.partition import LoopNest

_WIDE = 1024  # channels in a step: pixels of fewer are computed together, since the kernels finish each by itself


class _Prepared(PreparedStep):
    """What a runner of `_elementwise` does."""

    __slots__ = ("_arguments", "_options")

    def __init__(
        self,
        operation: Operation,
        function: str,
        x_shapes: list[Shape],
        dtype: np.dtype,
        num_threads: int | None,
        moves: int = 1,  # that a value's function takes as long as
        **options: Any,
    ) -> None:
        shape = operation.shape("NHWC", *x_shapes)
        super().__init__(operation.kind, shape, num_threads, teams.useful_to_move(moves * prod(shape)))
        self._arguments, self._options = (function, shape, dtype.itemsize), options

    def _bind(self, threads: int) -> LoopNest:
        return ElementwiseRunner(*self._arguments, **self._options)


class PreparedElementwise(_Prepared):
    """A function of each value, or a copy."""

    def __init__(self, operation: Operation, x_shapes: list[Shape], dtype: np.dtype, num_threads: int | None) -> None:
        f = operation if isinstance(operation, Elementwise) else Elementwise()
        _, _, width, channels = operation.shape("NHWC", *x_shapes)
        repeats = min(width, -(-_WIDE // channels)) if f.vectors else width
        with np.errstate(over="ignore"):  # infinity then, as of any other value
            vectors = tuple(np.tile(vector.astype(dtype), repeats) for vector in f.vectors)
        is_pixel = [shape[1:3] == (1, 1) for shape in x_shapes]
        pixel = is_pixel.index(True) if len({*x_shapes}) > 1 else None
        super().__init__(
            operation,
            f.function,
            x_shapes,
            dtype,
            num_threads,
            numbers=f.numbers,
            bounds=activations.bounds(f.activation),
            vectors=vectors,
            wide=1 if pixel is not None else max(repeats, 1),
            pixel=pixel,
        )


class PreparedSoftmax(_Prepared):
    """A softmax."""

    def __init__(self, operation: Operation, x_shapes: list[Shape], dtype: np.dtype, num_threads: int | None) -> None:
        super().__init__(operation, "softmax", x_shapes, dtype, num_threads, moves=2)


class PreparedLocalResponseNorm(_Prepared):
    """A local response normalisation."""

    def __init__(
        self, operation: LocalResponseNorm, x_shapes: list[Shape], dtype: np.dtype, num_threads: int | None
    ) -> None:
        numbers = operation.alpha / operation.size, operation.beta, operation.k
        window = operation.window(x_shapes[0][-1])
        moves = 2 if operation.beta == 0.75 else 50
        super().__init__(operation, "lrn", x_shapes, dtype, num_threads, moves, numbers=numbers, window=window)
