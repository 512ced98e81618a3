"""Graphs of one's own: `Graph`, built an operation at a time."""

from collections.abc import Callable
from copy import copy
from typing import TYPE_CHECKING, Any, TypeVar, overload

from fastconv._checks import arguments, orders
from fastconv._checks.types import Accuracy, AlgorithmName, Array, Float, Layout, Out, Shape
from fastconv._graph.builder import Builder
from fastconv._graph.costs import Cost
from fastconv._graph.graph import Graph as GraphData
from fastconv._graph.graph import Node
from fastconv._planning.description import GraphDescription
from fastconv._planning.graph_plan import GraphPlan
from fastconv._planning.plan import Plan
from fastconv.graph._arithmetic import Arithmetic
from fastconv.graph._layers import Layers
from fastconv.graph._mathematics import Mathematics
from fastconv.graph._normalization import Normalization
from fastconv.graph._picking import Picking
from fastconv.graph._shaping import Shaping

if TYPE_CHECKING:
    from fastconv._planning.profile import Profile

__all__ = ["Graph"]

_Result = TypeVar("_Result")


class Graph(Layers, Arithmetic, Mathematics, Normalization, Picking, Shaping):
    """A directed acyclic graph of operations, built node by node, that runs as it stands or as a plan.

    Every method of an operation adds a node and returns it; arguments are nodes of this graph. What can be checked
    before there is an x is checked at once. Called directly, the graph gives the results of the nodes that nothing
    reads, in the order in which they were added: it then makes the plan `plan()`, and keeps it until the graph grows.

    Parameters
    ----------
    layout : "NHWC" or "NCHW"
        Of the inputs, the results and the weights, as in `Conv2d`.

    Attributes
    ----------
    x : node
        The first input.

    Raises
    ------
    TypeError, ValueError
        Naming the node and the argument, before any work.

    Examples
    --------
    A block with two branches and a sum:

    >>> import numpy as np, fastconv
    >>> rng = np.random.default_rng(0)
    >>> wide, narrow = (rng.standard_normal(shape, np.float32) for shape in [(3, 3, 8, 8), (1, 1, 16, 8)])
    >>> g = fastconv.Graph()
    >>> a = g.conv2d(g.x, wide, padding=1, activation="relu", name="branch3x3")
    >>> b = g.max_pool2d(g.x, 3, stride=1, padding=1)
    >>> y = g.relu(g.add(g.conv2d(g.concat(a, b), narrow, name="project"), g.x))
    >>> x = rng.standard_normal((2, 14, 14, 8), np.float32)
    >>> g(x).shape, f"{g.cost(x.shape).macs:,}"
    ((2, 14, 14, 8), '275,968')
    >>> bool(abs(g(x) - fastconv.reference.graph(g, x)).max() < 1e-4)
    True

    Two inputs and two results, of which the second reads the first:

    >>> g = fastconv.Graph()
    >>> total = g.add(g.x, g.input("other"))
    >>> both = g.plan(total, g.relu(total))
    >>> x = np.array([[[-1.0, 2.0]]])
    >>> both(x, x)
    (array([[[-2.,  4.]]]), array([[[0., 4.]]]))
    """

    _made: tuple[int, GraphPlan] | None = None

    def __init__(self, *, layout: Layout = "NHWC") -> None:
        self._builder = Builder(arguments.one_of("layout", layout, orders.LAYOUTS))
        self.x = self._builder.x

    def __copy__(self) -> "Graph":
        other = object.__new__(type(self))
        vars(other).update(vars(self), _builder=copy(self._builder))
        return other

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self._builder.names)})"

    def input(self, name: str) -> Node:
        """Add an input beside x, of as many axes and images as x; a plan takes its inputs in the order of this.

        Examples
        --------
        >>> import fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.add(g.x, g.input("other"))).inputs
        ('x', 'other')
        """
        return self._builder.input(name)

    @overload
    def apply(self, plan: "GraphPlan | Graph", x: Node, *others: Node, name: str | None = None) -> Any: ...
    @overload
    def apply(self, plan: Plan, x: Node, *, name: str | None = None) -> Node: ...
    def apply(self, plan: "Plan | Graph", x: Node, *others: Node, name: str | None = None) -> Any:
        """Let a plan, such as a `Conv2d`, a block or another graph, run on x, and others where it has several inputs.

        Its operations become nodes of this graph, called "name.node", or "name" where there is only one. Of a plan
        with several results their nodes are returned as a tuple.

        Examples
        --------
        >>> import fastconv
        >>> g = fastconv.Graph()
        >>> y = g.apply(fastconv.Sequential(fastconv.MaxPool2d(3), fastconv.MaxPool2d(2)), g.x, name="pools")
        >>> g
        Graph(x, pools.maxpool2d1, pools.maxpool2d2)
        """
        graph, name = graph_of("plan", plan), type(plan).__name__.lower() if name is None else name
        if graph.layout != self.layout:
            raise ValueError(f"{name} has layout {graph.layout}, but the graph has {self.layout}")
        with self._builder.undone_where_it_fails():
            self._builder.take_dtype(name, graph.dtype)
            inputs = [self._node(*pair) for pair in zip(graph.inputs, (x, *others), strict=False)]
            with arguments.named(name):
                graph.check_count((x, *others))
            return arguments.alone(self._builder.include(graph, inputs, name))

    def plan(
        self,
        *outputs: Node,
        num_threads: int | None = None,
        algorithm: AlgorithmName = "auto",
        accuracy: Accuracy = "normwise",
    ) -> GraphPlan:
        """The plan that computes these nodes, for inputs of any size.

        Parameters
        ----------
        *outputs : nodes
            Those whose results a call gives, several as a tuple; the default is those that nothing reads. What they do
            not need is left out, inputs too. The graph may grow further.
        num_threads : int, optional
            The largest team, as in `Conv2d`.
        algorithm : "auto", "direct", "winograd", "fip" or "blas"
            Of every convolution that it suits, as in `Conv2d`; the others, and those that were given one, keep theirs.
        accuracy : "normwise" or "componentwise"
            Of every convolution, as in `Conv2d`; "normwise" leaves each with its own.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> y = g.relu(g.x)
        >>> plan = g.plan(y, g.max_pool2d(y, 2), num_threads=1)
        >>> [result.shape for result in plan(np.ones((4, 4, 8)))]
        [(4, 4, 8), (2, 2, 8)]
        """
        nodes = [self._node(f"output {i}", node) for i, node in enumerate(outputs, 1)] or self._builder.unread()
        if not nodes:
            raise ValueError("the graph has no operation yet")
        if len(set(nodes)) < len(nodes):
            raise ValueError(f"each result must be a node of its own, got {nodes}")
        return GraphPlan(self._builder.graph(*nodes), num_threads, algorithm, accuracy)

    def __call__(self, x: Array[Float], *others: Array[Float], out: Out[Float] = None) -> Array[Float]:
        """As in `Conv2d.__call__`, with the inputs in the order of their declaration; several results are a tuple."""
        return self._by_plan(lambda plan: plan(x, *others, out=out))

    def describe(self, x_shape: Shape, *others: Shape, measure: bool = False) -> GraphDescription:
        """What a call does, step by step, as that of a plan tells it.

        Examples
        --------
        >>> import fastconv
        >>> g = fastconv.Graph()
        >>> y = g.max_pool2d(g.relu(g.x), 2)
        >>> list(g.describe((4, 4, 8)).parts)
        ['relu', 'max_pool2d']
        """
        return self._by_plan(lambda plan: plan.describe(x_shape, *others, measure=measure))

    def cost(self, x_shape: Shape, *others: Shape) -> Cost:
        """The exact `fastconv.cost.Cost` of a call on inputs of these shapes.

        Examples
        --------
        >>> import fastconv
        >>> g = fastconv.Graph()
        >>> y = g.max_pool2d(g.relu(g.x), 2)
        >>> g.cost((4, 4, 8))
        Cost(macs=0, params=0, bytes=640)
        """
        return self._by_plan(lambda plan: plan.cost(x_shape, *others))

    def profile(self, x: Array[Any], *others: Array[Any]) -> "Profile":
        """The time of each step within whole runs, as `GraphPlan.profile` of the plan measures it.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> y = g.max_pool2d(g.relu(g.x), 2)
        >>> profile = g.profile(np.ones((64, 64, 8), np.float32))
        >>> [step.operation for step in profile.steps]
        ['relu', 'max_pool2d']
        """
        return self._by_plan(lambda plan: plan.profile(x, *others))

    @property
    def _plan(self) -> GraphPlan:
        size, made = len(self._builder.names), self._made
        if made is None or made[0] != size:  # a graph grows, and nothing of it changes
            self._made = made = size, self.plan()
        return made[1]

    def _by_plan(self, use: Callable[[GraphPlan], _Result]) -> _Result:
        """What this makes of the plan. The error of a node that some results do not need tells how to leave it out."""
        try:
            return use(self._plan)
        except ValueError as error:
            where, results = {*str(error).split(": ")[:-1]}, self._builder.unread()
            needed = [{one.name for one in self._builder.graph(result).nodes} for result in results]
            if any(map(where.isdisjoint, needed)) and not all(map(where.isdisjoint, needed)):
                told = ", ".join(result.name for result in results)
                raise ValueError(
                    f"{error}; all that nothing reads is a result, here {told}: graph.plan(y) is for a node y alone"
                ) from None
            raise


def plan_of(name: str, plan: object) -> Plan:
    """A plan itself, or that of a `Graph`."""
    if isinstance(plan, Graph):
        return plan._plan
    if not isinstance(plan, Plan):
        hint = "; give that of its plan()" if hasattr(type(plan), "plan") else ""
        told = f"{arguments.kind(plan)}{hint}"
        raise TypeError(f"{name} must be a Conv2d, a block, a Graph or a plan of fastconv, got {told}")
    return plan


def graph_of(name: str, plan: object) -> GraphData:
    """The operations of a plan or a `Graph`."""
    return plan_of(name, plan)._graph
