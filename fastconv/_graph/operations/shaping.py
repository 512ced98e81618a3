"""What moves values and computes none."""

from math import prod

import numpy as np

from fastconv._checks.shapes import image_shape
from fastconv._checks.types import Layout, Shape
from fastconv._graph import in_numpy
from fastconv._graph.operations.operation import NHWC, Doubles, Operation


class Concat(Operation):
    """The channels of maps of one size, those of the first before those of the next."""

    kind = "concat"
    keeps_channels = False

    def channels(self, *known: int | None) -> tuple[list[int | None], int | None]:
        told = [channels for channels in known if channels is not None]
        return [None] * len(known), sum(told) if len(told) == len(known) else None

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        inputs = [image_shape(shape, layout) for shape in shapes]
        if len({shape[:3] for shape in inputs}) > 1:
            raise ValueError(
                f"its inputs must have the same height and width, got shapes {', '.join(map(str, shapes))}"
            )
        return (*inputs[0][:3], sum(channels for *_, channels in inputs))

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        return np.concatenate(arrays, in_numpy.channel_axis(layout))


class Flatten(Operation):
    """The values of an image as a vector, in the order that they have in an array of layout `order`."""

    kind = "flatten"
    keeps_channels = False
    gives = "vectors"

    def __init__(self, order: Layout) -> None:
        self.order = order

    def channels(self, *known: int | None) -> tuple[list[int | None], int | None]:
        return [None], None

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        batch, *image = image_shape(shapes[0], layout)
        return batch, 1, 1, prod(image)

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        (x,) = arrays
        if layout != self.order:
            x = np.moveaxis(x, in_numpy.channel_axis(layout), in_numpy.channel_axis(self.order))
        values = prod(x.shape[-3:])
        return x.reshape(*x.shape[:-3], *((1, 1, values) if layout == "NHWC" else (values, 1, 1)))


class Dropout(Operation):
    """x itself: values are dropped, and the others scaled, in training alone."""

    kind = "dropout"
