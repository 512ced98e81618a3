"""Graphs of one's own: `Graph`, built an operation at a time."""

from fastconv._graph.graph import Node
from fastconv._planning.graph_plan import GraphPlan
from fastconv._planning.plan import Plan
from fastconv.graph._arithmetic import Arithmetic
from fastconv.graph._layers import Layers
from fastconv.graph._normalization import Normalization
from fastconv.graph._shaping import Shaping

__all__ = ["Graph"]


class Graph(Layers, Arithmetic, Normalization, Shaping):
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
