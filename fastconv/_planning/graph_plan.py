"""The plan of a graph: the weights packed, and for one shape of each input what runs.

The graph that runs is the rewritten one: branches write into slices of channels of the result, bias, residual and ReLU
are a convolution's epilogue, and its tasks compute the functions that follow. What runs it for given shapes is in
prepared_graph.py.
"""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fastconv._checks import arrays
from fastconv._checks.arguments import named
from fastconv._checks.shapes import image_shape
from fastconv._checks.types import Accuracy, AlgorithmName, Array, Float, Out, Shape
from fastconv._graph.graph import Graph, Node
from fastconv._graph.operations.conv import Conv
from fastconv._graph.operations.transposed import ConvTranspose
from fastconv._graph.rewrites import rewritten
from fastconv._planning import choosing, layouts, teams
from fastconv._planning.call import call, call_one
from fastconv._planning.conv_plan import ConvPlan
from fastconv._planning.description import GraphDescription
from fastconv._planning.plan import FLOAT32, Plan
from fastconv._planning.prepared_graph import PreparedGraph, steps_of
from fastconv._planning.steps.conv import PreparedConv
from fastconv._planning.steps.step import PreparedStep
from fastconv._planning.steps.table import bind

if TYPE_CHECKING:
    from fastconv._planning.profile import Profile


class GraphPlan(Plan):
    """A graph with its weights packed, ready for many calls: what `Graph.plan` gives.

    One without weights takes x of float32 or float64: its `dtype` is None, and bytes are counted for float32.

    The result has the same bits for every number of threads and every batch size, but for the sign and payload of a
    NaN. A plan may be called from many threads at once and can be pickled.
    """

    _whose_dtype = "every weight"
    _made_again = ("_prepared", "_known", "_made", "_typed")

    def __init__(
        self,
        graph: Graph,
        num_threads: int | None,
        algorithm: AlgorithmName = "auto",
        accuracy: Accuracy = "normwise",
    ) -> None:
        algorithm, accuracy = choosing.checked(algorithm, accuracy)
        self._graph = _with_algorithm(_with_accuracy(graph, accuracy), algorithm)
        super().__init__(graph.dtype, graph.layout, teams.checked(num_threads))

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs, in the order in which a call takes them."""
        return self._graph.inputs

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the nodes whose results a call gives."""
        return self._graph.outputs

    @property
    def dtype(self) -> np.dtype | None:
        """The dtype of the weights, x and the result."""
        return self._dtype

    def _start_empty(self) -> None:
        super()._start_empty()
        self._typed: dict[np.dtype, GraphPlan] = {}  # the plans by dtype of a graph that has none
        self._made: list[tuple[Graph, dict[str, ConvPlan]]] = []  # what runs, from the first use on

    @property
    def _rewritten(self) -> Graph:
        """The graph that runs."""
        return self._running[0]

    @property
    def _convs(self) -> dict[str, ConvPlan]:
        """The plans of its convolutions by name."""
        return self._running[1]

    @property
    def _running(self) -> tuple[Graph, dict[str, ConvPlan]]:
        if not self._made:
            graph = rewritten(self._graph)
            convs = {
                node.name: self._conv_plan(node.name, node.operation, self._dtype)
                for node in graph.nodes
                if isinstance(node.operation, Conv) and self._dtype is not None
            }
            first: dict[Any, ConvPlan] = {}
            for plan in convs.values():
                plan.pack_with(first.setdefault(plan.weights, plan))
            self._made.append((graph, convs))  # no lock, which a fork could leave locked: threads keep the first
        return self._made[0]

    def _conv_plan(self, name: str, conv: Conv, dtype: np.dtype) -> ConvPlan:
        return ConvPlan(conv, dtype, self._num_threads)

    def __repr__(self) -> str:
        parts = {node.name: self._convs.get(node.name, node.operation) for node in steps_of(self._rewritten)}
        return f"{type(self).__name__}({', '.join(f'{name}={part}' for name, part in parts.items())})"

    def __call__(self, x: Array[Float], *others: Array[Float], out: Out[Float] = None) -> Array[Float]:
        """Run the graph on `x`, of shape (N, H, W, C) or (H, W, C), (N, C, H, W) or (C, H, W) in layout NCHW.

        `others` are the other inputs where the graph has several, in the order of `inputs`, of as many images.

        Returns
        -------
        ndarray
            In the same layout, with as many axes as x; it is `out` if that was given (as in `Conv2d.__call__`). Of
            several results a tuple, as `out` is then.
        """
        names, given = self._graph.inputs, (x, *others)
        plan = self._for(given)
        if len(names) == 1:
            return call_one(plan, names, x, out)  # type: ignore[no-any-return]
        return call(plan, names, given, out)  # type: ignore[no-any-return]

    def describe(self, x_shape: Shape, *others: Shape, measure: bool = False) -> GraphDescription:
        """What a call on inputs of these shapes does, step by step in running order: the `Description` of
        each by name in `parts`.

        With `measure` each step is timed by itself, as `Conv2d.describe` does it.
        """
        if self.dtype is None:
            return self._of(FLOAT32).describe(x_shape, *others, measure=measure)
        given, prepared = self._bind_named(x_shape, *others)
        shapes, parts = self._rewritten.shapes(*prepared.shapes), {}
        packed = set[int]()
        for node, step in self._bind_nodes(shapes):
            parts[node.name] = step.describe()
            if isinstance(step, PreparedConv):
                if id(step.packed) in packed:  # with a convolution before it, of the same weights
                    parts[node.name] = parts[node.name]._replace(packed_bytes=0)
                packed.add(id(step.packed))
            if measure and prepared.shapes[0][0]:
                y = np.empty(step.out_shape, self.dtype)
                inputs = [np.ones(shapes[name], self.dtype) for name in node.inputs]
                call = partial(step.run, inputs, [(y, y.shape[-1] * y.itemsize)])
                parts[node.name] = parts[node.name].timed(call, y.itemsize)
        copied = 0
        if prepared.layout != self.layout:
            ends = [shapes[name][1:] for name in (*self._rewritten.inputs, *self._rewritten.outputs)]
            together, copied = layouts.turn_size(prepared.shapes[0][0], ends, self._itemsize)
            prepared, _ = self._bind(tuple((together, *shape[-3:]) for shape in given))
        between, alive, workspaces = prepared.memory
        return GraphDescription(parts, between, alive, workspaces, copied, layouts.conversion(self.layout))

    def profile(self, x: Array[Any], *others: Array[Any]) -> "Profile":
        """Run the graph on these inputs for about a second, three times at least, and time each step within the runs.

        Weights and arrays are then as cold as they are in a call. See `fastconv._planning.profile.Profile`.
        """
        from fastconv._planning.profile import profile

        return profile(self._for((x, *others)), (x, *others))

    def _for(self, given: tuple[Array[Any], ...]) -> "GraphPlan":
        """The plan for inputs of the dtype of the first."""
        names = self._graph.inputs
        if len(given) != len(names):
            self._graph.check_count(given)
        return self if self._dtype else self._of(arrays.native_dtype(arrays.check(names[0], given[0])))

    def _of(self, dtype: np.dtype) -> "GraphPlan":
        """The plan of the same graph for x of this dtype."""
        plan = self._typed.get(dtype)
        if plan is None:
            plan = GraphPlan(replace(self._graph, dtype=dtype), self._num_threads)
            plan._whose_dtype = self.inputs[0]
            plan = self._typed.setdefault(dtype, plan)
        return plan

    def _bind_to(self, *shapes: Shape) -> "tuple[PreparedGraph, tuple[Shape, ...]]":
        graph = self._graph
        inner = graph.shapes(*shapes)  # whose errors speak of arrays in the layout that was given
        prepared = PreparedGraph(self, [image_shape(shape, self.layout) for shape in shapes])
        return prepared, tuple(graph.result_shape(name, inner) for name in graph.outputs)

    @property
    def _itemsize(self) -> int:
        return (self._dtype or FLOAT32).itemsize

    def _bind_nodes(self, shapes: dict[str, Shape]) -> list[tuple[Node, PreparedStep]]:
        """The nodes that something runs for, in running order, and that for these NHWC shapes."""
        return [(node, self._bind_node(node, shapes)) for node in steps_of(self._rewritten)]

    def _bind_node(self, node: Node, shapes: dict[str, Shape]) -> PreparedStep:
        """What runs for a node."""
        name, x_shapes = node.name, [shapes[name] for name in node.inputs]
        prepared: PreparedStep
        if name in self._convs:
            prepared, _ = self._convs[name]._bind((x_shapes[0],))
        else:
            prepared = bind(node.operation, x_shapes, self._dtype or FLOAT32, self._num_threads)
        if prepared.out_shape != shapes[name]:  # never run what may not fit
            raise RuntimeError(f"{name} has the shape {prepared.out_shape}, but its graph has room for {shapes[name]}")
        return prepared


