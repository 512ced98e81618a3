"""A clip is part of the epilogue of what it reads, where nothing else reads that: clip(f(x)) = f'(x), f' = clip ∘ f.

f is a convolution or another function of each value, which may have bounds already; `activations.composed` says why
two clips are one.
"""

from dataclasses import replace

from fastconv._checks import activations
from fastconv._graph.graph import Graph, Node
from fastconv._graph.operations.conv import Conv
from fastconv._graph.operations.elementwise import Clip, Elementwise


def fuse_clips(graph: Graph) -> Graph:
    """The graph whose convolutions and sums have the bounds that followed them."""
    uses, nodes, renamed = graph.uses(), dict[str, Node](), dict[str, str]()
    for node in graph.nodes:
        node = node.reading(renamed)
        nodes[node.name] = node
        before = nodes.get(node.inputs[0])
        if isinstance(node.operation, Clip) and before and _takes_bounds(before) and uses[before.name] == 1:
            activation = activations.composed(before.operation.activation, node.operation.activation)
            nodes[before.name] = replace(before, operation=before.operation.changed(activation=activation))
            del nodes[node.name]
            renamed[node.name], uses[before.name] = before.name, uses[node.name]
    return graph.changed(nodes.values(), renamed)


def _takes_bounds(node: Node) -> bool:
    return isinstance(node.operation, Conv | Elementwise)
