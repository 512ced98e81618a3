"""The geometry of a transposed convolution, checked before any work, as `shapes` does that of a convolution."""

from math import prod
from typing import NamedTuple

from fastconv._checks.arguments import integer, one_of, pair
from fastconv._checks.orders import LAYOUTS
from fastconv._checks.shapes import SIDES, image_shape, padding_of, weight_shape
from fastconv._checks.types import Layout, Pair, Shape, Sides, Size

MOST_PHASES = 1024  # of the strides, each of which becomes a convolution (`rewrites/transposed.py`)


class TransposedGeometry(NamedTuple):
    """All of a transposed convolution that can be checked before there is an x.

    `weight` is (R, S, C / groups, K). `padding` is cut off the whole result, `output_padding` put to its end before.
    """

    weight: tuple[int, int, int, int]
    stride: Size = (1, 1)
    padding: Sides = ((0, 0), (0, 0))
    output_padding: Size = (0, 0)
    dilation: Size = (1, 1)
    groups: int = 1
    layout: Layout = "NHWC"

    def __str__(self) -> str:
        r, s, _, _ = self.weight
        names = "stride", "padding", "output_padding", "dilation", "groups"
        return f"{r}×{s} with " + ", ".join(f"{name}={getattr(self, name)}" for name in names)

    @property
    def channels(self) -> int:
        """Those of x."""
        return self.weight[2] * self.groups

    def size(self, axis: int, size: int) -> int:
        """Pixels of the result along an axis, for so many of x."""
        extent = (self.weight[axis] - 1) * self.dilation[axis] + 1
        return (size - 1) * self.stride[axis] + extent + self.output_padding[axis] - sum(self.padding[axis])

    def at(self, x_shape: Shape) -> tuple[int, int, int, int]:
        """The shape of the result, NHWC, for an x of this shape."""
        batch, height, width, channels = image_shape(x_shape, self.layout)
        if channels != self.channels:
            raise ValueError(f"weight takes {self.channels} channels, got shape {x_shape} in layout {self.layout}")
        size = self.size(0, height), self.size(1, width)
        if min(height, width, *size) < 1:
            raise ValueError(
                f"nothing is left of the result of x of shape {x_shape} without padding {self.padding}: {size} pixels"
            )
        return batch, *size, self.weight[3]


def transposed_geometry(
    weight: Shape,
    stride: Pair = 1,
    padding: Pair | Sides = 0,
    output_padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
    layout: Layout = "NHWC",
) -> TransposedGeometry:
    """Check a transposed convolution with a weight of this shape, in `layout`, and return its `TransposedGeometry`."""
    layout = one_of("layout", layout, LAYOUTS)
    # In either layout the axes are those of a convolution's weight, with the channels of x and of the result exchanged.
    r, s, each, channels = weight_shape(weight, layout)
    stride, dilation = pair("stride", stride, 1), pair("dilation", dilation, 1)
    if prod(stride) > MOST_PHASES:
        raise ValueError(f"stride must be at most {MOST_PHASES} pixels, height times width, got {stride}")
    output_padding, groups = pair("output_padding", output_padding, 0), integer("groups", groups, 1)
    if channels % groups:
        raise ValueError(f"groups must divide the {channels} input channels of weight {weight}, got {groups}")
    sides = padding_of(padding)
    if isinstance(padding, str) or sides == "same":
        raise TypeError(f"padding must be {SIDES}, got {padding!r}")
    shape = r, s, channels // groups, each * groups
    return TransposedGeometry(shape, stride, sides, output_padding, dilation, groups, layout)
