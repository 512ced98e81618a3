"""Convolutions and pools over any number of axes, tap by tap of the kernel."""

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from fastconv._checks.types import Shape
from fastconv.onnx._program import Node
from fastconv.onnx._windows import Windows, check_channels, transposed_windows, windows


def _taps(x: np.ndarray, found: Windows, counts: Shape, fill: Any) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
    """(the tap, the values that it meets, one for each window); beyond the image they are `fill`."""
    starts = [begin for begin, _ in found.pads]
    ends = [
        max((count - 1) * stride + extent - begin - size, 0)
        for count, stride, extent, begin, size in zip(
            counts, found.strides, found.extents, starts, x.shape[2:], strict=True
        )
    ]
    padded = np.pad(x, ((0, 0), (0, 0), *zip(starts, ends, strict=True)), constant_values=fill)
    for tap in np.ndindex(*found.kernel):
        yield tap, padded[_placed(tap, found, counts)]


def _placed(tap: tuple[int, ...], found: Windows, counts: Shape) -> tuple[Any, ...]:
    """Where a tap of the kernel lies in each window."""
    slices = (
        slice(t * d, t * d + (count - 1) * stride + 1, stride)
        for t, d, count, stride in zip(tap, found.dilations, counts, found.strides, strict=True)
    )
    return slice(None), slice(None), *slices


def _at(tap: tuple[int, ...]) -> tuple[Any, ...]:
    """A tap of kernels, (groups, channels, channels, taps along each axis)."""
    return slice(None), slice(None), slice(None), *tap


def conv(node: Node, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
    if weight.ndim != x.ndim or x.ndim < 3:
        raise ValueError(f"x and its weights must have as many axes, got shapes {x.shape} and {weight.shape}")
    found, groups = windows(node, x.shape[2:], weight.shape[2:]), node.attributes["group"]
    check_channels(x.shape, weight, groups)
    counts = found.counts(x.shape[2:])
    kernels = weight.reshape(groups, weight.shape[0] // groups, *weight.shape[1:])
    y = np.zeros((x.shape[0], groups, kernels.shape[1], prod(counts)), np.promote_types(x.dtype, np.float32))
    for tap, values in _taps(x, found, counts, 0):
        rows = values.reshape(x.shape[0], groups, weight.shape[1], prod(counts))
        y += kernels[_at(tap)] @ rows
    y = y.reshape(x.shape[0], weight.shape[0], *counts)
    return (y if bias is None else y + bias.reshape(-1, *(1,) * len(counts))).astype(x.dtype)


def conv_transpose(node: Node, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
    """Each value spreads its multiples of the kernel, whose overlaps add up."""
    groups, axes, sizes = node.attributes["group"], x.ndim - 2, x.shape[2:]
    found, whole, pads = transposed_windows(node, x.shape, weight.shape)
    each, channels = weight.shape[1], weight.shape[0] // groups
    kernels = weight.reshape(groups, channels, each, *weight.shape[2:])
    rows = x.reshape(x.shape[0], groups, channels, prod(sizes))
    y = np.zeros((x.shape[0], groups * each, *whole), x.dtype)
    for tap in np.ndindex(*found.kernel):
        spread = np.swapaxes(kernels[_at(tap)], 1, 2) @ rows
        y[_placed(tap, found, sizes)] += spread.reshape(x.shape[0], groups * each, *sizes)
    crop: tuple[Any, ...] = tuple(slice(b, size - e) for size, (b, e) in zip(whole, pads, strict=True))
    y = y[(slice(None), slice(None), *crop)]
    return y if bias is None else y + bias.reshape(-1, *(1,) * axes)


def _pooled(node: Node, x: np.ndarray) -> tuple[Windows, Shape]:
    if x.ndim < 3:
        raise ValueError(f"x must have an axis of an image, got shape {x.shape}")
    found = windows(node, x.shape[2:], tuple(node.attributes["kernel_shape"]))
    return found, found.counts(x.shape[2:])


def max_pool(node: Node, x: np.ndarray) -> Any:
    """A NaN is larger than all; the first of equal values has the index."""
    found, counts = _pooled(node, x)
    least = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    if len(node.outputs) < 2:
        y = None
        for _, values in _taps(x, found, counts, least):
            y = values.copy() if y is None else np.maximum(y, values, out=y)
        return y
    sizes, is_column_major = x.shape[2:], node.attributes.get("storage_order", 0)
    places = np.arange(prod(sizes)).reshape(sizes, order="F" if is_column_major else "C")
    places = np.arange(prod(x.shape[:2])).reshape(*x.shape[:2], *(1,) * len(sizes)) * prod(sizes) + places
    y, where = None, None
    for (_, values), (_, indices) in zip(_taps(x, found, counts, least), _taps(places, found, counts, -1), strict=True):
        if y is None or where is None:
            y, where = values.copy(), indices.copy()
            continue
        is_larger = (values > y) | (np.isnan(values) & ~np.isnan(y)) | ((where < 0) & (indices >= 0))
        y, where = np.where(is_larger, values, y), np.where(is_larger, indices, where)
    return y, where


def average_pool(node: Node, x: np.ndarray) -> np.ndarray:
    found, counts = _pooled(node, x)
    counted = np.ones((1, 1, *x.shape[2:]), np.int64)
    if node.attributes.get("count_include_pad", 0):
        counted = np.pad(counted, ((0, 0), (0, 0), *found.pads), constant_values=1)
    else:
        counted = np.pad(counted, ((0, 0), (0, 0), *found.pads))
    bare = found._replace(pads=((0, 0),) * len(counts))
    number = sum(values for _, values in _taps(counted, bare, counts, 0))
    total = sum(values.astype(np.float64) for _, values in _taps(x, found, counts, 0))
    return np.asarray(total / number).astype(x.dtype)


def lp_pool(node: Node, x: np.ndarray) -> np.ndarray:
    found, counts = _pooled(node, x)
    p = node.attributes["p"]
    total = sum(np.abs(values.astype(np.float64)) ** p for _, values in _taps(x, found, counts, 0))
    return np.asarray(total ** (1 / p)).astype(x.dtype)


def _over_image(function: Any) -> Any:
    return lambda node, x: function(node, x, tuple(range(2, x.ndim)))


def _global_lp(node: Node, x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    p = node.attributes["p"]
    total = (np.abs(x.astype(np.float64)) ** p).sum(axes, keepdims=True)
    return np.asarray(total ** (1 / p)).astype(x.dtype)


def _mean(node: Node, x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    return np.asarray(x.mean(axes, keepdims=True, dtype=np.float64)).astype(x.dtype)


FUNCTIONS: dict[str, Any] = {
    "AveragePool": average_pool,
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "GlobalAveragePool": _over_image(_mean),
    "GlobalLpPool": _over_image(_global_lp),
    "GlobalMaxPool": _over_image(lambda node, x, axes: x.max(axes, keepdims=True)),
    "LpPool": lp_pool,
    "MaxPool": max_pool,
}
