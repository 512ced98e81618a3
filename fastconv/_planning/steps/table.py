"""What runs each operation on NHWC arrays, but for a convolution, whose plan keeps its packed weights."""

from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any

import numpy as np

from fastconv._checks import activations
from fastconv._checks.shapes import image_shape
from fastconv._checks.types import Shape
from fastconv._graph.operations.elementwise import Elementwise
from fastconv._graph.operations.normalization import (
    IMAGE_AXES,
    ChannelPool,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LocalResponseNorm,
    Softmax,
)
from fastconv._graph.operations.operation import NHWC, Operation
from fastconv._graph.operations.picks import Pick
from fastconv._graph.operations.pools import Pool
from fastconv._graph.operations.resizing import LinearResize
from fastconv._graph.operations.shaping import Flatten
from fastconv._planning import teams
from fastconv._planning.steps.step import PreparedStep
from fastconv._runners import elementwise, picking, pool, resizing, shaping
from fastconv._runners.partition import LoopNest

_FEW_CHANNELS = 8  # of a softmax: FC_FEW_CHANNELS in csrc/kernels.h
_WIDE = 1024  # channels in a step: pixels of fewer are computed together, since the kernels finish each by itself

# Of an operation, for these shapes of its inputs and of its result and bytes of a value: (values that take as long to
# be moved, what makes the runner).
Made = tuple[int, Callable[[], LoopNest]]


def bind(operation: Operation, x_shapes: list[Shape], dtype: np.dtype, num_threads: int | None) -> PreparedStep:
    """What runs an operation on inputs of these NHWC shapes."""
    out_shape = operation.shape("NHWC", *x_shapes)
    families = (family for family in _FAMILIES if isinstance(operation, family))
    make = _MAKERS[next(families, type(operation))]
    values, runner = make(operation, [image_shape(shape, "NHWC") for shape in x_shapes], out_shape, dtype)
    return PreparedStep(operation.kind, out_shape, num_threads, teams.useful_to_move(values), runner)


def _elementwise(operation: Operation, x_shapes: list[NHWC], shape: NHWC, dtype: np.dtype) -> Made:
    """A function of each value, or a copy."""
    f = operation if isinstance(operation, Elementwise) else Elementwise()
    _, height, width, channels = shape
    repeats = min(height * width, -(-_WIDE // channels)) if f.vectors else height * width
    with np.errstate(over="ignore"):  # infinity then, as of any other value
        vectors = tuple(np.tile(vector.astype(dtype), repeats) for vector in f.vectors)
    function, smaller = f.function, None
    if len({*x_shapes}) > 1:  # one of two inputs is broadcast to the other
        i = 0 if x_shapes[1] == shape else 1
        smaller = i, (x_shapes[i][1:3] != shape[1:3], x_shapes[i][3] != channels)
        function = f"r{function}" if i == 0 and function in ("sub", "div") else function
    wide = 1 if smaller is not None and smaller[1][0] else max(repeats, 1)
    what = function, shape, dtype.itemsize, f.numbers, activations.bounds(f.activation), vectors, wide, smaller
    return prod(shape), partial(elementwise.Elementwise, *what)


def _softmax(operation: Softmax, x_shapes: list[NHWC], shape: NHWC, dtype: np.dtype) -> Made:
    if operation.axis != "channels":
        axis = IMAGE_AXES.index(operation.axis)
        return 2 * prod(shape), partial(elementwise.Along, operation.kind, shape, dtype.itemsize, axis)
    name = operation.kind + "_few" * (shape[3] <= _FEW_CHANNELS)
    return 2 * prod(shape), partial(elementwise.Elementwise, name, shape, dtype.itemsize)


def _local_response_norm(operation: LocalResponseNorm, x_shapes: list[NHWC], shape: NHWC, dtype: np.dtype) -> Made:
    numbers, window = (operation.alpha / operation.size, operation.beta, operation.k), operation.window(shape[3])
    moves = 2 if operation.beta == 0.75 else 50
    make = partial(elementwise.Elementwise, "lrn", shape, dtype.itemsize, numbers, window=window)
    return moves * prod(shape), make


def _layer_norm(operation: LayerNorm, x_shapes: list[NHWC], shape: NHWC, dtype: np.dtype) -> Made:
    vectors = tuple(vector.astype(dtype) for vector in operation.vectors)
    make = partial(elementwise.Elementwise, "layer_norm", shape, dtype.itemsize, (operation.epsilon,), vectors=vectors)
    return 2 * prod(shape), make


def _group_norm(operation: GroupNorm | InstanceNorm, x_shapes: list[NHWC], shape: NHWC, dtype: np.dtype) -> Made:
    vectors = tuple(vector.astype(dtype) for vector in operation.vectors)
    group = shape[3] // operation.groups if isinstance(operation, GroupNorm) else 1
    make = partial(elementwise.Instances, "group_norm", shape, dtype.itemsize, (operation.epsilon,), vectors, group)
    return 4 * prod(shape), make


def _channel_pool(operation: ChannelPool, x_shapes: list[NHWC], shape: NHWC, dtype: np.dtype) -> Made:
    name = "channel_max" if operation.combine == "max" else "channel_mean"
    divisor = x_shapes[0][3] if operation.combine == "mean" else 1
    return prod(x_shapes[0]), partial(elementwise.Elementwise, name, x_shapes[0], dtype.itemsize, (divisor,))


def _pool(operation: Pool, x_shapes: list[NHWC], shape: NHWC, dtype: np.dtype) -> Made:
    windows = operation.at("NHWC", x_shapes[0])
    return windows.values_read, partial(pool.Pool, windows, operation.combine, dtype.itemsize)


def _pick(operation: Pick, x_shapes: list[NHWC], shape: NHWC, dtype: np.dtype) -> Made:
    if 0 in shape:  # nothing, from nowhere
        return _elementwise(Operation(), [shape], shape, dtype)
    places = operation.places(x_shapes[0])
    return prod(shape), partial(picking.Pick, x_shapes[0], shape, *places, operation.value, dtype)


def _linear_resize(operation: LinearResize, x_shapes: list[NHWC], shape: NHWC, dtype: np.dtype) -> Made:
    rows, columns = operation.taps(x_shapes[0][1:3])
    return 4 * prod(shape), partial(resizing.Linear, x_shapes[0], shape, rows, columns, dtype)


def _flatten(operation: Flatten, x_shapes: list[NHWC], shape: NHWC, dtype: np.dtype) -> Made:
    """Vectors, copied, or transposed to the order of layout NCHW."""
    if operation.order == "NHWC":
        return _elementwise(Operation(), x_shapes, shape, dtype)
    return prod(shape), partial(shaping.Flatten, x_shapes[0], dtype.itemsize)


_MAKERS: dict[type[Operation], Callable[[Any, list[NHWC], NHWC, np.dtype], Made]] = {
    Operation: _elementwise,
    Softmax: _softmax,
    LocalResponseNorm: _local_response_norm,
    LayerNorm: _layer_norm,
    GroupNorm: _group_norm,
    InstanceNorm: _group_norm,
    ChannelPool: _channel_pool,
    Pool: _pool,
    Elementwise: _elementwise,
    Pick: _pick,
    LinearResize: _linear_resize,
    Flatten: _flatten,
}
_FAMILIES = Elementwise, Pick  # whose subclasses have the same step
