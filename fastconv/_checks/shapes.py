"""The geometry a user gives, checked before any work and turned into frozen records of integers.

With the rest of `_checks` and the operations of `_graph` this raises TypeError and ValueError; `_planning` raises them
for what it alone decides.
"""

from math import prod
from typing import Any, Literal, NamedTuple

from fastconv._checks import orders
from fastconv._checks.arguments import LARGEST, integer, meant, one_of, pair, plain, sizes
from fastconv._checks.orders import AXES, LAYOUTS, MATRIX_AXES, ORDERS
from fastconv._checks.types import Layout, Padding, Pair, Shape, Sides, Size

SIDES = "an integer, a pair (height, width) or two pairs ((top, bottom), (left, right))"
PADDINGS = f'"same", "valid", {SIDES}'
_MAX_BYTES = 2**46  # of an array: the kernels' offsets stay inside 64 bits


class ConvShape(NamedTuple):
    """The geometry of one convolution, in integers.

    Padding is ((top, bottom), (left, right)); every other pair is (height, width). Where x is a block of a larger image
    `whole` is the geometry of that: what depends on sizes and has a say in the bits is decided by it.
    """

    batch: int
    height: int
    width: int
    in_channels: int
    out_channels: int
    kernel: Size
    stride: Size
    padding: Sides
    dilation: Size
    groups: int
    out_height: int
    out_width: int
    whole: "ConvShape | None" = None

    @property
    def terms(self) -> int:
        """Products summed in one output value."""
        return self.kernel[0] * self.kernel[1] * (self.in_channels // self.groups)

    @property
    def macs(self) -> int:
        """Multiply-accumulates, the taps on padding counted, as the papers do."""
        return self.batch * self.out_height * self.out_width * self.out_channels * self.terms

    @property
    def out_shape(self) -> tuple[int, int, int, int]:
        """The shape of the result, NHWC."""
        return self.batch, self.out_height, self.out_width, self.out_channels

    @property
    def merged(self) -> "ConvShape":
        """Images of one pixel, which a 1×1 kernel reads, as the pixels of one image: weights are read once for all."""
        size, unpadded = (self.height, self.width, *self.kernel), ((0, 0), (0, 0))
        if self.batch < 2 or size != (1, 1, 1, 1) or self.padding != unpadded:
            return self
        return self._replace(batch=1, width=self.batch, out_width=self.batch)

    @property
    def is_pointwise(self) -> bool:
        """Whether this is a 1×1 convolution without padding or groups: one matrix product."""
        return self.kernel == (1, 1) and self.padding == ((0, 0), (0, 0)) and self.groups == 1


def padding_of(value: object) -> Sides | Literal["same"]:
    """Any accepted form of `padding` as ((top, bottom), (left, right)), or "same"."""
    if type(value) is int:  # the common case, which small layers notice
        return (pair("padding", value, 0),) * 2
    if isinstance(value, str) and plain(value) in ("same", "valid"):
        return "same" if plain(value) == "same" else ((0, 0), (0, 0))
    try:
        if not isinstance(value, (tuple, list, str)):
            return (pair("padding", value, 0),) * 2
        axes: list[Any] = [tuple(axis) if isinstance(axis, (tuple, list)) else axis for axis in value]
        are_pairs = all(isinstance(axis, tuple) for axis in axes)
        if isinstance(value, str) or len(axes) != 2 or (are_pairs and any(len(axis) != 2 for axis in axes)):
            raise ValueError(f"padding must be {PADDINGS}, got {value!r}{meant(value, ('same', 'valid'))}")
        (top, bottom), (left, right) = axes if are_pairs else [(axis, axis) for axis in axes]
        return (
            (integer("padding", top, 0), integer("padding", bottom, 0)),
            (integer("padding", left, 0), integer("padding", right, 0)),
        )
    except TypeError:
        raise TypeError(f"padding must be {PADDINGS}, got {value!r}") from None


def sides(padding: Sides | Literal["same"], size: Size, extent: Size, stride: Size) -> Sides:
    """The padding of such a map: TensorFlow's for "same", ceil(size / stride) outputs, the odd pixel at the end."""
    if padding != "same":
        return padding
    axes = zip(size, extent, stride, strict=True)
    rows, columns = (max((-(-n // step) - 1) * step + taps - n, 0) for n, taps, step in axes)
    return (rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2)


def image_shape(x_shape: Shape, layout: Layout, name: str = "x") -> tuple[int, int, int, int]:
    """(batch, height, width, channels) of a 4-D or 3-D shape in `layout`."""
    shape = sizes(name, x_shape)
    if len(shape) not in (3, 4):
        axes = "(H, W, C)" if layout == "NHWC" else "(C, H, W)"
        raise ValueError(f"{name} must have shape (N, {axes[1:]} or {axes} in layout {layout}, got shape {shape}")
    batch = shape[0] if len(shape) == 4 else 1
    height, width, channels = shape[-3:]
    if layout == "NCHW":
        height, width, channels = width, channels, height
    if channels == 0:
        raise ValueError(f"{name} must have at least one channel, got shape {tuple(x_shape)} in layout {layout}")
    return batch, height, width, channels


def outputs(
    what: str,
    axis: str,
    size: int,
    padding: tuple[int, int],
    extent: int,
    stride: int,
    dilation: int = 1,
    hint: str = "",
) -> int:
    """Output pixels along one axis; `dilation` and `hint`, the end of it, are for an error."""
    padded = size + padding[0] + padding[1]
    if padded < extent:
        spread = f" with dilation {dilation}" if dilation > 1 else ""
        raise ValueError(
            f"{what}{spread} spans {extent} pixels of {axis}, more than x's {axis} {size} "
            f"with padding {padding[0]} + {padding[1]}{hint}"
        )
    return (padded - extent) // stride + 1


def _is_addressable(*shape: int) -> bool:
    return 8 * prod(shape) <= _MAX_BYTES


def check_addressable(name: str, *shape: int) -> None:
    if not _is_addressable(*shape):
        raise ValueError(f"{name} of shape {shape} would be larger than this library can address")


def _no_empty_axis(weight: Shape) -> None:
    if 0 in weight:
        raise ValueError(f"weight must have no empty axis, got shape {weight}")


def weight_shape(shape: Shape, layout: Layout) -> tuple[int, int, int, int]:
    """(R, S, C / groups, K) of a weight's shape in `layout`, every axis at least 1."""
    shape = sizes("weight", shape)
    if len(shape) != 4:
        raise ValueError(f"weight must have 4 axes, {AXES[layout]}, in layout {layout}, got shape {shape}")
    _no_empty_axis(shape)
    first, second, third, fourth = shape
    return (first, second, third, fourth) if layout == "NHWC" else (third, fourth, second, first)


def weight_for(kernel: Pair, channels: int, out_channels: int, groups: int, layout: Layout) -> Shape:
    """The shape in `layout` of a weight from `channels`, those of all groups, to `out_channels`."""
    layout = one_of("layout", layout, LAYOUTS)
    kernel, groups = pair("kernel", kernel, 1), integer("groups", groups, 1)
    channels, out_channels = integer("input channels", channels, 1), integer("output channels", out_channels, 1)
    if channels % groups or out_channels % groups:
        raise ValueError(
            f"groups must divide the {channels} input and the {out_channels} output channels, got {groups}"
        )
    each = channels // groups
    return (*kernel, each, out_channels) if layout == "NHWC" else (out_channels, each, *kernel)


def kernel_shape(matrix: Shape, layout: Layout) -> Shape:
    """The shape of a 1×1 kernel, in `layout`, of the matrix of a product over the channels."""
    layout, matrix = one_of("layout", layout, LAYOUTS), sizes("weight", matrix)
    if len(matrix) != 2:
        hint = "; conv2d takes weights of 4 axes" if len(matrix) == 4 else ""
        raise ValueError(f"weight must have shape {MATRIX_AXES[layout]} in layout {layout}, got {matrix}{hint}")
    _no_empty_axis(matrix)
    return (1, 1, *matrix) if layout == "NHWC" else (*matrix, 1, 1)


def pointwise_shape(matrix: Shape, x_shape: Shape, layout: Layout) -> Shape:
    """`kernel_shape` of a pointwise convolution's matrix, which takes the channels of x."""
    kernel, x_shape = kernel_shape(matrix, layout), sizes("x", x_shape)
    if orders.weight_channels(matrix, layout)[0] != image_shape(x_shape, layout)[3]:
        raise orders.mismatch(x_shape, matrix, 1, layout)
    return kernel


class ConvGeometry(NamedTuple):
    """All of a convolution that can be checked before there is an x; `at` gives the rest.

    `padding` may still be "same"; `weight` is (R, S, C / groups, K).
    """

    weight: tuple[int, int, int, int]
    stride: Size = (1, 1)
    padding: Sides | Literal["same"] = ((0, 0), (0, 0))
    dilation: Size = (1, 1)
    groups: int = 1
    layout: Layout = "NHWC"

    def __str__(self) -> str:
        r, s, _, _ = self.weight
        names = "stride", "padding", "dilation", "groups"
        return f"{r}×{s} with " + ", ".join(f"{name}={getattr(self, name)}" for name in names)

    @property
    def effective_kernel(self) -> Size:
        """The effective kernel size, (height, width): the pixels that the dilated kernel spans."""
        r, s, _, _ = self.weight
        return (r - 1) * self.dilation[0] + 1, (s - 1) * self.dilation[1] + 1

    @property
    def is_padded(self) -> bool:
        """Whether an x may have padding."""
        return self.padding != ((0, 0), (0, 0)) and not (self.padding == "same" and self.effective_kernel == (1, 1))

    def at(self, x_shape: Shape) -> ConvShape:
        """The `ConvShape` for an x of this shape."""
        x_shape = sizes("x", x_shape)
        batch, height, width, channels = image_shape(x_shape, self.layout)
        (r, s, c, k), extent = self.weight, self.effective_kernel
        if c * self.groups != channels:
            raise orders.mismatch(x_shape, self.given, self.groups, self.layout, self._covers)
        padding = sides(self.padding, (height, width), extent, self.stride)
        padded = height + sum(padding[0]), width + sum(padding[1])
        hint = ""
        if padded[0] < extent[0] or padded[1] < extent[1]:
            is_other = orders.fits_in_other(channels, self.given, self.groups, self.layout)
            hint = f"; in layout {self.layout} weights are {ORDERS[self.layout]}" * is_other
        p = outputs("weight", "height", height, padding[0], extent[0], self.stride[0], self.dilation[0], hint)
        q = outputs("weight", "width", width, padding[1], extent[1], self.stride[1], self.dilation[1], hint)
        check_addressable("the output", batch, p, q, k)
        check_addressable("the padded input", *padded, channels)
        # A stride beyond the padded input leaves one output, as that input's size does: small numbers cannot overflow.
        stride = min(self.stride[0], padded[0]), min(self.stride[1], padded[1])
        return ConvShape(batch, height, width, channels, k, (r, s), stride, padding, self.dilation, self.groups, p, q)

    def _covers(self, size: Size, kernel: Size) -> bool:
        """Whether a map of this size has room for a kernel of this size, with this padding and dilation."""
        if self.padding == "same":
            return 0 not in size
        return all(
            n + sum(sides) > (k - 1) * step
            for n, sides, k, step in zip(size, self.padding, kernel, self.dilation, strict=True)
        )

    @property
    def given(self) -> Shape:
        """The shape of the weight in `layout`."""
        r, s, c, k = self.weight
        return self.weight if self.layout == "NHWC" else (k, c, r, s)

    def smallest(self) -> ConvShape:
        """The `ConvShape` for the smallest x that has an output without padding, in an empty batch."""
        channels = self.weight[2] * self.groups
        size = self.effective_kernel
        return self.at((0, *size, channels) if self.layout == "NHWC" else (0, channels, *size))


def conv_geometry(
    weight: Shape,
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    groups: int = 1,
    layout: Layout = "NHWC",
) -> ConvGeometry:
    """Check a convolution with a weight of this shape, in `layout`, and return its `ConvGeometry`."""
    layout, weight = one_of("layout", layout, LAYOUTS), sizes("weight", weight)
    r, s, c, k = weight_shape(weight, layout)
    stride, dilation = pair("stride", stride, 1), pair("dilation", dilation, 1)
    groups = integer("groups", groups, 1)
    if k % groups:
        hint = orders.weight_hint(weight, groups, layout)
        raise ValueError(
            f"groups must divide the {k} output channels of weight {weight}, "
            f"{AXES[layout]} in layout {layout}, got {groups}" + f"; {hint}" * bool(hint)
        )
    geometry = ConvGeometry((r, s, c, k), stride, padding_of(padding), dilation, groups, layout)
    size = geometry.effective_kernel
    if dilation != (1, 1) and not (max(size) <= LARGEST and _is_addressable(*size, c * groups)):
        raise ValueError(
            f"dilation {dilation} spreads weight's {r}×{s} taps over {size} pixels of {c * groups} channels, "
            "more than this library can address"
        )
    return geometry
