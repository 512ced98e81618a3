"""Pools as plans, to stand in a `Sequential` or a `Graph`; `fastconv.max_pool2d` and its like are their functions."""

from typing import Literal

from fastconv._checks import arguments, orders, pool_shapes
from fastconv._checks.types import Layout, Padding, Pair
from fastconv._graph.graph import single
from fastconv._graph.operations.pools import Pool
from fastconv._planning.graph_plan import GraphPlan


class _Pool2d(GraphPlan):
    """A pool over windows; a subclass says what combines them."""

    _combine: Literal["max", "avg"]

    def __init__(
        self,
        kernel: Pair,
        *,
        stride: Pair | None = None,
        padding: Padding = 0,
        layout: Layout = "NHWC",
        num_threads: int | None = None,
    ) -> None:
        geometry = pool_shapes.pool_geometry(kernel, stride=stride, padding=padding, layout=layout)
        super().__init__(single(Pool(self._combine, geometry), geometry.layout), num_threads)


class MaxPool2d(_Pool2d):
    """The maximum of each channel over windows; padding never wins, NaN always does.

    Parameters
    ----------
    kernel, stride, padding, layout, num_threads
        As in `fastconv.max_pool2d`.

    Examples
    --------
    >>> import numpy as np, fastconv
    >>> fastconv.MaxPool2d(2)(np.arange(16, dtype=np.float32).reshape(4, 4, 1))[..., 0]
    array([[ 5.,  7.],
           [13., 15.]], dtype=float32)
    """

    _combine = "max"


class AvgPool2d(_Pool2d):
    """The average of each channel over windows; padding counts as zeros, so every sum is divided by the kernel's size.

    Parameters
    ----------
    kernel, stride, padding, layout, num_threads
        As in `fastconv.avg_pool2d`.

    Examples
    --------
    >>> import numpy as np, fastconv
    >>> fastconv.AvgPool2d(2)(np.arange(16, dtype=np.float32).reshape(4, 4, 1))[..., 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]], dtype=float32)
    """

    _combine = "avg"


class GlobalAvgPool2d(GraphPlan):
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

    def __init__(self, *, layout: Layout = "NHWC", num_threads: int | None = None) -> None:
        super().__init__(single(Pool("avg"), arguments.one_of("layout", layout, orders.LAYOUTS)), num_threads)