def _with_accuracy(graph: Graph, accuracy: Accuracy) -> Graph:
    """The graph all of whose convolutions promise this; "normwise" leaves each with its own, which is no less."""

    def changed(node: Node) -> Node:
        if isinstance(node.operation, Conv):
            with named(node.name):
                choosing.checked(node.operation.algorithm, accuracy)
        elif not isinstance(node.operation, ConvTranspose):
            return node
        return replace(node, operation=node.operation.changed(accuracy=accuracy))

    return graph if accuracy == "normwise" else replace(graph, nodes=tuple(map(changed, graph.nodes)))


def _with_algorithm(graph: Graph, algorithm: AlgorithmName) -> Graph:
    """The graph whose convolutions that "auto" would choose for are computed by this algorithm, where it suits them."""
    if algorithm == "auto":
        return graph

    def changed(node: Node) -> Node:
        conv = node.operation
        if not isinstance(conv, Conv) or conv.algorithm != "auto":
            return node
        suits = choosing.suits(algorithm, conv.geometry, conv.accuracy)
        return replace(node, operation=conv.changed(algorithm=algorithm)) if suits else node

    nodes = tuple(map(changed, graph.nodes))
    if nodes == graph.nodes:
        raise ValueError(f'algorithm "{algorithm}" suits no convolution of the graph')
    return replace(graph, nodes=nodes)
