"""Values that become tensors where one is read: views, `fastconv.onnx._views`, and pixels for whole maps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from fastconv._checks.types import Shape
from fastconv.onnx._values import Map, Tensor
from fastconv.onnx._views import View

_BROADCAST = ("Add", "Div", "Max", "Min", "Mul", "Sub")  # operators that take a pixel for a whole map


@dataclass(frozen=True, slots=True, eq=False)
class Repeated(Tensor):
    """A map of a pixel, or of a channel, in the shape of a whole one."""

    base: Any = None


def repeated(name: str, x: Any, shape: Shape) -> Repeated | None:
    """A value in a larger shape, where it is a map that has a pixel or a channel alone."""
    if not isinstance(x, Map) or x.segment is None or len(x.shape) != len(shape):
        return None
    others = {axis for axis, own, new in zip(x.axes, x.shape, shape, strict=True) if own != new}
    is_one = all(x.nhwc["NHWC".index(axis)] == 1 for axis in others)
    return Repeated(name, shape, x.dtype, x.level, x) if is_one and others in ({*"HW"}, {"H"}, {"W"}, {"C"}) else None


def broadcast(kind: str, inputs: Sequence[Any]) -> list[Any]:
    """Inputs of a node, in which a map stands for what repeats it beside one of the whole shape, or others that are
    repeated along the axes that it has.
    """
    wholes = {one.shape for one in inputs if isinstance(one, Tensor) and not isinstance(one, Repeated)}
    bases = [one.base.shape for one in inputs if isinstance(one, Repeated)]
    if len(bases) == len(inputs) and all(len(shape) == len(bases[0]) for shape in bases):
        wholes |= {one.shape for one in inputs} & {tuple(map(max, *bases))}
    return [
        one.base if kind in _BROADCAST and isinstance(one, Repeated) and one.shape in wholes else one for one in inputs
    ]


def narrow(value: Repeated, strides: Shape) -> torch.Tensor:
    """A tensor without values, with strides of a map that is repeated without a copy, if there are some."""
    if 0 not in strides:
        return lying(value.base)
    return torch.empty_strided(value.base.shape, [stride or 1 for stride in strides], device="meta")


def spread(x: torch.Tensor, shape: Shape, strides: Shape) -> torch.Tensor:
    """A tensor in a larger shape with these strides: a copy where they are not 0."""
    return strided(x.expand(shape), strides)


def seen(x: torch.Tensor, sizes: Sequence[int], order: Sequence[int], strides: Shape) -> torch.Tensor:
    """A tensor in other sizes, whose axes are then put in an order; a copy where only that has these strides."""
    return strided(x.reshape(sizes).permute(order), strides)


def strided(y: torch.Tensor, strides: Shape) -> torch.Tensor:
    """A tensor with these strides: a copy where those along an axis that has some are others."""
    if y.stride() == strides:
        return y
    if is_strided(y, strides):
        return y.as_strided(y.shape, strides, y.storage_offset())
    return torch.empty_strided(y.shape, strides, dtype=y.dtype).copy_(y)


def laid_out(view: View, strides: Shape) -> torch.Tensor:
    """A tensor without values, with strides of the map of a view for which the view is no copy, or as that lies."""
    for like in (lying(view.base), torch.empty(view.base.shape, device="meta")):
        try:
            y = like.view(view.sizes).permute(view.order)
        except RuntimeError:  # of strides that no view has
            continue
        if is_strided(y, strides):
            return like
    return lying(view.base)


def lying(value: Map) -> torch.Tensor:
    """A tensor without values, with the strides of a map's memory."""
    in_memory = [axis for axis in "NHWC" if axis in value.axes]
    sizes = [value.shape[value.axes.index(axis)] for axis in in_memory]
    return torch.empty(sizes, device="meta").permute([in_memory.index(axis) for axis in value.axes])


def is_strided(y: torch.Tensor, strides: Shape) -> bool:
    """Whether these strides are those of a tensor along all axes that have some."""
    return all(size == 1 or own == other for size, own, other in zip(y.shape, y.stride(), strides, strict=True))
