"""Convolutions of one map that are summed are one, and so are scales beside them, as RepVGG and MobileOne train them:

    (w₁∗x + b₁) + (w₂∗x + b₂) = (w₁ + w₂)∗x + (b₁ + b₂)    where the taps of the second kernel are taps of the first
    (w∗x + b) + (s·x + t)     = (w + s·δ)∗x + (b + t)      δ is 1 from a channel to itself, at the pixel itself

The sums are computed in float64 and rounded once. Terms stay where a sum of weights or of biases is not finite. An
infinite pixel that gives Inf in one term and −Inf in another is multiplied by the sum of their weights instead.
"""

from collections.abc import Mapping

import numpy as np

from fastconv._checks.shapes import ConvGeometry
from fastconv._graph.graph import Graph, Node
from fastconv._graph.operations.conv import Conv, Derived
from fastconv._graph.operations.elementwise import Add
from fastconv._graph.operations.normalization import Scale
from fastconv._graph.operations.operation import Operation


def merge_branches(graph: Graph) -> Graph:
    """The graph with one convolution for those, and scales, of one map that are terms of a sum and read by it alone."""
    uses, nodes, renamed, dtype = graph.uses(), dict[str, Node](), dict[str, str](), graph.dtype
    summed = {name for node in graph.nodes if _is_sum(node) for name in node.inputs}
    for node in graph.nodes:
        nodes[node.name] = node = node.reading(renamed)
        if dtype is None or not _is_sum(node) or (node.name in summed and uses[node.name] == 1):
            continue
        sums = _sums(node, nodes, uses)
        own = {one.name for one in sums}
        terms = [name for one in sums for name in one.inputs if name not in own]
        branches = [nodes[name] for name in terms if name in nodes and uses[name] == 1]
        merged = _merged(branches, dtype)
        if len(merged) == len(branches):
            continue
        for name in (*own, *(branch.name for branch in branches)):
            del nodes[name]
        nodes.update(merged)
        last, *others = (name for name in terms if name in nodes or name in graph.inputs)
        for one, term in zip(sums[len(sums) - len(others) :], others, strict=True):
            nodes[one.name] = Node(one.name, one.operation, (last, term))
            last = one.name
        if last != node.name:
            renamed[node.name], uses[last] = last, uses[node.name]
    return graph.changed(nodes.values(), renamed)


def _is_sum(node: Node) -> bool:
    return isinstance(node.operation, Add) and node.operation.activation is None


def _sums(node: Node, nodes: Mapping[str, Node], uses: Mapping[str, int]) -> list[Node]:
    """The sums that make up this one, which is the last."""
    sums = [node]
    for one in sums:
        sums += (nodes[name] for name in one.inputs if name in nodes and uses[name] == 1 and _is_sum(nodes[name]))
    return sums[::-1]


def _merged(branches: list[Node], dtype: np.dtype) -> dict[str, Node]:
    """{name: node} of these terms, of which there are fewer where some are one."""
    groups = list[list[Node]]()
    for node in sorted(branches, key=_taps, reverse=True):
        group = next((group for group in groups if _taken(group[0], node) is not None), None)
        if group is None:
            groups.append([node])
        else:
            group.append(node)
    merged = dict[str, Node]()
    for first, *others in groups:
        together = _together(first, others, dtype) if others else None
        nodes = [first, *others] if together is None else [Node(first.name, together, first.inputs)]
        merged.update((node.name, node) for node in nodes)
    return merged


def _taps(node: Node) -> int:
    conv = node.operation
    return conv.geometry.weight[0] * conv.geometry.weight[1] if isinstance(conv, Conv) else 0


def _taken(first: Node, node: Node) -> tuple[Conv, tuple[list[int], ...]] | None:
    """(a term as a convolution, its rows and columns of the first one's kernel), if that can take it."""
    conv = first.operation
    if first.inputs != node.inputs or not isinstance(conv, Conv):
        return None
    other = _as_conv(node.operation, conv)
    if other is None or not (_is_linear(conv) and _is_linear(other)) or _likeness(conv) != _likeness(other):
        return None
    places = _places(conv.geometry, other.geometry)
    return (other, places) if places else None


def _together(first: Node, others: list[Node], dtype: np.dtype) -> Conv | None:
    """The convolution that is the sum of these terms, where its weights are finite."""
    conv = first.operation
    assert isinstance(conv, Conv)

    def weight(kind: np.dtype) -> np.ndarray:
        weight = conv.exact[0].astype(float)
        for other, places in filter(None, (_taken(first, node) for node in others)):
            weight[np.ix_(*places)] += other.exact[0]
        return weight.astype(kind)

    terms = (conv, *(taken[0] for node in others if (taken := _taken(first, node))))
    biases = (term.exact[1] for term in terms)
    bias = sum((one for one in biases if one is not None), np.zeros(conv.geometry.weight[3]))
    with np.errstate(over="ignore", invalid="ignore"):
        is_finite = np.isfinite(weight(dtype)).all() and np.isfinite(bias.astype(dtype)).all()
    return Derived(conv, weight, bias, dtype) if is_finite else None


def _is_linear(conv: Conv) -> bool:
    return conv.activation is None and conv.slopes is None and not conv.functions


def _likeness(conv: Conv) -> tuple[object, ...]:
    """What convolutions that may be one have in common, but for their taps."""
    geometry = conv.geometry
    return conv.kind, geometry.weight[2:], geometry.stride, geometry.groups, conv.algorithm, conv.accuracy


def _as_conv(operation: Operation, like: Conv) -> Conv | None:
    """A convolution itself, and a scale as a 1×1 in the groups of another, where that gives a channel for each."""
    (_, _, c, k), groups = like.geometry.weight, like.geometry.groups
    if not isinstance(operation, Scale) or operation.activation is not None or k != c * groups:
        return operation if isinstance(operation, Conv) else None
    weight, channels = np.zeros((1, 1, c, k)), np.arange(k)
    weight[0, 0, channels % c, channels] = operation.vectors[0]
    geometry = ConvGeometry((1, 1, c, k), groups=groups)
    conv = Conv(geometry, True, None, like.algorithm, weight, operation.vectors[1], accuracy=like.accuracy)
    return conv.changed(kind=like.kind)


def _places(first: ConvGeometry, second: ConvGeometry) -> tuple[list[int], ...] | None:
    """The rows and columns of the first kernel that see what those of the second do, if all of these have one."""
    places, ways = list[list[int]](), [(one.padding, one.effective_kernel) for one in (first, second)]
    if "same" in (first.padding, second.padding) and first.stride != (1, 1) and ways[0] != ways[1]:
        return None  # the padding depends on the size of the map
    for axis in 0, 1:
        (begin, end), (other_begin, other_end) = _sides(first, axis), _sides(second, axis)
        extent, other_extent = first.effective_kernel[axis], second.effective_kernel[axis]
        if begin + end - extent != other_begin + other_end - other_extent:
            return None  # their results may have different sizes
        seen = {tap * first.dilation[axis] - begin: tap for tap in range(first.weight[axis])}
        pixels = (tap * second.dilation[axis] - other_begin for tap in range(second.weight[axis]))
        places.append([seen.get(pixel, -1) for pixel in pixels])
    return None if any(-1 in taps for taps in places) else tuple(places)


def _sides(geometry: ConvGeometry, axis: int) -> tuple[int, int]:
    """The padding of an axis, of "same" that for stride 1."""
    if geometry.padding != "same":
        return geometry.padding[axis]
    total = geometry.effective_kernel[axis] - 1
    return total // 2, total - total // 2
