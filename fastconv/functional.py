"""The functions: each builds a plan, runs it once and drops it."""

from typing import Literal

from fastconv._checks import arrays, pool_shapes
from fastconv._checks.pool_shapes import PoolGeometry
from fastconv._checks.types import Activation, AlgorithmName, Array, Float, Layout, Padding, Pair
from fastconv._graph.operations.pools import Pool
from fastconv._planning import layouts, teams
from fastconv._planning.steps.pool import BoundPool
from fastconv.conv import Conv2d


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
    algorithm: AlgorithmName = "auto",
    out: Array[Float] | None = None,
    num_threads: int | None = None,
) -> Array[Float]:
    """Convolve x with weight: y = activation(conv(x, weight) + bias + residual).

    y[n, p, q, k] = Σ x[n, p·stride + r·dilation − top, q·stride + s·dilation − left, c] · weight[r, s, c, k]
    over r, s, c, with zeros outside of x (no flip of the kernel, as in every deep-learning library).

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (N, H, W, C) or (H, W, C); (N, C, H, W) or (C, H, W) in layout NCHW
    weight, bias, stride, padding, dilation, groups, activation, layout, algorithm, num_threads
        As in `Conv2d`, the plan: make one where the same weights are used again, since they are packed once there.
    residual, out
        As in `Conv2d.__call__`.

    Returns
    -------
    ndarray of shape (N, P, Q, K) or (P, Q, K); (N, K, P, Q) or (K, P, Q) in layout NCHW

    Raises
    ------
    TypeError, ValueError
        Naming the argument, before any work.

    Examples
    --------
    >>> import numpy as np, fastconv
    >>> x = np.arange(9, dtype=np.float32).reshape(3, 3, 1)
    >>> fastconv.conv2d(x, np.ones((3, 3, 1, 1), np.float32), padding=1)[..., 0]
    array([[ 8., 15., 12.],
           [21., 36., 27.],
           [20., 33., 24.]], dtype=float32)
    """
    dtype = arrays.native_dtype(arrays.check("x", x))
    arrays.check("weight", weight, dtype, other="x")  # x says which dtype: in a plan it is the weight
    plan = Conv2d(
        weight,
        bias,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        activation=activation,
        layout=layout,
        algorithm=algorithm,
        num_threads=num_threads,
    )
    return plan(x, residual=residual, out=out)


def pointwise(
    x: Array[Float],
    weight: Array[Float],
    bias: Array[Float] | None = None,
    *,
    stride: Pair = 1,
    activation: Activation = None,
    residual: Array[Float] | None = None,
    layout: Layout = "NHWC",
    algorithm: AlgorithmName = "auto",
    out: Array[Float] | None = None,
    num_threads: int | None = None,
) -> Array[Float]:
    """Convolve x with a 1×1 kernel: y[n, p, q] = activation(x[n, p·stride, q·stride] @ weight + bias + residual).

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (N, H, W, C) or (H, W, C); (N, C, H, W) or (C, H, W) in layout NCHW
    weight : ndarray of shape (C, K); (K, C) in layout NCHW
    bias, stride, activation, layout, algorithm, num_threads
        As in `Conv2d`.
    residual, out
        As in `Conv2d.__call__`.

    Returns
    -------
    ndarray of shape (N, P, Q, K) or (P, Q, K); (N, K, P, Q) or (K, P, Q) in layout NCHW

    Raises
    ------
    TypeError, ValueError
        Naming the argument, before any work.

    References
    ----------
    Lin, Chen and Yan, "Network in Network", arXiv:1312.4400, section 3.1.

    Examples
    --------
    >>> import numpy as np, fastconv
    >>> x = np.ones((2, 2, 3), np.float32)
    >>> fastconv.pointwise(x, np.array([[1, 0], [2, 0], [3, 1]], np.float32))[0, 0]
    array([6., 1.], dtype=float32)
    """
    plan = Conv2d(
        arrays.as_kernel(x, weight, bias, layout),
        bias,
        stride=stride,
        activation=activation,
        layout=layout,
        algorithm=algorithm,
        num_threads=num_threads,
    )
    return plan(x, residual=residual, out=out)


