"""Sums of maps."""

import numpy as np

from fastconv._checks import activations
from fastconv._checks.shapes import image_shape
from fastconv._checks.types import Activation, Layout, Shape
from fastconv._graph.operations.operation import NHWC, Doubles, Operation


class Add(Operation):
    """activation(a + b) of maps of one shape."""

    activation: Activation = None
    kind = "add"

    def channels(self, *known: int | None) -> tuple[list[int | None], int | None]:
        common = next((channels for channels in known if channels is not None), None)
        return [common] * len(known), common

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        first, second = shapes
        if image_shape(first, layout) != image_shape(second, layout):
            raise ValueError(f"its inputs must have the same shape, got {first} and {second}")
        return image_shape(first, layout)

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        first, second = arrays
        with np.errstate(over="ignore", invalid="ignore"):  # Inf and NaN are answers here
            return activations.clip(first + second, self.activation)
