"""Tensors of a file as arrays: any element type, inside the file or beside it, dense or sparse."""

from math import prod
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.external_data_helper import load_external_data_for_tensor

_MOST_VALUES = 2**33  # of a sparse tensor, which says its size in a few bytes


def dtype(element: int, what: str) -> np.dtype:
    """NumPy's dtype of an element type of ONNX."""
    try:
        return np.dtype(helper.tensor_dtype_to_np_dtype(element))
    except (KeyError, ValueError):
        raise ValueError(f"{what} has the element type {element}, which is none of ONNX's") from None


def dense(tensor: onnx.TensorProto, what: str, folder: str | None) -> np.ndarray:
    """A tensor as an array that cannot be written to."""
    dtype(tensor.data_type, what)
    if any(size < 0 for size in tensor.dims):
        raise ValueError(f"{what} has the shape {tuple(tensor.dims)}")
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        tensor = _loaded(tensor, what, folder)
    try:
        array = numpy_helper.to_array(tensor)
    except Exception as error:  # of damaged data anything may come
        raise ValueError(f"{what} of shape {tuple(tensor.dims)} cannot be read: {error}") from error
    if array.shape != tuple(tensor.dims):
        raise ValueError(f"{what} of shape {tuple(tensor.dims)} has data of shape {array.shape}")
    array = np.require(array, array.dtype.newbyteorder("="), ["C", "A"])
    array.flags.writeable = False
    return array


def _loaded(tensor: onnx.TensorProto, what: str, folder: str | None) -> onnx.TensorProto:
    """A copy of the tensor with its data, which lies in a file beside the model."""
    if folder is None:
        raise ValueError(f"{what} lies in a file of its own, which is found only where the model is given as a path")
    inside = onnx.TensorProto()
    inside.CopyFrom(tensor)
    entries = {entry.key: entry.value for entry in tensor.external_data}
    path = Path(folder, entries.get("location", ""))
    try:
        load_external_data_for_tensor(inside, folder)
    except Exception as error:
        reason = error if path.is_file() else "there is no such file"
        raise ValueError(f"{what} cannot be read from {entries.get('location')!r}: {reason}") from error
    inside.data_location = onnx.TensorProto.DEFAULT  # as onnx before 1.23 leaves it to its callers
    return inside


def from_sparse(sparse: onnx.SparseTensorProto, what: str, folder: str | None) -> np.ndarray:
    """A sparse tensor, whose indices are linear or a row for each value, as a dense array that cannot be written to."""
    shape = tuple(sparse.dims)
    values = dense(sparse.values, f"the values of {what}", folder)
    indices = dense(sparse.indices, f"the indices of {what}", folder)
    if not shape or any(size < 0 for size in shape) or prod(shape) > _MOST_VALUES:
        raise ValueError(f"{what} has the shape {shape}")
    by_row = indices.shape == (values.size, len(shape))
    if values.ndim != 1 or indices.dtype != np.int64 or not (by_row or indices.shape == values.shape):
        raise ValueError(f"{what} has {values.shape} values and indices of shape {indices.shape}, {indices.dtype}")
    ends = np.array(shape if by_row else prod(shape))
    if ((indices < 0) | (indices >= ends)).any():
        raise ValueError(f"{what} of shape {shape} has indices outside")
    try:
        array = np.zeros(prod(shape), values.dtype)
    except MemoryError:
        raise ValueError(f"{what} of shape {shape} is larger than the memory") from None
    array[np.ravel_multi_index(tuple(indices.T), shape) if by_row else indices] = values
    array = array.reshape(shape)
    array.flags.writeable = False
    return array
