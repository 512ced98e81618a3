"""Convolutions and poolings: sums and maxima over the taps of a kernel."""

import functools
from collections.abc import Iterator
from typing import Literal

import numpy as np

from fastconv._checks import activations, arrays, pool_shapes, shapes
from fastconv._checks.types import Activation, Array, Float, Layout, Padding, Pair, Size


def conv2d(
    x: Array[Float],
    weight: Array[Float],
    bias: Array[Float] | None = None,
    *,
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    groups: int = 1,
    activation: Activation = None,
    residual: Array[Float] | None = None,
    layout: Layout = "NHWC",
) -> Array[np.float64]:
    """y[n,p,q,k] = f(Σ_{r,s,c} x[n, p·stride + r·dilation − top, q·stride + s·dilation − left, c] · weight[r,s,c,k]
    + bias[k] + residual[n,p,q,k]). With groups, c runs over the channels of k's group.

    Parameters
    ----------
    x, weight, bias, stride, padding, dilation, groups, activation, residual, layout
        As in `fastconv.conv2d`.

    Returns
    -------
    ndarray of float64, shape (N, P, Q, K) or (P, Q, K); (N, K, P, Q) or (K, P, Q) in layout NCHW

    Raises
    ------
    TypeError, ValueError
        Naming the argument.

    Notes
    -----
    The padding takes part in the sum: 0 · Inf there is NaN.

    Examples
    --------
    >>> x = np.arange(9.0).reshape(3, 3, 1)
    >>> conv2d(x, np.ones((3, 3, 1, 1)), padding=1)[..., 0]
    array([[ 8., 15., 12.],
           [21., 36., 27.],
           [20., 33., 24.]])
    """
    weight = arrays.array("weight", weight)
    x = arrays.array("x", x, weight.dtype)
    geometry = shapes.conv_geometry(
        weight.shape, stride=stride, padding=padding, dilation=dilation, groups=groups, layout=layout
    )
    shape, layout = geometry.at(x.shape), geometry.layout
    activation = activations.checked(activation)
    nhwc = shape.batch, shape.out_height, shape.out_width, shape.out_channels
    y_shape = arrays.result_shape(nhwc, x.ndim, layout)
    if bias is not None:
        bias = arrays.bias(bias, weight, layout)
    if residual is not None:
        residual = arrays.array("residual", residual, weight.dtype, y_shape)

    hwio = weight.astype(float) if layout == "NHWC" else weight.astype(float).transpose(2, 3, 1, 0)
    y = np.zeros(nhwc)
    with np.errstate(over="ignore", invalid="ignore"):  # Inf and NaN are answers here
        for r, s, tap in _taps(_padded(x, shape, layout), shape, shape.dilation):
            for c, k in _groups(shape):
                y[..., k] += tap[..., c] @ hwio[r, s, :, k]
        if bias is not None:
            y += bias
        if residual is not None:
            y += _nhwc(residual, layout)
    return _from_nhwc(activations.clip(y, activation), x.ndim, layout)


def pointwise(
    x: Array[Float],
    weight: Array[Float],
    bias: Array[Float] | None = None,
    *,
    stride: Pair = 1,
    activation: Activation = None,
    residual: Array[Float] | None = None,
    layout: Layout = "NHWC",
) -> Array[np.float64]:
    """y[n,p,q,k] = f(Σ_c x[n, p·stride, q·stride, c] · weight[c,k] + bias[k] + residual[n,p,q,k]).

    Arguments as in `fastconv.pointwise`; weight has shape (K, C) in layout NCHW.

    Examples
    --------
    >>> pointwise(np.ones((1, 1, 3)), np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 1.0]]))
    array([[[6., 1.]]])
    """
    weight = arrays.as_kernel(x, weight, bias, layout)
    return conv2d(x, weight, bias, stride=stride, activation=activation, residual=residual, layout=layout)


def max_pool2d(
    x: Array[Float],
    kernel: Pair,
    *,
    stride: Pair | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    layout: Layout = "NHWC",
) -> Array[np.float64]:
    """y[n,p,q,c] = max_{r,s} x[n, p·stride + r − top, q·stride + s − left, c] over the pixels that x has.

    Arguments as in `fastconv.max_pool2d`. The maximum of a window with a NaN is NaN.

    Examples
    --------
    >>> max_pool2d(np.arange(-9.0, 0).reshape(3, 3, 1), 2, padding=1)[..., 0]
    array([[-9., -7.],
           [-3., -1.]])
    """
    geometry = pool_shapes.pool_geometry(kernel, stride=stride, padding=padding, ceil_mode=ceil_mode, layout=layout)
    return pooled("max", x, geometry)


