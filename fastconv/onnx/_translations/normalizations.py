"""Normalisations and the softmax."""

from typing import TYPE_CHECKING, Any

import numpy as np

from fastconv._graph.operations.normalization import (
    BatchNorm,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LocalResponseNorm,
    Softmax,
)
from fastconv.onnx._in_numpy.normalizations import check_inference, layer_axes
from fastconv.onnx._in_numpy.shaping import axis_of
from fastconv.onnx._program import Node
from fastconv.onnx._translations import parts
from fastconv.onnx._values import IMAGE_AXES, Map, Tensor
from fastconv.onnx._views import View, view

if TYPE_CHECKING:
    from fastconv.onnx._binding import Binding


def batch_norm(
    bind: "Binding", node: Node, x: Any, scale: np.ndarray, bias: np.ndarray, mean: np.ndarray, variance: np.ndarray
) -> Map | None:
    """With the statistics of the file."""
    check_inference(node)
    x = bind.as_map(x, "NCHW", "NCW", "NC")
    vectors = mean, variance, scale, bias
    if x is None or any(vector.dtype != x.dtype or vector.ndim != 1 for vector in vectors):
        return None
    if any(vector.size != x.nhwc[3] for vector in vectors):
        raise ValueError(f"its vectors must have {x.nhwc[3]} values, got {[vector.size for vector in vectors]}")
    operation = BatchNorm(mean, variance, scale, bias, node.attributes["epsilon"])
    return bind.add(node, operation, x)


def lrn(bind: "Binding", node: Node, x: Any) -> Map | None:
    """Over an odd number of channels; of an even one ONNX has one more after."""
    x, attributes = bind.as_map(x, "NCHW", "NCW", "NC"), node.attributes
    if attributes["size"] < 1:
        raise ValueError(f"size must be at least 1, got {attributes['size']}")
    if x is None or attributes["size"] % 2 == 0:
        return None
    numbers = (attributes[name] for name in ("alpha", "beta", "bias"))
    return bind.add(node, LocalResponseNorm(attributes["size"], *numbers), x)


def softmax(bind: "Binding", node: Node, x: Any) -> Tensor | None:
    """Along an axis of a map, or the last of a tensor, which is that of a map as it lies, or over parts of a pixel;
    before opset 13 along all axes from `axis` on, of which the others must have size 1.
    """
    if isinstance(x, View) and (found := parts.softmax(bind, node, x)) is not None:
        return found
    rank = len(x.shape)
    axis = axis_of(node.attributes["axis"], rank)
    if node.version < 13:
        wide = [i for i in range(axis, rank) if x.shape[i] != 1] or [axis]
        if len(wide) > 1:
            return None
        axis = wide[0]
    names = x.axes if isinstance(x, Map) else {(4, 3): "NHWC", (3, 2): "NWC", (2, 1): "NC"}.get((rank, axis), "")
    x = bind.as_map(x, names)
    if x is None or names[axis] not in IMAGE_AXES:
        return None
    return bind.add(node, Softmax(IMAGE_AXES[names[axis]], node.kind == "LogSoftmax"), x)


def layer_norm(bind: "Binding", node: Node, x: Any, scale: np.ndarray, bias: np.ndarray | None = None) -> Map | None:
    """Along the last axis, whose mean and deviation nobody reads."""
    axes = layer_axes(node, len(x.shape))
    x = bind.as_map(x, "NHWC", "NWC", "NC")
    if x is None or len(axes) > 1 or sum(map(bool, node.outputs)) > 1:
        return None
    bias = np.zeros_like(scale) if bias is None else bias
    if any(vector.shape != x.shape[-1:] or vector.dtype != x.dtype for vector in (scale, bias)):
        return None
    return bind.add(node, LayerNorm(scale.astype(float), bias.astype(float), float(node.attributes["epsilon"])), x)


def group_norm(bind: "Binding", node: Node, x: Any, scale: np.ndarray, bias: np.ndarray) -> Tensor | None:
    """Of groups of channels; before opset 21 scale and bias have a value for each group."""
    if isinstance(x, View) and x.is_in_order and x.base.axes in ("NCHW", "NCW") and x.shape[:2] == x.base.shape[:2]:
        y = group_norm(bind, node, x.base, scale, bias)
        return None if y is None else view(bind, node, y, x.sizes)  # type: ignore[arg-type]
    x, groups = bind.as_map(x, "NCHW", "NCW"), node.attributes["num_groups"]
    if x is None or groups < 1 or x.nhwc[3] % groups:
        return None
    return _in_groups(bind, node, x, groups, scale, bias, 1 if node.version >= 21 else x.nhwc[3] // groups)


def _in_groups(
    bind: "Binding", node: Node, x: Map, groups: int, scale: np.ndarray, bias: np.ndarray, each: int
) -> Map | None:
    """With vectors of a value for so many channels each."""
    if any(vector.shape != (x.nhwc[3] // each,) or vector.dtype != x.dtype for vector in (scale, bias)):
        return None
    weight, shift = (vector.astype(float).repeat(each) for vector in (scale, bias))
    return bind.add(node, GroupNorm(groups, weight, shift, node.attributes["epsilon"]), x)


def instance_norm(bind: "Binding", node: Node, x: Any, scale: np.ndarray, bias: np.ndarray) -> Tensor | None:
    """Of each channel by its own pixels, of groups of channels where a map was reshaped to them, or of each channel of
    each image where all became those of one.
    """
    if isinstance(x, View) and x.is_in_order and x.base.axes in ("NCHW", "NCW", "NC") and len(x.shape) > 2:
        images, channels, groups = x.base.nhwc[0], x.base.nhwc[3], x.shape[1]
        if x.shape[0] == images and groups and channels % groups == 0:
            y = _in_groups(bind, node, x.base, groups, scale, bias, channels // groups)
            return None if y is None else view(bind, node, y, x.sizes)
        if x.shape[:2] == (1, images * channels) and scale.shape == bias.shape == (images * channels,):
            vectors = [vector.reshape(images, channels) for vector in (scale, bias)]
            if all((vector == vector[0]).all() for vector in vectors):  # all images' channels as one's
                whole = instance_norm(bind, node, x.base, *(vector[0] for vector in vectors))
                return view(bind, node, whole, x.sizes) if isinstance(whole, Map) else None
    x = bind.as_map(x, "NCHW", "NCW")
    if x is None or any(vector.shape != (x.nhwc[3],) or vector.dtype != x.dtype for vector in (scale, bias)):
        return None
    return bind.add(node, InstanceNorm(scale.astype(float), bias.astype(float), node.attributes["epsilon"]), x)


TRANSLATIONS = {
    "BatchNormalization": batch_norm,
    "GroupNormalization": group_norm,
    "InstanceNormalization": instance_norm,
    "LRN": lrn,
    "LayerNormalization": layer_norm,
    **dict.fromkeys(("LogSoftmax", "Softmax"), softmax),
}
PARAMETERS = {
    "BatchNormalization": (1, 2, 3, 4),
    **dict.fromkeys(("GroupNormalization", "InstanceNormalization", "LayerNormalization"), (1, 2)),
}
