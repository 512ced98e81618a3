"""The conversion of the layout: what is made for NHWC arrays runs on arrays in layout NCHW."""

from itertools import accumulate
from math import prod

import numpy as np

from fastconv import _arrays, _threads, _workspace
from fastconv._nchw import transpose


def conversion(layout, native="NHWC"):
    """The layout conversion that a description names."""
    return "none" if layout == native else "x and the result, NCHW ↔ NHWC"


def run_in_nhwc(run, x, residual, y, out_shape, num_threads):
    """Call `run(x, residual, out, out_stride)` on NHWC copies of checked NCHW arrays, and copy its result to y.

    The copies have a batch axis, as `out_shape`, the NHWC shape of the result, does.
    """
    dtype = y.dtype
    given = [_arrays.contiguous(array, dtype) for array in (x, residual) if array is not None]
    shapes = [*(_nhwc_shape(array.shape) for array in given), out_shape]
    ends = [*accumulate(-(-prod(shape) * dtype.itemsize // 64) * 64 for shape in shapes)]  # in whole cache lines
    team = _threads.take(_threads.moving_team(num_threads, x.size + y.size))
    buffer = _workspace.borrow(ends[-1])
    try:
        copies = [
            np.ndarray(shape, dtype, buffer, start) if prod(shape) else np.empty(shape, dtype)
            for shape, start in zip(shapes, (0, *ends), strict=False)
        ]
        for array, copy in zip(given, copies, strict=False):
            transpose(_planes(array), _pixels(copy), team)
        run(copies[0], copies[1] if residual is not None else None, copies[-1], out_shape[-1] * dtype.itemsize)
        transpose(_pixels(copies[-1]), _planes(y), team)
    finally:
        _workspace.give_back(buffer)


def _nhwc_shape(shape):
    *batch, channels, height, width = shape
    return prod(batch), height, width, channels


def _planes(nchw):
    """(images, channels, pixels)."""
    images, height, width, channels = _nhwc_shape(nchw.shape)
    return nchw.reshape(images, channels, height * width)


def _pixels(nhwc):
    """(images, pixels, channels)."""
    images, height, width, channels = nhwc.shape
    return nhwc.reshape(images, height * width, channels)
