"""Graphs of one's own: `Graph`, built an operation at a time, and `Sequential`, plans one after the other."""

from typing import Any, Literal

from fastconv import _arguments, _orders, _pool_shapes
from fastconv._graph.builder import Builder
from fastconv._graph.graph import Node
from fastconv._graph.operations import Add, Concat, Operation, Pool, Relu
from fastconv._planning.graph_plan import GraphPlan
from fastconv._planning.plan import Plan
from fastconv._typing import Activation, AlgorithmName, Array, Layout, Padding, Pair
from fastconv.conv import Conv2d


class Graph:
    """A directed acyclic graph of operations on one input, `x`, from which `plan` makes one that runs.

    Every method adds a node and returns it; arguments are nodes of this graph. What can be checked before there is an x
    is checked at once.

    Parameters
    ----------
    layout : "NHWC" or "NCHW"
        Of x, the result and the weights, as in `Conv2d`.

    Attributes
    ----------
    x : node
        The input.

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
    >>> block = g.plan(y)
    >>> x = rng.standard_normal((2, 14, 14, 8), np.float32)
    >>> block(x).shape, f"{block.cost(x.shape).macs:,}"
    ((2, 14, 14, 8), '275,968')
    >>> bool(abs(block(x) - fastconv.reference.graph(block, x)).max() < 1e-4)
    True
    """

    def __init__(self, *, layout: Layout = "NHWC") -> None:
        self._builder = Builder(_arguments.one_of("layout", layout, _orders.LAYOUTS))
        self.x = self._builder.x

    @property
    def layout(self) -> Layout:
        """ "NHWC" or "NCHW"."""
        return self._builder.layout

    def conv2d(
        self,
        x: Node,
        weight: Array[Any],
        bias: Array[Any] | None = None,
        *,
        stride: Pair = 1,
        padding: Padding = 0,
        dilation: Pair = 1,
        groups: int = 1,
        activation: Activation = None,
        residual: Node | None = None,
        algorithm: AlgorithmName = "auto",
        name: str | None = None,
    ) -> Node:
        """Convolve x: activation(conv(x, weight) + bias + residual).

        Parameters
        ----------
        x, residual : node
        weight, bias, stride, padding, dilation, groups, activation, algorithm
            As in `Conv2d`; the arrays are copied.
        name : str, optional
            Of the node, in errors and `describe`; the default is that of the operation, numbered. The same in every
            method.
        """
        with _arguments.named(name or "conv2d"):
            plan = Conv2d(
                weight,
                bias,
                stride=stride,
                padding=padding,
                dilation=dilation,
                groups=groups,
                activation=activation,
                layout=self.layout,
                algorithm=algorithm,
            )
        inputs = {"x": x} if residual is None else {"x": x, "residual": residual}
        with self._builder.undone_where_it_fails():
            self._builder.take_dtype(name or "conv2d", plan.dtype)
            return self._add(name, plan._operation, **inputs)

    def max_pool2d(
        self, x: Node, kernel: Pair, *, stride: Pair | None = None, padding: Padding = 0, name: str | None = None
    ) -> Node:
        """Take the maximum of each channel over windows; the arguments are those of `fastconv.max_pool2d`."""
        return self._pool("max", x, kernel, stride, padding, name)

    def avg_pool2d(
        self, x: Node, kernel: Pair, *, stride: Pair | None = None, padding: Padding = 0, name: str | None = None
    ) -> Node:
        """Average each channel over windows; the arguments are those of `fastconv.avg_pool2d`."""
        return self._pool("avg", x, kernel, stride, padding, name)

    def global_avg_pool2d(self, x: Node, *, name: str | None = None) -> Node:
        """Average each channel over the whole map, to one pixel."""
        return self._add(name, Pool("avg"), x=x)

    def add(self, x: Node, y: Node, *, name: str | None = None) -> Node:
        """Add two maps of the same shape."""
        return self._add(name, Add(), x=x, y=y)

    def relu(self, x: Node, *, name: str | None = None) -> Node:
        """Take max(x, 0), which keeps a NaN."""
        return self._add(name, Relu(), x=x)

    def concat(self, *maps: Node, name: str | None = None) -> Node:
        """Join the channels of maps of the same height and width, in this order."""
        if not maps:
            raise TypeError("concat takes one map at least")
        return self._add(name, Concat(), **{f"map {i}": node for i, node in enumerate(maps, 1)})

    def apply(self, plan: Plan, x: Node, *, name: str | None = None) -> Node:
        """Let a plan, such as a `Conv2d`, a block or another graph's, run on x.

        Its operations become nodes of this graph, called "name.node", or "name" where there is only one.
        """
        if not isinstance(plan, Plan):
            raise TypeError(f"plan must be a Conv2d, a block or another plan of fastconv, got {type(plan).__name__}")
        graph, name = plan._graph, type(plan).__name__.lower() if name is None else name
        if graph.layout != self.layout:
            raise ValueError(f"{name} has layout {graph.layout}, but the graph has {self.layout}")
        with self._builder.undone_where_it_fails():
            self._builder.take_dtype(name, graph.dtype)
            return self._builder.include(graph, self._node("x", x), name)

    def plan(self, y: Node, *, num_threads: int | None = None) -> GraphPlan:
        """The plan that computes the node y, for x of any size, with a largest team as in `Conv2d`.

        Nodes that y does not need are left out; the graph may grow further.
        """
        return GraphPlan(self._builder.graph(self._node("y", y)), num_threads)

    def _pool(
        self,
        combine: Literal["max", "avg"],
        x: Node,
        kernel: Pair,
        stride: Pair | None,
        padding: Padding,
        name: str | None,
    ) -> Node:
        with _arguments.named(name or f"{combine}_pool2d"):
            geometry = _pool_shapes.pool_geometry(kernel, stride=stride, padding=padding, layout=self.layout)
        return self._add(name, Pool(combine, geometry), x=x)

    def _add(self, name: str | None, operation: Operation, **inputs: Node) -> Node:
        with _arguments.named(name or operation.kind):
            nodes = [self._node(argument, node) for argument, node in inputs.items()]
        return self._builder.add(operation, *nodes, name=name)

    def _node(self, argument: str, value: object) -> Node:
        if not isinstance(value, Node):
            raise TypeError(f"{argument} must be a node of this graph, got {type(value).__name__}")
        if value not in self._builder:
            raise ValueError(f"{argument} must be a node of this graph, got {value.name!r} of another one")
        return value


