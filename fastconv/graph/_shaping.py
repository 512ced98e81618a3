"""The operations that join maps, make vectors of them, or do nothing."""

from fastconv._graph.graph import Node
from fastconv._graph.operations.operation import Operation
from fastconv._graph.operations.shaping import Concat, Dropout, Flatten
from fastconv.graph._making import Making


class Shaping(Making):
    """Concatenations, vectors, and what does nothing."""

    def concat(self, *maps: Node, name: str | None = None) -> Node:
        """Join the channels of maps of the same height and width, in this order.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.concat(g.x, g.relu(g.x)))(np.array([[[-2.0, 3.0]]]))
        array([[[-2.,  3.,  0.,  3.]]])
        """
        if not maps:
            raise TypeError("concat takes one map at least")
        return self._add(name, Concat(), **{f"map {i}": node for i, node in enumerate(maps, 1)})

    def flatten(self, x: Node, *, name: str | None = None) -> Node:
        """Make each image a vector, in the order of its array: shape (N, H·W·C) or (H·W·C,).

        `linear`, sums, activations and all that keeps a map's height and width keep vectors too, where they read no
        map; convolutions, pools and `pad` take them as maps of one pixel.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph(layout="NCHW")
        >>> g.plan(g.flatten(g.x))(np.arange(8.0).reshape(2, 1, 2, 2))
        array([[0., 1., 2., 3.],
               [4., 5., 6., 7.]])
        """
        return self._add(name, Flatten(self.layout), x=x)

    def dropout(self, x: Node, *, name: str | None = None) -> Node:
        """Give x: values are dropped in training alone. It is left out of what runs.

        Examples
        --------
        >>> import fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.relu(g.dropout(g.x)))
        GraphPlan(relu=relu)
        """
        return self._add(name, Dropout(), x=x)

    def identity(self, x: Node, *, name: str | None = None) -> Node:
        """Give x. It is left out of what runs.

        Examples
        --------
        >>> import fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.relu(g.identity(g.x)))
        GraphPlan(relu=relu)
        """
        return self._add(name, Operation(), x=x)
