"""Convolutions of one map whose results stand side by side are one: concat(w₁∗x + b₁, w₂∗x + b₂) = (w₁|w₂)∗x + (b₁|b₂).

They must be alike but for their output channels, have no groups, and be read by the concatenation alone: elsewhere the
results of one product would have to be taken apart, which costs more than it gains over several.
"""

from collections.abc import Hashable
from dataclasses import replace
from itertools import groupby

import numpy as np

from fastconv._graph.graph import Graph, Node
from fastconv._graph.operations.conv import Conv, Derived
from fastconv._graph.operations.elementwise import Elementwise


def join_siblings(graph: Graph) -> Graph:
    """The graph with one convolution for those that are alike and next to each other in a concatenation."""
    uses, nodes, dtype = graph.uses(), dict[str, Node](), graph.dtype
    for node in graph.nodes:
        if node.operation.kind == "concat":
            inputs = list[str]()
            for likeness, run in groupby(node.inputs, lambda name: _likeness(nodes.get(name), uses[name])):
                names = list(run)
                if likeness and len(names) > 1 and dtype is not None:
                    convs = [nodes.pop(name) for name in names]
                    names = [graph.unused(_name(names), nodes)]
                    nodes[names[0]] = replace(convs[0], name=names[0], operation=_joined(convs, dtype))
                inputs += names
            node = replace(node, inputs=tuple(inputs))
        nodes[node.name] = node
    return graph.changed(nodes.values())


def _name(names: list[str]) -> str:
    """All of them; of the phases of a transposed convolution the first and the last."""
    parts = [name.rpartition(".") for name in names]
    (stem, dot, first), (_, _, last) = parts[0], parts[-1]
    if not first.isdecimal() or parts != [(stem, dot, str(int(first) + i)) for i in range(len(parts))]:
        return "+".join(names)
    return f"{names[0]}-{last}"


def _likeness(node: Node | None, uses: int) -> Hashable:
    """What convolutions that may be joined have in common; None of any other node."""
    if node is None or uses > 1 or len(node.inputs) > 1 or not isinstance(node.operation, Conv):
        return None
    conv, (r, s, c, _) = node.operation, node.operation.geometry.weight
    if conv.geometry.groups > 1:
        return None
    functions = tuple((f.function, f.numbers, f.activation) for f in conv.functions)
    how = conv.activation, conv.slopes is None, functions, conv.algorithm, conv.accuracy
    return node.inputs, conv.kind, conv.geometry._replace(weight=(r, s, c, 0)), how


def _joined(nodes: list[Node], dtype: np.dtype) -> Conv:
    """The convolution with the output channels of all of these."""
    convs = [node.operation for node in nodes if isinstance(node.operation, Conv)]
    biases = [np.zeros(conv.geometry.weight[3]) if conv.bias is None else conv.bias for conv in convs]
    geometry = convs[0].geometry
    weight = *geometry.weight[:3], sum(conv.geometry.weight[3] for conv in convs)
    slopes = [conv.slopes for conv in convs if conv.slopes is not None]
    functions = zip(*(conv.functions for conv in convs), strict=True)
    return Derived(
        convs[0],
        lambda kind: np.concatenate([conv.exact[0] for conv in convs], axis=3, dtype=kind, casting="same_kind"),
        np.concatenate(biases),
        dtype,
        geometry=geometry._replace(weight=weight),
        slopes=np.concatenate(slopes) if slopes else None,
        functions=tuple(_side_by_side(alike) for alike in functions),
    )


def _side_by_side(functions: tuple[Elementwise, ...]) -> Elementwise:
    """The function of all their channels, where they differ in vectors alone."""
    vectors = zip(*(function.vectors for function in functions), strict=True)
    return functions[0].changed(vectors=tuple(np.concatenate(vector) for vector in vectors))
