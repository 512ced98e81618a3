"""What every operation of a graph is: one declaration of parameters, shape rule, errors, exact cost and reference."""

from typing import Any, Literal, TypeVar

import numpy as np

from fastconv._checks.shapes import image_shape
from fastconv._checks.types import Activation, Array, Layout, Shape

Self = TypeVar("Self", bound="Operation")
Doubles = Array[np.float64]
NHWC = tuple[int, int, int, int]


class Operation:
    """The defaults: an operation without parameters and multiplications that keeps the shape of its input.

    An operation never changes. `kind` is what it is called, `params` counts its weights and biases. Its methods:

    - `channels(*known)`: the channels that each input must have and those of the result; None stands for what is not
      known before there is an x;
    - `shape(layout, x_shape, ...)`: the shape of the result, NHWC, for inputs of these shapes in `layout`, or a
      ValueError;
    - `macs(layout, x_shape, ...)`: its multiply-accumulates;
    - `reference(layout, x, ...)`: the result in NumPy float64;
    - `in_nhwc()`: the same operation on NHWC arrays;
    - `with_weights(arrays)`: the same operation with these arrays, one for each of `weights`, {name: shape in layout}.
    """

    keeps_channels = True  # whether the result has the channels of the first input
    gives: Literal["same", "maps", "vectors"] = "same"  # vectors, maps of one pixel inside, or the same as it reads

    @property
    def kind(self) -> str:
        return "identity"

    @property
    def whole_kind(self) -> str:
        """`kind`, and those of the functions that rewrites made a part of it."""
        return self.kind

    @property
    def activation(self) -> Activation:
        return None

    @property
    def params(self) -> int:
        return 0

    @property
    def weights(self) -> dict[str, Shape]:
        return {}

    def __str__(self) -> str:
        return self.kind

    def channels(self, *known: int | None) -> tuple[list[int | None], int | None]:
        return [None] * len(known), known[0]

    def channels_error(self, name: str, source: str, given: int, wanted: int) -> ValueError:
        """The error of a `source` that has other channels than the node of this name takes."""
        return ValueError(f"{name} takes {wanted} channels, but {source} has {given}")

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        return image_shape(shapes[0], layout)

    def macs(self, layout: Layout, *shapes: Shape) -> int:
        return 0

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        return arrays[0]

    def in_nhwc(self) -> "Operation":
        return self

    def with_weights(self, arrays: dict[str, np.ndarray]) -> "Operation":
        return self

    def changed(self: Self, **changes: Any) -> Self:
        """A copy that has other values of these attributes."""
        other = object.__new__(type(self))
        vars(other).update(vars(self), **changes)
        return other
