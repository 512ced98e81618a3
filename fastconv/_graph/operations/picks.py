"""What copies values to other places: slices, shuffles between channels and space, paddings, nearest neighbours."""

from math import prod
from typing import Any, Literal, NamedTuple

import numpy as np

from fastconv._checks.shapes import image_shape
from fastconv._checks.types import ChannelOrder, Layout, PadMode, Shape, Sides, Size
from fastconv._graph import in_numpy
from fastconv._graph.operations.operation import NHWC, Doubles, Operation

ORDERS: tuple[ChannelOrder, ...] = "DCR", "CRD"
PAD_MODES: tuple[PadMode, ...] = "constant", "reflect", "edge", "wrap"  # as in `numpy.pad`


class Places(NamedTuple):
    """Where a result comes from: the k-th chunk of row p lies rows[p] + columns[k] values into an image of x.

    A chunk is so many values side by side, and a pixel of the result some of them. Negative where there is none.
    """

    rows: np.ndarray
    columns: np.ndarray
    chunk: int

    @property
    def are_all_in_order(self) -> bool:
        """Whether the result is x as it lies in memory."""
        row = self.columns.size * self.chunk
        return bool((np.diff(self.columns) == self.chunk).all() and (np.diff(self.rows) == row).all())


class Pick(Operation):
    """An operation that copies: `places(x_shape)` says from where, in NHWC; elsewhere the result has `value`."""

    keeps_channels = False
    gives: Literal["same", "maps", "vectors"] = "maps"
    value = 0.0

    def places(self, x_shape: NHWC) -> Places:
        raise NotImplementedError


def pixels(x_shape: NHWC, rows: np.ndarray, columns: np.ndarray) -> Places:
    """The pixels in these rows and columns of x, which may be negative."""
    _, _, width, channels = x_shape
    return Places(rows * width * channels, columns * channels, channels)


class Slice(Pick):
    """x[height, width, channels] of every image, with slices as in Python."""

    kind = "slice"

    def __init__(self, height: slice, width: slice, channels: slice) -> None:
        self.slices = height, width, channels

    def __str__(self) -> str:
        return f"{self.kind}({', '.join(map(_told, self.slices))})"

    def channels(self, *known: int | None) -> tuple[list[int | None], int | None]:
        if known[0] is None:
            return [None], None
        channels = len(range(known[0])[self.slices[2]])
        if channels == 0:
            raise ValueError(f"nothing is left of {self} of {known[0]} channels")
        return [None], channels

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        batch, *sizes = image_shape(shapes[0], layout)
        height, width, channels = (len(range(size)[part]) for size, part in zip(sizes, self.slices, strict=True))
        if 0 in (height, width, channels):
            raise ValueError(f"nothing is left of {self} of shape {shapes[0]} in layout {layout}")
        return batch, height, width, channels

    def places(self, x_shape: NHWC) -> Places:
        rows, columns, channels = (np.arange(n)[part] for n, part in zip(x_shape[1:], self.slices, strict=True))
        places = pixels(x_shape, rows, columns)
        if channels.size == 1 or (np.diff(channels) == 1).all():
            return places._replace(columns=places.columns + channels[0], chunk=channels.size)
        return places._replace(columns=(places.columns[:, None] + channels).ravel(), chunk=1)

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        height, width, channels = self.slices
        slices = (height, width, channels) if layout == "NHWC" else (channels, height, width)
        return np.ascontiguousarray(arrays[0][(..., *slices)])


class Part(Slice):
    """Some of exactly so many channels: what a split gives."""

    def __init__(self, whole: int, channels: slice) -> None:
        super().__init__(slice(None), slice(None), channels)
        self.whole = whole

    def channels(self, *known: int | None) -> tuple[list[int | None], int | None]:
        return [self.whole], len(range(self.whole)[self.slices[2]])

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        if (channels := image_shape(shapes[0], layout)[3]) != self.whole:
            raise ValueError(f"the sizes of a split add up to {self.whole} channels, but x has {channels}")
        return super().shape(layout, *shapes)


def _told(part: slice) -> str:
    texts = ["" if value is None else str(value) for value in (part.start, part.stop, part.step)]
    return ":".join(texts if texts[2] else texts[:2])


