"""What moves values, and what changes the names of axes alone."""

from dataclasses import replace
from itertools import accumulate
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from fastconv._checks.types import Layout, Shape
from fastconv._graph.operations.picks import ORDERS, PAD_MODES, DepthToSpace, Pad, Slice, SpaceToDepth
from fastconv._graph.operations.shaping import Concat, Flatten
from fastconv._graph.operations.turns import Take
from fastconv.onnx._in_numpy import shaping
from fastconv.onnx._in_numpy.elementwise import NUMBERS
from fastconv.onnx._program import Node
from fastconv.onnx._translations.parts import sliced
from fastconv.onnx._values import AXES, IMAGE_AXES, MOST_BYTES, Map, Tensor, map_shape, tensor_shape
from fastconv.onnx._views import View, reordered, view

if TYPE_CHECKING:
    from fastconv.onnx._binding import Binding


def identity(bind: "Binding", node: Node, x: Any) -> Any:
    return x


def cast(bind: "Binding", node: Node, x: Any) -> Any:
    """To what it is."""
    to = NUMBERS.get(node.attributes["to"])
    return x if to is not None and to == x.dtype else None


def cast_like(bind: "Binding", node: Node, x: Any, like: Any) -> Any:
    return x if isinstance(x, Tensor) and x.dtype == like.dtype and x.dtype in NUMBERS.values() else None


def dropout(bind: "Binding", node: Node, x: Any, ratio: Any = None, training: Any = None) -> Any:
    shaping.check_no_dropout(node, ratio, training)
    return x if sum(map(bool, node.outputs)) == 1 else None


def shape_of(bind: "Binding", node: Node, x: Any) -> Any:
    return np.array(x.shape[slice(node.attributes.get("start", 0), node.attributes.get("end"))], np.int64)


def size_of(bind: "Binding", node: Node, x: Any) -> Any:
    return np.array(prod(x.shape), np.int64)


def pad(
    bind: "Binding", node: Node, x: Any, pads: np.ndarray | None = None, value: Any = None, axes: Any = None
) -> Any:
    """Rows and columns around a map, of negative numbers it has less, or channels of one number."""
    all_sides = shaping.pad_sides(node, len(x.shape), pads, axes)
    if not any(map(any, all_sides)):
        return x
    is_last = not any(all_sides[-1]) and not (isinstance(x, Map) and x.segment)
    x = bind.as_map(x, "NHWC", "NWC") if is_last else _inside(bind, x)
    if x is None:
        return None
    sides = dict(zip(x.axes, all_sides, strict=True))
    number, mode = shaping.pad_value(node, value), node.attributes["mode"]
    if any(sides["N"]) or mode not in PAD_MODES:
        return None
    if any(sides["C"]):
        return _more_channels(bind, node, x, sides, number) if mode == "constant" else None
    rows, columns = sides.get("H", (0, 0)), sides.get("W", (0, 0))
    if min(*rows, *columns) < 0:
        if mode != "constant":
            return None
        height, width = (slice(max(-begin, 0), min(end, 0) or None) for begin, end in (rows, columns))
        if not all(range(size)[part] for size, part in zip(x.nhwc[1:3], (height, width), strict=True)):
            return None
        x = bind.add(node, Slice(height, width, slice(None)), x)
        rows, columns = ((max(begin, 0), max(end, 0)) for begin, end in (rows, columns))
    return bind.add(node, Pad((rows, columns), float(number), mode), x)


def _more_channels(bind: "Binding", node: Node, x: Map, sides: dict[str, tuple[int, int]], number: float) -> Map | None:
    """A map between channels of one number, such as a shortcut to more of them that has no weights."""
    others = any(any(pair) for axis, pair in sides.items() if axis != "C")
    sizes = [prod(x.nhwc[:3]) * channels for channels in sides["C"]]
    if others or min(sizes) < 0 or sum(sizes) * x.dtype.itemsize > MOST_BYTES:
        return None
    arrays = [np.full((*x.nhwc[:3], channels), number, x.dtype) for channels in sides["C"]]
    before, after = ([bind.constant(one, x)] if one.size else [] for one in arrays)
    return bind.add(node, Concat(), *before, x, *after, axes=x.axes)


def _inside(bind: "Binding", x: Any) -> Map | None:
    """A value as a map, with the axes that it has where it is one, else those of ONNX's images."""
    return bind.as_map(x, *AXES) if isinstance(x, Map) and x.segment else bind.as_map(x, "NCHW", "NCW")


def slices(
    bind: "Binding", node: Node, x: Any, starts: Any = None, ends: Any = None, axes: Any = None, steps: Any = None
) -> Any:
    """Some rows, columns and channels of a map."""
    found = enumerate(shaping.slices(node, x.shape, starts, ends, axes, steps))
    return _sliced(
        bind, node, x, {axis: part for axis, part in found if range(x.shape[axis])[part] != range(x.shape[axis])}
    )


