"""Paddings and vectors as steps."""

from math import prod

import numpy as np

from fastconv._checks.shapes import image_shape
from fastconv._checks.types import Shape
from fastconv._graph.operations.shaping import Flatten, Pad
from fastconv._planning import teams
from fastconv._planning.steps.step import PreparedStep
from fastconv._runners.partition import LoopNest
from fastconv._runners.shaping import Flatten as FlattenRunner
from fastconv._runners.shaping import Pad as PadRunner


class PreparedPad(PreparedStep):
    """A padding."""

    __slots__ = ("_arguments",)

    def __init__(self, operation: Pad, x_shapes: list[Shape], dtype: np.dtype, num_threads: int | None) -> None:
        out_shape = operation.shape("NHWC", *x_shapes)
        super().__init__(operation.kind, out_shape, num_threads, teams.useful_to_move(prod(out_shape)))
        x_shape = image_shape(x_shapes[0], "NHWC")
        self._arguments = x_shape, out_shape, operation.padding, operation.value, dtype.itemsize

    def _bind(self, threads: int) -> LoopNest:
        return PadRunner(*self._arguments)


class PreparedFlatten(PreparedStep):
    """Vectors, copied, or transposed to the order of layout NCHW."""

    __slots__ = ("_arguments", "_order")

    def __init__(self, operation: Flatten, x_shapes: list[Shape], dtype: np.dtype, num_threads: int | None) -> None:
        out_shape = operation.shape("NHWC", *x_shapes)
        super().__init__(operation.kind, out_shape, num_threads, teams.useful_to_move(prod(out_shape)))
        self._order, self._arguments = operation.order, (image_shape(x_shapes[0], "NHWC"), dtype.itemsize)

    def _bind(self, threads: int) -> LoopNest:
        x_shape, itemsize = self._arguments
        if self._order == "NHWC":
            return PadRunner(self.out_shape, self.out_shape, ((0, 0), (0, 0)), 0.0, itemsize)
        return FlattenRunner(x_shape, itemsize)