def avg_pool2d(
    x: Array[Float],
    kernel: Pair,
    *,
    stride: Pair | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    layout: Layout = "NHWC",
) -> Array[np.float64]:
    """y[n,p,q,c] = Σ_{r,s} x[n, p·stride + r − top, q·stride + s − left, c] / (the pixels of the window that count).

    Arguments as in `fastconv.avg_pool2d`, which says what counts.

    Examples
    --------
    >>> avg_pool2d(np.arange(16.0).reshape(4, 4, 1), 2)[..., 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]])
    """
    geometry = pool_shapes.pool_geometry(
        kernel,
        stride=stride,
        padding=padding,
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
        layout=layout,
    )
    return pooled("avg", x, geometry)


def global_max_pool2d(x: Array[Float], *, layout: Layout = "NHWC") -> Array[np.float64]:
    """y[n,0,0,c] = max_{p,q} x[n,p,q,c].

    Arguments as in `fastconv.global_max_pool2d`.

    Examples
    --------
    >>> global_max_pool2d(np.arange(8.0).reshape(2, 2, 2))
    array([[[6., 7.]]])
    """
    x = arrays.array("x", x)
    return max_pool2d(x, pool_shapes.image_size(x.shape, layout), layout=layout)


def global_avg_pool2d(x: Array[Float], *, layout: Layout = "NHWC") -> Array[np.float64]:
    """y[n,0,0,c] = Σ_{p,q} x[n,p,q,c] / (H·W).

    Arguments as in `fastconv.global_avg_pool2d`.

    Examples
    --------
    >>> global_avg_pool2d(np.arange(8.0).reshape(2, 2, 2))
    array([[[3., 4.]]])
    """
    x = arrays.array("x", x)
    return avg_pool2d(x, pool_shapes.image_size(x.shape, layout), layout=layout)


def _taps(
    x: Array[np.float64], shape: shapes.ConvShape | pool_shapes.PoolShape, dilation: Size = (1, 1)
) -> Iterator[tuple[int, int, Array[np.float64]]]:
    """(r, s, the pixels of x, padded, that this tap of the kernel meets, one for each output)."""
    for r, s in np.ndindex(*shape.kernel):
        starts = r * dilation[0], s * dilation[1]
        ends = starts[0] + (shape.out_height - 1) * shape.stride[0], starts[1] + (shape.out_width - 1) * shape.stride[1]
        rows, columns = (slice(a, b + 1, step) for a, b, step in zip(starts, ends, shape.stride, strict=True))
        yield r, s, x[:, rows, columns]


def _groups(shape: shapes.ConvShape) -> list[tuple[slice, slice]]:
    """(channels read, channels written) of each group, as slices."""
    c, k = shape.in_channels // shape.groups, shape.out_channels // shape.groups
    return [(slice(g * c, (g + 1) * c), slice(g * k, (g + 1) * k)) for g in range(shape.groups)]


def pooled(kind: Literal["max", "avg"], x: Array[Float], geometry: pool_shapes.PoolGeometry) -> Array[np.float64]:
    """The maximum or average over the taps of a pooling window."""
    x = arrays.array("x", x)
    shape, layout = geometry.at(x.shape), geometry.layout
    combine, fill = (np.maximum, -np.inf) if kind == "max" else (np.add, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        y = functools.reduce(combine, (tap for _, _, tap in _taps(_padded(x, shape, layout, fill), shape)))
    if kind == "avg":
        rows, columns = _counted(shape, 0, shape.height), _counted(shape, 1, shape.width)
        y /= np.outer(rows, columns)[..., None]
    return _from_nhwc(y, x.ndim, layout)


def _counted(shape: pool_shapes.PoolShape, axis: Literal[0, 1], size: int) -> list[int]:
    """Pixels along an axis, of this size, that count in an average, of each window."""
    (before, after), step = shape.counted[axis], shape.stride[axis]
    first = -shape.padding[axis][0]
    starts = range(first, first + shape.out_shape[axis + 1] * step, step)
    return [min(start + shape.kernel[axis], size + after) - max(start, -before) for start in starts]


def channel_axis(layout: Layout) -> int:
    return -1 if layout == "NHWC" else -3


def per_channel(vector: Array[np.float64], layout: Layout) -> Array[np.float64]:
    """A vector of a value for each channel, to be broadcast to a map."""
    return vector if layout == "NHWC" else vector[:, None, None]


def _nhwc(x: np.ndarray, layout: Layout) -> Array[np.float64]:
    """x in float64, with a batch axis and the channels last."""
    x = np.moveaxis(x.astype(float), channel_axis(layout), -1)
    return x if x.ndim == 4 else x[None]


def _padded(
    x: np.ndarray, shape: shapes.ConvShape | pool_shapes.PoolShape, layout: Layout, fill: float = 0.0
) -> Array[np.float64]:
    return np.pad(_nhwc(x, layout), ((0, 0), *shape.padding, (0, 0)), constant_values=fill)


def _from_nhwc(y: Array[np.float64], ndim: int, layout: Layout) -> Array[np.float64]:
    """y in `layout` and with `ndim` axes, contiguous."""
    return np.ascontiguousarray(np.moveaxis(y if ndim == 4 else y[0], -1, channel_axis(layout)))
