"""Pools: functions, whose plans are known again, and plans, to stand in a `Sequential` or a `Graph`."""

from functools import lru_cache
from typing import Literal

from fastconv._checks import arguments, orders
from fastconv._checks.pool_shapes import PoolGeometry, pool_geometry
from fastconv._checks.types import Array, Float, Layout, Padding, Pair
from fastconv._graph.graph import single
from fastconv._graph.operations.pools import Pool
from fastconv._planning import teams
from fastconv._planning.graph_plan import GraphPlan


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
    geometry = pool_geometry(kernel, stride, padding, ceil_mode, layout=layout)
    return _plan("max", geometry, geometry.layout, teams.checked(num_threads))(x, out=out)


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
    geometry = pool_geometry(kernel, stride, padding, ceil_mode, count_include_pad, layout=layout)
    return _plan("avg", geometry, geometry.layout, teams.checked(num_threads))(x, out=out)


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
    layout = arguments.one_of("layout", layout, orders.LAYOUTS)
    return _plan("max", None, layout, teams.checked(num_threads))(x, out=out)


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
    layout = arguments.one_of("layout", layout, orders.LAYOUTS)
    return _plan("avg", None, layout, teams.checked(num_threads))(x, out=out)


@lru_cache(maxsize=64)
def _plan(
    kind: Literal["max", "avg"], geometry: PoolGeometry | None, layout: Layout, num_threads: int | None
) -> GraphPlan:
    """The plan of a pool, which has no weights that it would keep alive."""
    return GraphPlan(single(Pool(kind, geometry), layout), num_threads)


class MaxPool2d(GraphPlan):
    """The maximum of each channel over windows; padding never wins, NaN always does.

    Parameters
    ----------
    kernel, stride, padding, ceil_mode, layout, num_threads
        As in `fastconv.max_pool2d`.

    Examples
    --------
    >>> import numpy as np, fastconv
    >>> fastconv.MaxPool2d(2)(np.arange(16, dtype=np.float32).reshape(4, 4, 1))[..., 0]
    array([[ 5.,  7.],
           [13., 15.]], dtype=float32)
    """

    def __init__(
        self,
        kernel: Pair,
        *,
        stride: Pair | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
        layout: Layout = "NHWC",
        num_threads: int | None = None,
    ) -> None:
        geometry = pool_geometry(kernel, stride, padding, ceil_mode, layout=layout)
        super().__init__(single(Pool("max", geometry), geometry.layout), num_threads)


class AvgPool2d(GraphPlan):
    """The average of each channel over windows.

    Parameters
    ----------
    kernel, stride, padding, ceil_mode, count_include_pad, layout, num_threads
        As in `fastconv.avg_pool2d`.

    Examples
    --------
    >>> import numpy as np, fastconv
    >>> fastconv.AvgPool2d(2)(np.arange(16, dtype=np.float32).reshape(4, 4, 1))[..., 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]], dtype=float32)
    """

    def __init__(
        self,
        kernel: Pair,
        *,
        stride: Pair | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        layout: Layout = "NHWC",
        num_threads: int | None = None,
    ) -> None:
        geometry = pool_geometry(kernel, stride, padding, ceil_mode, count_include_pad, layout=layout)
        super().__init__(single(Pool("avg", geometry), geometry.layout), num_threads)


class _GlobalPool2d(GraphPlan):
    """A pool over the whole image; a subclass says what combines the pixels."""

    _combine: Literal["max", "avg"]

    def __init__(self, *, layout: Layout = "NHWC", num_threads: int | None = None) -> None:
        super().__init__(single(Pool(self._combine), arguments.one_of("layout", layout, orders.LAYOUTS)), num_threads)


class GlobalMaxPool2d(_GlobalPool2d):
    """The maximum of each channel over the whole image; the axes stay.

    Parameters
    ----------
    layout, num_threads
        As in `fastconv.global_max_pool2d`.

    Examples
    --------
    >>> import numpy as np, fastconv
    >>> fastconv.GlobalMaxPool2d()(np.arange(8, dtype=np.float32).reshape(2, 2, 2))
    array([[[6., 7.]]], dtype=float32)
    """

    _combine = "max"


class GlobalAvgPool2d(_GlobalPool2d):
    """The average of each channel over the whole image; the axes stay.

    Parameters
    ----------
    layout, num_threads
        As in `fastconv.global_avg_pool2d`.

    Examples
    --------
    >>> import numpy as np, fastconv
    >>> fastconv.GlobalAvgPool2d()(np.arange(8, dtype=np.float32).reshape(2, 2, 2))
    array([[[3., 4.]]], dtype=float32)
    """

    _combine = "avg"
