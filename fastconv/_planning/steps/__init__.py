"""The steps of a plan: what runs for each operation but a convolution, whose plan keeps its packed weights."""

from typing import Protocol

import numpy as np

from fastconv._checks.types import Shape
from fastconv._graph.operations.activations import Clip
from fastconv._graph.operations.arithmetic import Add
from fastconv._graph.operations.operation import Operation
from fastconv._graph.operations.pools import Pool
from fastconv._graph.operations.shaping import Flatten, Pad
from fastconv._planning.steps.elementwise import BoundElementwise
from fastconv._planning.steps.pool import BoundPool
from fastconv._planning.steps.shaping import BoundFlatten, BoundPad
from fastconv._planning.steps.step import BoundStep


class Binds(Protocol):
    """A step's class: the operation, NHWC shapes of its inputs, the dtype of all, the largest team."""

    def __call__(
        self, operation: Operation, x_shapes: list[Shape], dtype: np.dtype, num_threads: int | None
    ) -> BoundStep: ...


STEPS: dict[type[Operation], Binds] = {
    Pool: BoundPool,  # type: ignore[dict-item]  # each takes no other operation
    Pad: BoundPad,  # type: ignore[dict-item]
    Flatten: BoundFlatten,  # type: ignore[dict-item]
    Add: BoundElementwise,
    Clip: BoundElementwise,
    Operation: BoundElementwise,
}


def bind(operation: Operation, x_shapes: list[Shape], dtype: np.dtype, num_threads: int | None) -> BoundStep:
    """What runs an operation on inputs of these NHWC shapes."""
    return STEPS[type(operation)](operation, x_shapes, dtype, num_threads)
