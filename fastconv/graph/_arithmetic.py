"""The operations on each value alone, or on one of each of several maps."""

from math import inf

from fastconv._checks import activations, arguments
from fastconv._graph.graph import Node
from fastconv._graph.operations.activations import Clip
from fastconv._graph.operations.arithmetic import Add
from fastconv.graph._making import Making


class Arithmetic(Making):
    """Sums and activations."""

    def add(self, x: Node, y: Node, *, name: str | None = None) -> Node:
        """Add two maps of the same shape."""
        return self._add(name, Add(), x=x, y=y)

    def clip(self, x: Node, low: float, high: float, *, name: str | None = None) -> Node:
        """Take min(max(x, low), high), which keeps a NaN."""
        with arguments.named(name or "clip"):
            bounds = activations.bounds(activations.checked((low, high)))
        return self._add(name, Clip(*bounds), x=x)

    def relu6(self, x: Node, *, name: str | None = None) -> Node:
        """Take min(max(x, 0), 6), which keeps a NaN."""
        return self._add(name, Clip(0.0, 6.0), x=x)

    def relu(self, x: Node, *, name: str | None = None) -> Node:
        """Take max(x, 0), which keeps a NaN."""
        return self._add(name, Clip(0.0, inf), x=x)
