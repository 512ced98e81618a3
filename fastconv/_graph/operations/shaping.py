"""What moves values and computes none."""

from math import prod
from typing import Literal

import numpy as np

from fastconv._checks.shapes import image_shape
from fastconv._checks.types import Layout, Shape
from fastconv._graph import in_numpy
from fastconv._graph.operations.operation import NHWC, Doubles, Operation


class Concat(Operation):
    """The channels of maps of one size, the rows of maps of one width, or the pixels of maps of any size as one row:
    those of the first before those of the next.
    """

    kind = "concat"
    keeps_channels = False

    def __init__(self, axis: Literal["channels", "rows", "pixels"] = "channels") -> None:
        self.axis = axis
        self.gives = "same" if axis == "channels" else "maps"

    def __str__(self) -> str:
        return self.kind if self.axis == "channels" else f"{self.kind}({self.axis})"

    def channels(self, *known: int | None) -> tuple[list[int | None], int | None]:
        told = [channels for channels in known if channels is not None]
        if self.axis != "channels":
            return [told[0] if told else None] * len(known), told[0] if told else None
        return [None] * len(known), sum(told) if len(told) == len(known) else None

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        inputs = [image_shape(shape, layout) for shape in shapes]
        same = {"channels": slice(3), "rows": slice(0, 4, 2), "pixels": slice(1)}[self.axis]
        if len({shape[same] for shape in inputs}) > 1:
            what = {"channels": "height and width", "rows": "width", "pixels": "batch size"}[self.axis]
            raise ValueError(f"its inputs must have the same {what}, got shapes {', '.join(map(str, shapes))}")
        n, height, width, channels = inputs[0]
        if self.axis == "channels":
            return n, height, width, sum(channels for *_, channels in inputs)
        if self.axis == "rows":
            return n, sum(rows for _, rows, _, _ in inputs), width, channels
        return n, 1, sum(rows * columns for _, rows, columns, _ in inputs), channels

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        maps = [in_numpy.nhwc(x, layout) for x in arrays]
        if self.axis == "pixels":
            maps = [x.reshape(len(x), 1, -1, x.shape[3]) for x in maps]
        axis = {"channels": 3, "rows": 1, "pixels": 2}[self.axis]
        return in_numpy.from_nhwc(np.concatenate(maps, axis), arrays[0].ndim, layout)


def joins_channels(operation: Operation) -> bool:
    """Whether it is a concatenation of channels."""
    return isinstance(operation, Concat) and operation.axis == "channels"


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
