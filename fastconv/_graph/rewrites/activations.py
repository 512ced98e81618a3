"""A clip is part of the epilogue of what it reads, where nothing else reads that: clip(f(x)) = f'(x), f' = clip ∘ f.

f is a convolution or another function of each value, which may have bounds already; `activations.composed` says why
two clips are one. PReLU, or a leaky ReLU, is that of a convolution without bounds and residual. The functions of one
map that remain after a convolution are a part of its step, g(conv(x)): its tasks compute them in place of what they
wrote.
"""

from dataclasses import replace

import numpy as np

from fastconv._checks import activations
from fastconv._graph.graph import Graph, Node
from fastconv._graph.operations.conv import Conv
from fastconv._graph.operations.elementwise import Clip, Elementwise
from fastconv._graph.rewrites.neighbours import replace_neighbours


def fuse_slopes(graph: Graph) -> Graph:
    """The graph whose convolutions have the slopes that followed them."""
    return replace_neighbours(graph, _sloped)


def _sloped(before: Node, node: Node) -> list[Node]:
    conv, function = before.operation, node.operation
    if not isinstance(conv, Conv) or not isinstance(function, Elementwise) or len(before.inputs) > 1:
        return []
    if function.function not in ("leaky_relu", "prelu") or function.activation:
        return []
    if conv.activation or conv.slopes is not None:
        return []
    (slopes,) = function.vectors or np.full((1, conv.geometry.weight[3]), function.numbers[0])
    return [replace(before, operation=conv.changed(slopes=slopes))]


def fuse_clips(graph: Graph) -> Graph:
    """The graph whose convolutions and sums have the bounds that followed them."""
    return replace_neighbours(graph, _clipped)


def _clipped(before: Node, node: Node) -> list[Node]:
    if not isinstance(node.operation, Clip) or not isinstance(before.operation, Conv | Elementwise):
        return []
    if isinstance(before.operation, Conv) and before.operation.slopes is not None:
        return []
    activation = activations.composed(before.operation.activation, node.operation.activation)
    return [replace(before, operation=before.operation.changed(activation=activation))]


def fuse_functions(graph: Graph) -> Graph:
    """The graph whose convolutions have the functions of one map that followed them."""
    return replace_neighbours(graph, _finished)


def _finished(before: Node, node: Node) -> list[Node]:
    conv, function = before.operation, node.operation
    if not isinstance(conv, Conv) or not isinstance(function, Elementwise) or len(node.inputs) > 1:
        return []
    return [replace(before, operation=conv.changed(functions=(*conv.functions, function)))]
