"""Normalisations, and the softmax and its like."""

from math import prod
from typing import Any

import numpy as np

from fastconv.onnx._in_numpy.elementwise import FLOAT
from fastconv.onnx._in_numpy.shaping import axis_of
from fastconv.onnx._program import Node


def batch_norm(
    node: Node, x: np.ndarray, scale: np.ndarray, bias: np.ndarray, mean: np.ndarray, variance: np.ndarray
) -> np.ndarray:
    """With the given statistics, those of each channel, or of each value where `spatial` is 0."""
    check_inference(node)
    if node.attributes.get("spatial", 1):
        shape = -1, *(1,) * (x.ndim - 2)
        if any(vector.size != x.shape[1] for vector in (scale, bias, mean, variance)) or x.ndim < 2:
            raise ValueError(f"its vectors must have as many values as x of shape {x.shape} has channels")
        scale, bias, mean, variance = (vector.reshape(shape) for vector in (scale, bias, mean, variance))
    wide = np.float64
    factor = scale.astype(wide) / np.sqrt(variance.astype(wide) + node.attributes["epsilon"])
    return (x * factor + (bias - mean * factor)).astype(x.dtype)


def check_inference(node: Node) -> None:
    """Check that a BatchNormalization takes the statistics that it is given; before opset 14 its outputs tell."""
    told = "and fastconv computes forward passes of inference alone"
    if node.attributes.get("training_mode"):
        raise ValueError(f"training_mode is set, {told}")
    if any(node.outputs[1:]):
        raise ValueError(f"its outputs after the first are those of training, {told}")


