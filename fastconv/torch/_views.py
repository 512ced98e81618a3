"""Tensors of views, `fastconv.onnx._views`, with the strides that PyTorch gives them."""

from collections.abc import Sequence

import torch

from fastconv._checks.types import Shape
from fastconv.onnx._views import View


def seen(x: torch.Tensor, sizes: Sequence[int], order: Sequence[int], strides: Shape) -> torch.Tensor:
    """A tensor in other sizes, whose axes are then put in an order; a copy where only that has these strides."""
    y = x.reshape(sizes).permute(order)
    if _is_strided(y, strides):
        return y.as_strided(y.shape, strides, y.storage_offset())
    return torch.empty_strided(y.shape, strides, dtype=y.dtype).copy_(y)


def laid_out(view: View, strides: Shape) -> torch.Tensor:
    """A tensor without values, with strides of the map of a view for which the view is no copy, or as that lies."""
    shape, axes = view.base.shape, view.base.axes
    in_memory = [axis for axis in "NHWC" if axis in axes]
    lying = torch.empty([shape[axes.index(axis)] for axis in in_memory], device="meta")
    lying = lying.permute([in_memory.index(axis) for axis in axes])
    for like in (lying, torch.empty(shape, device="meta")):
        try:
            y = like.view(view.sizes).permute(view.order)
        except RuntimeError:  # of strides that no view has
            continue
        if _is_strided(y, strides):
            return like
    return lying


def _is_strided(y: torch.Tensor, strides: Shape) -> bool:
    """Whether these strides are those of a tensor along all axes that have some."""
    return all(size == 1 or own == other for size, own, other in zip(y.shape, y.stride(), strides, strict=True))
