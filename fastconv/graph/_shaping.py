"""The operations that move values and compute none."""

from fastconv._graph.graph import Node
from fastconv._graph.operations.shaping import Concat
from fastconv.graph._making import Making


class Shaping(Making):
    """Concatenations."""

    def concat(self, *maps: Node, name: str | None = None) -> Node:
        """Join the channels of maps of the same height and width, in this order."""
        if not maps:
            raise TypeError("concat takes one map at least")
        return self._add(name, Concat(), **{f"map {i}": node for i, node in enumerate(maps, 1)})
