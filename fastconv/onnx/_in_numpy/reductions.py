"""Reductions along axes, and sums and products of what comes before each value."""

import functools
from math import prod
from typing import Any

import numpy as np

from fastconv.onnx._in_numpy.shaping import axes_of, axis_of
from fastconv.onnx._program import Node

_FEW = 16


def _lowest(dtype: np.dtype) -> Any:
    return -np.inf if dtype.kind == "f" else False if dtype.kind == "b" else np.iinfo(dtype).min


def _highest(dtype: np.dtype) -> Any:
    return np.inf if dtype.kind == "f" else True if dtype.kind == "b" else np.iinfo(dtype).max


def over(node: Node, axes: np.ndarray | None, rank: int) -> tuple[tuple[int, ...], bool]:
    """(the axes of a reduction, which are an attribute or, in newer opsets, an input; whether they stay)."""
    found = axes_of(node, axes, rank)
    if not found:
        found = [] if node.attributes.get("noop_with_empty_axes") else [*range(rank)]
    return tuple(found), bool(node.attributes.get("keepdims", 1))


def reduction(function: Any, least: Any = None) -> Any:
    """A reduction along axes; of no values it gives `least`."""

    def reduce(node: Node, x: np.ndarray, axes: np.ndarray | None = None) -> np.ndarray:
        along, keeps = over(node, axes, x.ndim)
        start: dict[str, Any] = {} if x.size or least is None else {"initial": least(x.dtype)}
        return np.asarray(function(x, axis=along, keepdims=keeps, **start)).astype(x.dtype, copy=False)

    return reduce


def _pairwise(function: Any) -> Any:
    """The extreme of values, of a few along the last axis one after the other: NumPy goes along each few by itself."""

    def extreme(x: np.ndarray, axis: tuple[int, ...], keepdims: bool, **start: Any) -> np.ndarray:
        if axis == (x.ndim - 1,) and 1 < x.shape[-1] <= _FEW and not start:
            y = functools.reduce(function, np.moveaxis(x, -1, 0))
            return y[..., None] if keepdims else y
        return np.asarray(function.reduce(x, axis, keepdims=keepdims, **start))

    return extreme


def _mean(x: np.ndarray, axis: tuple[int, ...], keepdims: bool) -> np.ndarray:
    """Summed in float64; np.mean takes four times as long on few values."""
    total = x.sum(axis, np.float64, keepdims=keepdims)
    return np.asarray(total / np.float64(prod(x.shape[i] for i in axis)))


def _log_sum_exp(x: np.ndarray, axis: tuple[int, ...], keepdims: bool) -> np.ndarray:
    x = x.astype(np.promote_types(x.dtype, np.float32), copy=False)
    highest = x.max(axis, keepdims=True, initial=-np.inf)
    highest = np.where(np.isfinite(highest), highest, 0)
    total = np.log(np.exp(x - highest).sum(axis, keepdims=True)) + highest
    return np.asarray(total if keepdims else total.squeeze(axis))


def arg(function: Any) -> Any:
    """The place of the largest or smallest value along an axis, of equal ones the first or the last."""

    def place(node: Node, x: np.ndarray) -> np.ndarray:
        axis, keeps = axis_of(node.attributes["axis"], x.ndim), bool(node.attributes["keepdims"])
        if node.attributes.get("select_last_index"):
            found = x.shape[axis] - 1 - function(np.flip(x, axis), axis, keepdims=keeps)
        else:
            found = function(x, axis, keepdims=keeps)
        return np.asarray(found, np.int64)

    return place


def cumulative(function: Any) -> Any:
    def along(node: Node, x: np.ndarray, axis: np.ndarray) -> np.ndarray:
        if axis.size != 1:
            raise ValueError(f"axis must be one number, got shape {axis.shape}")
        get, i = node.attributes, axis_of(int(axis.ravel()[0]), x.ndim)
        x = np.flip(x, i) if get["reverse"] else x
        y = function(x, axis=i, dtype=x.dtype)
        if get["exclusive"] and x.shape[i]:
            first = np.full_like(np.take(x, [0], i), 0 if function is np.cumsum else 1)
            y = np.concatenate([first, np.take(y, np.arange(x.shape[i] - 1), i)], i)
        return np.asarray(np.flip(y, i) if get["reverse"] else y)

    return along


REDUCED: dict[str, Any] = {
    "ReduceMax": _pairwise(np.maximum),
    "ReduceMean": _mean,
    "ReduceMin": _pairwise(np.minimum),
    "ReduceSum": np.sum,
}
FUNCTIONS: dict[str, Any] = {
    "ArgMax": arg(np.argmax),
    "ArgMin": arg(np.argmin),
    "CumProd": cumulative(np.cumprod),
    "CumSum": cumulative(np.cumsum),
    "ReduceL1": reduction(lambda x, **how: np.abs(x).sum(**how)),
    "ReduceL2": reduction(lambda x, **how: np.sqrt(np.square(x).sum(**how))),
    "ReduceLogSum": reduction(lambda x, **how: np.log(x.sum(**how))),
    "ReduceLogSumExp": reduction(_log_sum_exp),
    "ReduceMax": reduction(REDUCED["ReduceMax"], _lowest),
    "ReduceMean": reduction(REDUCED["ReduceMean"]),
    "ReduceMin": reduction(REDUCED["ReduceMin"], _highest),
    "ReduceProd": reduction(np.prod),
    "ReduceSum": reduction(REDUCED["ReduceSum"]),
    "ReduceSumSquare": reduction(lambda x, **how: np.square(x).sum(**how)),
}
