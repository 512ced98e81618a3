"""Blocks: each the formula of its paper, made of convolutions."""

from typing import TYPE_CHECKING, Any

import numpy as np

from fastconv._checks import arrays
from fastconv._checks.types import Activation, Array, Float, Layout, Padding, Pair, StrideIn, WeightAndBias
from fastconv._graph import blocks
from fastconv._graph.graph import Graph

if TYPE_CHECKING:
    from fastconv._planning.plan import Plan
    from fastconv.graph import Graph as Composed


def mlpconv(
    x: Array[Float],
    conv: WeightAndBias,
    *cccp: WeightAndBias,
    stride: Pair = 1,
    padding: Padding = 0,
    activation: Activation = "relu",
    layout: Layout = "NHWC",
) -> Array[np.float64]:
    """Network in Network's block: y₀ = f(conv(x, conv)), yᵢ = f(conv(yᵢ₋₁, cccpᵢ)), the last is y.

    References
    ----------
    Lin, Chen and Yan, "Network in Network", arXiv:1312.4400, section 3.1, equation 2.

    Examples
    --------
    >>> import numpy as np
    >>> x, pair = np.ones((4, 4, 2)), (np.ones((1, 1, 5, 5)), -np.ones(5))
    >>> mlpconv(x, (np.ones((3, 3, 2, 5)), None), pair, pair)[0, 0]
    array([444., 444., 444., 444., 444.])
    """
    return _block("mlpconv", x, (conv, *cccp), layout, activation, stride=stride, padding=padding)


def reduced(
    x: Array[Float],
    reduce: WeightAndBias,
    conv: WeightAndBias,
    *,
    stride: Pair = 1,
    padding: Padding = 0,
    activation: Activation = "relu",
    layout: Layout = "NHWC",
) -> Array[np.float64]:
    """GoogLeNet's 1×1 before a k×k convolution: y = f(conv(f(conv(x, reduce)), conv)).

    References
    ----------
    Szegedy et al., "Going deeper with convolutions", arXiv:1409.4842, section 4.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.ones((5, 5, 4))
    >>> reduced(x, (np.ones((1, 1, 4, 2)), -np.ones(2)), (np.ones((5, 5, 2, 1)), None))
    array([[[150.]]])
    """
    return _block("reduced", x, (reduce, conv), layout, activation, stride=stride, padding=padding)


def bottleneck(
    x: Array[Float],
    reduce: WeightAndBias,
    conv: WeightAndBias,
    expand: WeightAndBias,
    shortcut: WeightAndBias | None = None,
    *,
    stride: Pair = 1,
    stride_in: StrideIn = "conv",
    activation: Activation = "relu",
    layout: Layout = "NHWC",
) -> Array[np.float64]:
    """ResNet's bottleneck: y = f(conv(f(conv(f(conv(x, reduce)), conv)), expand) + z).

    z is x, or conv(x, shortcut) for a projection. The k×k `conv` is padded by (k − 1) / 2. The stride is that of the
    shortcut and of `conv` (v1.5), or of `reduce` for `stride_in` "reduce" (the paper's v1).

    References
    ----------
    He et al., "Deep residual learning for image recognition", arXiv:1512.03385, figure 5 and equations 1 and 2.

    Examples
    --------
    >>> import numpy as np
    >>> parts = (np.ones((1, 1, 4, 2)), None), (np.ones((3, 3, 2, 2)), None), (np.ones((1, 1, 2, 4)), None)
    >>> bottleneck(np.ones((3, 3, 4)), *parts)[1, 1]
    array([145., 145., 145., 145.])
    """
    pairs = (reduce, conv, expand) if shortcut is None else (reduce, conv, expand, shortcut)
    return _block("bottleneck", x, pairs, layout, activation, stride=stride, stride_in=stride_in)


def fire(
    x: Array[Float],
    squeeze: WeightAndBias,
    expand1x1: WeightAndBias,
    expand3x3: WeightAndBias,
    *,
    activation: Activation = "relu",
    layout: Layout = "NHWC",
) -> Array[np.float64]:
    """SqueezeNet's Fire module: s = f(conv(x, squeeze)), y = [f(conv(s, expand1x1)), f(conv(s, expand3x3))].

    The 3×3 is padded by 1; [·] joins the channels.

    References
    ----------
    Iandola et al., "SqueezeNet", arXiv:1602.07360, section 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> x, squeeze = np.ones((3, 3, 4)), (np.ones((1, 1, 4, 1)), None)
    >>> y = fire(x, squeeze, (np.ones((1, 1, 1, 1)), None), (np.ones((3, 3, 1, 1)), np.array([-20.0])))
    >>> y[0, 0], y[1, 1]
    (array([4., 0.]), array([ 4., 16.]))
    """
    return _block("fire", x, (squeeze, expand1x1, expand3x3), layout, activation)


def inception(
    x: Array[Float],
    branch1x1: WeightAndBias,
    reduce3x3: WeightAndBias,
    branch3x3: WeightAndBias,
    reduce5x5: WeightAndBias,
    branch5x5: WeightAndBias,
    pool_proj: WeightAndBias,
    *,
    activation: Activation = "relu",
    layout: Layout = "NHWC",
) -> Array[np.float64]:
    """GoogLeNet's Inception module with dimension reductions:

    y = [g(x, branch1x1), g(g(x, reduce3x3), branch3x3), g(g(x, reduce5x5), branch5x5), g(pool(x), pool_proj)],
    g(x, part) = f(conv(x, part)). The 3×3 is padded by 1, the 5×5 by 2; pool is a 3×3 max of stride 1 padded by 1; [·]
    joins the channels.

    References
    ----------
    Szegedy et al., "Going deeper with convolutions", arXiv:1409.4842, figure 2(b).

    Examples
    --------
    >>> import numpy as np
    >>> sizes = (1, 2, 1), (1, 2, 3), (3, 3, 1), (1, 2, 1), (5, 1, 1), (1, 2, 1)
    >>> y = inception(np.ones((5, 5, 2)), *[(np.ones((k, k, c, out)), None) for k, c, out in sizes])
    >>> y[2, 2]
    array([ 2., 54., 50.,  2.])
    """
    pairs = (branch1x1, reduce3x3, branch3x3, reduce5x5, branch5x5, pool_proj)
    return _block("inception", x, pairs, layout, activation)


def graph(plan: "Plan | Composed", x: Array[Any], *others: Array[Any]) -> Any:
    """The result of a plan, a block, a `Graph` or a `Sequential` for x: its graph as it was declared, an operation at a
    time. Of several inputs and results as in the call of the plan.

    Examples
    --------
    >>> import numpy as np, fastconv
    >>> plan = fastconv.Conv2d(np.full((1, 1, 2, 1), 0.1), activation="relu")
    >>> graph(plan, np.ones((1, 1, 2)))
    array([[[0.2]]])
    """
    from fastconv.graph import graph_of

    return _run(graph_of("plan", plan), x, *others)


def _block(kind: str, x: Array[Any], *declared: Any, **options: Any) -> Array[np.float64]:
    return _run(blocks.of_arrays(kind, *declared, **options), x)  # type: ignore[no-any-return]


def _run(graph: Graph, *given: Array[Any]) -> Any:
    graph.check_count(given)
    checked = [
        arrays.array(name, x, graph.dtype, other="every weight") for name, x in zip(graph.inputs, given, strict=True)
    ]
    return graph.reference(*checked)
