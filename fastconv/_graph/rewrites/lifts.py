"""A function of each value may stand before what moves them: f(move(x)) = move(f'(x)), where f' has its vectors moved.

It is put before blocks of pixels that are made of channels, each of which has its values once for every pixel of a
block; and before a concatenation of convolutions, each of which takes its channels of it. There it can be part of a
convolution.
"""

from dataclasses import replace
from itertools import accumulate

import numpy as np

from fastconv._graph.graph import Graph, Node
from fastconv._graph.operations.conv import Conv
from fastconv._graph.operations.elementwise import Elementwise
from fastconv._graph.operations.picks import DepthToSpace
from fastconv._graph.operations.shaping import joins_channels
from fastconv._graph.rewrites.neighbours import replace_neighbours


def lift_functions(graph: Graph) -> Graph:
    """The graph whose functions stand before what moved their values, where nothing else reads that."""
    return _before_convs(replace_neighbours(graph, _before_blocks))


def _before_blocks(before: Node, node: Node) -> list[Node]:
    shuffle, function = before.operation, node.operation
    if not isinstance(shuffle, DepthToSpace) or not isinstance(function, Elementwise) or len(node.inputs) > 1:
        return []
    repeats = shuffle.block[0] * shuffle.block[1]
    repeat = np.tile if shuffle.order == "DCR" else np.repeat
    vectors = tuple(repeat(vector, repeats) for vector in function.vectors)
    first = replace(node, operation=function.changed(vectors=vectors), inputs=before.inputs)
    return [first, replace(before, inputs=(node.name,))]


def _before_convs(graph: Graph) -> Graph:
    uses, nodes, renamed = graph.uses(), dict[str, Node](), dict[str, str]()
    widths = dict[str, int]()  # of convolutions that are read once, and of what was put after them
    for node in graph.nodes:
        node = node.reading(renamed)
        nodes[node.name] = node
        if isinstance(node.operation, Conv) and uses[node.name] == 1:
            widths[node.name] = node.operation.geometry.weight[3]
        before = nodes.get(node.inputs[0])
        if not isinstance(node.operation, Elementwise) or before is None:
            continue
        if not joins_channels(before.operation):
            continue
        if len(node.inputs) > 1 or uses[before.name] > 1 or not widths.keys() >= {*before.inputs}:
            continue
        parts = _parts(node.operation, [widths[name] for name in before.inputs])
        names = [graph.unused(f"{node.name}.{i}", nodes) for i in range(len(parts))]
        del nodes[node.name], nodes[before.name]
        for name, part, source in zip(names, parts, before.inputs, strict=True):
            nodes[name], widths[name] = Node(name, part, (source,)), widths[source]
        nodes[before.name] = replace(before, inputs=tuple(names))
        renamed[node.name], uses[before.name] = before.name, uses[node.name]
    return graph.changed(nodes.values(), renamed)


def _parts(function: Elementwise, widths: list[int]) -> list[Elementwise]:
    """The function of so many channels each."""
    pieces = [np.split(vector, [*accumulate(widths)][:-1]) for vector in function.vectors]
    return [function.changed(vectors=tuple(vector[i] for vector in pieces)) for i in range(len(widths))]