class DepthToSpace(Pick):
    """Blocks of pixels from the channels of one, without `crop` at the sides, ((top, bottom), (left, right)).

    The channels are in order DCR (row in the block, column in the block, channel of the result), or CRD (channel, row,
    column).
    """

    kind = "depth_to_space"

    def __init__(self, block: Size, order: ChannelOrder = "DCR", crop: Sides = ((0, 0), (0, 0))) -> None:
        self.block, self.order, self.crop = block, order, crop

    def __str__(self) -> str:
        return f"{self.kind}({self.block}, {self.order})"

    def channels(self, *known: int | None) -> tuple[list[int | None], int | None]:
        return [None], None if known[0] is None else self._channels(known[0])

    def _channels(self, given: int) -> int:
        if given % prod(self.block):
            raise ValueError(f"{self.kind} takes blocks of {prod(self.block)} channels, got {given}")
        return given // prod(self.block)

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        batch, height, width, channels = image_shape(shapes[0], layout)
        new_height, new_width = height * self.block[0] - sum(self.crop[0]), width * self.block[1] - sum(self.crop[1])
        return batch, new_height, new_width, self._channels(channels)

    def places(self, x_shape: NHWC) -> Places:
        _, new_height, new_width, each = self.shape("NHWC", x_shape)
        _, _, width, channels = x_shape
        rows, columns = np.arange(new_height) + self.crop[0][0], np.arange(new_width) + self.crop[1][0]
        (i, a), (j, b) = np.divmod(rows, self.block[0]), np.divmod(columns, self.block[1])
        if self.order == "DCR":
            return Places(i * width * channels + a * self.block[1] * each, j * channels + b * each, each)
        values = np.arange(each) * prod(self.block)
        return Places(i * width * channels + a * self.block[1], ((j * channels + b)[:, None] + values).ravel(), 1)

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        x = in_numpy.nhwc(arrays[0], layout)
        n, height, width, channels = x.shape
        each = self._channels(channels)
        if self.order == "DCR":
            blocks = x.reshape(n, height, width, *self.block, each)
        else:
            blocks = x.reshape(n, height, width, each, *self.block).transpose(0, 1, 2, 4, 5, 3)
        y = blocks.transpose(0, 1, 3, 2, 4, 5).reshape(n, height * self.block[0], width * self.block[1], each)
        (top, bottom), (left, right) = self.crop
        y = y[:, top : y.shape[1] - bottom, left : y.shape[2] - right]
        return in_numpy.from_nhwc(y, arrays[0].ndim, layout)


