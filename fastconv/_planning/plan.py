"""What every plan does: check the arrays, bind to their shape once, run."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from fastconv._checks import arrays
from fastconv._checks.arguments import named, sizes
from fastconv._checks.types import Array, Float, Layout, Shape
from fastconv._planning import layouts, teams

if TYPE_CHECKING:
    from fastconv._graph.costs import Cost
    from fastconv._graph.graph import Graph
    from fastconv._graph.operations.operation import NHWC

    class Runs(Protocol):
        """What is bound to a shape of x; `layout` is that of the arrays it takes, `out_shape` is NHWC in either."""

        @property
        def layout(self) -> Layout: ...
        @property
        def out_shape(self) -> NHWC: ...
        def run(self, x: np.ndarray, residual: np.ndarray | None, out: np.ndarray, out_stride: int) -> None: ...


FLOAT32 = np.dtype(np.float32)  # what is told of a plan that takes x of either dtype
MOST_BOUND_SHAPES = 64  # kept in a plan; each holds about a kilobyte


class Plan(ABC):
    """The base of plans, each of a `fastconv._graph.graph.Graph`.

    A subclass has `_graph`, and `_bind_to(x_shape)`, what runs on x of this shape.
    """

    _graph: "Graph"
    _bound: dict[Shape, Any]  # by the shape of x

    _whose_dtype = "weight"

    def __init__(self, dtype: np.dtype | None, layout: Layout, num_threads: int | None) -> None:
        self._dtype, self._layout, self._num_threads = dtype, layout, num_threads
        self._start_empty()

    @abstractmethod
    def _bind_to(self, x_shape: Shape) -> "Runs": ...

    def _start_empty(self) -> None:
        """Make what is made again in a copy."""
        self._bound = {}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._start_empty()

    @property
    def num_threads(self) -> int:
        """The largest team, for the calling thread now."""
        return teams.now(self._num_threads)

    @property
    def layout(self) -> Layout:
        """ "NHWC" or "NCHW"."""
        return self._layout

    def _call(self, x: Array[Float], residual: Array[Float] | None, out: Array[Float] | None) -> Array[Float]:
        """The result for x, and a residual that is not None; it is `out` if that was given."""
        dtype: Any = self._dtype  # which only a graph without weights does not know, whose plans of a dtype do
        layout = self._layout
        x = arrays.check("x", x, dtype, None, self._whose_dtype)
        bound = self._bound.get(x.shape) or self._bind(x.shape)
        shape = self._result_shape(bound, x)
        if residual is not None:
            residual = arrays.check("residual", residual, dtype, shape)
        y, step = arrays.output(out, dtype, shape, layout, x, residual)
        if bound.layout == layout:
            added = None if residual is None else arrays.contiguous(residual, dtype)
            bound.run(arrays.contiguous(x, dtype), added, y, step)
        else:
            images = x.shape[-3:]
            layouts.run_in_nhwc(lambda n: self._bind((n, *images)), x, residual, y, self._num_threads)
        return y if out is None else out

    def _result_shape(self, bound: "Runs", x: np.ndarray) -> Shape:
        """The shape of the result for x."""
        return arrays.result_shape(bound.out_shape, x.ndim, self._layout)

    def cost(self, x_shape: Shape) -> "Cost":
        """The exact `fastconv.cost.Cost` of a call on x of this shape."""
        with named("x_shape"):
            return self._graph.cost(x_shape, (self._dtype or FLOAT32).itemsize)

    def _bind(self, x_shape: Shape) -> Any:
        bound = self._bound.get(x_shape)
        if bound is None:
            bound = self._bind_to(x_shape)
            if len(self._bound) >= MOST_BOUND_SHAPES:
                self._bound.clear()
            bound = self._bound.setdefault(x_shape, bound)
        return bound

    def _bind_named(self, x_shape: Shape) -> tuple[Shape, Any]:
        """(`x_shape` as a tuple of integers, what is bound to it), where that is an argument."""
        with named("x_shape"):
            x_shape = sizes("x", x_shape)
            return x_shape, self._bind(x_shape)
