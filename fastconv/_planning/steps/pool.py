"""A pooling as a step."""

import numpy as np

from fastconv._checks.types import Shape
from fastconv._graph.operations.pools import Pool
from fastconv._planning import teams
from fastconv._planning.steps.step import PreparedStep
from fastconv._runners.partition import LoopNest
from fastconv._runners.pool import Pool as PoolRunner


class PreparedPool(PreparedStep):
    """A pooling."""

    __slots__ = ("_arguments",)

    def __init__(self, operation: Pool, x_shapes: list[Shape], dtype: np.dtype, num_threads: int | None) -> None:
        shape = operation.at("NHWC", x_shapes[0])
        super().__init__(operation.kind, shape.out_shape, num_threads, teams.useful_to_move(shape.values_read))
        self._arguments = shape, operation.combine, dtype.itemsize

    def _bind(self, threads: int) -> LoopNest:
        return PoolRunner(*self._arguments)
