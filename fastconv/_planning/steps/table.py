"""Which step runs an operation, but for a convolution, whose plan keeps its packed weights."""

from typing import Protocol

import numpy as np

from fastconv._checks.types import Shape
from fastconv._graph.operations.elementwise import Elementwise
from fastconv._graph.operations.normalization import LocalResponseNorm, Softmax
from fastconv._graph.operations.operation import Operation
from fastconv._graph.operations.pools import Pool
from fastconv._graph.operations.shaping import Flatten, Pad
from fastconv._planning.steps.elementwise import PreparedElementwise, PreparedLocalResponseNorm, PreparedSoftmax
from fastconv._planning.steps.pool import PreparedPool
from fastconv._planning.steps.shaping import PreparedFlatten, PreparedPad
from fastconv._planning.steps.step import PreparedStep


class Binds(Protocol):
    """A step's class: the operation, NHWC shapes of its inputs, the dtype of all, the largest team."""

    def __call__(
        self, operation: Operation, x_shapes: list[Shape], dtype: np.dtype, num_threads: int | None
    ) -> PreparedStep: ...


STEPS: dict[type[Operation], Binds] = {
    Pool: PreparedPool,  # type: ignore[dict-item]  # each takes no other operation
    Pad: PreparedPad,  # type: ignore[dict-item]
    Flatten: PreparedFlatten,  # type: ignore[dict-item]
    LocalResponseNorm: PreparedLocalResponseNorm,  # type: ignore[dict-item]
    Softmax: PreparedSoftmax,
    Elementwise: PreparedElementwise,  # and all that are such
    Operation: PreparedElementwise,
}


def bind(operation: Operation, x_shapes: list[Shape], dtype: np.dtype, num_threads: int | None) -> PreparedStep:
    """What runs an operation on inputs of these NHWC shapes."""
    kind = Elementwise if isinstance(operation, Elementwise) else type(operation)
    return STEPS[kind](operation, x_shapes, dtype, num_threads)
