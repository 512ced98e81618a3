"""Differences, quotients and functions of mathematics, of each value."""

from fastconv._graph.graph import Node
from fastconv._graph.operations.elementwise import Binary, Elementwise
from fastconv.graph._making import Making


class Mathematics(Making):
    """What norms, losses and gates that are written as several nodes consist of.

    NaN and infinities are as in NumPy. Relative errors are at most 6 eps of the dtype, where results are not subnormal:
    also of small values, such as erf(1e-30) and gelu(-10).
    """

    def sub(self, x: Node, y: Node, *, name: str | None = None) -> Node:
        """Take x − y, of maps as in `mul`.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.sub(g.x, g.global_avg_pool2d(g.x)))(np.array([[[1.0], [4.0]]]))
        array([[[-1.5],
                [ 1.5]]])
        """
        return self._add(name, Binary("sub"), x=x, y=y)

    def div(self, x: Node, y: Node, *, name: str | None = None) -> Node:
        """Take x / y, of maps as in `mul`.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.div(g.x, g.channel_pool(g.x, "sum")))(np.array([[[1.0, 3.0]]]))
        array([[[0.25, 0.75]]])
        """
        return self._add(name, Binary("div"), x=x, y=y)

    def maximum(self, x: Node, y: Node, *, name: str | None = None) -> Node:
        """Take the larger of x and y, or NaN, of maps as in `mul`.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.maximum(g.x, g.global_avg_pool2d(g.x)))(np.array([[[1.0], [4.0]]]))
        array([[[2.5],
                [4. ]]])
        """
        return self._add(name, Binary("maximum"), x=x, y=y)

    def minimum(self, x: Node, y: Node, *, name: str | None = None) -> Node:
        """Take the smaller of x and y, or NaN, of maps as in `mul`.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.minimum(g.x, g.global_avg_pool2d(g.x)))(np.array([[[1.0], [4.0]]]))
        array([[[1. ],
                [2.5]]])
        """
        return self._add(name, Binary("minimum"), x=x, y=y)

    def abs(self, x: Node, *, name: str | None = None) -> Node:
        """Take the absolute value.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.abs(g.x))(np.array([[[-2.0, 3.0]]]))
        array([[[2., 3.]]])
        """
        return self._add(name, Elementwise("abs"), x=x)

    def sqrt(self, x: Node, *, name: str | None = None) -> Node:
        """Take the square root.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.sqrt(g.x))(np.array([[[4.0, 9.0]]]))
        array([[[2., 3.]]])
        """
        return self._add(name, Elementwise("sqrt"), x=x)

    def exp(self, x: Node, *, name: str | None = None) -> Node:
        """Take the exponential function.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.exp(g.x))(np.array([[[-2.0, 3.0]]])).round(3)
        array([[[ 0.135, 20.086]]])
        """
        return self._add(name, Elementwise("exp"), x=x)

    def log(self, x: Node, *, name: str | None = None) -> Node:
        """Take the natural logarithm.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.log(g.x))(np.array([[[0.5, 3.0]]])).round(3)
        array([[[-0.693,  1.099]]])
        """
        return self._add(name, Elementwise("log"), x=x)

    def erf(self, x: Node, *, name: str | None = None) -> Node:
        """Take the error function, 2/√π · ∫ exp(−t²) dt from 0 to x.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.erf(g.x))(np.array([[[-2.0, 0.5]]])).round(3)
        array([[[-0.995,  0.52 ]]])
        """
        return self._add(name, Elementwise("erf"), x=x)

    def gelu(self, x: Node, *, name: str | None = None) -> Node:
        """Take x · Φ(x) = x · (1 + erf(x / √2)) / 2: Hendrycks and Gimpel, arXiv:1606.08415.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.gelu(g.x))(np.array([[[-2.0, 3.0]]])).round(3)
        array([[[-0.046,  2.996]]])
        """
        return self._add(name, Elementwise("gelu"), x=x)
