"""The operations on each value alone, or on one of each of two maps."""

from math import inf
from typing import Any

from fastconv._checks import arguments
from fastconv._checks.types import Array
from fastconv._graph.graph import Node
from fastconv._graph.operations.elementwise import Add, Binary, Clip, Elementwise
from fastconv.graph._making import Making


class Arithmetic(Making):
    """Sums, products and activations.

    They keep a NaN. The relative error of sigmoid, tanh and swish is at most 4 eps of the dtype, where they are not
    subnormal.
    """

    def add(self, x: Node, y: Node, *, name: str | None = None) -> Node:
        """Add two maps of the same shape.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.add(g.x, g.x))(np.array([[[-1.0, 2.0]]]))
        array([[[-2.,  4.]]])
        """
        return self._add(name, Add(), x=x, y=y)

    def mul(self, x: Node, y: Node, *, name: str | None = None) -> Node:
        """Multiply two maps of the same shape, or of which one has a pixel, or a channel, for all of the other.

        The product with a pixel is the excitation of Hu et al., "Squeeze-and-excitation networks", arXiv:1709.01507,
        equation 4.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> plan = g.plan(g.mul(g.x, g.sigmoid(g.global_avg_pool2d(g.x))))
        >>> plan(np.array([0.0, 4.0]).reshape(1, 2, 1)).round(4).ravel()
        array([0.    , 3.5232])
        """
        return self._add(name, Binary("mul"), x=x, y=y)

    def clip(self, x: Node, low: float, high: float, *, name: str | None = None) -> Node:
        """Take min(max(x, low), high), where `low` ≤ `high` may be infinite.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.clip(g.x, -1, 2))(np.array([-3.0, 0.5, np.nan, 9.0]).reshape(1, 1, 4)).ravel()
        array([-1. ,  0.5,  nan,  2. ])
        """
        with arguments.named(name or "clip"):
            low, high = (
                arguments.number(bound, value, is_finite=False) for bound, value in (("low", low), ("high", high))
            )
            if low > high:
                raise ValueError(f"low must be at most high, got {low} and {high}")
        return self._add(name, Clip(low, high), x=x)

    def relu(self, x: Node, *, name: str | None = None) -> Node:
        """Take max(x, 0).

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.relu(g.x))(np.array([[[-1.0, 2.0]]]))
        array([[[0., 2.]]])
        """
        return self._add(name, Clip(0.0, inf), x=x)

    def relu6(self, x: Node, *, name: str | None = None) -> Node:
        """Take min(max(x, 0), 6): Howard et al., "MobileNets", arXiv:1704.04861.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.relu6(g.x))(np.array([[[-1.0, 9.0]]]))
        array([[[0., 6.]]])
        """
        return self._add(name, Clip(0.0, 6.0), x=x)

    def leaky_relu(self, x: Node, slope: float = 0.01, *, name: str | None = None) -> Node:
        """Take x, or slope · x where x < 0.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.leaky_relu(g.x, 0.5))(np.array([[[-2.0, 3.0]]]))
        array([[[-1.,  3.]]])
        """
        with arguments.named(name or "leaky_relu"):
            slope = arguments.number("slope", slope)
        return self._add(name, Elementwise("leaky_relu", numbers=(slope,)), x=x)

    def prelu(self, x: Node, slope: Array[Any], *, name: str | None = None) -> Node:
        """Take x, or slope[c] · x where x < 0, with a slope of shape (C,) and the dtype of the weights.

        He et al., "Delving deep into rectifiers", arXiv:1502.01852, equation 1.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.prelu(g.x, np.array([0.25, 1.0])))(np.array([[[-2.0, -2.0]]]))
        array([[[-0.5, -2. ]]])
        """
        with self._vectors(name or "prelu", {"slope": slope}) as vectors:
            return self._add(name, Elementwise("prelu", vectors=(vectors["slope"].astype(float),)), x=x)

    def sigmoid(self, x: Node, *, name: str | None = None) -> Node:
        """Take 1 / (1 + exp(−x)).

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.sigmoid(g.x))(np.array([[[-2.0, 3.0]]])).round(3)
        array([[[0.119, 0.953]]])
        """
        return self._add(name, Elementwise("sigmoid"), x=x)

    def tanh(self, x: Node, *, name: str | None = None) -> Node:
        """Take the hyperbolic tangent.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.tanh(g.x))(np.array([[[-2.0, 3.0]]])).round(3)
        array([[[-0.964,  0.995]]])
        """
        return self._add(name, Elementwise("tanh"), x=x)

    def swish(self, x: Node, *, name: str | None = None) -> Node:
        """Take x · sigmoid(x): Ramachandran et al., "Searching for activation functions", arXiv:1710.05941.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.swish(g.x))(np.array([[[-2.0, 3.0]]])).round(3)
        array([[[-0.238,  2.858]]])
        """
        return self._add(name, Elementwise("swish"), x=x)

    def elu(self, x: Node, alpha: float = 1.0, *, name: str | None = None) -> Node:
        """Take x, or alpha · (exp(x) − 1) where x < 0: Clevert et al., arXiv:1511.07289, equation 15.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.elu(g.x))(np.array([[[-2.0, 3.0]]])).round(3)
        array([[[-0.865,  3.   ]]])
        """
        with arguments.named(name or "elu"):
            alpha = arguments.number("alpha", alpha)
        return self._add(name, Elementwise("elu", numbers=(alpha, 1.0)), x=x)

    def softplus(self, x: Node, *, name: str | None = None) -> Node:
        """Take log(1 + exp(x)), also where exp(x) would be infinite.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.softplus(g.x))(np.array([[[-2.0, 3.0]]])).round(3)
        array([[[0.127, 3.049]]])
        """
        return self._add(name, Elementwise("softplus"), x=x)

    def mish(self, x: Node, *, name: str | None = None) -> Node:
        """Take x · tanh(softplus(x)): Misra, "Mish: a self regularized non-monotonic activation", arXiv:1908.08681.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.mish(g.x))(np.array([[[-2.0, 3.0]]])).round(3)
        array([[[-0.253,  2.987]]])
        """
        return self._add(name, Elementwise("mish"), x=x)

    def gelu_tanh(self, x: Node, *, name: str | None = None) -> Node:
        """Take x · (1 + tanh(√(2/π) · (x + 0.044715 x³))) / 2: Hendrycks and Gimpel, arXiv:1606.08415, section 2.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.gelu_tanh(g.x))(np.array([[[-2.0, 3.0]]])).round(3)
        array([[[-0.045,  2.996]]])
        """
        return self._add(name, Elementwise("gelu_tanh"), x=x)

    def hard_sigmoid(self, x: Node, *, slope: float = 1 / 6, offset: float = 0.5, name: str | None = None) -> Node:
        """Take min(max(slope · x + offset, 0), 1); the default is PyTorch's, min(max(x + 3, 0), 6) / 6, ONNX has 0.2.

        Howard et al., "Searching for MobileNetV3", arXiv:1905.02244, section 5.2.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.hard_sigmoid(g.x))(np.array([[[-2.0, 3.0]]])).round(3)
        array([[[0.167, 1.   ]]])
        """
        with arguments.named(name or "hard_sigmoid"):
            slope, offset = arguments.number("slope", slope), arguments.number("offset", offset)
        return self._add(name, Elementwise("hard_sigmoid", activation=(0.0, 1.0), numbers=(slope, offset)), x=x)

    def hard_swish(self, x: Node, *, name: str | None = None) -> Node:
        """Take x · min(max(x + 3, 0), 6) / 6: as for `hard_sigmoid`.

        Examples
        --------
        >>> import numpy as np, fastconv
        >>> g = fastconv.Graph()
        >>> g.plan(g.hard_swish(g.x))(np.array([[[-2.0, 3.0]]])).round(3)
        array([[[-0.333,  3.   ]]])
        """
        return self._add(name, Elementwise("hard_swish"), x=x)
