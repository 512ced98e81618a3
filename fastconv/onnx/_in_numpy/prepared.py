"""What is known beforehand of nodes whose other inputs are constants, for a shape of the first: mostly a view of it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastconv._checks.types import Shape
from fastconv.onnx._in_numpy import reductions, shaping
from fastconv.onnx._program import Node

Made = Callable[[np.ndarray], list[np.ndarray]]


def _reshape(node: Node, shape: Shape, result: Shape, *constants: Any) -> Made:
    return lambda x: [x.reshape(result)]


def _expand(node: Node, shape: Shape, result: Shape, *constants: Any) -> Made:
    return lambda x: [np.broadcast_to(x, result)]


def _gather(node: Node, shape: Shape, result: Shape, indices: np.ndarray) -> Made | None:
    """One index is a view."""
    axis = shaping.axis_of(node.attributes["axis"], len(shape))
    if indices.size != 1 or indices.ndim > 1:
        return lambda x: [x.take(indices, axis)]
    i = indices.item() % shape[axis]
    where = (*(slice(None),) * axis, slice(i, i + 1) if indices.ndim else i)
    return lambda x: [x[(*where, ...)]]  # an array, of no axes too


def _slice(node: Node, shape: Shape, result: Shape, *constants: Any) -> Made:
    where = tuple(shaping.slices(node, shape, *constants))
    return lambda x: [x[where]]


def _split(node: Node, shape: Shape, result: Shape, *constants: Any) -> Made:
    axis, sizes = shaping.split_sizes(node, shape, *(constants or (None,)))
    ends, before = np.cumsum(sizes).tolist(), (slice(None),) * axis
    parts = [(*before, slice(end - size, end)) for size, end in zip(sizes, ends, strict=True)]
    return lambda x: [x[part] for part in parts]


def _transpose(node: Node, shape: Shape, result: Shape, *constants: Any) -> Made:
    order = shaping.order(node, len(shape))
    return lambda x: [x.transpose(order)]


def _pad(node: Node, shape: Shape, result: Shape, pads: Any = None, value: Any = None, axes: Any = None) -> Made | None:
    """Of places along each axis, or of a number around."""
    sides, mode = shaping.pad_sides(node, len(shape), pads, axes), node.attributes["mode"]
    if min(min(pair) for pair in sides) < 0:
        return None
    if mode == "constant":
        number = shaping.pad_value(node, value)
        inside = tuple(slice(begin, begin + size) for size, (begin, _) in zip(shape, sides, strict=True))

        def around(x: np.ndarray) -> list[np.ndarray]:
            y = np.full(result, number, x.dtype)
            y[inside] = x
            return [y]

        return around
    places = [
        (axis, shaping.PADDED[mode](np.arange(-begin, shape[axis] + end), shape[axis]))
        for axis, (begin, end) in enumerate(sides)
        if begin or end
    ]

    def picked(x: np.ndarray) -> list[np.ndarray]:
        for axis, indices in places:
            x = x.take(indices, axis)
        return [x]

    return picked


def _reduce(node: Node, shape: Shape, result: Shape, axes: np.ndarray | None = None) -> Made | None:
    over, keeps = reductions.over(node, axes, len(shape))
    if 0 in shape:
        return None
    function = reductions.REDUCED[node.kind]

    def reduced(x: np.ndarray) -> list[np.ndarray]:
        wide = x.astype(np.float32) if x.dtype == np.float16 else x
        return [np.asarray(function(wide, axis=over, keepdims=keeps)).astype(x.dtype, copy=False)]

    return reduced


# What makes the function of the first input of a node, of the shapes of that and of its first result, and of its other
# inputs; None where nothing is known beforehand.
PREPARED: dict[str, Callable[..., Made | None]] = {
    **dict.fromkeys(("Flatten", "Reshape", "Squeeze", "Unsqueeze"), _reshape),
    **dict.fromkeys(("ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum"), _reduce),
    "Expand": _expand,
    "Gather": _gather,
    "Pad": _pad,
    "Slice": _slice,
    "Split": _split,
    "Transpose": _transpose,
}
