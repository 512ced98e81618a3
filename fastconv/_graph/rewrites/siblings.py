"""Convolutions of one map whose results stand side by side are one: concat(w₁∗x + b₁, w₂∗x + b₂) = (w₁|w₂)∗x + (b₁|b₂).

They must be alike but for their output channels, have no groups, and be read by the concatenation alone: elsewhere the
results of one product have to be taken apart, w₁∗x + b₁ = ((w₁|w₂)∗x + (b₁|b₂))[..., :k₁]. That gains over several
where these are narrow, as the heads of a detector: each alone reads all of x for a vector of sums that it does not
fill. Their functions may differ then.
"""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from fastconv._graph.graph import Graph, Node
from fastconv._graph.operations.conv import Conv, Derived
from fastconv._graph.operations.elementwise import Elementwise
from fastconv._graph.operations.operation import Operation
from fastconv._graph.operations.picks import Part
from fastconv._graph.operations.shaping import joins_channels

LANES = 16  # of the widest vectors
_FEW = 8  # output channels that have a tile of their own, FC_MAX_FEW in csrc/kernels.h
_APART, _FEW_APART = 8, 5  # what it costs to take a value apart, in multiply-adds of vectors, and one of so few


def join_siblings(graph: Graph) -> Graph:
    """The graph with one convolution for those that are alike and next to each other in a concatenation, or narrow."""
    return _join_heads(_join_neighbours(graph))


def _join_neighbours(graph: Graph) -> Graph:
    uses, nodes, dtype = graph.uses(), dict[str, Node](), graph.dtype
    for node in graph.nodes:
        if joins_channels(node.operation):
            inputs = list[str]()
            for likeness, run in groupby(node.inputs, lambda name: uses[name] == 1 and _likeness(nodes.get(name))):
                names = list(run)
                if likeness and len(names) > 1 and dtype is not None:
                    convs = [nodes.pop(name) for name in names]
                    names = [graph.unused(_name(names), nodes)]
                    nodes[names[0]] = replace(convs[0], name=names[0], operation=_joined(convs, dtype))
                inputs += names
            node = replace(node, inputs=tuple(inputs))
        nodes[node.name] = node
    return graph.changed(nodes.values())


def _join_heads(graph: Graph) -> Graph:
    families = dict[Hashable, list[Node]]()
    for node in graph.nodes:
        if likeness := _likeness(_bare(node)):
            families.setdefault(likeness, []).append(node)
    instead = dict[str, list[Node]]()  # of a convolution
    for convs in families.values():
        if graph.dtype is not None and _pays(convs):
            _take_apart(graph, convs, graph.dtype, instead)
    return graph.changed(node for old in graph.nodes for node in instead.get(old.name, [old]))


def _pays(convs: list[Node]) -> bool:
    """Whether one product takes less time, its results taken apart, than one for each of these."""
    weights = [conv.operation.geometry.weight for conv in convs if isinstance(conv.operation, Conv)]
    (r, s, c, _), channels = weights[0], sum(k for *_, k in weights)
    vectors = sum(-(-k // LANES) for *_, k in weights) - -(-channels // LANES)  # of sums, fewer
    return r * s * c * vectors >= channels * (_FEW_APART if channels <= _FEW else _APART) and len(convs) > 1


def _take_apart(graph: Graph, convs: list[Node], dtype: np.dtype, instead: dict[str, list[Node]]) -> None:
    """Put one convolution for all of these before the first, and for each what takes its channels, and computes its
    functions where they are not the same for all.
    """
    taken = {node.name for nodes in instead.values() for node in nodes}
    are_alike = len({_likeness(conv) for conv in convs}) == 1
    operation = _joined(convs if are_alike else [_bare(conv) for conv in convs], dtype)
    whole = replace(convs[0], name=graph.unused("+".join(conv.name for conv in convs), taken), operation=operation)
    first = 0
    for conv in convs:
        own = conv.operation
        assert isinstance(own, Conv)
        part = Part(operation.geometry.weight[3], slice(first, first := first + own.geometry.weight[3]))
        instead[conv.name] = _in_a_row(graph, conv.name, whole.name, [part, *(() if are_alike else own.functions)])
    instead[convs[0].name].insert(0, whole)


def _in_a_row(graph: Graph, name: str, source: str, operations: Sequence[Operation]) -> list[Node]:
    """One after the other, of which the last has this name."""
    names = [graph.unused(f"{name}.{i}") for i in range(len(operations) - 1)] + [name]
    sources = [source, *names]
    return [Node(*told) for told in zip(names, operations, ((one,) for one in sources), strict=False)]


def _bare(node: Node) -> Node:
    """A convolution without its functions."""
    return replace(node, operation=node.operation.changed(functions=())) if isinstance(node.operation, Conv) else node


def _name(names: list[str]) -> str:
    """All of them; of the phases of a transposed convolution the first and the last."""
    parts = [name.rpartition(".") for name in names]
    (stem, dot, first), (_, _, last) = parts[0], parts[-1]
    if not first.isdecimal() or parts != [(stem, dot, str(int(first) + i)) for i in range(len(parts))]:
        return "+".join(names)
    return f"{names[0]}-{last}"


def _likeness(node: Node | None) -> Hashable:
    """What convolutions that may be joined have in common; None of any other node."""
    if node is None or len(node.inputs) > 1 or not isinstance(node.operation, Conv):
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
