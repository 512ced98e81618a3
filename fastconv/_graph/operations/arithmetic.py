"""Sums and products of maps."""

from fastconv._checks.shapes import image_shape
from fastconv._checks.types import Layout, Shape
from fastconv._graph.operations.elementwise import Elementwise
from fastconv._graph.operations.operation import NHWC, Doubles


class Add(Elementwise):
    """activation(x + y) of maps of one shape."""

    function = "add"

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        first, second = (image_shape(shape, layout) for shape in shapes)
        if first != second:
            raise ValueError(f"its inputs must have the same shape, got {shapes[0]} and {shapes[1]}")
        return first

    def of(self, *arrays: Doubles) -> Doubles:
        x, y = arrays
        return x + y


class Mul(Elementwise):
    """activation(x · y) of maps of one shape, or of a map and one pixel, by which all pixels are multiplied."""

    function = "mul"

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        first, second = (image_shape(shape, layout) for shape in shapes)
        is_pixel = [(height, width) == (1, 1) for _, height, width, _ in (first, second)]
        if first != second and not (any(is_pixel) and first[::3] == second[::3]):
            raise ValueError(
                f"its inputs must have one shape, or one of them height and width 1, got {shapes[0]} and {shapes[1]}"
            )
        return second if is_pixel[0] else first

    def of(self, *arrays: Doubles) -> Doubles:
        x, y = arrays
        return x * y
