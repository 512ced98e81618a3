"""The arrays a user gives, checked before any work, in the form that the kernels read."""

import numpy as np

from fastconv._shapes import LAYOUTS, one_of

DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


def check(name, value, dtype=None, shape=None):
    """The native dtype of `value`, when it is a plain float32 or float64 array of this dtype and shape."""
    if not isinstance(value, np.ndarray) or isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name} must be a numpy array, got {type(value).__name__}")
    native = value.dtype if value.dtype.isnative else value.dtype.newbyteorder("=")
    if native not in DTYPES:
        raise TypeError(f"{name} must have dtype float32 or float64, got {value.dtype}")
    if dtype is not None and native != dtype:
        raise TypeError(f"{name} has dtype {value.dtype}, but the other arrays have {dtype}")
    if shape is not None and value.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {value.shape}")
    return native


def contiguous(value, dtype):
    """A checked array as the kernels read it: native, aligned, C-contiguous; copied only when it is not so already."""
    flags = value.flags
    if flags.c_contiguous and flags.aligned and value.dtype is dtype:
        return value
    return np.require(value, dtype, ["C", "A"])


def array(name, value, dtype=None, shape=None):
    """`check`, then `contiguous`."""
    return contiguous(value, check(name, value, dtype, shape))


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


def as_kernel(weight, layout):
    """The matrix of a pointwise convolution as a 1×1 kernel in `layout`."""
    one_of("layout", layout, LAYOUTS)
    weight = array("weight", weight)
    if weight.ndim != 2:
        order = "(C, K)" if layout == "NHWC" else "(K, C)"
        raise ValueError(f"weight must have shape {order} in layout {layout}, got {weight.shape}")
    return weight[None, None] if layout == "NHWC" else weight[..., None, None]
