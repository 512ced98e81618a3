"""Everything a user can get wrong is found here, before any work: the only floor that raises TypeError and ValueError.

Geometry becomes frozen records of integers (`ConvShape`, `PoolShape`); arrays come back in the form the kernels read.
"""

from dataclasses import dataclass
from operator import index

import numpy as np

LAYOUTS = ("NHWC", "NCHW")
ACTIVATIONS = (None, "relu")
DTYPES = (np.dtype(np.float32), np.dtype(np.float64))
_LARGEST = 2**31 - 1  # of a stride, padding or dilation: sums and products of them with an axis stay far inside 64 bits
_MOST_BYTES = 2**46  # of an array: the kernels' offsets stay inside 64 bits


@dataclass(frozen=True, slots=True)
class ConvShape:
    """The geometry of one convolution, in integers.

    Padding is ((top, bottom), (left, right)); every other pair is (height, width).
    """

    batch: int
    height: int
    width: int
    in_channels: int
    out_channels: int
    kernel: tuple
    stride: tuple
    padding: tuple
    dilation: tuple
    groups: int
    out_height: int
    out_width: int

    @property
    def terms(self):
        """Products summed in one output value."""
        return self.kernel[0] * self.kernel[1] * (self.in_channels // self.groups)

    @property
    def macs(self):
        """Multiply-accumulates, the taps on padding counted, as the papers do."""
        return self.batch * self.out_height * self.out_width * self.out_channels * self.terms

    @property
    def is_pointwise(self):
        """Whether this is a 1×1 convolution without padding or groups: one matrix product."""
        return self.kernel == (1, 1) and self.padding == ((0, 0), (0, 0)) and self.groups == 1


@dataclass(frozen=True, slots=True)
class PoolShape:
    """The geometry of one pooling, in integers; the fields are those of `ConvShape`."""

    batch: int
    height: int
    width: int
    channels: int
    kernel: tuple
    stride: tuple
    padding: tuple
    out_height: int
    out_width: int


def integer(name, value, least):
    """`value` as an int of at least `least`; floats, even whole ones, and bools are TypeErrors."""
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        number = index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None
    if not least <= number <= _LARGEST:
        raise ValueError(f"{name} must be from {least} to {_LARGEST}, got {number}")
    return number


def pair(name, value, least):
    """An int or a pair of ints, as a pair (height, width)."""
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise ValueError(f"{name} must be an integer or a pair (height, width), got {value!r}")
        return integer(name, value[0], least), integer(name, value[1], least)
    return (integer(name, value, least),) * 2


def one_of(name, value, choices):
    """`value`, when it is one of `choices`."""
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} must be one of {choices}, got {value!r}")
    if value not in choices:
        raise ValueError(f"{name} must be one of {choices}, got {value!r}")
    return value


