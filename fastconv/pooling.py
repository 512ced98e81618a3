"""Pools as plans, to stand in a `Sequential` or a `Graph`; `fastconv.max_pool2d` and its like are their functions."""

from typing import Literal

from fastconv._checks import arguments, orders
from fastconv._checks.pool_shapes import pool_geometry
from fastconv._checks.types import Layout, Padding, Pair
from fastconv._graph.graph import single
from fastconv._graph.operations.pools import Pool
from fastconv._planning.graph_plan import GraphPlan


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
        geometry = pool_geometry(kernel, stride=stride, padding=padding, ceil_mode=ceil_mode, layout=layout)
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
        geometry = pool_geometry(
            kernel,
            stride=stride,
            padding=padding,
            ceil_mode=ceil_mode,
            count_include_pad=count_include_pad,
            layout=layout,
        )
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
