"""A scale and shift of each channel, such as a batch norm, is part of the convolution or the scale beside it.

    a scale s, t after a convolution:   s · (w∗x + b) + t = (s·w)∗x + (s·b + t)
    before one without padding:         w∗(s·x + t) + b = (w·s)∗x + (b + Σ w·t), with any padding where t is 0
    after another scale:                s · (s'·x + t') + t = (s·s')·x + (s·t' + t)

All is computed in float64, and rounded once where no more scales follow. A scale stays where it would make a value
infinite, or a weight 0 that is none: 0 · Inf is NaN.
"""

from dataclasses import replace

import numpy as np

from fastconv._graph.graph import Graph, Node
from fastconv._graph.operations.conv import Conv
from fastconv._graph.operations.normalization import Scale
from fastconv._graph.operations.operation import Doubles, Operation


def fold_scales(graph: Graph) -> Graph:
    """The graph without the scales that an operation beside them can take."""
    uses, nodes, renamed = graph.uses(), dict[str, Node](), dict[str, str]()
    for node in graph.nodes:
        nodes[node.name] = node = replace(node, inputs=tuple(renamed.get(name, name) for name in node.inputs))
        before = nodes.get(node.inputs[0])
        if before is None or uses[before.name] > 1 or before.operation.activation is not None:
            continue
        if (taken := _together(before, node, graph.dtype)) is not None:
            named = before if isinstance(node.operation, Scale) else node
            del nodes[before.name], nodes[node.name]
            nodes[named.name] = Node(named.name, taken, (*before.inputs, *node.inputs[1:]))
            renamed[node.name], uses[named.name] = named.name, uses[node.name]
    return graph.changed((_rounded(node, graph.dtype) for node in nodes.values()), renamed)


def _together(before: Node, node: Node, dtype: np.dtype | None) -> Operation | None:
    """One operation for two nodes, if there is any."""
    first, second = before.operation, node.operation
    if isinstance(second, Scale) and isinstance(first, Scale):
        weight, bias = first.vectors
        found = _scaled(weight, bias, second, dtype)
        return found and second.changed(vectors=found)
    if isinstance(second, Scale) and isinstance(first, Conv) and first.weight is not None and len(before.inputs) == 1:
        found = _scaled(first.weight, first.bias, second, dtype)
        return found and first.changed(weight=found[0], bias=found[1], has_bias=True, activation=second.activation)
    if isinstance(second, Conv) and isinstance(first, Scale):
        return _of_scaled(second, first, dtype)
    return None


def _scaled(
    weight: Doubles, bias: Doubles | None, after: Scale, dtype: np.dtype | None
) -> tuple[Doubles, Doubles] | None:
    """(weight, bias) with a scale after them."""
    scale, shift = after.vectors
    with np.errstate(over="ignore", invalid="ignore"):
        scaled, shifted = weight * scale, shift if bias is None else bias * scale + shift
    return (scaled, shifted) if _fit(scaled, shifted, (weight != 0) & (scale != 0), dtype) else None


def _of_scaled(conv: Conv, before: Scale, dtype: np.dtype | None) -> Conv | None:
    """The convolution with a scale before it."""
    groups, (scale, shift) = conv.geometry.groups, before.vectors
    if conv.weight is None or (conv.geometry.is_padded and shift.any()):
        return None
    # (channels of a group, output channels): what each output channel reads.
    scales, shifts = (
        np.repeat(vector.reshape(groups, -1).T, conv.weight.shape[3] // groups, axis=1) for vector in (scale, shift)
    )
    with np.errstate(over="ignore", invalid="ignore"):
        weight = conv.weight * scales
        bias = (0 if conv.bias is None else conv.bias) + (conv.weight * shifts).sum((0, 1, 2))
    if not _fit(weight, bias, (conv.weight != 0) & (scales != 0), dtype):
        return None
    return conv.changed(weight=weight, bias=bias, has_bias=True)


def _fit(weight: Doubles, bias: Doubles, is_kept: np.ndarray, dtype: np.dtype | None) -> bool:
    """Whether these stay finite in `dtype`, and the weights other than 0 where they are to be kept."""
    with np.errstate(over="ignore", under="ignore"):
        weight, bias = weight.astype(dtype), bias.astype(dtype)
    return bool(np.isfinite(weight).all() and np.isfinite(bias).all() and ((weight != 0) == is_kept).all())


def _rounded(node: Node, dtype: np.dtype | None) -> Node:
    """The node with weights of `dtype`, if it has any."""
    conv = node.operation
    if not isinstance(conv, Conv) or conv.weight is None or conv.weight.dtype == dtype:
        return node
    bias = None if conv.bias is None else conv.bias.astype(dtype)
    return replace(node, operation=conv.changed(weight=conv.weight.astype(dtype), bias=bias))
