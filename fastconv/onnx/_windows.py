"""The windows of convolutions and pools, of any number of axes: auto_pad in all its forms turned into numbers."""

from math import ceil
from typing import Any, NamedTuple

from fastconv._checks.types import Shape
from fastconv.onnx._program import Node


class Windows(NamedTuple):
    """One value for each axis of the image; `pads` are pairs (begin, end)."""

    kernel: Shape
    strides: Shape
    dilations: Shape
    pads: tuple[tuple[int, int], ...]
    ceil_mode: bool = False

    @property
    def extents(self) -> Shape:
        """The pixels that the dilated kernel spans."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilations, strict=True))

    def counts(self, sizes: Shape) -> Shape:
        """Windows along each axis: with ceil_mode none begins in the padding after an image."""
        return tuple(
            _count(*axis, self.ceil_mode) for axis in zip(sizes, self.extents, self.strides, self.pads, strict=True)
        )


def _count(size: int, extent: int, stride: int, pads: tuple[int, int], ceil_mode: bool) -> int:
    spare = size + sum(pads) - extent
    if spare < 0 and not (ceil_mode and spare > -stride):
        raise ValueError(f"its kernel spans {extent} pixels, more than the {size} with padding {pads[0]} + {pads[1]}")
    if not ceil_mode:
        return spare // stride + 1
    count = -(-spare // stride) + 1
    return count - ((count - 1) * stride >= size + pads[0] and count > 1)


def windows(node: Node, sizes: Shape, kernel: Shape) -> Windows:
    """The windows of a node on an image of these sizes; `kernel` is that of its weights or of its attribute."""
    attributes, axes = node.attributes, len(sizes)
    given = attributes.get("kernel_shape", kernel)
    if tuple(given) != tuple(kernel):
        raise ValueError(f"its kernel_shape is {given}, but its weights have the kernel {list(kernel)}")
    strides, dilations = positive(attributes, "strides", axes), positive(attributes, "dilations", axes)
    if len(kernel) != axes or any(k < 1 for k in kernel):
        raise ValueError(f"its kernel must have {axes} sizes of at least 1, got {list(kernel)}")
    found = Windows(tuple(kernel), strides, dilations, ((0, 0),) * axes, bool(attributes.get("ceil_mode", 0)))
    return found._replace(pads=_pads(node, sizes, found))


def positive(attributes: Any, name: str, axes: int) -> Shape:
    """An attribute of a number of at least 1 for each axis, which is 1 where it is left out."""
    given = attributes.get(name) or [1] * axes
    if len(given) != axes or any(value < 1 for value in given):
        raise ValueError(f"{name} must be {axes} numbers of at least 1, got {given}")
    return tuple(given)


def pairs(pads: list[int], axes: int) -> tuple[tuple[int, int], ...]:
    """ONNX's pads, all that begin before all that end, as a pair for each axis."""
    if len(pads) != 2 * axes:
        raise ValueError(f"pads must be {2 * axes} numbers, got {pads}")
    return tuple(zip(pads[:axes], pads[axes:], strict=True))


def _pads(node: Node, sizes: Shape, found: Windows) -> tuple[tuple[int, int], ...]:
    auto, axes = auto_pad(node), len(sizes)
    pads = node.attributes.get("pads") or [0] * 2 * axes
    if auto == "NOTSET":
        if any(side < 0 for side in pads):
            raise ValueError(f"pads must be at least 0, got {pads}")
        return pairs(pads, axes)
    if any(pads):
        raise ValueError(f"it has auto_pad {auto} and pads {pads}, of which only one may be given")
    if auto == "VALID":
        return ((0, 0),) * axes
    lacking = (
        max((ceil(size / stride) - 1) * stride + extent - size, 0)
        for size, stride, extent in zip(sizes, found.strides, found.extents, strict=True)
    )
    return tuple(halves(lacks, auto) for lacks in lacking)


def auto_pad(node: Node) -> str:
    """The value of a node's auto_pad, which is known."""
    auto: str = node.attributes.get("auto_pad", "NOTSET")
    if auto not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        raise ValueError(f"auto_pad must be NOTSET, VALID, SAME_UPPER or SAME_LOWER, got {auto!r}")
    return auto


def halves(lacks: int, auto: str) -> tuple[int, int]:
    """(begin, end) of a padding, whose odd pixel lies at the end with SAME_UPPER."""
    less, more = lacks // 2, lacks - lacks // 2
    return (less, more) if auto == "SAME_UPPER" else (more, less)
