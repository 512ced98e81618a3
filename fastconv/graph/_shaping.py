"""The operations that move values and compute none."""

from numbers import Real

from fastconv._checks import arguments, shapes
from fastconv._checks.types import Pair, Sides
from fastconv._graph.graph import Node
from fastconv._graph.operations.operation import Operation
from fastconv._graph.operations.shaping import Concat, Dropout, Flatten, Pad
from fastconv.graph._making import Making


class Shaping(Making):
    """Concatenations, paddings, vectors, and what does nothing."""

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

    def pad(self, x: Node, padding: Pair | Sides, value: float = 0.0, *, name: str | None = None) -> Node:
        """Put rows and columns of `value` around a map; `padding` is that of `Conv2d`, as numbers.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.pad(g.x, ((0, 1), (2, 0)), 9))(np.ones((1, 1, 1)))[..., 0]
        array([[9., 9., 1.],
               [9., 9., 9.]])
        """
        with arguments.named(name or "pad"):
            sides = shapes.padding_of(padding)
            if isinstance(padding, str) or sides == "same":
                raise TypeError(f"padding must be {shapes.SIDES}, got {padding!r}")
            if isinstance(value, bool) or not isinstance(value, Real):
                raise TypeError(f"value must be a real number, got {value!r}")
        return self._add(name, Pad(sides, float(value)), x=x)

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
