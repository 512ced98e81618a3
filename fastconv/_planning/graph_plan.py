"""The plan of a graph: its steps for one shape of x, with no Python from the first to the last.

The graph that runs is the rewritten one: branches write into slices of channels of the result, bias, residual and ReLU
are part of a convolution's store. What lies between the steps is kept for some images at a time.
"""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from fastconv._checks import arrays
from fastconv._checks.shapes import image_shape
from fastconv._checks.types import Array, Float, Layout, Shape
from fastconv._graph.graph import Graph, Node
from fastconv._graph.operations.conv import Conv
from fastconv._graph.operations.operation import NHWC
from fastconv._graph.rewrites import rewritten
from fastconv._planning import layouts, teams
from fastconv._planning.bound import Bound
from fastconv._planning.conv_plan import ConvPlan
from fastconv._planning.description import GraphDescription
from fastconv._planning.memory import memory, views
from fastconv._planning.plan import FLOAT32, Plan
from fastconv._planning.steps import bind
from fastconv._planning.steps.step import BoundStep
from fastconv._runners.chain import Chain
from fastconv._runners.cut import Runner
from fastconv._runners.place import Place

# As many images at a time as keep what lies between the steps within this, or within the bytes of the weights, which
# are read again each time.
_SCRATCH_BYTES = 8 * 2**20


class GraphPlan(Plan):
    """A graph with its weights packed, ready for many calls: what `Graph.plan` gives.

    One without weights takes x of float32 or float64: its `dtype` is None, and bytes are counted for float32.

    The result has the same bits for every number of threads and every batch size, but for the sign and payload of a
    NaN. A plan may be called from many threads at once and can be pickled.
    """

    _whose_dtype = "every weight"

    def __init__(self, graph: Graph, num_threads: int | None) -> None:
        self._graph = graph
        super().__init__(graph.dtype, graph.layout, teams.checked(num_threads))

    @property
    def dtype(self) -> np.dtype | None:
        """The dtype of the weights, x and the result."""
        return self._dtype

    def _start_empty(self) -> None:
        super()._start_empty()
        self._rewritten = rewritten(self._graph)
        self._typed: dict[np.dtype, GraphPlan] = {}  # the plans by dtype of a graph that has none
        self._convs = {
            node.name: ConvPlan(node.operation, node.operation.weight, self._num_threads)
            for node in self._rewritten.nodes
            if isinstance(node.operation, Conv) and node.operation.weight is not None
        }

    def __getstate__(self) -> dict[str, Any]:
        made_again = "_bound", "_rewritten", "_typed", "_convs"
        return {name: value for name, value in vars(self).items() if name not in made_again}

    def __repr__(self) -> str:
        parts = {node.name: self._convs.get(node.name, node.operation) for node in _steps(self._rewritten)}
        return f"{type(self).__name__}({', '.join(f'{name}={part}' for name, part in parts.items())})"

    def __call__(self, x: Array[Float], out: Array[Float] | None = None) -> Array[Float]:
        """Run the graph on `x`, of shape (N, H, W, C) or (H, W, C), (N, C, H, W) or (C, H, W) in layout NCHW.

        Returns
        -------
        ndarray
            In the same layout, with as many axes as x; it is `out` if that was given (as in `Conv2d.__call__`).
        """
        if self.dtype is None:
            x = arrays.check("x", x)
            return self._of(arrays.native_dtype(x))(x, out)
        return self._call(x, None, out)

    def describe(self, x_shape: Shape, measure: bool = False) -> GraphDescription:
        """What a call on x of this shape does, step by step in running order: the `fastconv.conv.Description` of each
        by name in `parts`.

        With `measure` each step is timed by itself, as `Conv2d.describe` does it.
        """
        if self.dtype is None:
            return self._of(FLOAT32).describe(x_shape, measure)
        _, bound = self._bind_named(x_shape)
        shapes, parts = self._rewritten.shapes(bound.x_shape), {}
        for node in _steps(self._rewritten):
            step = self._bind_node(node, shapes)
            parts[node.name] = step.describe()
            if measure and bound.x_shape[0]:
                x, *residual = [np.ones(shapes[name], self.dtype) for name in node.inputs]
                y = np.empty(step.out_shape, self.dtype)
                call = partial(step.run, x, residual[0] if residual else None, y, y.shape[-1] * y.itemsize)
                parts[node.name] = parts[node.name].timed(call, y.itemsize)
        kept, alive = bound.memory
        return GraphDescription(parts, kept, alive, layouts.conversion(self.layout))

    def _of(self, dtype: np.dtype) -> "GraphPlan":
        """The plan of the same graph for x of this dtype."""
        plan = self._typed.get(dtype)
        if plan is None:
            plan = self._typed.setdefault(dtype, GraphPlan(replace(self._graph, dtype=dtype), self._num_threads))
        return plan

    def _bind_to(self, x_shape: Shape) -> "BoundGraph":
        shapes = self._graph.shapes(x_shape)  # whose errors speak of arrays in the layout that was given
        result_shape = self._graph.result_shape(self._graph.output, shapes)
        return BoundGraph(self, image_shape(x_shape, self.layout), result_shape)

    def _result_shape(self, bound: Any, x: np.ndarray) -> Shape:
        shape: Shape = bound.result_shape
        return shape

    @property
    def _itemsize(self) -> int:
        return (self._dtype or FLOAT32).itemsize

    def _bind_node(self, node: Node, shapes: dict[str, Shape]) -> BoundStep:
        """What runs for a node."""
        name, x_shapes = node.name, [shapes[name] for name in node.inputs]
        bound: BoundStep
        if name in self._convs:
            bound = self._convs[name]._bind(x_shapes[0])
        else:
            bound = bind(node.operation, x_shapes, self._dtype or FLOAT32, self._num_threads)
        if bound.out_shape != shapes[name]:  # never run what may not fit
            raise RuntimeError(f"{name} has the shape {bound.out_shape}, but its graph has room for {shapes[name]}")
        return bound