def _sliced(bind: "Binding", node: Node, x: Any, parts: dict[int, slice]) -> Any:
    """Parts of some axes of a map, or of an image that the model reads, or of the channels that a view has apart."""
    if isinstance(x, View) and len(parts) == 1:
        return sliced(bind, node, x, *parts.popitem())
    is_map = isinstance(x, Map) and x.segment
    if not is_map and (x.level >= 0 or len(x.shape) != 4):
        return None
    if not parts:
        return x
    x = _inside(bind, x)
    named = {} if x is None else {x.axes[axis]: part for axis, part in parts.items()}
    if x is None or "N" in named or not all(range(x.shape[axis])[part] for axis, part in parts.items()):
        return None
    return bind.add(node, Slice(*(named.get(axis, slice(None)) for axis in "HWC")), x)


def split(bind: "Binding", node: Node, x: Any, sizes: np.ndarray | None = None) -> Any:
    """A map along any axis but the images; each part has a name of its own."""
    axis, counts = shaping.split_sizes(node, x.shape, sizes)
    named = zip(node.outputs, counts, accumulate(counts), strict=True)
    parts = [_sliced(bind, replace(node, outputs=(name,)), x, {axis: slice(end - n, end)}) for name, n, end in named]
    return None if None in parts else parts


def gather(bind: "Binding", node: Node, x: Any, index: np.ndarray | None = None) -> Any:
    """Rows, columns or channels of a map by their numbers, or one of them, whose axis is then none."""
    axis = shaping.axis_of(node.attributes["axis"], len(x.shape))
    is_map = isinstance(x, Map) and x.segment
    if index is None or index.ndim > 1 or not index.size or (not is_map and (x.level >= 0 or len(x.shape) != 4)):
        return None
    size = x.shape[axis]
    numbers = np.where(index < 0, index + size, index).ravel()
    if numbers.min() < 0 or numbers.max() >= size or (source := _inside(bind, x)) is None:
        return None
    if source.axes[axis] not in IMAGE_AXES:
        return None
    y = bind.add(node, Take(IMAGE_AXES[source.axes[axis]], numbers), source)
    return y if index.ndim else in_shape(bind, node, y, x.shape[:axis] + x.shape[axis + 1 :])


def depth_to_space(bind: "Binding", node: Node, x: Any) -> Map | None:
    x, size = bind.as_map(x, "NCHW"), node.attributes["blocksize"]
    mode = node.attributes.get("mode", "DCR")
    return None if x is None or mode not in ORDERS else bind.add(node, DepthToSpace((size, size), mode), x)


def space_to_depth(bind: "Binding", node: Node, x: Any) -> Map | None:
    x, size = bind.as_map(x, "NCHW"), node.attributes["blocksize"]
    mode = node.attributes.get("mode", "DCR")  # since opset 28
    return None if x is None or mode not in ORDERS else bind.add(node, SpaceToDepth((size, size), mode), x)


def transpose(bind: "Binding", node: Node, x: Any) -> Tensor | None:
    """Other names of the axes: nothing is moved."""
    order = shaping.order(node, len(x.shape))
    if isinstance(x, View):
        return view(bind, node, x.base, x.sizes, tuple(x.order[axis] for axis in order))
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


def in_shape(bind: "Binding", node: Node, x: Any, shape: Shape) -> Any:
    """A map as a tensor of another shape: its axes have other names, it is flattened, or a view of it."""
    if isinstance(x, View):
        return in_shape(bind, node, x.base, shape) if x.is_in_order else reordered(bind, node, x, shape)
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
    return view(bind, node, x, shape)


def reshape(bind: "Binding", node: Node, x: Any, shape: Any = None) -> Any:
    return in_shape(bind, node, x, shaping.reshaped(node, x.shape, shape))


def flatten(bind: "Binding", node: Node, x: Any) -> Any:
    return in_shape(bind, node, x, shaping.flattened(node, x.shape))


def squeeze(bind: "Binding", node: Node, x: Any, axes: Any = None) -> Any:
    return in_shape(bind, node, x, shaping.squeezed(node, x.shape, axes))


def unsqueeze(bind: "Binding", node: Node, x: Any, axes: Any = None) -> Any:
    return in_shape(bind, node, x, shaping.unsqueezed(node, x.shape, axes))


TRANSLATIONS = {
    "Cast": cast,
    "CastLike": cast_like,
    "DepthToSpace": depth_to_space,
    "Dropout": dropout,
    "Flatten": flatten,
    "Gather": gather,
    "Identity": identity,
    "Pad": pad,
    "Reshape": reshape,
    "Shape": shape_of,
    "Size": size_of,
    "Slice": slices,
    "SpaceToDepth": space_to_depth,
    "Split": split,
    "Squeeze": squeeze,
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
}
PARAMETERS = {
    "Dropout": (1, 2),
    "Gather": (1,),
    "Pad": (1, 2, 3),
    "Reshape": (1,),
    "Slice": (1, 2, 3, 4),
    "Split": (1,),
    "Squeeze": (1,),
    "Unsqueeze": (1,),
}
