"""Views: what is computed once of nodes that only look at their first input in another way, of a known shape."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastconv._checks.types import Shape
from fastconv.onnx._in_numpy import shaping
from fastconv.onnx._program import Node

View = Callable[[np.ndarray], list[np.ndarray]]


def _reshape(node: Node, shape: Shape, result: Shape, *constants: Any) -> View:
    return lambda x: [x.reshape(result)]


def _gather(node: Node, shape: Shape, result: Shape, indices: np.ndarray) -> View | None:
    """One index is a slice."""
    if indices.size != 1 or indices.ndim > 1:
        return None
    axis = shaping.axis_of(node.attributes["axis"], len(shape))
    i = indices.item() % shape[axis]
    where = (*(slice(None),) * axis, slice(i, i + 1) if indices.ndim else i)
    return lambda x: [x[where]]


def _slice(node: Node, shape: Shape, result: Shape, *constants: Any) -> View:
    where = tuple(shaping.slices(node, shape, *constants))
    return lambda x: [x[where]]


def _split(node: Node, shape: Shape, result: Shape, *constants: Any) -> View:
    axis, sizes = shaping.split_sizes(node, shape, *(constants or (None,)))
    ends, before = np.cumsum(sizes).tolist(), (slice(None),) * axis
    parts = [(*before, slice(end - size, end)) for size, end in zip(sizes, ends, strict=True)]
    return lambda x: [x[part] for part in parts]


def _transpose(node: Node, shape: Shape, result: Shape, *constants: Any) -> View:
    order = shaping.order(node, len(shape))
    return lambda x: [x.transpose(order)]


# What makes the view of a node, of the shapes of its first input and first result, and its other inputs; None where its
# values have no strides.
VIEWS: dict[str, Callable[..., View | None]] = {
    **dict.fromkeys(("Flatten", "Reshape", "Squeeze", "Unsqueeze"), _reshape),
    "Gather": _gather,
    "Slice": _slice,
    "Split": _split,
    "Transpose": _transpose,
}
