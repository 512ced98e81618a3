"""What picks rows, columns or channels by their numbers, and what puts the channels of several maps in turns."""

import numpy as np

from fastconv._checks.shapes import image_shape
from fastconv._checks.types import ImageAxis, Layout, Shape
from fastconv._graph import in_numpy
from fastconv._graph.operations.normalization import IMAGE_AXES
from fastconv._graph.operations.operation import NHWC, Doubles
from fastconv._graph.operations.picks import Pick, Places, pixels


class InTurns(Pick):
    """The channels of so many parts in turns: the first of each, then the second of each, and so on."""

    kind = "in_turns"

    def __init__(self, parts: int) -> None:
        self.parts = parts

    def __str__(self) -> str:
        return f"{self.kind}({self.parts})"

    def channels(self, *known: int | None) -> tuple[list[int | None], int | None]:
        return [None], known[0]

    def places(self, x_shape: NHWC) -> Places:
        places, channels = pixels(x_shape, *map(np.arange, x_shape[1:3])), np.arange(x_shape[3])
        order = channels.reshape(self.parts, -1).T.ravel()
        return places._replace(columns=(places.columns[:, None] + order).ravel(), chunk=1)

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        x = in_numpy.nhwc(arrays[0], layout)
        y = x.reshape(*x.shape[:3], self.parts, -1).swapaxes(3, 4).reshape(x.shape)
        return in_numpy.from_nhwc(y, arrays[0].ndim, layout)


class Take(Pick):
    """The rows, columns or channels of these numbers, in their order: a reflection, a roll, a permutation."""

    kind = "take"

    def __init__(self, axis: ImageAxis, index: np.ndarray) -> None:
        self.axis, self.index = axis, index

    def __str__(self) -> str:
        return f"{self.kind}({self.axis})"

    def channels(self, *known: int | None) -> tuple[list[int | None], int | None]:
        return [None], self.index.size if self.axis == "channels" else known[0]

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        n, height, width, channels = image_shape(shapes[0], layout)
        sizes: dict[ImageAxis, int] = {"height": height, "width": width, "channels": channels}
        if self.index.size and not 0 <= self.index.min() <= self.index.max() < sizes[self.axis]:
            raise ValueError(f"index must be from 0 to {sizes[self.axis] - 1}, got {self.index}")
        sizes[self.axis] = self.index.size
        return n, sizes["height"], sizes["width"], sizes["channels"]

    def places(self, x_shape: NHWC) -> Places:
        rows, columns, channels = (
            self.index if axis == self.axis else np.arange(size)
            for axis, size in zip(IMAGE_AXES, x_shape[1:], strict=True)
        )
        places = pixels(x_shape, rows, columns)
        if self.axis != "channels":
            return places
        ends = np.flatnonzero(np.diff(channels) != 1) + 1  # of channels side by side
        chunk = int(np.gcd.reduce([channels.size, *ends]))
        return places._replace(columns=(places.columns[:, None] + channels[::chunk]).ravel(), chunk=chunk)

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        axis = IMAGE_AXES.index(self.axis) - 3
        return in_numpy.from_nhwc(np.take(in_numpy.nhwc(arrays[0], layout), self.index, axis), arrays[0].ndim, layout)
