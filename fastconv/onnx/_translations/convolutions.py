"""Convolutions and products with constant matrices."""

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from fastconv._checks.transposed_shapes import MOST_PHASES, transposed_geometry
from fastconv._graph.operations.conv import Conv, Linear
from fastconv._graph.operations.operation import Operation
from fastconv._graph.operations.transposed import ConvTranspose, hwio
from fastconv.conv import Conv2d
from fastconv.onnx._program import Node
from fastconv.onnx._values import Map
from fastconv.onnx._windows import check_channels, transposed_windows, windows

if TYPE_CHECKING:
    from fastconv.onnx._binding import Binding


def conv(bind: "Binding", node: Node, x: Any, weight: np.ndarray, bias: np.ndarray | None = None) -> Map | None:
    """Of images of one or two axes."""
    x = bind.as_map(x, "NCHW", "NCW")
    if x is None or weight.ndim != len(x.shape) or weight.dtype != x.dtype:
        return None
    found, groups = windows(node, x.shape[2:], weight.shape[2:]), node.attributes["group"]
    check_channels(x.shape, weight, groups)
    found.counts(x.shape[2:])  # whose errors speak of the node's own axes
    is_row = len(found.kernel) == 1
    strides, dilations, pads = found.strides, found.dilations, found.pads

    def made() -> Operation:
        plan = Conv2d(
            _normal(weight[:, :, None] if is_row else weight),
            bias,
            stride=_two(strides, 1, is_row),
            padding=_two(pads, (0, 0), is_row),
            dilation=_two(dilations, 1, is_row),
            groups=groups,
            layout="NCHW",
        )
        return plan._operation.in_nhwc()

    return bind.add(node, bind.kept.operation(node, (weight, bias), made, strides, dilations, pads), x)


def conv_transpose(
    bind: "Binding", node: Node, x: Any, weight: np.ndarray, bias: np.ndarray | None = None
) -> Map | None:
    """Of images of one or two axes, and strides that a graph may have."""
    x = bind.as_map(x, "NCHW", "NCW")
    if x is None or weight.dtype != x.dtype:
        return None
    found, whole, pads = transposed_windows(node, x.shape, weight.shape)
    is_row, groups = len(found.kernel) == 1, node.attributes["group"]
    reached = (
        (size - 1) * stride + extent
        for size, stride, extent in zip(x.shape[2:], found.strides, found.extents, strict=True)
    )
    added = tuple(size - own for size, own in zip(whole, reached, strict=True))
    if prod(found.strides) > MOST_PHASES:
        return None
    strides, dilations = _two(found.strides, 1, is_row), _two(found.dilations, 1, is_row)
    sides, more = _two(pads, (0, 0), is_row), _two(added, 0, is_row)

    def made() -> Operation:
        kernel = _normal(weight[:, :, None] if is_row else weight)
        geometry = transposed_geometry(kernel.shape, strides, sides, more, dilations, groups, "NCHW")
        vector = None if bias is None else bias.copy()
        return ConvTranspose(geometry, hwio(kernel, geometry), vector, accuracy=bind.kept.accuracy).in_nhwc()

    return bind.add(node, bind.kept.operation(node, (weight, bias), made, strides, dilations, sides, more), x)


def _normal(weight: np.ndarray) -> np.ndarray:
    """The weights, with 0 for subnormal ones beside those next to whose rounding they are nothing: training leaves such
    in channels that it no longer uses, and a processor takes a hundred times as long for each product of one.
    """
    if weight.dtype not in (np.float32, np.float64) or not weight.size:
        return weight  # which fastconv refuses, or none
    limits, size = np.finfo(weight.dtype), np.abs(weight)
    is_subnormal = (size < limits.tiny) & (weight != 0)
    if not is_subnormal.any() or not size.max() >= limits.tiny / limits.eps:
        return weight
    return np.where(is_subnormal, weight.dtype.type(0), weight)


def _two(values: tuple[Any, ...], row: Any, is_row: bool) -> Any:
    """The values of two axes, of an only one that of a row beside it."""
    return (row, *values) if is_row else values


def gemm(bind: "Binding", node: Node, a: Any, b: np.ndarray, c: np.ndarray | None = None) -> Map | None:
    """alpha · A·B + beta · C of vectors, of pixels where they are those of a map, and a constant matrix."""
    x = bind.as_map(a, "NC", "NWC", "NHWC")
    attributes = node.attributes
    if x is None or attributes["transA"] or b.ndim != 2 or b.dtype != x.dtype:
        return None
    matrix = b.T if attributes["transB"] else b
    if c is not None and (c.ndim > 2 or (c.size != 1 and (c.size, c.shape[-1]) != (matrix.shape[1],) * 2)):
        return None
    return _linear(bind, node, x, matrix, c, (b, c), attributes["alpha"], attributes["beta"])


def matmul(bind: "Binding", node: Node, a: Any, b: Any) -> Map | None:
    """A product of the last axis and a constant matrix, or of one and the columns of each matrix of a stack."""
    if isinstance(a, np.ndarray):
        x, constant = bind.as_map(b, "NCW"), a
    else:
        x, constant = bind.as_map(a, "NC", "NWC", "NHWC"), b
    if x is None or not isinstance(constant, np.ndarray) or constant.ndim != 2 or constant.dtype != x.dtype:
        return None
    if constant is a:
        return _linear(bind, node, x, constant.T, None, (constant, None))
    return _linear(bind, node, x, constant, None, (None, constant))


def _linear(
    bind: "Binding",
    node: Node,
    x: Map,
    matrix: np.ndarray,
    bias: np.ndarray | None,
    arrays: tuple[Any, ...],
    alpha: float = 1.0,
    beta: float = 1.0,
) -> Map:
    channels, outputs = matrix.shape
    if channels != x.nhwc[3]:
        raise ValueError(f"its matrix takes {channels} values, but its input of shape {x.shape} has {x.nhwc[3]}")

    def made() -> Conv:
        scaled = matrix if alpha == 1 else (matrix * alpha).astype(matrix.dtype)
        row = None if bias is None or beta == 0 else np.broadcast_to(bias.ravel() * beta, outputs).astype(matrix.dtype)
        return Linear(**vars(Conv2d(_normal(scaled[None, None]), row)._operation))

    return bind.add(node, bind.kept.operation(node, arrays, made), x)


TRANSLATIONS = {"Conv": conv, "ConvTranspose": conv_transpose, "Gemm": gemm, "MatMul": matmul}
PARAMETERS = {"Conv": (1, 2), "ConvTranspose": (1, 2), "Gemm": (1, 2)}