class SpaceToDepth(Pick):
    """Blocks of pixels as the channels of one, in an order of `DepthToSpace`; the channel in it is one of x."""

    kind = "space_to_depth"

    def __init__(self, block: Size, order: ChannelOrder = "DCR") -> None:
        self.block, self.order = block, order

    def __str__(self) -> str:
        return f"{self.kind}({self.block}, {self.order})"

    def channels(self, *known: int | None) -> tuple[list[int | None], int | None]:
        return [None], None if known[0] is None else known[0] * prod(self.block)

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        batch, height, width, channels = image_shape(shapes[0], layout)
        if height % self.block[0] or width % self.block[1]:
            raise ValueError(f"{self.kind} takes blocks of {self.block} pixels, got shape {shapes[0]}")
        return batch, height // self.block[0], width // self.block[1], channels * prod(self.block)

    def places(self, x_shape: NHWC) -> Places:
        _, height, width, channels = x_shape
        across = self.block[1] * channels  # values of a row of a block
        rows = np.arange(height // self.block[0]) * self.block[0] * width * channels
        blocks, inside = np.arange(width // self.block[1]) * across, np.arange(self.block[0]) * width * channels
        if self.order == "DCR":
            return Places(rows, (blocks[:, None] + inside).ravel(), across)
        values = np.arange(channels)[:, None, None] + inside[:, None] + np.arange(self.block[1]) * channels
        return Places(rows, (blocks[:, None] + values.ravel()).ravel(), 1)

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        x = in_numpy.nhwc(arrays[0], layout)
        n, height, width, channels = self.shape("NHWC", x.shape)
        blocks = x.reshape(n, height, self.block[0], width, self.block[1], x.shape[3]).transpose(0, 1, 3, 2, 4, 5)
        if self.order == "CRD":
            blocks = np.moveaxis(blocks, 5, 3)
        return in_numpy.from_nhwc(blocks.reshape(n, height, width, channels), arrays[0].ndim, layout)


class Rearrange(Pick):
    """The values of an image in a layout as an array of `sizes`, whose axes are put in `order`, and read as an `image`,
    (height, width, channels), in that layout: a shuffle of channels, or blocks of pixels.
    """

    kind = "rearrange"

    def __init__(self, within: Layout, sizes: Shape, order: Shape, image: Shape) -> None:
        self.within, self.sizes, self.order, self.image = within, sizes, order, image

    def __str__(self) -> str:
        return f"{self.kind}({self.sizes}, {self.order})"

    def channels(self, *known: int | None) -> tuple[list[int | None], int | None]:
        return [None], self.image[2]

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        batch, *image = image_shape(shapes[0], layout)
        if prod(image) != prod(self.sizes):
            raise ValueError(f"{self} takes {prod(self.sizes)} values of an image, got shape {shapes[0]}")
        height, width, channels = self.image
        return batch, height, width, channels

    def moved(self, x: np.ndarray) -> np.ndarray:
        """x, NHWC, rearranged."""
        planes = x.transpose(0, 3, 1, 2) if self.within == "NCHW" else x
        y = planes.reshape(-1, *self.sizes).transpose(0, *(axis + 1 for axis in self.order))
        height, width, channels = self.image
        if self.within == "NHWC":
            return y.reshape(-1, height, width, channels)
        return y.reshape(-1, channels, height, width).transpose(0, 2, 3, 1)

    def found(self, x_shape: NHWC) -> Places | None:
        """The places, where the rows of the result are alike; else None."""
        index = self.moved(np.arange(prod(x_shape[1:])).reshape(1, *x_shape[1:]))[0]
        rows, columns = index[:, 0, 0], (index[0] - index[0, 0, 0]).ravel()
        if (index.reshape(rows.size, -1) != rows[:, None] + columns).any():
            return None
        ends = np.flatnonzero(np.diff(columns) != 1) + 1  # of values side by side
        chunk = int(np.gcd.reduce([index.shape[2], *ends]))
        return Places(rows, columns[::chunk], chunk)

    def places(self, x_shape: NHWC) -> Places:
        places = self.found(x_shape)
        if places is None:
            raise ValueError(f"{self} has rows that are not alike")
        return places

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        y = self.moved(in_numpy.nhwc(arrays[0], layout))
        return in_numpy.from_nhwc(y, arrays[0].ndim, layout)


class Pad(Pick):
    """Rows and columns around a map, ((top, bottom), (left, right)) of them, of one value or of its own."""

    kind = "pad"
    keeps_channels = True

    def __init__(self, padding: Sides, value: float = 0.0, mode: PadMode = "constant") -> None:
        self.padding, self.value, self.mode = padding, value, mode

    def __str__(self) -> str:
        how = f"value={self.value}" if self.mode == "constant" else f"mode={self.mode!r}"
        return f"{self.kind}({self.padding}, {how})"

    def channels(self, *known: int | None) -> tuple[list[int | None], int | None]:
        return [None], known[0]

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        batch, height, width, channels = image_shape(shapes[0], layout)
        for axis, size, sides in (("height", height, self.padding[0]), ("width", width, self.padding[1])):
            most = {"reflect": size - 1, "wrap": size, "edge": max(sides) if size else 0}.get(self.mode, max(sides))
            if max(sides) > max(most, 0):
                raise ValueError(f"padding {sides} of mode {self.mode!r} is more than {axis} {size} allows")
        return batch, height + sum(self.padding[0]), width + sum(self.padding[1]), channels

    def places(self, x_shape: NHWC) -> Places:
        options: dict[str, Any] = {"constant_values": -1} if self.mode == "constant" else {}
        axes = zip(x_shape[1:3], self.padding, strict=True)
        rows, columns = (np.pad(np.arange(size), sides, self.mode, **options) for size, sides in axes)
        return pixels(x_shape, rows, columns)

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        (x,) = arrays
        sides = (*self.padding, (0, 0)) if layout == "NHWC" else ((0, 0), *self.padding)
        options: dict[str, Any] = {"constant_values": self.value} if self.mode == "constant" else {}
        y: Doubles = np.pad(x, ((0, 0),) * (x.ndim - 3) + sides, self.mode, **options)
        return y
