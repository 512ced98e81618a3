"""Pools over windows and over the whole image."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fastconv._checks.pool_shapes import PoolGeometry
from fastconv._graph.operations.normalization import ChannelPool
from fastconv._graph.operations.pools import Pool
from fastconv.onnx._in_numpy.shaping import axes_of
from fastconv.onnx._program import Node
from fastconv.onnx._translations import parts
from fastconv.onnx._translations.shaping import in_shape
from fastconv.onnx._values import Map, Tensor
from fastconv.onnx._views import View
from fastconv.onnx._windows import windows

if TYPE_CHECKING:
    from fastconv.onnx._binding import Binding


def _pool(combine: Literal["max", "avg"], bind: "Binding", node: Node, x: Any) -> Map | None:
    """Windows without dilation whose padding is smaller than the kernel: the kernels know no others."""
    x = bind.as_map(x, "NCHW", "NCW")
    if x is None or sum(map(bool, node.outputs)) > 1:
        return None
    found = windows(node, x.shape[2:], tuple(node.attributes["kernel_shape"]))
    counts = found.counts(x.shape[2:])
    sides = zip(found.kernel, found.pads, strict=True)
    if any(d > 1 for d in found.dilations) or any(side >= k for k, pad in sides for side in pad):
        return None
    kernel, strides, pads = found.kernel, found.strides, found.pads
    if len(kernel) == 1:
        kernel, strides, pads, counts = (1, *kernel), (1, *strides), ((0, 0), *pads), (1, *counts)
    if 1 in kernel and found.ceil_mode and any(k < s for k, s in zip(kernel, strides, strict=True)):
        return None
    counts_padding = bool(node.attributes.get("count_include_pad", 0))
    geometry = PoolGeometry(kernel, strides, pads, "NHWC", found.ceil_mode, counts_padding)  # type: ignore[arg-type]
    if geometry.at(x.nhwc).out_shape[1:3] != counts:
        return None
    return bind.add(node, Pool(combine, geometry), x)


def max_pool(bind: "Binding", node: Node, x: Any) -> Map | None:
    return _pool("max", bind, node, x)


def average_pool(bind: "Binding", node: Node, x: Any) -> Map | None:
    return _pool("avg", bind, node, x)


def _global(combine: Literal["max", "avg"], bind: "Binding", node: Node, x: Any) -> Map | None:
    x = bind.as_map(x, "NCHW", "NCW")
    return None if x is None else bind.add(node, Pool(combine), x)


def global_max(bind: "Binding", node: Node, x: Any) -> Map | None:
    return _global("max", bind, node, x)


def global_average(bind: "Binding", node: Node, x: Any) -> Map | None:
    return _global("avg", bind, node, x)


def _reduce(
    combine: Literal["max", "avg", "sum"], bind: "Binding", node: Node, x: Any, axes: np.ndarray | None
) -> Tensor | None:
    """A reduction over height and width, or over one of these or the channels, or over parts of the channels."""
    if isinstance(x, View) and (found := parts.reduced(bind, node, x, combine, axes)) is not None:
        return found
    rank, keeps = len(x.shape), node.attributes["keepdims"]
    over = tuple(sorted(axes_of(node, axes, rank) or ()))
    inside = x.axes if isinstance(x, Map) and x.segment else _CHANNELS_OF.get((rank, over), "")
    names = "".join(inside[axis : axis + 1] for axis in over)
    if not keeps and (names == "C" or (names in ("H", "W") and rank == 4)) and rank > 2:
        kept = _reduce(combine, bind, replace(node, attributes={**node.attributes, "keepdims": 1}), x, axes)
        return None if kept is None else in_shape(bind, node, kept, x.shape[: over[0]] + x.shape[over[0] + 1 :])
    if len(over) == 1 and keeps and inside[over[0] : over[0] + 1] == "C" and (value := bind.as_map(x, inside)):
        return bind.add(node, _over_channels(combine), value)
    if len(over) == 1 and keeps and rank == 4 and inside and combine != "sum" and (value := bind.as_map(x, inside)):
        _, height, width, _ = value.nhwc
        kernel = (height, 1) if inside[over[0]] == "H" else (1, width)
        return bind.add(node, Pool(combine, PoolGeometry(kernel, kernel)), value) if inside[over[0]] in "HW" else None
    if keeps and rank in (3, 4) and over == tuple(range(1, rank)):  # of each image to one value
        value = bind.as_map(x, inside or _IMAGES[rank])
        return None if value is None else bind.add(node, _over_channels(combine), bind.add(node, Pool(combine), value))
    x = bind.as_map(x, *{(2, 3): ("NCHW",), (1, 2): ("NHWC",), (2,): ("NCW",), (1,): ("NWC",)}.get(over, ()))
    if x is None or rank != (4 if len(over) == 2 else 3):
        return None
    return bind.add(node, Pool(combine), x, axes=x.axes if keeps else "NC")


def _over_channels(combine: Literal["max", "avg", "sum"]) -> ChannelPool:
    return ChannelPool("mean" if combine == "avg" else combine)


_IMAGES = {3: "NCW", 4: "NCHW"}

# The axes of tensors that lie in no map yet, by their number and the one that is reduced.
_CHANNELS_OF: dict[tuple[int, tuple[int, ...]], str] = {
    (4, (1,)): "NCHW",
    (4, (3,)): "NHWC",
    (3, (2,)): "NWC",
    (2, (1,)): "NC",
}


def reduce_mean(bind: "Binding", node: Node, x: Any, axes: np.ndarray | None = None) -> Tensor | None:
    return _reduce("avg", bind, node, x, axes)


def reduce_max(bind: "Binding", node: Node, x: Any, axes: np.ndarray | None = None) -> Tensor | None:
    return _reduce("max", bind, node, x, axes)


def reduce_sum(bind: "Binding", node: Node, x: Any, axes: np.ndarray | None = None) -> Tensor | None:
    return _reduce("sum", bind, node, x, axes)


TRANSLATIONS = {
    "AveragePool": average_pool,
    "GlobalAveragePool": global_average,
    "GlobalMaxPool": global_max,
    "MaxPool": max_pool,
    "ReduceMax": reduce_max,
    "ReduceMean": reduce_mean,
    "ReduceSum": reduce_sum,
}
PARAMETERS = {"ReduceMax": (1,), "ReduceMean": (1,), "ReduceSum": (1,)}
