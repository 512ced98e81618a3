"""Padding by NumPy's modes, of arrays: the convolution then has none of its own.

It is made of indices into x, those that `numpy.pad` gives for 0, 1, 2, …: `dask.array.pad` takes modes that reflect for
others where the padding is wider than x.
"""

from typing import Any

import dask.array as da
import numpy as np

from fastconv._checks.types import Sides
from fastconv._graph.operations.conv import Conv


def padded(x: Any, conv: Conv, mode: Any) -> tuple[Any, Conv]:
    """(x with the padding of a convolution around it, the convolution without padding)."""
    layout = conv.geometry.layout
    padding: Sides = conv.geometry.at(x.shape).padding
    for axis, sides in enumerate(padding, x.ndim - 3 if layout == "NHWC" else x.ndim - 2):
        indices = np.pad(np.arange(x.shape[axis]), sides, mode)
        end = sides[0] + x.shape[axis]
        parts = [_taken(x, indices[: sides[0]], axis), x, _taken(x, indices[end:], axis)]
        x = da.concatenate([part for part in parts if part.shape[axis]], axis)
    return x, conv.changed(geometry=conv.geometry._replace(padding=((0, 0), (0, 0))))


def _taken(x: Any, indices: np.ndarray, axis: int) -> Any:
    """The lines of x with these indices along an axis, as one chunk."""
    first, end = (indices.min(), indices.max() + 1) if indices.size else (0, 0)
    part = x[(slice(None),) * axis + (slice(first, end),)].rechunk({axis: -1})
    chunks = (*part.chunks[:axis], (len(indices),), *part.chunks[axis + 1 :])
    return part.map_blocks(np.take, indices - first, axis=axis, chunks=chunks, dtype=x.dtype, meta=x._meta)
