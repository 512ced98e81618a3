"""Concatenations: along channels, rows or columns, and of maps along an axis of their own."""

from typing import TYPE_CHECKING, Any

import numpy as np

from fastconv._graph.operations.picks import Slice
from fastconv._graph.operations.shaping import Concat
from fastconv._graph.operations.turns import Take
from fastconv.onnx._in_numpy.shaping import axis_of
from fastconv.onnx._program import Node
from fastconv.onnx._translations.parts import stacked
from fastconv.onnx._values import IMAGE_AXES, MOST_BYTES, Map, Tensor, into_map, map_shape
from fastconv.onnx._views import View

if TYPE_CHECKING:
    from fastconv.onnx._binding import Binding


def concat(bind: "Binding", node: Node, *values: Any) -> Tensor | None:
    """Of maps, and of constants beside them."""
    if (stack := stacked(bind, node, values)) is not None:
        return stack
    names = next(filter(None, map(_names, values)), "")
    if not names or not all(_fits(one, names, values) for one in values):
        return None
    axis = axis_of(node.attributes["axis"], len(names))
    is_of_views = not any(isinstance(one, Map) and one.segment for one in values)
    along = names[axis]
    if along == "N" or (is_of_views and along != "W"):
        return None
    made = [_as_map(bind, one, names, along) for one in values if isinstance(one, Tensor)]
    found = [one for one in made if one]
    if len(found) < len(made):
        return None
    if len({one.shape[:axis] + one.shape[axis + 1 :] for one in values}) > 1:
        shapes = [one.shape for one in values]
        raise ValueError(f"its inputs must have one shape but for axis {axis}, got {shapes}")
    like, given = max(found, key=lambda one: one.level), iter(found)
    maps: list[Map] = [next(given) if isinstance(one, Tensor) else _constant(bind, one, names, like) for one in values]
    if len(maps) == 1:
        return maps[0]
    if along == "C":
        return bind.add(node, Concat(), *maps, axes=names)
    again = _of_one(bind, node, along, maps)
    if again is not None:
        return again
    if along == "H":
        return bind.add(node, Concat("rows"), *maps, axes=names)
    if "H" in names and maps[0].nhwc[1] > 1:
        return None
    return bind.add(node, Concat("pixels"), *maps, axes=names)


def _names(value: Any) -> str:
    """The names of the axes of a map, or of one whose pixels are in a row; else none."""
    if isinstance(value, Map) and value.segment:
        return value.axes
    if not isinstance(value, View) or not value.is_in_order or len(value.shape) != 3:
        return ""
    names: str = value.base.axes.replace("H", "")
    images, height, width, channels = value.base.nhwc
    return names if len(names) == 3 and map_shape(value.shape, names) == (images, 1, height * width, channels) else ""


def _fits(value: Any, names: str, values: tuple[Any, ...]) -> bool:
    """Whether a value is a tensor, or a constant that may be one of a map."""
    if isinstance(value, Tensor):
        return True
    if not isinstance(value, np.ndarray) or value.ndim != len(names) or not value.size or value.nbytes > MOST_BYTES:
        return False
    return all(value.dtype == one.dtype for one in values)


def _as_map(bind: "Binding", value: Tensor, names: str, along: str) -> Map | None:
    if isinstance(value, View) and along == "W" and _names(value) == names:
        base: Map = value.base
        return base
    return bind.as_map(value, names)


def _constant(bind: "Binding", array: np.ndarray, names: str, like: Map) -> Map:
    return bind.constant(np.ascontiguousarray(into_map(array, names)), like)


def _of_one(bind: "Binding", node: Node, along: str, maps: list[Map]) -> Map | None:
    """Rows or columns of one map alone, such as it rolled, or wrapped around."""
    parts = [_taken(bind, one, along) for one in maps]
    source = bind.entered(parts[0][0])
    others = [bind.entered(one) for one, _ in parts]
    if any((one.segment, one.node) != (source.segment, source.node) for one in others):
        return None
    return bind.add(node, Take(IMAGE_AXES[along], np.concatenate([index for _, index in parts])), source)


def _taken(bind: "Binding", x: Map, along: str) -> tuple[Map, np.ndarray]:
    """(the map that has these rows or columns, their numbers)."""
    place = "HW".index(along)
    operation, _ = bind.operation(x)
    if isinstance(operation, Slice) and all(
        part == slice(None) for i, part in enumerate(operation.slices) if i != place
    ):
        (source,) = bind.sources(x)
        return source, np.arange(source.nhwc[1 + place])[operation.slices[place]]
    return x, np.arange(x.nhwc[1 + place])


TRANSLATIONS = {"Concat": concat}
PARAMETERS: dict[str, tuple[int, ...]] = {}
