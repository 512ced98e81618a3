"""Resize and Upsample, axis by axis: every interpolation of the standard is a product of those along single axes."""

from collections.abc import Sequence
from math import floor, isclose
from typing import Any, NamedTuple

import numpy as np

from fastconv._graph.operations.resizing import COORDINATES, ROUNDINGS, places_of, rounded
from fastconv.onnx._in_numpy.shaping import axis_of
from fastconv.onnx._program import Node

_DEFAULTS = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": None}  # of opsets before 11


class Axis(NamedTuple):
    """How one axis is resized; `region` is the part of it that tf_crop_and_resize takes, as shares of its size."""

    size: int
    new_size: int
    scale: float
    region: tuple[float, float]

    @property
    def is_kept(self) -> bool:
        return isclose(self.scale, 1) and self.size == self.new_size and self.region == (0, 1)


def resize(
    node: Node, x: np.ndarray, roi: np.ndarray | None = None, scales: Any = None, sizes: Any = None
) -> np.ndarray:
    get, y = attributes_of(node), x
    for axis, found in axes_of(node, x.shape, roi, scales, sizes).items():
        if not found.is_kept:
            y = _along(get, y, axis, found)
    if y.dtype == x.dtype:
        return y
    from onnx.numpy_helper import saturate_cast  # here, because PyTorch's door has no library of ONNX

    return saturate_cast(y, x.dtype)


def attributes_of(node: Node) -> dict[str, Any]:
    """Those of a node, with the defaults of its opset."""
    return {**_DEFAULTS, **node.attributes}


def axes_of(node: Node, shape: Sequence[int], roi: Any, scales: Any = None, sizes: Any = None) -> dict[int, Axis]:
    """How a Resize or an Upsample changes each axis that it names, all by default."""
    get = attributes_of(node)
    if node.kind == "Upsample":
        roi, scales = None, np.array(get["scales"], np.float32) if roi is None else roi
    elif node.version < 11:
        roi, scales = None, roi
    over = [axis_of(axis, len(shape)) for axis in get.get("axes") or range(len(shape))]
    return dict(zip(over, _axes(get, shape, over, roi, scales, sizes), strict=True))


def rounding_of(get: Any, found: Axis) -> Any:
    """The rule of nearest neighbours along an axis."""
    rounding = get["nearest_mode"]
    if rounding is None:  # the tests of opset 10 have 1 and 3 of 1, 2, 3, 4 by a scale of 0.6
        rounding = "ceil" if found.scale < 1 else "floor"
    if rounding not in ROUNDINGS:
        raise ValueError(f"nearest_mode must be one of {', '.join(ROUNDINGS)}, got {rounding!r}")
    return rounding


def _axes(get: Any, shape: Sequence[int], over: list[int], roi: Any, scales: Any, sizes: Any) -> list[Axis]:
    has_scales, has_sizes = (given is not None and given.size > 0 for given in (scales, sizes))
    if has_scales == has_sizes:
        raise ValueError("it must have either scales or sizes")
    old, given = [shape[axis] for axis in over], (scales if has_scales else sizes).tolist()
    if len(given) != len(over) or any(
        value <= 0 and (has_scales or value != size) for value, size in zip(given, old, strict=True)
    ):
        raise ValueError(f"axes of sizes {old} cannot be resized by {given}")
    if has_scales:
        factors, new = given, [floor(scale * size) for scale, size in zip(given, old, strict=True)]
    else:
        factors, new = [want / size if size else 1.0 for want, size in zip(given, old, strict=True)], given
        policy = get.get("keep_aspect_ratio_policy", "stretch")
        if policy not in ("stretch", "not_larger", "not_smaller"):
            raise ValueError(f"keep_aspect_ratio_policy must be stretch, not_larger or not_smaller, got {policy!r}")
        if policy != "stretch":
            factors = [min(factors) if policy == "not_larger" else max(factors)] * len(over)
            new = [floor(scale * size + 0.5) for scale, size in zip(factors, old, strict=True)]
    regions = [(0.0, 1.0)] * len(over)
    if get["coordinate_transformation_mode"] == "tf_crop_and_resize":
        if roi is None or roi.size != 2 * len(over):
            raise ValueError(f"tf_crop_and_resize must have a roi of {2 * len(over)} numbers")
        regions = [*zip(roi[: len(over)].tolist(), roi[len(over) :].tolist(), strict=True)]
    return [Axis(*one) for one in zip(old, new, factors, regions, strict=True)]


