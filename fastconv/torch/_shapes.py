"""Reductions, and what moves values or changes shapes, in ONNX's words."""

from collections.abc import Callable, Iterable
from math import prod
from typing import Any

import numpy as np

from fastconv._checks.types import Shape
from fastconv.onnx._values import Tensor
from fastconv.torch._words import Written


def reduced(kind: str) -> Callable[..., Written | None]:
    def write(x: Any, axes: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Written | None:
        attributes = {"axes": axes, "keepdims": int(keepdim)}
        return Written(kind, (x,), attributes) if axes and dtype is None else None

    return write


def softmax(kind: str) -> Callable[..., Written | None]:
    def write(x: Any, axis: int, half_to_float: bool) -> Written | None:
        return None if half_to_float else Written(kind, (x,), {"axis": axis})

    return write


def concat(maps: Any, axis: int = 0) -> Written:
    return Written("Concat", maps, {"axis": axis})


def stack(maps: Any, axis: int = 0) -> Written:
    """Along an axis of their own."""
    axis %= len(maps[0].shape) + 1
    return concat([reshape(x, shape=(*x.shape[:axis], 1, *x.shape[axis:])) for x in maps], axis)


def split(x: Any, sizes: Any, axis: int = 0) -> Written:
    """Into parts of one size, the last of which may be smaller, or of these sizes."""
    whole = x.shape[axis]
    parts = [min(sizes, whole - i) for i in range(0, whole, sizes)] if isinstance(sizes, int) else sizes
    return Written("Split", (x, np.array(parts)), {"axis": axis}, len(parts))


def unbound(x: Any, axis: int = 0) -> Written:
    """All of an axis, which is then none."""
    axis %= len(x.shape)
    return split(x, [1] * x.shape[axis], axis)._replace(shape=x.shape[:axis] + x.shape[axis + 1 :])


def sliced(x: Any, axis: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Written:
    size = x.shape[axis]
    start, end, step = slice(start, end, step).indices(size)
    return Written("Slice", (x, *(np.array([number]) for number in (start, end, axis, step))), {})


def picked(x: Any, axis: int, index: Any) -> Written | None:
    """Those of an axis that have these numbers, which are known before a run."""
    is_known = isinstance(index, np.ndarray) and index.dtype in (np.int32, np.int64)
    return Written("Gather", (x, index), {"axis": axis}) if is_known else None


def indexed(x: Any, indices: Any) -> Written | None:
    """By numbers along one axis."""
    axes = [axis for axis, index in enumerate(indices) if index is not None]
    return picked(x, axes[0], indices[axes[0]]) if len(axes) == 1 else None


def _moved(x: Any, pairs: Iterable[tuple[int, np.ndarray]]) -> Any:
    """The values along each of these axes by their numbers."""
    for axis, index in pairs:
        x = Written("Gather", (x, index), {"axis": axis})
    return x


def flipped(x: Any, axes: Any) -> Written:
    return _moved(x, [(axis, np.arange(x.shape[axis])[::-1]) for axis in axes])


def rolled(x: Any, shifts: Any, axes: Any = ()) -> Written | None:
    """Along axes; without these PyTorch takes all values for one axis."""
    return (
        _moved(x, [(i, np.roll(np.arange(x.shape[i]), n)) for n, i in zip(shifts, axes, strict=True)]) if axes else None
    )


def padded(mode: str) -> Callable[..., Written]:
    def write(x: Any, pads: Any) -> Written:
        return pad(x, pads, mode=mode)

    return write


def pad(x: Any, pads: Any, value: float = 0.0, mode: str = "constant") -> Written:
    """torch's pads are pairs, that of the last axis first."""
    pairs = [(0, 0)] * (len(x.shape) - len(pads) // 2) + [*zip(pads[::2], pads[1::2], strict=True)][::-1]
    sides = [side for side, _ in pairs] + [side for _, side in pairs]
    return Written("Pad", (x, np.array(sides)), {"mode": mode, "value": value})


def reshape(x: Any, *args: Any, shape: Shape, **kwargs: Any) -> Written:
    return Written("Reshape", (x, np.array(shape)), {"allowzero": 1})


def permute(x: Any, order: Any) -> Written:
    return Written("Transpose", (x,), {"perm": [axis % len(x.shape) for axis in order]})


def transpose(x: Any, first: int, second: int) -> Written:
    order = [*range(len(x.shape))]
    order[first], order[second] = order[second], order[first]
    return permute(x, order)


def identity(x: Any, *args: Any, **kwargs: Any) -> Written:
    return Written("Identity", (x,), {})


def expand(x: Any, *args: Any, shape: Shape, **kwargs: Any) -> Written | None:
    """To the shape that it has."""
    return identity(x) if isinstance(x, Tensor) and x.shape == shape else None


def norm(x: Any, order: float = 2, axes: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Written | None:
    """The root of the sum of squares."""
    squares = reduced("ReduceSum")(Written("Mul", (x, x), {}), axes, keepdim, dtype=dtype)
    return None if squares is None or order != 2 else Written("Sqrt", (squares,), {})


def one_axis(kind: str) -> Callable[..., Written | None]:
    """A reduction along one axis, whose second result, the places, nobody reads."""

    def write(x: Any, axis: int, keepdim: bool = False) -> Written | None:
        return reduced(kind)(x, [axis], keepdim)

    return write


def variance(x: Any, axes: Any = None, *, correction: float | None = None, keepdim: bool = False) -> Written | None:
    """Of all values, or corrected for those that were drawn from more, where these are more than the correction."""
    mean = reduced("ReduceMean")(x, axes, True)
    if mean is None:
        return None
    count, correction = prod(x.shape[axis] for axis in axes), 1 if correction is None else correction
    if count <= correction:
        return None
    from_mean = Written("Sub", (x, mean), {})
    found = reduced("ReduceMean")(Written("Mul", (from_mean, from_mean), {}), axes, keepdim)
    return Written("Mul", (found, count / (count - correction)), {}) if found and correction else found


def deviation(x: Any, axes: Any = None, *, correction: float | None = None, keepdim: bool = False) -> Written | None:
    found = variance(x, axes, correction=correction, keepdim=keepdim)
    return None if found is None else Written("Sqrt", (found,), {})


def gated(x: Any, axis: int = -1) -> Written:
    """The first half of an axis by the sigmoid of the second."""
    axis, half = axis % len(x.shape), x.shape[axis] // 2
    return Written("Mul", (sliced(x, axis, 0, half), Written("Sigmoid", (sliced(x, axis, half),), {})), {})


def selected(x: Any, axis: int, index: int, *, shape: Shape) -> Written:
    """One of an axis, which is then none."""
    axis, index = axis % len(x.shape), index % x.shape[axis]
    return reshape(sliced(x, axis, index, index + 1), shape=shape)


def pixels_of_channels(x: Any, factor: int) -> Written:
    return Written("DepthToSpace", (x,), {"blocksize": factor, "mode": "CRD"})


def channels_of_pixels(x: Any, factor: int) -> Written:
    return Written("SpaceToDepth", (x,), {"blocksize": factor, "mode": "CRD"})


def shuffled(x: Any, groups: int) -> Written:
    """The channels of all groups in turns."""
    n, channels, *image = x.shape
    apart = reshape(x, shape=(n, groups, channels // groups, *image))
    turned = Written("Transpose", (apart,), {"perm": [0, 2, 1, *range(3, 3 + len(image))]})
    return reshape(turned, shape=x.shape)
