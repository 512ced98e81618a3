"""A convolution with m filters for each channel is m depthwise ones, whose results stand in turns.

(w ∗ x)[..., m·c + j] = (w[..., j::m] ∗ x)[..., c]: the tiles of a depthwise convolution hold a vector of channels,
those of other groups a vector of pixels of one channel, whose results lie far apart.
"""

from dataclasses import replace

from fastconv._graph.graph import Graph, Node
from fastconv._graph.operations.conv import Conv
from fastconv._graph.operations.shaping import Concat
from fastconv._graph.operations.turns import InTurns
from fastconv._graph.rewrites.siblings import LANES

_MOST_FILTERS = 6  # of a channel: to put the results of more in turns takes longer than their tiles save
_FEW_TAPS = 4  # of a kernel, whose products take less time than what stands in turns


def expand_multipliers(graph: Graph) -> Graph:
    """The graph in which those of at least a vector of channels, with few filters for each, are depthwise."""
    nodes = list[Node]()
    for node in graph.nodes:
        conv = node.operation
        nodes += _expanded(graph, node, conv) if isinstance(conv, Conv) and _has_several(conv, node, graph) else [node]
    return graph if len(nodes) == len(graph.nodes) else graph.changed(nodes)


def _has_several(conv: Conv, node: Node, graph: Graph) -> bool:
    """Whether a convolution has some filters for each of many channels, no residual and no algorithm of its own."""
    if graph.dtype is None or len(node.inputs) > 1:
        return False
    (r, s, c, k), groups = conv.geometry.weight, conv.geometry.groups
    has_some = c == 1 and groups < k <= _MOST_FILTERS * groups
    return has_some and groups >= LANES and r * s >= _FEW_TAPS and conv.algorithm == "auto"


def _expanded(graph: Graph, node: Node, conv: Conv) -> list[Node]:
    times = conv.geometry.weight[3] // conv.geometry.groups
    parts = [
        replace(node, name=graph.unused(f"{node.name}.{j}"), operation=_part(conv, slice(j, None, times)))
        for j in range(times)
    ]
    joined = Node(graph.unused(f"{node.name}.parts"), Concat(), tuple(part.name for part in parts))
    return [*parts, joined, Node(node.name, InTurns(times), (joined.name,))]


def _part(conv: Conv, channels: slice) -> Conv:
    """The convolution to some of its output channels."""
    weight, bias = conv.arrays
    r, s, c, _ = conv.geometry.weight
    geometry = conv.geometry._replace(weight=(r, s, c, conv.geometry.groups))
    functions = (
        function.changed(vectors=tuple(vector[channels] for vector in function.vectors)) for function in conv.functions
    )
    made = Conv(geometry, bias is not None, conv.activation, "auto", weight[..., channels], None)
    return made.changed(
        bias=None if bias is None else bias[channels],
        slopes=None if conv.slopes is None else conv.slopes[channels],
        functions=tuple(functions),
        accuracy=conv.accuracy,
    )
