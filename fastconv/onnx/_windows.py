"""The windows of convolutions and pools, of any number of axes: auto_pad in all its forms turned into numbers."""

from math import ceil
from typing import Any, NamedTuple

import numpy as np

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


class Transposed(NamedTuple):
    """How the windows of a transposed convolution lie on its whole result, and what is cut off that."""

    windows: Windows
    sizes: list[int]
    pads: tuple[tuple[int, int], ...]


def transposed_windows(node: Node, x_shape: Shape, weight: Shape) -> Transposed:
    """Those of a transposed convolution of x, with a weight of this shape, which are checked."""
    groups, axes, sizes = node.attributes["group"], len(x_shape) - 2, x_shape[2:]
    if len(weight) != len(x_shape) or axes < 1 or weight[0] != x_shape[1] or groups < 1 or x_shape[1] % groups:
        raise ValueError(f"its weights of shape {weight} in {groups} groups do not fit x of shape {x_shape}")
    found = windows(_without_pads(node), sizes, weight[2:])
    added = node.attributes.get("output_padding") or [0] * axes
    whole = [
        (size - 1) * stride + extent + more
        for size, stride, extent, more in zip(sizes, found.strides, found.extents, added, strict=True)
    ]
    pads = _cropped(node, sizes, found, whole)
    whole = [size + max(-begin - end, 0) for size, (begin, end) in zip(whole, pads, strict=True)]
    pads = tuple((max(begin, 0), max(end, 0)) if begin + end >= 0 else (0, 0) for begin, end in pads)
    if any(size <= sum(cut) for size, cut in zip(whole, pads, strict=True)):
        raise ValueError(f"nothing is left of its result of size {whole} without {pads}")
    return Transposed(found, whole, pads)


def _without_pads(node: Node) -> Node:
    attributes = {name: value for name, value in node.attributes.items() if name not in ("pads", "auto_pad")}
    return Node(node.label, node.kind, node.domain, node.version, node.inputs, node.outputs, attributes, node.proto)


def _cropped(node: Node, sizes: Shape, found: Windows, whole: list[int]) -> tuple[tuple[int, int], ...]:
    """What is cut off the whole result of a transposed convolution, (begin, end) along each axis."""
    auto, wanted = auto_pad(node), node.attributes.get("output_shape")
    if wanted is None:
        if auto in ("NOTSET", "VALID"):
            pads = pairs(node.attributes.get("pads") or [0] * 2 * len(sizes), len(sizes))
            if any(side < 0 for axis in pads for side in axis):
                raise ValueError(f"pads must be at least 0, got {pads}")
            return pads
        wanted = [size * stride for size, stride in zip(sizes, found.strides, strict=True)]
    lacking = [size - want for size, want in zip(whole, wanted[-len(sizes) :], strict=True)]
    if auto != "NOTSET" and any(less < 0 for less in lacking):
        raise ValueError(f"its kernel is too small for a result of size {wanted}: engines differ in what it then is")
    return tuple(halves(less, "SAME_UPPER" if auto == "SAME_UPPER" else "SAME_LOWER") for less in lacking)


def check_channels(x_shape: tuple[int, ...], weight: np.ndarray, groups: int) -> None:
    """Check that the weights of a convolution take the channels of x."""
    if groups < 1 or weight.shape[0] % groups:
        raise ValueError(f"group must divide the {weight.shape[0]} output channels, got {groups}")
    if weight.shape[1] * groups != x_shape[1]:
        raise ValueError(
            f"its weights of shape {weight.shape} in {groups} groups take {weight.shape[1] * groups} channels, "
            f"but x of shape {x_shape} has {x_shape[1]}"
        )
