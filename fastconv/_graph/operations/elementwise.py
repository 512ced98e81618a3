"""What functions of each value have in common, those of one map and those of two."""

import numpy as np

from fastconv._checks import activations
from fastconv._checks.shapes import image_shape
from fastconv._checks.types import Activation, Layout, Shape
from fastconv._graph import in_numpy
from fastconv._graph.operations.operation import NHWC, Doubles, Operation


class Elementwise(Operation):
    """activation(f(x)) or activation(f(x, y)) of each value; `function` is f among the kernels.

    `numbers` are parameters of f, `vectors` those of a value for each channel. The kernels clip every result, so a clip
    that follows may be the activation of any of these operations.
    """

    function = "copy"
    activation: Activation = None
    numbers: tuple[float, ...] = ()
    vectors: tuple[Doubles, ...] = ()

    @property
    def kind(self) -> str:
        return self.function

    def __str__(self) -> str:
        return f"{self.kind}({', '.join(map(repr, self.numbers))})" if self.numbers else self.kind

    @property
    def params(self) -> int:
        return sum(vector.size for vector in self.vectors)

    def channels(self, *known: int | None) -> tuple[list[int | None], int | None]:
        taken = self.vectors[0].size if self.vectors else next((n for n in known if n is not None), None)
        return [taken] * len(known), taken

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        shape = image_shape(shapes[0], layout)
        for vector in self.vectors:
            if vector.size != shape[3]:
                raise ValueError(f"{self.kind} takes {vector.size} channels, got shape {shapes[0]} in layout {layout}")
        return shape

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        vectors = [in_numpy.per_channel(vector, layout) for vector in self.vectors]
        with np.errstate(over="ignore", invalid="ignore"):  # Inf and NaN are answers here
            return activations.clip(self.of(*arrays, *vectors), self.activation)

    def of(self, *arrays: Doubles) -> Doubles:
        """f in NumPy, of the inputs and the vectors."""
        return arrays[0]
