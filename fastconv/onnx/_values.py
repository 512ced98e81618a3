"""What is known of the values of a model while it is bound to shapes: constants are arrays, the rest are these."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastconv._checks.types import ImageAxis, Shape
from fastconv._graph.operations.operation import NHWC

if TYPE_CHECKING:
    from fastconv.onnx._segments import Segment

# How the axes of an ONNX tensor lie in a map of a graph, (N, H, W, C): the names of the tensor's axes in their order.
_INTO_MAP: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "NCHW": lambda x: x.transpose(0, 2, 3, 1),
    "NHWC": lambda x: x,
    "NCW": lambda x: x.transpose(0, 2, 1)[:, None],
    "NWC": lambda x: x[:, None],
    "NC": lambda x: x[:, None, None],
}
_OUT_OF_MAP: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "NCHW": lambda y: y.transpose(0, 3, 1, 2),
    "NHWC": lambda y: y,
    "NCW": lambda y: y[:, 0].transpose(0, 2, 1),
    "NWC": lambda y: y[:, 0],
    "NC": lambda y: y[:, 0, 0],
}
AXES = tuple(_INTO_MAP)
IMAGE_AXES: dict[str, ImageAxis] = {"H": "height", "W": "width", "C": "channels"}
MOST_BYTES = 2**26  # of a constant that is repeated for each image


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A value that is there in a run, as an array. It is made after the segment of its level, -1 before the first."""

    name: str
    shape: Shape
    dtype: np.dtype
    level: int = -1


@dataclass(frozen=True, slots=True, eq=False)
class Map(Tensor):
    """A value that `node` of a segment's graph computes, or, without a segment, a tensor that may enter one.

    The tensor's axes are called `axes` in the order that they have in the model; `nhwc` is the shape of the node.
    """

    axes: str = "NCHW"
    nhwc: NHWC = (0, 0, 0, 0)
    node: str = ""
    segment: "Segment | None" = None


def is_array(value: Any) -> bool:
    """Whether a value is a tensor whose values are known."""
    return isinstance(value, np.ndarray | np.generic)


def tensor_of(name: str, array: np.ndarray) -> Tensor:
    """What is known of an array before a run."""
    return Tensor(name, array.shape, array.dtype)


def into_map(x: np.ndarray, axes: str) -> np.ndarray:
    """A view of a tensor as a map, (N, H, W, C)."""
    return _INTO_MAP[axes](x)


def out_of_map(y: np.ndarray, axes: str) -> np.ndarray:
    """A view of a map as the tensor with these axes."""
    return _OUT_OF_MAP[axes](y)


def map_shape(shape: Shape, axes: str) -> NHWC:
    """The shape of the map of a tensor of this shape."""
    sizes = dict(zip(axes, shape, strict=True))
    return sizes["N"], sizes.get("H", 1), sizes.get("W", 1), sizes["C"]


def tensor_shape(nhwc: NHWC, axes: str) -> Shape:
    """The shape of the tensor with these axes of a map."""
    sizes = dict(zip("NHWC", nhwc, strict=True))
    return tuple(sizes[axis] for axis in axes)