class Sequential(GraphPlan):
    """Plans one after the other, as one plan: each reads what the one before it gave.

    Parameters
    ----------
    *layers : plans
        `Conv2d`, blocks, plans of a `Graph`, other `Sequential`s, of one layout and dtype. Errors and `describe` call
        them by their class and place: the nodes of a `Fire` that comes second are "fire2.squeeze" and so on.
    num_threads : int, optional
        As in `Conv2d`, for all layers; what they were given themselves does not count.

    Examples
    --------
    >>> import numpy as np, fastconv
    >>> rng = np.random.default_rng(0)
    >>> conv, squeeze, one, three = (
    ...     rng.standard_normal(shape, np.float32)
    ...     for shape in [(3, 3, 3, 16), (1, 1, 16, 4), (1, 1, 4, 8), (3, 3, 4, 8)]
    ... )
    >>> net = fastconv.Sequential(
    ...     fastconv.Conv2d(conv, stride=2, activation="relu"),
    ...     fastconv.Fire((squeeze, None), (one, None), (three, None)),
    ... )
    >>> net(np.ones((1, 33, 33, 3), np.float32)).shape
    (1, 16, 16, 16)
    >>> list(net.describe((1, 33, 33, 3)).parts)
    ['conv2d1', 'fire2.squeeze', 'fire2.expand1x1', 'fire2.expand3x3']
    """

    def __init__(self, *layers: Plan, num_threads: int | None = None) -> None:
        if not layers:
            raise TypeError("Sequential takes one layer at least")
        for i, layer in enumerate(layers, 1):
            if not isinstance(layer, Plan):
                given = _arguments.kind(layer)
                raise TypeError(f"layer {i} must be a Conv2d, a block or another plan of fastconv, got {given}")
        g = Graph(layout=layers[0].layout)
        y = g.x
        for i, layer in enumerate(layers, 1):
            y = g.apply(layer, y, name=f"{type(layer).__name__.lower()}{i}")
        super().__init__(g.plan(y)._graph, num_threads)