def _padding(value, size, extent, stride):
    """((top, bottom), (left, right)) for any accepted form of `padding`."""
    if isinstance(value, str):
        if value == "valid":
            return (0, 0), (0, 0)
        if value != "same":
            raise ValueError(f'padding must be "same", "valid", an integer, a pair or two pairs, got {value!r}')
        # TensorFlow's rule: ceil(size / stride) outputs; the odd pixel of padding goes to the end.
        totals = [max((-(-n // s) - 1) * s + e - n, 0) for n, e, s in zip(size, extent, stride, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    if isinstance(value, (tuple, list)) and len(value) == 2 and all(isinstance(side, (tuple, list)) for side in value):
        if any(len(side) != 2 for side in value):
            raise ValueError(f"padding must be ((top, bottom), (left, right)), got {value!r}")
        return tuple((integer("padding", side[0], 0), integer("padding", side[1], 0)) for side in value)
    return tuple((side, side) for side in pair("padding", value, 0))


def _image_shape(x_shape, layout):
    """(batch, height, width, channels) of a 4-D or 3-D shape in `layout`."""
    shape = tuple(integer("x's shape", n, 0) for n in x_shape)
    if len(shape) not in (3, 4):
        axes = "(H, W, C)" if layout == "NHWC" else "(C, H, W)"
        raise ValueError(f"x must have shape (N, {axes[1:]} or {axes} in layout {layout}, got shape {shape}")
    if len(shape) == 3:
        shape = (1, *shape)
    if layout == "NCHW":
        shape = (shape[0], shape[2], shape[3], shape[1])
    if shape[3] == 0:
        raise ValueError(f"x must have at least one channel, got shape {tuple(x_shape)} in layout {layout}")
    return shape


def image_size(x_shape, layout):
    """(height, width) of x: the kernel of a pooling over the whole image."""
    one_of("layout", layout, LAYOUTS)
    size = _image_shape(x_shape, layout)[1:3]
    if 0 in size:
        raise ValueError(f"x must have pixels to pool, got shape {tuple(x_shape)} in layout {layout}")
    return size


def _outputs(what, size, padding, extent, stride):
    """Output height and width."""
    out = []
    for axis, n, (begin, end), reach, step in zip(("height", "width"), size, padding, extent, stride, strict=True):
        if n + begin + end < reach:
            raise ValueError(
                f"{what} spans {reach} pixels of {axis}, more than x's {axis} {n} with padding {begin} + {end}"
            )
        out.append((n + begin + end - reach) // step + 1)
    return out


def _fits(name, *shape):
    total = 8
    for n in shape:
        total *= n
    if total > _MOST_BYTES:
        raise ValueError(f"{name} of shape {shape} would be larger than this library can address")


def weight_shape(shape, layout):
    """(R, S, C / groups, K) of a weight's shape in `layout`, every axis at least 1."""
    shape = tuple(integer("weight's shape", n, 0) for n in shape)
    order = "HWIO (R, S, C / groups, K)" if layout == "NHWC" else "OIHW (K, C / groups, R, S)"
    if len(shape) != 4:
        raise ValueError(f"weight must have 4 axes, {order}, in layout {layout}, got shape {shape}")
    if 0 in shape:
        raise ValueError(f"weight must have no empty axis, got shape {shape}")
    return shape if layout == "NHWC" else (shape[2], shape[3], shape[1], shape[0])


def conv_shape(x_shape, weight, *, stride=1, padding=0, dilation=1, groups=1, layout="NHWC"):
    """Check the geometry of a convolution and return its `ConvShape`.

    Parameters
    ----------
    x_shape, weight : tuple of int
        The shapes of x (4-D, or 3-D for one image) and of weight, in `layout`.
    stride, padding, dilation, groups, layout
        As in `fastconv.conv2d`.
    """
    one_of("layout", layout, LAYOUTS)
    batch, height, width, channels = _image_shape(x_shape, layout)
    r, s, c, k = weight_shape(weight, layout)
    stride, dilation = pair("stride", stride, 1), pair("dilation", dilation, 1)
    groups = integer("groups", groups, 1)
    if c * groups != channels or k % groups:
        raise ValueError(
            f"weight of shape {tuple(weight)} takes {c} channels in each of {groups} groups and gives {k}, "
            f"but x of shape {tuple(x_shape)} has {channels} channels in layout {layout}"
            + (f"; groups must divide {k}" if k % groups else "")
        )
    extent = (r - 1) * dilation[0] + 1, (s - 1) * dilation[1] + 1
    padding = _padding(padding, (height, width), extent, stride)
    out_height, out_width = _outputs("weight", (height, width), padding, extent, stride)
    _fits("the output", batch, out_height, out_width, k)
    _fits("the padded input", *(n + sum(p) for n, p in zip((height, width), padding, strict=True)), channels)
    return ConvShape(
        batch, height, width, channels, k, (r, s), stride, padding, dilation, groups, out_height, out_width
    )


def check_conv(weight, *, stride, padding, dilation, groups, layout):
    """Check all of a convolution that can be checked before there is an x."""
    one_of("layout", layout, LAYOUTS)
    r, s, c, _ = weight_shape(weight, layout)
    (dilation_h, dilation_w), n_groups = pair("dilation", dilation, 1), integer("groups", groups, 1)
    height, width = (r - 1) * dilation_h + 1, (s - 1) * dilation_w + 1
    smallest = (0, height, width, c * n_groups) if layout == "NHWC" else (0, c * n_groups, height, width)
    conv_shape(smallest, weight, stride=stride, padding=padding, dilation=dilation, groups=groups, layout=layout)


def pool_shape(x_shape, kernel, *, stride=None, padding=0, layout="NHWC"):
    """Check the geometry of a pooling and return its `PoolShape`; `stride` None is the kernel's size."""
    one_of("layout", layout, LAYOUTS)
    batch, height, width, channels = _image_shape(x_shape, layout)
    if 0 in (height, width):
        raise ValueError(f"x must have pixels to pool, got shape {tuple(x_shape)} in layout {layout}")
    kernel = pair("kernel", kernel, 1)
    stride = kernel if stride is None else pair("stride", stride, 1)
    padding = _padding(padding, (height, width), kernel, stride)
    if any(side >= k for k, sides in zip(kernel, padding, strict=True) for side in sides):
        raise ValueError(f"padding must be smaller than the kernel {kernel}, got {padding}")
    out_height, out_width = _outputs("kernel", (height, width), padding, kernel, stride)
    _fits("the output", batch, out_height, out_width, channels)
    return PoolShape(batch, height, width, channels, kernel, stride, padding, out_height, out_width)


def array(name, value, dtype=None, shape=None):
    """`value` as a native, aligned, C-contiguous array; copied only when it is not one already.

    Raises TypeError for anything but a plain float32 or float64 array, or another dtype than `dtype`; ValueError for
    another shape than `shape`.
    """
    if not isinstance(value, np.ndarray) or isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name} must be a numpy array, got {type(value).__name__}")
    native = value.dtype if value.dtype.isnative else value.dtype.newbyteorder("=")
    if native not in DTYPES:
        raise TypeError(f"{name} must have dtype float32 or float64, got {value.dtype}")
    if dtype is not None and native != dtype:
        raise TypeError(f"{name} has dtype {value.dtype}, but the other arrays have {dtype}")
    if shape is not None and value.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {value.shape}")
    flags = value.flags
    if flags.c_contiguous and flags.aligned and native is value.dtype:
        return value
    return np.require(value, native, ["C", "A"])


def output(value, dtype, shape, layout, x=None, residual=None):
    """(`value` when it can take a result of this dtype and shape, a new array when it is None; bytes between pixels).

    `value` may be a slice of channels of a contiguous NHWC array; it may share no memory with x and residual.
    """
    if value is None:
        return np.empty(shape, dtype), shape[-1] * dtype.itemsize
    if not isinstance(value, np.ndarray) or isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"out must be a numpy array, got {type(value).__name__}")
    if value.dtype != dtype:  # a byte-swapped dtype differs too
        raise TypeError(f"out must have dtype {dtype}, got {value.dtype}")
    if value.shape != shape:
        raise ValueError(f"out must have shape {shape}, got {value.shape}")
    flags = value.flags
    if not flags.writeable:
        raise ValueError("out must be writeable")
    step = shape[-1] * dtype.itemsize if flags.c_contiguous else layout == "NHWC" and pixel_stride(value)
    if not step or not flags.aligned:
        raise ValueError(
            "out must be C-contiguous, or a slice of channels of a C-contiguous NHWC array, and aligned; "
            f"got strides {value.strides} for shape {shape}"
        )
    for name, other in (("x", x), ("residual", residual)):
        if other is not None and np.may_share_memory(value, other) and _shares_memory(value, other):
            raise ValueError(f"out must not share memory with {name}")
    return value, step


def _shares_memory(a, b):
    try:
        return np.shares_memory(a, b, max_work=10_000)
    except np.exceptions.TooHardError:  # odd strides over the same range
        return True


def pixel_stride(array):
    """Bytes from a pixel of an NHWC array to the next, or 0 where that is not one same step over each whole image."""
    *batch, height, width, channels = array.shape
    *image, row, pixel, channel = array.strides
    step = pixel if width > 1 else row if height > 1 else channels * array.itemsize
    regular = (
        (channels == 1 or channel == array.itemsize)
        and step >= channels * array.itemsize
        and (width == 1 or height == 1 or row == width * step)
        and (not batch or batch[0] == 1 or image[0] >= height * width * step)
    )
    return step if regular and array.size else 0


def result_shape(nhwc, ndim, layout):
    """The shape that a user sees of a result of shape `nhwc`: without the batch for one image, in `layout`."""
    shape = nhwc if layout == "NHWC" else (nhwc[0], nhwc[3], nhwc[1], nhwc[2])
    return shape if ndim == 4 else shape[1:]


def to_nhwc(array):
    """A contiguous NHWC (or HWC) copy of an array in layout NCHW."""
    return np.ascontiguousarray(np.moveaxis(array, -3, -1))


def copy_from_nhwc(out, nhwc):
    """Copy a 4-D NHWC array into `out`, in layout NCHW with or without the batch."""
    np.copyto(out, np.moveaxis(nhwc if out.ndim == 4 else nhwc[0], -1, -3))


def as_kernel(weight, layout):
    """The matrix of a pointwise convolution as a 1×1 kernel in `layout`."""
    one_of("layout", layout, LAYOUTS)
    weight = array("weight", weight)
    if weight.ndim != 2:
        order = "(C, K)" if layout == "NHWC" else "(K, C)"
        raise ValueError(f"weight must have shape {order} in layout {layout}, got {weight.shape}")
    return weight[None, None] if layout == "NHWC" else weight[..., None, None]
