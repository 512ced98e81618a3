"""Parts of channels, which views tell as an axis: stacks of maps, what is reduced along such an axis, a softmax there.

Split attention (ResNeSt), selective kernels (SKNet) and means of branches are written so.
"""

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from fastconv._checks.types import Shape
from fastconv._graph.operations.elementwise import Add, Binary
from fastconv._graph.operations.normalization import Scale, Softmax
from fastconv._graph.operations.picks import Rearrange, Slice
from fastconv._graph.operations.shaping import Concat, Flatten
from fastconv.onnx._in_numpy.shaping import axes_of, axis_of
from fastconv.onnx._program import Node
from fastconv.onnx._values import Map, Tensor
from fastconv.onnx._views import View, channels_of, view

if TYPE_CHECKING:
    from fastconv.onnx._binding import Binding

_MAX_PARTS = 8  # that are added one after the other


class _Axis(NamedTuple):
    """Where an axis of a view lies: `place` among its sizes; among the channels so many parts, each of `inner` values
    side by side, in each of `outer` groups.
    """

    place: int
    outer: int
    parts: int
    inner: int


def stacked(bind: "Binding", node: Node, values: tuple[Any, ...]) -> View | None:
    """Maps along an axis of their own, that each has with size 1, as the channels of one map."""
    first = values[0]
    if not isinstance(first, View):
        return None
    axis = axis_of(node.attributes["axis"], len(first.shape))
    alone = first.shape[:axis] + first.shape[axis + 1 :]
    bases = [one.base for one in values if isinstance(one, View) and one.is_in_order and one.shape == first.shape]
    is_one_each = first.shape[axis] == 1 and alone == first.base.shape and len(bases) == len(values)
    if not is_one_each or any(one.axes != first.base.axes for one in bases):
        return None
    place = first.base.axes.index("C")
    sizes = (*alone[:place], len(bases), *alone[place:])
    order = [i + (i >= place) for i in range(len(alone))]
    order.insert(axis, place)
    base = bases[0] if len(bases) == 1 else bind.add(node, Concat(), *bases)
    return replace(view(bind, node, base, sizes, tuple(order)), stacked=tuple(bases))


def reduced(
    bind: "Binding", node: Node, x: View, combine: Literal["max", "avg", "sum"], axes: np.ndarray | None
) -> Tensor | None:
    """The sum, mean or maximum of parts."""
    over = axes_of(node, axes, len(x.shape)) or []
    at = _found(x, over[0]) if len(over) == 1 else None
    if at is None or at.parts > _MAX_PARTS:
        return None
    total, *others = (_part(bind, node, x, at, i) for i in range(at.parts))
    if total is None:
        return None
    for other in others:
        total = bind.add(node, Binary("maximum") if combine == "max" else Add(), total, other)  # type: ignore[arg-type]
    if combine == "avg":
        total = bind.add(node, Scale(np.full(total.nhwc[3], 1 / at.parts), None), total)
    if node.attributes["keepdims"]:
        return view(bind, node, total, _resized(x, at, 1), x.order)
    sizes = x.sizes[: at.place] + x.sizes[at.place + 1 :]
    order = tuple(axis - (axis > at.place) for axis in x.order if axis != at.place)
    if sizes == total.shape and order == tuple(range(len(order))):
        return total
    return view(bind, node, total, sizes, order)


def sliced(bind: "Binding", node: Node, x: View, axis: int, part: slice) -> View | None:
    """Some neighbouring parts."""
    at, found = _found(x, axis), range(x.shape[axis])[part]
    if at is None or not found or found.step != 1:
        return None
    if len(found) == 1:
        y = _part(bind, node, x, at, found[0])
    elif at.outer == 1:
        y = _channels(bind, node, x, slice(found[0] * at.inner, (found[-1] + 1) * at.inner))
    else:
        y = None
    return None if y is None else view(bind, node, y, _resized(x, at, len(found)), x.order)


def softmax(bind: "Binding", node: Node, x: View) -> View | None:
    """Over the parts of a pixel."""
    at = _found(x, axis_of(node.attributes["axis"], len(x.shape)))
    if at is None or x.base.nhwc[1:3] != (1, 1) or node.version < 13:
        return None
    image = Rearrange("NHWC", x.base.nhwc[3:], (0,), (at.outer, at.parts, at.inner))
    y = bind.add(node, Softmax("width", node.kind == "LogSoftmax"), bind.add(node, image, x.base, axes="NHWC"))
    return view(bind, node, bind.add(node, Flatten("NHWC"), y, axes=x.base.axes), x.sizes, x.order)


def _found(x: View, axis: int) -> _Axis | None:
    """Where an axis of a view lies, if it counts parts of the channels."""
    place, channels = x.order[axis], channels_of(x)
    if channels is None or not channels[0] <= place < channels[1]:
        return None
    return _Axis(place, prod(x.sizes[channels[0] : place]), x.sizes[place], prod(x.sizes[place + 1 : channels[1]]))


def _part(bind: "Binding", node: Node, x: View, at: _Axis, i: int) -> Map | None:
    """One of the parts; None of wide ones in groups."""
    if at.outer == 1 and at.parts == len(x.stacked):
        return x.stacked[i]
    if at.outer == 1:
        return _channels(bind, node, x, slice(i * at.inner, (i + 1) * at.inner))
    return _channels(bind, node, x, slice(i, None, at.parts)) if at.inner == 1 else None


def _channels(bind: "Binding", node: Node, x: View, part: slice) -> Map:
    return bind.add(node, Slice(slice(None), slice(None), part), x.base)


def _resized(x: View, at: _Axis, parts: int) -> Shape:
    """The sizes of a view with so many parts."""
    return (*x.sizes[: at.place], parts, *x.sizes[at.place + 1 :])