def max_pool2d(
    x: Array[Float],
    kernel: Pair,
    *,
    stride: Pair | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    layout: Layout = "NHWC",
    out: Array[Float] | None = None,
    num_threads: int | None = None,
) -> Array[Float]:
    """Take the maximum of each channel over windows; padding never wins, NaN always does.

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (N, H, W, C) or (H, W, C); (N, C, H, W) or (C, H, W) in layout NCHW
    kernel : int or (int, int)
        Height and width of the windows.
    stride : int or (int, int), optional
        The default is the kernel's size.
    padding : int, (int, int), ((top, bottom), (left, right)), "same" or "valid", default 0
        Smaller than the kernel.
    ceil_mode : bool, default False
        Round the number of windows along an axis, (size + padding − kernel) / stride + 1, up instead of down. A last
        window may then lack pixels at its end, but it must begin in x or the padding before x, or else it is left out,
        as in PyTorch (`torch.nn.MaxPool2d`) and ONNX (`MaxPool`, opset 22).
    layout, num_threads
        As in `Conv2d`.
    out
        As in `Conv2d.__call__`.

    Returns
    -------
    ndarray of shape (N, P, Q, C) or (P, Q, C); (N, C, P, Q) or (C, P, Q) in layout NCHW

    Raises
    ------
    TypeError, ValueError
        Naming the argument, before any work.

    Examples
    --------
    >>> import numpy as np, fastconv
    >>> x = np.arange(16, dtype=np.float32).reshape(4, 4, 1)
    >>> fastconv.max_pool2d(x, 2)[..., 0]
    array([[ 5.,  7.],
           [13., 15.]], dtype=float32)
    """
    geometry = pool_shapes.pool_geometry(kernel, stride=stride, padding=padding, ceil_mode=ceil_mode, layout=layout)
    return _pool("max", x, geometry, out, num_threads)


def avg_pool2d(
    x: Array[Float],
    kernel: Pair,
    *,
    stride: Pair | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    layout: Layout = "NHWC",
    out: Array[Float] | None = None,
    num_threads: int | None = None,
) -> Array[Float]:
    """Average each channel over windows.

    Parameters
    ----------
    x, kernel, stride, padding, ceil_mode, layout, out, num_threads
        As in `max_pool2d`, and so are the result and the errors.
    count_include_pad : bool, default True
        Count the padding as zeros: a sum is divided by the number of the window's pixels in x and its padding, which is
        the kernel's size except in the last windows of `ceil_mode`. False divides by those in x alone. PyTorch
        (`torch.nn.AvgPool2d`) and ONNX (`AveragePool`) define both.

    Examples
    --------
    >>> import numpy as np, fastconv
    >>> x = np.arange(16, dtype=np.float32).reshape(4, 4, 1)
    >>> fastconv.avg_pool2d(x, 2)[..., 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]], dtype=float32)
    """
    geometry = pool_shapes.pool_geometry(
        kernel,
        stride=stride,
        padding=padding,
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
        layout=layout,
    )
    return _pool("avg", x, geometry, out, num_threads)


def global_max_pool2d(
    x: Array[Float], *, layout: Layout = "NHWC", out: Array[Float] | None = None, num_threads: int | None = None
) -> Array[Float]:
    """Take the maximum of each channel over the whole image; the axes stay.

    Parameters, result and errors are those of `global_avg_pool2d`.

    Examples
    --------
    >>> import numpy as np, fastconv
    >>> fastconv.global_max_pool2d(np.arange(8, dtype=np.float32).reshape(2, 2, 2))
    array([[[6., 7.]]], dtype=float32)
    """
    return _pool("max", x, _whole(x, layout), out, num_threads)


def global_avg_pool2d(
    x: Array[Float], *, layout: Layout = "NHWC", out: Array[Float] | None = None, num_threads: int | None = None
) -> Array[Float]:
    """Average each channel over the whole image; the axes stay: (N, 1, 1, C), or (N, C, 1, 1) in layout NCHW.

    Parameters and errors are those of `max_pool2d`.

    References
    ----------
    Lin, Chen and Yan, "Network in Network", arXiv:1312.4400, section 3.2.

    Examples
    --------
    >>> import numpy as np, fastconv
    >>> fastconv.global_avg_pool2d(np.arange(8, dtype=np.float32).reshape(2, 2, 2))
    array([[[3., 4.]]], dtype=float32)
    """
    return _pool("avg", x, _whole(x, layout), out, num_threads)


def _whole(x: Array[Float], layout: Layout) -> PoolGeometry:
    """The window that is the whole of x."""
    return pool_shapes.pool_geometry(pool_shapes.image_size(arrays.check("x", x).shape, layout), layout=layout)


def _pool(
    kind: Literal["max", "avg"],
    x: Array[Float],
    geometry: PoolGeometry,
    out: Array[Float] | None,
    num_threads: int | None,
) -> Array[Float]:
    x = arrays.check("x", x)
    dtype, layout, shape = arrays.native_dtype(x), geometry.layout, geometry.at(x.shape)
    num_threads = teams.checked(num_threads)
    y, step = arrays.output("out", out, dtype, arrays.result_shape(shape.out_shape, x.ndim, layout), layout, {"x": x})

    pool, image = Pool(kind, geometry._replace(layout="NHWC")), (shape.height, shape.width, shape.channels)

    def bind(images: int) -> BoundPool:
        return BoundPool(pool, [(images, *image)], dtype, num_threads)

    if layout == "NHWC":
        bind(shape.batch).run([arrays.contiguous(x, dtype)], [(y, step)])
    else:
        layouts.run_in_nhwc(lambda images: bind(images).run, [x], [y], num_threads)
    return y if out is None else out