def _along(get: Any, x: np.ndarray, axis: int, found: Axis) -> np.ndarray:
    """x resized along an axis."""
    places = _places(get["coordinate_transformation_mode"], found)
    mode, last = get["mode"], found.size - 1
    if mode == "nearest":
        nearest = rounded(rounding_of(get, found), places)
        y = np.take(x, np.clip(nearest, 0, last).astype(np.intp), axis)
    elif mode in ("linear", "cubic"):
        y = _interpolated(get, x, axis, found, places)
    else:
        raise ValueError(f"mode must be nearest, linear or cubic, got {mode!r}")
    if get["coordinate_transformation_mode"] == "tf_crop_and_resize":
        outside = ((places < 0) | (places > last)).reshape(-1, *(1,) * (x.ndim - axis - 1))
        y = np.where(outside, np.asarray(get["extrapolation_value"], y.dtype), y)
    return y


def _places(mode: str, found: Axis) -> np.ndarray:
    """Where in x, in pixels, each new pixel lies."""
    if mode == "tf_crop_and_resize":
        y, width, (start, end) = np.arange(found.new_size, dtype=float), found.scale * found.size, found.region
        part = (end - start) * (found.size - 1)
        return start * (found.size - 1) + (y * 0 + part / 2 if width == 1 else y * part / (width - 1))
    if mode not in COORDINATES:
        raise ValueError(f"coordinate_transformation_mode {mode!r} is not known")
    return places_of(mode, found.size, found.new_size, found.scale)


def _interpolated(get: Any, x: np.ndarray, axis: int, found: Axis, places: np.ndarray) -> np.ndarray:
    """The sum of the pixels around each place times the kernel of their distances."""
    reach = 1.0 if get["mode"] == "linear" else 2.0
    # With antialias a kernel that makes an image smaller is as much wider.
    squeeze = min(found.scale, 1.0) if get.get("antialias") else 1.0
    taps = 2 * int(np.ceil(reach / squeeze))
    first = np.floor(places).astype(np.int64) - taps // 2 + 1
    indices = first[:, None] + np.arange(taps)
    distances = np.abs(places[:, None] - indices) * squeeze
    a = get.get("cubic_coeff_a", -0.75)
    weights = np.maximum(1 - distances, 0) if reach == 1 else _cubic(distances, a)
    if get.get("exclude_outside"):
        weights = np.where((indices < 0) | (indices >= found.size), 0, weights)
    if squeeze < 1 or get.get("exclude_outside"):
        total = weights.sum(1, keepdims=True)
        weights = weights / np.where(total == 0, 1, total)
    indices = np.clip(indices, 0, found.size - 1)
    dtype = x.dtype if x.dtype in (np.float32, np.float64) else np.dtype(np.float64)
    y = np.zeros((*x.shape[:axis], found.new_size, *x.shape[axis + 1 :]), dtype)
    for tap in range(taps):
        weight = weights[:, tap].reshape(-1, *(1,) * (x.ndim - axis - 1)).astype(dtype)
        if weight.any():
            y += np.take(x, indices[:, tap], axis) * weight
    return y


def _cubic(d: np.ndarray, a: float) -> np.ndarray:
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0))


FUNCTIONS: dict[str, Any] = {"Resize": resize, "Upsample": resize}