class BoundGraph:
    """A graph for one NHWC shape of x, on arrays that are known to be right."""

    layout: Layout = "NHWC"

    def __init__(self, plan: GraphPlan, x_shape: NHWC, result_shape: Shape) -> None:
        self.result_shape = result_shape
        graph, batch, itemsize = plan._rewritten, x_shape[0], plan._itemsize
        shapes = graph.shapes(x_shape)
        self.x_shape, self.out_shape = x_shape, image_shape(shapes[graph.output], "NHWC")
        one, weights = memory(graph, _with_batch(shapes, 1), itemsize), graph.params * itemsize
        self._most = max(1, max(_SCRATCH_BYTES, weights) // max(one.nbytes, 1))  # images at a time
        batches = {min(self._most, batch), batch % self._most} - {0}  # the rest are fewer
        self._bounds = {images: BoundChain(plan, _with_batch(shapes, images)) for images in batches}

    @property
    def memory(self) -> tuple[int, int]:
        """(bytes kept between the steps, bytes of the largest set of arrays alive at once) of the images of a turn."""
        placed = [(bound.placed.nbytes, bound.placed.alive_bytes) for bound in self._bounds.values()]
        return max(placed, default=(0, 0))

    def run(self, x: np.ndarray, residual: np.ndarray | None, out: np.ndarray, out_stride: int) -> None:
        """Write the result for x into out, whose pixels are `out_stride` bytes apart, some images at a time."""
        batch = self.out_shape[0]
        if batch in self._bounds:
            self._bounds[batch].run(x, None, out, out_stride)
            return
        for start in range(0, batch, self._most):
            images = slice(start, min(start + self._most, batch))
            self._bounds[images.stop - start].run(x[images], None, out[images], out_stride)


class BoundChain(Bound):
    """The steps one after the other, for these NHWC shapes of the nodes."""

    __slots__ = ("_steps", "placed")

    def __init__(self, plan: GraphPlan, shapes: dict[str, Shape]) -> None:
        graph = plan._rewritten
        self.placed = memory(graph, shapes, plan._itemsize)
        self._steps: list[
            tuple[BoundStep, Place, Place | None, Place]
        ] = []  # (what runs, where x is, where a residual is, where the result is)
        for node in _steps(graph):
            x, *residual = [self.placed.places[name] for name in node.inputs]
            bound, out = plan._bind_node(node, shapes), self.placed.places[node.name]
            self._steps.append((bound, x, residual[0] if residual else None, out))
        useful = max(step[0].useful for step in self._steps)
        super().__init__(plan._num_threads, useful)

    def _bind(self, threads: int) -> Runner:
        steps = [(bound.runner_for(threads), x, residual, out) for bound, x, residual, out in self._steps]
        return Chain(steps, self.placed.nbytes)


def _steps(graph: Graph) -> list[Node]:
    """The nodes that something runs for."""
    nothing = views(graph)
    return [node for node in graph.nodes if node.operation.kind != "concat" and node.name not in nothing]


def _with_batch(shapes: dict[str, Shape], images: int) -> dict[str, Shape]:
    """The same shapes for so many images."""
    return {name: (images, *shape[1:]) for name, shape in shapes.items()}
