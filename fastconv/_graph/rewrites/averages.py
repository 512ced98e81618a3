"""An average and a 1×1 convolution beside each other are done in the cheaper order: avg(w∗x + b) = w∗avg(x) + b.

Both are linear, and the 1×1 sees one pixel at a time. Padding that the average counts is zeros in either order; where
there may be some there must be no bias, whose average would be less than b there. An activation of the convolution
comes after both. With the average first the convolution has fewer pixels, unless the stride is 1; with the convolution
first the average may have fewer channels.
"""

from dataclasses import replace
from math import prod

from fastconv._checks import activations
from fastconv._graph.graph import Graph, Node
from fastconv._graph.operations.conv import Conv
from fastconv._graph.operations.elementwise import Clip
from fastconv._graph.operations.pools import Pool
from fastconv._graph.rewrites.neighbours import replace_neighbours

_MACS_PER_VALUE = 8  # that a 1×1 does while an average reads a value, or a clip moves one: 6 to 9 measured
_MIN_GAIN = 0.9  # of the time, since that is an estimate


def order_averages(graph: Graph) -> Graph:
    """The graph whose averages and 1×1 convolutions are in the cheaper order, where nothing else reads the first."""

    def taken(before: Node, node: Node) -> list[Node]:
        if len(before.inputs) > 1 or len(node.inputs) > 1 or not _gains(before, node):
            return []
        activation = node.operation.activation
        last = replace(before, inputs=(node.name,))
        if activation is None:
            return [replace(node, inputs=before.inputs), last]
        first = replace(node, operation=node.operation.changed(activation=None), inputs=before.inputs)
        clip = Clip(*activations.bounds(activation))
        return [first, last, Node(graph.unused(f"{before.name}.clip"), clip, (before.name,))]

    return replace_neighbours(graph, taken)


def _gains(before: Node, node: Node) -> bool:
    """Whether two nodes may change places, and are faster then."""
    first, second = before.operation, node.operation
    if isinstance(first, Conv) and isinstance(second, Pool):
        is_allowed, (new, old) = first.activation is None and _commute(first, second), _times(first, second)
    elif isinstance(first, Pool) and isinstance(second, Conv):
        is_allowed, (old, new) = _commute(second, first), _times(second, first)
    else:
        return False
    return is_allowed and new < _MIN_GAIN * old


def _commute(conv: Conv, pool: Pool) -> bool:
    """Whether either may be first."""
    is_pointwise = conv.geometry.effective_kernel == conv.geometry.stride == (1, 1) and not conv.geometry.is_padded
    geometry = pool.geometry
    counts = geometry is not None and geometry.count_include_pad and geometry.padding != ((0, 0), (0, 0))
    return is_pointwise and pool.combine == "avg" and not (conv.has_bias and counts)


def _times(conv: Conv, pool: Pool) -> tuple[float, float]:
    """(with the average first, with the convolution first) for each pixel of x, in multiply-accumulates."""
    _, _, c, k = conv.geometry.weight
    kept, read = 0.0, 1.0  # of a pixel, by the average over a whole map
    if pool.geometry is not None:
        kept = 1 / prod(pool.geometry.stride)
        read = kept * prod(pool.geometry.kernel)
    clipped = k * kept if conv.activation is not None else 0.0
    channels = c * conv.geometry.groups
    return _MACS_PER_VALUE * channels * read + c * k * kept, c * k + _MACS_PER_VALUE * (k * read + clipped)
