"""What moves values, and what changes the names of axes alone."""

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from fastconv._checks.types import Layout, Shape
from fastconv._graph.operations.shaping import Concat, Flatten, Pad
from fastconv.onnx._in_numpy import shaping
from fastconv.onnx._program import Node
from fastconv.onnx._values import AXES, Map, map_shape, tensor_shape

if TYPE_CHECKING:
    from fastconv.onnx._binding import Binding


def identity(bind: "Binding", node: Node, x: Any) -> Any:
    return x


def dropout(bind: "Binding", node: Node, x: Any, ratio: Any = None, training: Any = None) -> Any:
    shaping.check_no_dropout(node, ratio, training)
    return x if sum(map(bool, node.outputs)) == 1 else None


def shape_of(bind: "Binding", node: Node, x: Any) -> Any:
    return np.array(x.shape[slice(node.attributes.get("start", 0), node.attributes.get("end"))], np.int64)


def size_of(bind: "Binding", node: Node, x: Any) -> Any:
    return np.array(prod(x.shape), np.int64)


def concat(bind: "Binding", node: Node, *values: Any) -> Map | None:
    """Along the channels of maps."""
    inside = next((one.axes for one in values if isinstance(one, Map) and one.segment), None)
    if inside is None:
        return None
    axis = node.attributes["axis"]
    maps = [bind.as_map(value, inside) for value in values]
    if None in maps or inside[axis % len(inside)] != "C":
        return None
    found = [one for one in maps if one]
    for one in found:
        if one.nhwc[:3] != found[0].nhwc[:3]:
            raise ValueError(f"its inputs must have one shape but for axis {axis}, got {[m.shape for m in found]}")
    return found[0] if len(found) == 1 else bind.add(node, Concat(), *found)


def pad(
    bind: "Binding", node: Node, x: Any, pads: np.ndarray | None = None, value: Any = None, axes: Any = None
) -> Map | None:
    """Rows and columns of one value around a map."""
    x = bind.as_map(x, "NCHW", "NCW")
    if x is None or node.attributes["mode"] != "constant":
        return None
    sides = shaping.pad_sides(node, len(x.shape), pads, axes)
    number = shaping.pad_value(node, value)
    if any(sides[0]) or any(sides[1]) or any(side < 0 for axis in sides for side in axis):
        return None
    rows, columns = ((0, 0), *sides[2:])[-2:]
    return bind.add(node, Pad((rows, columns), float(number)), x)


def transpose(bind: "Binding", node: Node, x: Any) -> Map | None:
    """Other names of the axes: nothing is moved."""
    order = shaping.order(node, len(x.shape))
    # Of a tensor that is no map yet, the names that make it one whose channels are in their place.
    moved = {(0, 3, 1, 2): "NHWC", (0, 2, 3, 1): "NCHW", (0, 2, 1): "NWC"}.get(tuple(order))
    names = (x.axes,) if isinstance(x, Map) and x.segment else (moved,) if moved else ()
    x = bind.as_map(x, *names)
    if x is None:
        return None
    name = "".join(x.axes[axis] for axis in order)
    if name not in AXES or tensor_shape(x.nhwc, name) != tuple(x.shape[axis] for axis in order):
        return None
    return bind.seen_as(bind.entered(x), name)


def _reshaped(bind: "Binding", node: Node, x: Any, shape: Shape) -> Any:
    """A map as a tensor of another shape: its axes have other names, or it is flattened."""
    if not isinstance(x, Map) or x.segment is None:
        return None
    if shape == x.shape:
        return x
    for names in AXES:
        if len(names) == len(shape) and map_shape(shape, names) == x.nhwc:
            same_order = [a for a in names if a in x.axes and shape[names.index(a)] != 1]
            if same_order == [a for a in x.axes if a in names and x.shape[x.axes.index(a)] != 1]:
                return bind.seen_as(x, names)
    if not shape:
        return None
    batch, *rest = shape
    if batch == x.nhwc[0] and prod(rest[1:]) == 1 and rest and rest[0] == prod(x.nhwc[1:]) and len(shape) in (2, 3, 4):
        order: Layout = "NCHW" if x.axes.startswith("NC") else "NHWC"
        return bind.add(node, Flatten(order), x, axes={2: "NC", 3: "NCW", 4: "NCHW"}[len(shape)])
    return None


def reshape(bind: "Binding", node: Node, x: Any, shape: Any = None) -> Any:
    return _reshaped(bind, node, x, shaping.reshaped(node, x.shape, shape))


def flatten(bind: "Binding", node: Node, x: Any) -> Any:
    return _reshaped(bind, node, x, shaping.flattened(node, x.shape))


def squeeze(bind: "Binding", node: Node, x: Any, axes: Any = None) -> Any:
    return _reshaped(bind, node, x, shaping.squeezed(node, x.shape, axes))


def unsqueeze(bind: "Binding", node: Node, x: Any, axes: Any = None) -> Any:
    return _reshaped(bind, node, x, shaping.unsqueezed(node, x.shape, axes))


TRANSLATIONS = {
    "Concat": concat,
    "Dropout": dropout,
    "Flatten": flatten,
    "Identity": identity,
    "Pad": pad,
    "Reshape": reshape,
    "Shape": shape_of,
    "Size": size_of,
    "Squeeze": squeeze,
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
}
PARAMETERS = {"Dropout": (1, 2), "Pad": (1, 2, 3), "Reshape": (1,), "Squeeze": (1,), "Unsqueeze": (1,)}
