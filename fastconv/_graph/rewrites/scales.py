"""A scale and shift of each channel, such as a batch norm, is part of the convolution or the scale beside it.

    a scale s, t after a convolution:   s · (w∗x + b) + t = (s·w)∗x + (s·b + t)
    before one without padding:         w∗(s·x + t) + b = (w·s)∗x + (b + Σ w·t), with any padding where t is 0
    after another scale:                s · (s'·x + t') + t = (s·s')·x + (s·t' + t)

All is computed in float64, and rounded once where no more scales follow. A scale stays where it would make a value
infinite, or a weight 0 that is none: 0 · Inf is NaN.
"""

import numpy as np

from fastconv._graph.graph import Graph, Node
from fastconv._graph.operations.conv import Conv, Derived
from fastconv._graph.operations.normalization import Scale
from fastconv._graph.operations.operation import Doubles, Operation
from fastconv._graph.rewrites.neighbours import replace_neighbours
from fastconv._runners.scaled import fits, scaled


def fold_scales(graph: Graph) -> Graph:
    """The graph without the scales that an operation beside them can take."""
    dtype = graph.dtype

    def taken(before: Node, node: Node) -> list[Node]:
        operation = None if dtype is None else _together(before, node, dtype)
        named = before if isinstance(node.operation, Scale) else node
        return [Node(named.name, operation, (*before.inputs, *node.inputs[1:]))] if operation else []

    return replace_neighbours(graph, taken)


def _together(before: Node, node: Node, dtype: np.dtype) -> Operation | None:
    """One operation for two nodes, if there is any."""
    first, second = before.operation, node.operation
    if first.activation is not None:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        if isinstance(first, Scale) and isinstance(second, Scale):
            return _scaled_scale(first, second, dtype)
        if isinstance(first, Conv) and isinstance(second, Scale) and len(before.inputs) == 1:
            return _scaled_conv(first, second, dtype)
        if isinstance(first, Scale) and isinstance(second, Conv):
            return _conv_of_scaled(first, second, dtype)
    return None


def _scaled_scale(before: Scale, after: Scale, dtype: np.dtype) -> Scale | None:
    (first, offset), (scale, shift) = before.vectors, after.vectors
    vectors = first * scale, offset * scale + shift
    both = fits(first[None, None, None], scale, dtype) and _is_finite(vectors[1], dtype)
    return after.changed(vectors=vectors) if both else None


def _scaled_conv(conv: Conv, after: Scale, dtype: np.dtype) -> Conv | None:
    (weight, bias), (scale, shift) = conv.exact, after.vectors
    bias = shift if bias is None else bias * scale + shift
    if not (fits(weight, scale, dtype) and _is_finite(bias, dtype)):
        return None
    return Derived(conv, lambda kind: scaled(conv.exact[0], scale, kind), bias, dtype, activation=after.activation)


def _conv_of_scaled(before: Scale, conv: Conv, dtype: np.dtype) -> Conv | None:
    (weight, bias), groups = conv.exact, conv.geometry.groups
    if conv.geometry.is_padded and before.vectors[1].any():
        return None
    # (channels of a group, output channels), as each of the latter reads them.
    scale, shift = (
        np.repeat(vector.reshape(groups, -1).T, weight.shape[3] // groups, axis=1) for vector in before.vectors
    )
    products = np.multiply(weight, shift, order="C")  # summed in one order, whatever that of a pickled weight is
    bias = (0 if bias is None else bias) + products.sum((0, 1, 2))
    if not (fits(weight, scale, dtype) and _is_finite(bias, dtype)):
        return None
    return Derived(conv, lambda kind: scaled(conv.exact[0], scale, kind), bias, dtype)


def _is_finite(vector: Doubles, dtype: np.dtype) -> bool:
    return bool(np.isfinite(vector.astype(dtype)).all())