def lrn(node: Node, x: np.ndarray) -> np.ndarray:
    """Of an even size there is one channel more after each."""
    get = node.attributes
    size, channels = get["size"], x.shape[1]
    before, after = (min(side, max(channels - 1, 0)) for side in ((size - 1) // 2, size // 2))
    squares = np.pad(x.astype(np.float64) ** 2, ((0, 0), (before, after), *((0, 0),) * (x.ndim - 2)))
    total = sum(squares[:, i : i + channels] for i in range(before + after + 1))
    return (x / (get["bias"] + get["alpha"] / size * total) ** get["beta"]).astype(x.dtype)


def normalized_axes(node: Node, rank: int) -> tuple[int, int]:
    """The first axis that a softmax is along, and the one after the last: before opset 13 all from `axis` on."""
    axis = axis_of(node.attributes["axis"], rank)
    return axis, axis + 1 if node.version >= 13 else rank


def _along(node: Node, x: np.ndarray) -> tuple[np.ndarray, int]:
    """x and the axis of a softmax, where all that it is along are one."""
    first, end = normalized_axes(node, x.ndim)
    return x.reshape(*x.shape[:first], prod(x.shape[first:end]), *x.shape[end:]), first


def softmax(node: Node, x: np.ndarray) -> np.ndarray:
    rows, axis = _along(node, x)
    powers = rows - rows.max(axis, keepdims=True, initial=-np.inf)
    np.exp(powers, out=powers)
    powers /= powers.sum(axis, keepdims=True)
    return powers.reshape(x.shape).astype(x.dtype, copy=False)


def log_softmax(node: Node, x: np.ndarray) -> np.ndarray:
    rows, axis = _along(node, x)
    shifted = rows - rows.max(axis, keepdims=True, initial=-np.inf)
    largest = shifted == 0
    beside = np.where(largest, 0, np.exp(shifted)).sum(axis, keepdims=True) + (largest.sum(axis, keepdims=True) - 1)
    return (shifted - np.log1p(beside)).reshape(x.shape).astype(x.dtype)


def hardmax(node: Node, x: np.ndarray) -> np.ndarray:
    """1 at the first maximum, 0 elsewhere."""
    rows, axis = _along(node, x)
    y = np.zeros_like(rows)
    np.put_along_axis(y, rows.argmax(axis, keepdims=True), 1, axis)
    return y.reshape(x.shape)


def group_norm(node: Node, x: np.ndarray, scale: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Of groups of channels, each in its image; before opset 21 scale and bias have a value for each group."""
    groups, channels = node.attributes["num_groups"], x.shape[1]
    if groups < 1 or channels % groups or not channels:
        raise ValueError(f"num_groups must divide the {channels} channels, got {groups}")
    each = 1 if node.version >= 21 else channels // groups
    if any(vector.shape != (channels // each,) for vector in (scale, bias)):
        raise ValueError(f"scale and bias must have shape ({channels // each},), got {scale.shape} and {bias.shape}")
    wide = x.reshape(len(x), groups, prod(x.shape[1:]) // groups).astype(np.float64)
    centred = wide - wide.mean(2, keepdims=True)
    deviation = np.sqrt((centred**2).mean(2, keepdims=True) + node.attributes["epsilon"])
    scale, bias = (vector.repeat(each).reshape(-1, *(1,) * (x.ndim - 2)) for vector in (scale, bias))
    return (scale * (centred / deviation).reshape(x.shape) + bias).astype(x.dtype)


def instance_norm(node: Node, x: np.ndarray, scale: np.ndarray, bias: np.ndarray) -> np.ndarray:
    axes, shape, wide = tuple(range(2, x.ndim)), (-1, *(1,) * (x.ndim - 2)), x.astype(np.float64)
    centred = wide - wide.mean(axes, keepdims=True)
    deviation = np.sqrt((centred**2).mean(axes, keepdims=True) + node.attributes["epsilon"])
    return (scale.reshape(shape) * (centred / deviation) + bias.reshape(shape)).astype(x.dtype)


def layer_norm(node: Node, x: np.ndarray, scale: np.ndarray, bias: np.ndarray | None = None) -> tuple[Any, ...]:
    """Over all axes from `axis` on; the mean and the inverse of the deviation are results too."""
    axes, wide = layer_axes(node, x.ndim), x.astype(np.float64)
    for vector in (scale,) if bias is None else (scale, bias):
        if np.broadcast_shapes(x.shape, vector.shape) != x.shape:
            raise ValueError(f"scale and bias must be broadcast to x of shape {x.shape}, got shape {vector.shape}")
    mean = wide.mean(axes, keepdims=True)
    inverse = 1 / np.sqrt(((wide - mean) ** 2).mean(axes, keepdims=True) + node.attributes["epsilon"])
    y = (wide - mean) * inverse * scale + (0 if bias is None else bias)
    return y.astype(x.dtype), mean.astype(np.float32), inverse.astype(np.float32)


def rms_norm(node: Node, x: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """By the root of the mean of the squares, over all axes from `axis` on."""
    if np.broadcast_shapes(x.shape, scale.shape) != x.shape:
        raise ValueError(f"scale must be broadcast to x of shape {x.shape}, got shape {scale.shape}")
    axes, wide = layer_axes(node, x.ndim), x.astype(np.float64)
    deviation = np.sqrt((wide**2).mean(axes, keepdims=True) + node.attributes["epsilon"])
    return (wide / deviation * scale).astype(x.dtype)


def lp_norm(node: Node, x: np.ndarray) -> np.ndarray:
    """By the length along an axis, Σ |x| or √Σ x²; 0 where that is 0."""
    p, axis, wide = node.attributes["p"], axis_of(node.attributes["axis"], x.ndim), x.astype(np.float64)
    if p not in (1, 2):
        raise ValueError(f"p must be 1 or 2, got {p}")
    length = abs(wide).sum(axis, keepdims=True) if p == 1 else np.sqrt((wide**2).sum(axis, keepdims=True))
    return np.where(length == 0, 0, wide / length).astype(x.dtype)


def layer_axes(node: Node, rank: int) -> tuple[int, ...]:
    """Those of a layer or RMS norm, whose statistics must be float, the only ones that fastconv gives."""
    if node.attributes["stash_type"] != FLOAT:
        raise ValueError(f"stash_type must be {FLOAT}, float, got {node.attributes['stash_type']}")
    return tuple(range(axis_of(node.attributes["axis"], rank), rank))


FUNCTIONS: dict[str, Any] = {
    "BatchNormalization": batch_norm,
    "GroupNormalization": group_norm,
    "Hardmax": hardmax,
    "InstanceNormalization": instance_norm,
    "LRN": lrn,
    "LayerNormalization": layer_norm,
    "LogSoftmax": log_softmax,
    "LpNormalization": lp_norm,
    "RMSNormalization": rms_norm,
    "Softmax": softmax,
}
