"""The functions: each what its operation is in NumPy float64."""

import numpy as np

from fastconv._checks import arrays
from fastconv._checks.pool_shapes import pool_geometry
from fastconv._checks.types import Activation, Array, Float, Layout, Padding, Pair
from fastconv._graph.operations.pools import Pool
from fastconv.conv import declared


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
    geometry = stride, padding, dilation, groups, layout
    conv = declared(weight, bias, geometry, activation, "auto", "normwise")
    layout, dtype = conv.geometry.layout, conv.arrays[0].dtype
    x = arrays.array("x", x, dtype)
    y_shape = arrays.result_shape(conv.shape(layout, x.shape), x.ndim, layout)
    residuals = [] if residual is None else [arrays.array("residual", residual, dtype, y_shape)]
    return conv.reference(layout, *(array.astype(float) for array in (x, *residuals)))


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
    geometry = pool_geometry(kernel, stride, padding, ceil_mode, layout=layout)
    return Pool("max", geometry).reference(geometry.layout, arrays.array("x", x).astype(float))


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
    geometry = pool_geometry(kernel, stride, padding, ceil_mode, count_include_pad, layout=layout)
    return Pool("avg", geometry).reference(geometry.layout, arrays.array("x", x).astype(float))


def global_max_pool2d(x: Array[Float], *, layout: Layout = "NHWC") -> Array[np.float64]:
    """y[n,0,0,c] = max_{p,q} x[n,p,q,c].

    Arguments as in `fastconv.global_max_pool2d`.

    Examples
    --------
    >>> global_max_pool2d(np.arange(8.0).reshape(2, 2, 2))
    array([[[6., 7.]]])
    """
    return Pool("max").reference(layout, arrays.array("x", x).astype(float))


def global_avg_pool2d(x: Array[Float], *, layout: Layout = "NHWC") -> Array[np.float64]:
    """y[n,0,0,c] = Σ_{p,q} x[n,p,q,c] / (H·W).

    Arguments as in `fastconv.global_avg_pool2d`.

    Examples
    --------
    >>> global_avg_pool2d(np.arange(8.0).reshape(2, 2, 2))
    array([[[3., 4.]]])
    """
    return Pool("avg").reference(layout, arrays.array("x", x).astype(float))
