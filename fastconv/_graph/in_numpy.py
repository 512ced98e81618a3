"""What the references of the operations, in NumPy float64, have in common."""

from collections.abc import Iterator

import numpy as np

from fastconv._checks.pool_shapes import PoolShape
from fastconv._checks.shapes import ConvShape
from fastconv._checks.types import Array, Layout, Size


def taps(
    x: np.ndarray, shape: ConvShape | PoolShape, layout: Layout, dilation: Size = (1, 1), fill: float = 0.0
) -> Iterator[tuple[int, int, Array[np.float64]]]:
    """(r, s, the pixels of x, NHWC, that this tap of the kernel meets, one for each output); the padding is `fill`."""
    padded = np.pad(nhwc(x, layout), ((0, 0), *shape.padding, (0, 0)), constant_values=fill)
    for r, s in np.ndindex(*shape.kernel):
        starts = r * dilation[0], s * dilation[1]
        ends = starts[0] + (shape.out_height - 1) * shape.stride[0], starts[1] + (shape.out_width - 1) * shape.stride[1]
        rows, columns = (slice(a, b + 1, step) for a, b, step in zip(starts, ends, shape.stride, strict=True))
        yield r, s, padded[:, rows, columns]


def channel_axis(layout: Layout) -> int:
    return -1 if layout == "NHWC" else -3


def per_channel(vector: Array[np.float64], layout: Layout) -> Array[np.float64]:
    """A vector of a value for each channel, to be broadcast to a map."""
    return vector if layout == "NHWC" else vector[:, None, None]


def nhwc(x: np.ndarray, layout: Layout) -> Array[np.float64]:
    """x in float64, with a batch axis and the channels last."""
    x = np.moveaxis(x.astype(float), channel_axis(layout), -1)
    return x if x.ndim == 4 else x[None]


def from_nhwc(y: Array[np.float64], ndim: int, layout: Layout) -> Array[np.float64]:
    """y in `layout` and with `ndim` axes, contiguous."""
    return np.ascontiguousarray(np.moveaxis(y if ndim == 4 else y[0], -1, channel_axis(layout)))
