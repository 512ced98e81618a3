"""A sum, an activation or a copy as a step."""

from math import prod

import numpy as np

from fastconv._checks import activations
from fastconv._checks.shapes import image_shape
from fastconv._checks.types import Shape
from fastconv._graph.operations.operation import Operation
from fastconv._planning import teams
from fastconv._planning.steps.step import BoundStep
from fastconv._runners.cut import Runner
from fastconv._runners.elementwise import Elementwise


class BoundElementwise(BoundStep):
    """A sum of x and the residual, or a copy of x, clipped."""

    __slots__ = ("_arguments",)

    def __init__(self, operation: Operation, x_shapes: list[Shape], dtype: np.dtype, num_threads: int | None) -> None:
        shape = image_shape(x_shapes[0], "NHWC")
        super().__init__(operation.kind, shape, num_threads, teams.useful_to_move(prod(shape)))
        self._arguments = shape, activations.bounds(operation.activation), dtype.itemsize

    def _bind(self, threads: int) -> Runner:
        return Elementwise(*self._arguments)
