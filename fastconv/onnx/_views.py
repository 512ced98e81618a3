"""Maps in shapes and orders that no names of axes tell, such as groups of channels: a step by NumPy makes an array of
one where another reads it, and functions of each value, norms of groups and what makes a map of it again need none.
"""

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from fastconv._checks.types import Layout, Shape
from fastconv._graph.operations.picks import Rearrange
from fastconv.onnx._program import Node
from fastconv.onnx._steps import NodeStep
from fastconv.onnx._values import Map, Tensor, map_shape, tensor_shape

if TYPE_CHECKING:
    from fastconv.onnx._binding import Binding

# Functions of each value, of maps that are alike, and constants.
_FUNCTIONS = (
    *("Abs", "Add", "Celu", "Clip", "Div", "Elu", "Erf", "Exp", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Log"),
    *("Max", "Min", "Mish", "Mul", "Neg", "Pow", "Reciprocal", "Relu", "Selu", "Sigmoid", "Softplus", "Sqrt", "Sub"),
    *("Swish", "Tanh"),
)

# Those of each row, whose other inputs are constants.
_OF_ROWS = ("Gemm", "LayerNormalization", "LogSoftmax", "MatMul", "Softmax")


@dataclass(frozen=True, slots=True, eq=False)
class View(Tensor):
    """The tensor of a map of a segment in the shape `sizes`, whose axes are then put in `order`, as `node` gives it.

    `stacked` are the maps whose channels the map has, where the view has an axis for these.
    """

    node: Any = None
    base: Any = None
    sizes: Shape = ()
    order: Shape = ()
    stacked: tuple[Map, ...] = ()

    @property
    def is_in_order(self) -> bool:
        return self.order == tuple(range(len(self.order)))

    def evaluate(self, node: Node, x: np.ndarray) -> list[np.ndarray]:
        """What the step that makes an array of it computes."""
        return [x.reshape(self.sizes).transpose(self.order)]

    def step(self, name: str) -> NodeStep:
        """That step, which reads the base by this name."""
        made = replace(self.node, kind="Reshape" if self.is_in_order else "Transpose", outputs=(self.name,))
        return NodeStep(made, "NumPy", self.evaluate, [name], self.level)


def view(bind: "Binding", node: Node, base: Map, sizes: Shape, order: Shape | None = None) -> View:
    """The result of a node. Where it has a map's channels in another place alone, as where an image becomes a sequence
    of its pixels, the axes of the map are called so, and the view is in order.
    """
    last = len(sizes) - 1
    order = tuple(range(last + 1)) if order is None else order
    moving = [axis for axis in order if sizes[axis] != 1]
    if moving == sorted(moving):  # an axis of one value may stand anywhere
        sizes, order = tuple(sizes[axis] for axis in order), tuple(range(last + 1))
    axis, moved = (1, (0, *range(2, last + 1), 1)) if base.axes.startswith("NC") else (last, (0, last, *range(1, last)))
    if base.axes in _TURNED and last > 1 and order == moved and (sizes[0], sizes[axis]) == base.nhwc[::3]:
        sizes = tuple(sizes[axis] for axis in order)
        return view(bind, node, bind.seen_as(base, _TURNED[base.axes]), sizes)
    shape = tuple(sizes[axis] for axis in order)
    return View(node.outputs[0], shape, base.dtype, base.level, node, base, sizes, order)


def reordered(bind: "Binding", node: Node, x: View, shape: Shape) -> Map | None:
    """What is not in the order of its map in another shape, as a map, such as a shuffle of channels.

    Where the values are as they lie in the memory of the map it is none: NumPy has them without a copy.
    """
    base, axes = x.base, x.base.axes
    is_batch_kept = x.order[0] == 0 and base.nhwc[0] == x.sizes[0] == shape[0]
    if len(axes) != len(shape) or len(shape) < 3 or not is_batch_kept or 0 in shape:
        return None
    layout: Layout = "NHWC" if axes.endswith("C") else "NCHW"
    image, order = map_shape(shape, axes)[1:], tuple(axis - 1 for axis in x.order[1:])
    operation = Rearrange(layout, x.sizes[1:], order, image)
    places = operation.found(base.nhwc)
    if places is None or places.are_all_in_order:
        return None
    return bind.add(node, operation, base)


_TURNED = {"NCHW": "NHWC", "NHWC": "NCHW", "NCW": "NWC", "NWC": "NCW"}  # with the channels elsewhere


def function(bind: "Binding", node: Node, translate: Any, inputs: list[Any]) -> View | None:
    """A function of each value of views that are alike, or of each row of one, which is that of their maps. Another
    view may have a pixel for all of them.
    """
    views = [one for one in inputs if isinstance(one, View)]
    if not views:
        return None
    x = max(views, key=lambda one: prod(one.shape))  # the first of those that are equal
    if node.kind in _OF_ROWS:
        return _of_rows(bind, node, translate, x, inputs)
    others = [one for one in inputs if one is not None and not isinstance(one, View)]
    bases = {id(one): one.base if _is_alike(x, one) else _pixel(bind, x, one) for one in views}
    if node.kind not in _FUNCTIONS or None in bases.values():
        return None
    if not all(isinstance(one, np.ndarray) and (_is_number(one, x) or _is_row(one, x)) for one in others):
        return None
    numbers = {id(one): one.reshape(()) for one in others if one.size == 1}
    given = [bases.get(id(one)) or numbers.get(id(one), one) for one in inputs]
    y = translate(bind, node, *given)
    is_alike = isinstance(y, Map) and y.nhwc == x.base.nhwc and y.axes == x.base.axes
    return view(bind, node, y, x.sizes, x.order) if is_alike else None


def _of_rows(bind: "Binding", node: Node, translate: Any, x: View, inputs: list[Any]) -> View | None:
    """What is computed along the last axis alone, where that has the channels."""
    last, others = len(x.shape) - 1, [one for one in inputs if one is not x and one is not None]
    axis = node.attributes.get("axis", last)
    is_other = inputs[0] is not x or not all(isinstance(one, np.ndarray) for one in others)
    if is_other or not _has_rows(x) or axis not in (-1, last):
        return None
    attributes = {name: -1 if name == "axis" else value for name, value in node.attributes.items()}
    y = translate(bind, replace(node, attributes=attributes), x.base, *inputs[1:])
    is_alike = isinstance(y, Map) and y.nhwc[:3] == x.base.nhwc[:3] and y.axes == x.base.axes
    return view(bind, node, y, (*x.sizes[:-1], y.nhwc[3])) if is_alike else None


def _has_rows(x: View) -> bool:
    """Whether the last axis has the channels."""
    return x.is_in_order and x.base.axes.endswith("C") and x.sizes[-1] == x.base.nhwc[3]


def _is_alike(x: View, y: View) -> bool:
    """Whether two views have the values of a map in the same places."""
    return (x.sizes, x.order, x.base.axes, x.base.nhwc) == (y.sizes, y.order, y.base.axes, y.base.nhwc)


def _pixel(bind: "Binding", x: View, y: View) -> Map | None:
    """The map of a view that has a pixel for all those of x, with its parts of channels."""
    found, (images, *_, channels) = channels_of(x), x.base.nhwc
    if found is None or y.base.nhwc != (images, 1, 1, channels):
        return None
    start, end = found
    pixels = [i for i, size in enumerate(x.sizes) if size > 1 and not start <= i < end][images > 1 :]
    sizes = tuple(1 if i in pixels else size for i, size in enumerate(x.sizes))
    return bind.seen_as(y.base, x.base.axes) if _lie(sizes, x.order) == _lie(y.sizes, y.order) else None


def _lie(sizes: Shape, order: Shape) -> list[tuple[int, int]]:
    """(size, values from one to the next) of each axis; there are none where it has one alone."""
    return [(sizes[axis], prod(sizes[axis + 1 :]) if sizes[axis] > 1 else 0) for axis in order]


def channels_of(x: View) -> tuple[int, int] | None:
    """(first, end) of the sizes of a view that have the channels of its map, where the others have its other axes."""
    shape, place = tensor_shape(x.base.nhwc, x.base.axes), x.base.axes.index("C")
    before, after = prod(shape[:place]), prod(shape[place + 1 :])
    starts = (i for i in range(len(x.sizes)) if prod(x.sizes[:i]) == before)
    ends = (i for i in range(len(x.sizes), 0, -1) if prod(x.sizes[i:]) == after)
    start, end = next(starts, 0), next(ends, 0)
    are_kept = _wide(x.sizes[:start]) == _wide(shape[:place]) and _wide(x.sizes[end:]) == _wide(shape[place + 1 :])
    return (start, end) if are_kept and start < end else None


def _wide(sizes: Shape) -> list[int]:
    return [size for size in sizes if size != 1]


def _is_number(constant: np.ndarray, x: View) -> bool:
    return constant.size == 1 and constant.ndim <= len(x.shape)


def _is_row(constant: np.ndarray, x: View) -> bool:
    """Whether a constant has a value for each channel of a row."""
    return _has_rows(x) and constant.shape == x.shape[-1:]
