"""A map in another size: nearest neighbours, which are copied, and linear interpolation."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from fastconv._checks.shapes import image_shape
from fastconv._checks.types import Coordinates, Layout, Rounding, Shape, Size
from fastconv._graph import in_numpy
from fastconv._graph.operations.operation import NHWC, Doubles, Operation
from fastconv._graph.operations.picks import Pick, Places, pixels

COORDINATES: tuple[Coordinates, ...] = (
    "half_pixel",
    "asymmetric",
    "align_corners",
    "pytorch_half_pixel",
    "half_pixel_symmetric",
)
_ROUNDED: dict[Rounding, Callable[[Doubles], Doubles]] = {
    "floor": np.floor,
    "ceil": np.ceil,
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
}
ROUNDINGS = tuple(_ROUNDED)


def rounded(rounding: Rounding, places: Doubles) -> Doubles:
    """The nearest whole numbers, by a rule for halves or in one direction."""
    return _ROUNDED[rounding](places)


def places_of(coordinates: str, size: int, new_size: int, scale: float) -> Doubles:
    """Where in an axis of x, in pixels, each pixel of the result lies."""
    y, width = np.arange(new_size, dtype=float), scale * size
    if coordinates == "asymmetric":
        return y / scale
    if coordinates == "align_corners":
        return y * 0 if width == 1 else y * (size - 1) / (width - 1)
    if coordinates == "pytorch_half_pixel" and width == 1:
        return y * 0 - 0.5
    half: Doubles = (y + 0.5) / scale - 0.5
    return half + size / 2 * (1 - new_size / width) if coordinates == "half_pixel_symmetric" else half


class NewSize(NamedTuple):
    """The height and width of a result: `size`, or `scale` times that of x, rounded down, where it is None.

    Where there are both, `scale` tells which pixels of x those of the result lie at.
    """

    size: Size | None
    scale: tuple[float, float] | None
    coordinates: Coordinates

    def of(self, size: Size) -> Size:
        """That of a result for an x of this one."""
        if self.size is not None:
            return self.size
        assert self.scale is not None
        height, width = (int(np.floor(n * scale)) for n, scale in zip(size, self.scale, strict=True))
        return height, width

    def axes(self, size: Size) -> list[Doubles]:
        """Where in x the rows lie, and the columns."""
        new = self.of(size)
        scales = self.scale or tuple(want / n for want, n in zip(new, size, strict=True))
        return [places_of(self.coordinates, *axis) for axis in zip(size, new, scales, strict=True)]


def _shape(new: NewSize, layout: Layout, x_shape: Shape) -> NHWC:
    batch, height, width, channels = image_shape(x_shape, layout)
    size = new.of((height, width))
    if 0 in (height, width, *size):
        raise ValueError(f"height and width must be at least 1, got {height}, {width} and then {size[0]}, {size[1]}")
    return batch, *size, channels


class NearestResize(Pick):
    """Each pixel is that of x which is nearest."""

    kind = "resize2d"
    keeps_channels = True

    def __init__(self, new: NewSize, rounding: Rounding) -> None:
        self.new, self.rounding = new, rounding

    def __str__(self) -> str:
        return f"{self.kind}({self.new.size or self.new.scale}, 'nearest')"

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        return _shape(self.new, layout, shapes[0])

    def _nearest(self, size: Size) -> list[np.ndarray]:
        axes = zip(size, self.new.axes(size), strict=True)
        return [np.clip(rounded(self.rounding, places), 0, n - 1).astype(np.intp) for n, places in axes]

    def places(self, x_shape: NHWC) -> Places:
        return pixels(x_shape, *self._nearest(x_shape[1:3]))

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        x = in_numpy.nhwc(arrays[0], layout)
        rows, columns = self._nearest(x.shape[1:3])
        return in_numpy.from_nhwc(x[:, rows][:, :, columns], arrays[0].ndim, layout)


class Taps(NamedTuple):
    """Of each pixel along an axis the two in x between which it lies, and their shares, (pixels, 2) each."""

    pixels: np.ndarray
    shares: Doubles


class LinearResize(Operation):
    """Between the four pixels of x around it: the share of each is the product of those along both axes."""

    kind = "resize2d"
    gives: Literal["same", "maps", "vectors"] = "maps"

    def __init__(self, new: NewSize) -> None:
        self.new = new

    def __str__(self) -> str:
        return f"{self.kind}({self.new.size or self.new.scale}, 'linear')"

    def shape(self, layout: Layout, *shapes: Shape) -> NHWC:
        return _shape(self.new, layout, shapes[0])

    def taps(self, size: Size) -> list[Taps]:
        """Of the rows and of the columns; beyond the edge of x is its edge."""
        found = []
        for n, places in zip(size, self.new.axes(size), strict=True):
            first = np.floor(places)
            later = places - first
            both = np.clip(first[:, None] + (0, 1), 0, n - 1).astype(np.intp)
            found.append(Taps(both, np.stack([1 - later, later], 1)))
        return found

    def reference(self, layout: Layout, *arrays: Doubles) -> Doubles:
        y = in_numpy.nhwc(arrays[0], layout)
        with np.errstate(over="ignore", invalid="ignore"):  # Inf and NaN are answers here
            for axis, (pixels, shares) in enumerate(self.taps(y.shape[1:3]), 1):
                first, second = (
                    np.take(y, pixels[:, i], axis) * shares[:, i].reshape(-1, *(1,) * (3 - axis)) for i in range(2)
                )
                y = first + second
        return in_numpy.from_nhwc(y, arrays[0].ndim, layout)
