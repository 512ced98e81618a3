"""Which pixels of what a node reads a pixel of its result depends on: a window along each axis that moves with it.

An operation that reads a whole map at once has none, nor has one that is not in the table: a graph of the others can be
computed in blocks of an image.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from fastconv._checks.shapes import image_shape
from fastconv._checks.types import Layout, Shape, Sides, Size
from fastconv._graph.graph import Node
from fastconv._graph.operations.conv import Conv
from fastconv._graph.operations.elementwise import Binary, Elementwise
from fastconv._graph.operations.normalization import ChannelPool, LayerNorm, LocalResponseNorm, Softmax
from fastconv._graph.operations.operation import Operation
from fastconv._graph.operations.picks import Pad, Part, Slice
from fastconv._graph.operations.pools import Pool
from fastconv._graph.operations.shaping import Concat, Dropout
from fastconv._graph.operations.turns import InTurns


class Window(NamedTuple):
    """Along an axis, pixel p of the result depends on the `size` pixels from p · step + first on."""

    step: int = 1
    first: int = 0
    size: int = 1


Axes = tuple[Window, Window]  # along height and width
_PIXEL: Axes = (Window(), Window())


def windows(node: Node, layout: Layout, *shapes: Shape) -> list[Axes]:
    """The windows on each input of a node, for inputs of these shapes; ValueError where it has none."""
    operation = node.operation
    kinds = type(operation).__mro__[:-2] or (Operation,)  # what a class of its own keeps of an identity is not known
    of = next((_WINDOWS[kind] for kind in kinds if kind in _WINDOWS), None)
    found = None if of is None else of(operation, layout, *shapes)
    if found is None:
        raise ValueError(
            f"{node.name} is a {operation.kind} without a window on x that is known for each pixel, as blocks of an "
            "image need it: give the layers before it, and let it run on their result"
        )
    return found


def _axes(step: Size, padding: Sides, size: Size) -> Axes:
    rows, columns = (Window(step, -before, size) for step, (before, _), size in zip(step, padding, size, strict=True))
    return rows, columns


def _conv(operation: Conv, layout: Layout, *shapes: Shape) -> list[Axes]:
    shape = operation.geometry.at(shapes[0])
    first = _axes(operation.geometry.stride, shape.padding, operation.geometry.effective_kernel)
    return [first] + [_PIXEL] * (len(shapes) - 1)  # the residual


def _pool(operation: Pool, layout: Layout, *shapes: Shape) -> list[Axes] | None:
    if operation.geometry is None:
        return None
    shape = operation.at(layout, shapes[0])
    return [_axes(shape.stride, shape.padding, shape.kernel)]


def _pad(operation: Pad, layout: Layout, *shapes: Shape) -> list[Axes] | None:
    return [_axes((1, 1), operation.padding, (1, 1))] if operation.mode == "constant" else None


def _slice(operation: Slice, layout: Layout, *shapes: Shape) -> list[Axes] | None:
    return [_PIXEL] if operation.slices[:2] == (slice(None), slice(None)) else None


def _binary(operation: Binary, layout: Layout, *shapes: Shape) -> list[Axes] | None:
    sizes = [image_shape(shape, layout)[1:3] for shape in shapes]
    return [_PIXEL] * 2 if sizes[0] == sizes[1] else None  # else one of them is a pixel for the whole map


def _concat(operation: Concat, layout: Layout, *shapes: Shape) -> list[Axes] | None:
    return [_PIXEL] * len(shapes) if operation.axis == "channels" else None


def _softmax(operation: Softmax, layout: Layout, *shapes: Shape) -> list[Axes] | None:
    return [_PIXEL] if operation.axis == "channels" else None


def _pixels(operation: Operation, layout: Layout, *shapes: Shape) -> list[Axes]:
    return [_PIXEL] * len(shapes)


_WINDOWS: dict[type[Operation], Callable[[Any, Layout, *tuple[Shape, ...]], list[Axes] | None]] = {
    Conv: _conv,
    Pool: _pool,
    Pad: _pad,
    **dict.fromkeys((Slice, Part), _slice),
    Binary: _binary,
    **dict.fromkeys((ChannelPool, Dropout, Elementwise, LayerNorm), _pixels),
    **dict.fromkeys((InTurns, LocalResponseNorm, Operation), _pixels),
    Concat: _concat,
    Softmax: _softmax,
}
