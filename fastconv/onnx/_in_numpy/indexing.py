"""What reads or writes values at places that are values themselves."""

from typing import Any

import numpy as np

from fastconv._checks.types import Shape
from fastconv.onnx._in_numpy.shaping import axis_of
from fastconv.onnx._program import Node


def _check_range(indices: np.ndarray, size: int, axis: int, shape: Shape) -> None:
    if indices.size and not -size <= indices.min() <= indices.max() < size:
        raise ValueError(f"indices from {indices.min()} to {indices.max()} of axis {axis} of shape {shape}")


def gather(node: Node, x: np.ndarray, indices: np.ndarray) -> np.ndarray:
    axis = axis_of(node.attributes["axis"], x.ndim)
    _check_range(indices, x.shape[axis], axis, x.shape)
    return np.take(x, indices, axis)


def _places(node: Node, x: np.ndarray, indices: np.ndarray) -> tuple[Any, ...]:
    """Where each index points, along one axis; along the others it lies where it is, of which it may have fewer."""
    axis = axis_of(node.attributes["axis"], x.ndim)
    fits = indices.ndim == x.ndim and all(
        i == axis or size <= of_x for i, (size, of_x) in enumerate(zip(indices.shape, x.shape, strict=True))
    )
    if not fits:
        raise ValueError(f"indices of shape {indices.shape} lie beside x of shape {x.shape}")
    _check_range(indices, x.shape[axis], axis, x.shape)
    places: list[np.ndarray] = list(np.ogrid[tuple(slice(size) for size in indices.shape)])
    places[axis] = indices
    return tuple(places)


def gather_elements(node: Node, x: np.ndarray, indices: np.ndarray) -> np.ndarray:
    return np.asarray(x[_places(node, x, indices)])


def scatter_elements(node: Node, x: np.ndarray, indices: np.ndarray, updates: np.ndarray) -> np.ndarray:
    """Called Scatter in opsets 9 and 10."""
    if indices.shape != updates.shape:
        raise ValueError(f"indices and updates must have one shape, got {indices.shape} and {updates.shape}")
    return _written(node, x, _places(node, x, indices), updates)


def _written(node: Node, x: np.ndarray, places: tuple[Any, ...], updates: np.ndarray) -> np.ndarray:
    """A copy of x with values written to it, or combined with what is there."""
    y, reduction = x.copy(), node.attributes.get("reduction", "none")
    if reduction == "none":
        y[places] = updates
        return y
    functions = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}
    if reduction not in functions:
        raise ValueError(f"reduction must be none, {', '.join(functions)}, got {reduction!r}")
    functions[reduction].at(y, places, updates)
    return y


def _tuples(x: np.ndarray, indices: np.ndarray, batch: int = 0) -> tuple[Any, ...]:
    """Where each row of indices points, along the axes after the first `batch`, in which both have the same sizes."""
    if not 0 <= batch < min(x.ndim, indices.ndim) or x.shape[:batch] != indices.shape[:batch]:
        raise ValueError(f"x of shape {x.shape} and indices of shape {indices.shape} have no {batch} axes in common")
    if not 1 <= indices.shape[-1] <= x.ndim - batch:
        raise ValueError(f"indices of shape {indices.shape} do not fit x of shape {x.shape}")
    for i in range(indices.shape[-1]):
        _check_range(indices[..., i], x.shape[batch + i], batch + i, x.shape)
    shape = indices.shape[:-1]
    grid = np.ogrid[tuple(slice(size) for size in shape)] if batch else []
    return (*grid[:batch], *np.moveaxis(indices, -1, 0))


def gather_nd(node: Node, x: np.ndarray, indices: np.ndarray) -> np.ndarray:
    return np.asarray(x[_tuples(x, indices, node.attributes.get("batch_dims", 0))])


def scatter_nd(node: Node, x: np.ndarray, indices: np.ndarray, updates: np.ndarray) -> np.ndarray:
    places = _tuples(x, indices)
    wanted = (*indices.shape[:-1], *x.shape[indices.shape[-1] :])
    if updates.shape != wanted:
        raise ValueError(f"updates must have shape {wanted}, got {updates.shape}")
    return _written(node, x, places, updates)


def top_k(node: Node, x: np.ndarray, k: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Sorted; of equal values the first comes first. A NaN is larger than all."""
    axis = axis_of(node.attributes["axis"], x.ndim)
    given = np.array([node.attributes["k"]]) if k is None else k.ravel()  # an attribute before opset 10
    count = int(given[0])
    if given.size != 1 or not 0 <= count <= x.shape[axis]:
        raise ValueError(f"k must be at most the {x.shape[axis]} values of axis {axis}, got {given.tolist()}")
    if node.attributes.get("largest", 1):  # the last of what is sorted backwards, so that equal values keep their order
        order = x.shape[axis] - 1 - np.flip(np.argsort(np.flip(x, axis), axis, kind="stable"), axis)
    else:
        order = np.argsort(x, axis, kind="stable")
    order = np.take(order, np.arange(count), axis)
    return np.take_along_axis(x, order, axis), order.astype(np.int64)


def one_hot(node: Node, indices: np.ndarray, depth: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Indices out of range make no value hot."""
    size, rank = int(depth.ravel()[0]), indices.ndim + 1
    if size < 0:
        raise ValueError(f"depth must be at least 0, got {size}")
    axis = axis_of(node.attributes["axis"], rank)
    numbers = np.arange(size).reshape(-1, *(1,) * (rank - 1 - axis))
    found = np.expand_dims(np.where(indices < 0, indices + size, indices), axis) == numbers
    return np.where(found, values[1], values[0]).astype(values.dtype)


def non_zero(node: Node, x: np.ndarray) -> np.ndarray:
    return np.array(np.nonzero(x.reshape(x.shape or (1,))), np.int64).reshape(max(x.ndim, 1), -1)


def tile(node: Node, x: np.ndarray, repeats: np.ndarray) -> np.ndarray:
    if repeats.shape != (x.ndim,):
        raise ValueError(f"repeats must have a value for each of the {x.ndim} axes, got {repeats.tolist()}")
    return np.tile(x, tuple(repeats.tolist()))


def trilu(node: Node, x: np.ndarray, k: np.ndarray | None = None) -> np.ndarray:
    keep = np.triu if node.attributes["upper"] else np.tril
    return np.asarray(keep(x, 0 if k is None else int(k.ravel()[0])))


FUNCTIONS: dict[str, Any] = {
    "Gather": gather,
    "GatherElements": gather_elements,
    "GatherND": gather_nd,
    "NonZero": non_zero,
    "OneHot": one_hot,
    "Scatter": scatter_elements,
    "ScatterElements": scatter_elements,
    "ScatterND": scatter_nd,
    "Tile": tile,
    "TopK": top_k,
    "Trilu": trilu,
}
