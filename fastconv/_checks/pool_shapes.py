"""The geometry of a pooling, checked before any work, as `shapes` does that of a convolution."""

from math import prod
from typing import Literal, NamedTuple

from fastconv._checks.arguments import boolean, one_of, pair
from fastconv._checks.orders import LAYOUTS
from fastconv._checks.shapes import check_addressable, image_shape, outputs, padding_of, sides
from fastconv._checks.types import Layout, Padding, Pair, Shape, Sides, Size

_NONE = ((0, 0), (0, 0))


class PoolShape(NamedTuple):
    """The geometry of one pooling, in integers; the fields are those of `ConvShape`.

    `padding` reaches to the end of the last windows; `counted` is the padding that an average counts as zeros.
    """

    batch: int
    height: int
    width: int
    channels: int
    kernel: Size
    stride: Size
    padding: Sides
    counted: Sides
    out_height: int
    out_width: int

    @property
    def out_shape(self) -> tuple[int, int, int, int]:
        """The shape of the result, NHWC."""
        return self.batch, self.out_height, self.out_width, self.channels

    @property
    def values_read(self) -> int:
        """Values under the windows, those on padding counted."""
        return self.batch * self.out_height * self.out_width * self.channels * prod(self.kernel)


class PoolGeometry(NamedTuple):
    """All of a pooling that can be checked before there is an x; `at` gives the rest. `padding` may still be "same"."""

    kernel: Size
    stride: Size
    padding: Sides | Literal["same"] = ((0, 0), (0, 0))
    layout: Layout = "NHWC"
    ceil_mode: bool = False
    count_include_pad: bool = True

    def at(self, x_shape: Shape) -> PoolShape:
        """The `PoolShape` for an x of this shape."""
        kernel, stride = self.kernel, self.stride
        batch, height, width, channels = _with_pixels(x_shape, self.layout)
        padding = sides(self.padding, (height, width), kernel, stride)
        out_height, top_bottom = self._axis("height", height, padding[0], kernel[0], stride[0])
        out_width, left_right = self._axis("width", width, padding[1], kernel[1], stride[1])
        check_addressable("the output", batch, out_height, out_width, channels)
        counted = padding if self.count_include_pad else _NONE
        padding = top_bottom, left_right
        return PoolShape(batch, height, width, channels, kernel, stride, padding, counted, out_height, out_width)

    def _axis(self, name: str, size: int, padding: Size, kernel: int, stride: int) -> tuple[int, Size]:
        """(windows along an axis, the padding to the end of the last one)."""
        begin, end = padding
        spare = size + begin + end - kernel
        if self.ceil_mode and spare > -stride:
            end += -spare % stride  # what the last window lacks
        count = outputs("kernel", name, size, (begin, end), kernel, stride)
        if (count - 1) * stride >= size + begin:
            count -= 1
        return count, (begin, end)


def pool_geometry(
    kernel: Pair,
    stride: Pair | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    *,
    layout: Layout = "NHWC",
) -> PoolGeometry:
    """Check a pooling and return its `PoolGeometry`; `stride` None is the kernel's size."""
    layout, kernel = one_of("layout", layout, LAYOUTS), pair("kernel", kernel, 1)
    stride = kernel if stride is None else pair("stride", stride, 1)
    ceil_mode, counts = boolean("ceil_mode", ceil_mode), boolean("count_include_pad", count_include_pad)
    padded = padding_of(padding)
    if padded != "same" and any(side >= k for k, axis in zip(kernel, padded, strict=True) for side in axis):
        raise ValueError(f"padding must be smaller than the kernel {kernel}, got {padded}")
    return PoolGeometry(kernel, stride, padded, layout, ceil_mode, counts)


def image_size(x_shape: Shape, layout: Layout) -> Size:
    """(height, width) of x: the kernel of a pooling over the whole image."""
    return _with_pixels(x_shape, one_of("layout", layout, LAYOUTS))[1:3]


def _with_pixels(x_shape: Shape, layout: Layout) -> tuple[int, int, int, int]:
    """`image_shape` of an x that has pixels."""
    shape = image_shape(x_shape, layout)
    if 0 in shape[1:3]:
        raise ValueError(f"x must have pixels to pool, got shape {tuple(x_shape)} in layout {layout}")
    return shape
