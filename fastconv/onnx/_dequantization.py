"""DequantizeLinear of any opset: onnx.reference has none before 19, and most files are older."""

from typing import Any

import numpy as np
import onnx

from fastconv.onnx._in_numpy.shaping import axis_of
from fastconv.onnx._program import Node


def dequantized(node: Node, x: np.ndarray, scale: np.ndarray, zero_point: np.ndarray | None = None) -> list[Any]:
    """(x − zero point) · scale, in float32, rounded once."""
    if zero_point is not None and zero_point.dtype != x.dtype:
        raise ValueError(f"its zero point must be of {x.dtype}, as its input is, got {zero_point.dtype}")
    code = node.attributes.get("output_dtype")
    dtype = onnx.helper.tensor_dtype_to_np_dtype(code) if code else scale.dtype
    y = x.astype(np.float32)
    if zero_point is not None:
        y -= _spread(node, zero_point.astype(np.float32), x.shape)
    y *= _spread(node, scale.astype(np.float32), x.shape)
    return [y.astype(dtype, copy=False)]


def _spread(node: Node, of: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """What is broadcast to x: one value for all, for each place along an axis, or for each block of places."""
    if of.shape in ((), (1,)):
        return of.reshape(())
    axis, block = axis_of(node.attributes.get("axis", 1), len(shape)), node.attributes.get("block_size") or 1
    is_by_place = of.ndim == block == 1
    sizes = (*shape[:axis], -(-shape[axis] // block), *shape[axis + 1 :])
    if of.shape != ((shape[axis],) if is_by_place else sizes):
        raise ValueError(f"scales and zero points of shape {of.shape} do not fit x of shape {shape} along axis {axis}")
    if is_by_place:
        return of.reshape(-1, *(1,) * (len(shape) - axis - 1))
    return of.repeat(block, axis)[(*(slice(None),) * axis, slice(shape[axis]))]
