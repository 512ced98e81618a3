"""A clip is part of the epilogue of what it reads, where nothing else reads that: clip(f(x)) = f'(x), f' = clip ∘ f.

f is a convolution or another function of each value, which may have bounds already; `activations.composed` says why
two clips are one.
"""

from dataclasses import replace

from fastconv._checks import activations
from fastconv._graph.graph import Graph, Node
from fastconv._graph.operations.conv import Conv
from fastconv._graph.operations.elementwise import Clip, Elementwise
from fastconv._graph.rewrites.neighbours import replace_neighbours


def fuse_clips(graph: Graph) -> Graph:
    """The graph whose convolutions and sums have the bounds that followed them."""
    return replace_neighbours(graph, _clipped)


def _clipped(before: Node, node: Node) -> list[Node]:
    if not isinstance(node.operation, Clip) or not isinstance(before.operation, Conv | Elementwise):
        return []
    activation = activations.composed(before.operation.activation, node.operation.activation)
    return [replace(before, operation=before.operation.changed(activation=activation))]
