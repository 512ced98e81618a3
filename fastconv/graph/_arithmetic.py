"""The operations on each value alone, or on one of each of several maps."""

from fastconv._graph.graph import Node
from fastconv._graph.operations.activations import Relu
from fastconv._graph.operations.arithmetic import Add
from fastconv.graph._making import Making


class Arithmetic(Making):
    """Sums and activations."""

    def add(self, x: Node, y: Node, *, name: str | None = None) -> Node:
        """Add two maps of the same shape."""
        return self._add(name, Add(), x=x, y=y)

    def relu(self, x: Node, *, name: str | None = None) -> Node:
        """Take max(x, 0), which keeps a NaN."""
        return self._add(name, Relu(), x=x)
