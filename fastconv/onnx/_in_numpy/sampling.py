"""GridSample: pixels of an image at places that are values, between its pixels too."""

from itertools import product
from typing import Any

import numpy as np

from fastconv.onnx._program import Node

_LINEAR, CUBIC = ("linear", "bilinear"), ("cubic", "bicubic")  # as newer opsets and opset 16 call them
_ALPHA = -0.75  # of the cubic


def check(node: Node, x: np.ndarray, grid: np.ndarray) -> None:
    """ValueError where a node cannot take these, or says something else than the standard."""
    mode, axes, sizes = node.attributes["mode"], x.ndim - 2, x.shape[2:]
    if mode not in (*_LINEAR, *CUBIC, "nearest"):
        raise ValueError(f"mode must be linear, nearest or cubic, got {mode!r}")
    if node.attributes["padding_mode"] not in ("zeros", "border", "reflection"):
        raise ValueError(f"padding_mode must be zeros, border or reflection, got {node.attributes['padding_mode']!r}")
    if axes < 1 or grid.ndim != x.ndim or grid.shape[0] != x.shape[0] or grid.shape[-1] != axes or 0 in sizes:
        raise ValueError(f"a grid of shape {grid.shape} has no places in x of shape {x.shape}")


def grid_sample(node: Node, x: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Places are from −1 to 1 along each axis, the last one first."""
    check(node, x, grid)
    mode, axes, sizes = node.attributes["mode"], x.ndim - 2, x.shape[2:]
    is_aligned = bool(node.attributes["align_corners"])
    places = list[np.ndarray]()
    for i, size in enumerate(sizes):
        given = grid[..., axes - 1 - i].astype(np.float64)
        place = (given + 1) / 2 * (size - 1) if is_aligned else ((given + 1) * size - 1) / 2
        place = np.where(np.isfinite(place), place, -1.0)  # which is no place in any image
        places.append(place if mode in CUBIC else _inside(node, place, size))
    images = np.moveaxis(x, 1, -1)
    taps = [_taps(mode, place) for place in places]
    y = np.zeros((*grid.shape[:-1], x.shape[1]), np.promote_types(x.dtype, np.float32))
    for corner in product(*taps):
        weight = np.prod(np.broadcast_arrays(*(share for _, share in corner)), axis=0)
        y += weight[..., None].astype(y.dtype) * _picked(node, images, [place for place, _ in corner])
    return np.ascontiguousarray(np.moveaxis(y, -1, 1)).astype(x.dtype, copy=False)


def _inside(node: Node, place: np.ndarray, size: int) -> np.ndarray:
    """Places that border or reflection bring back into the image."""
    how = node.attributes["padding_mode"]
    if how == "border":
        return place.clip(0, size - 1)
    if how == "zeros":
        return place
    low, high = (0.0, size - 1.0) if node.attributes["align_corners"] else (-0.5, size - 0.5)
    if high == low:
        return np.zeros_like(place)
    beyond = np.abs(place - low) % (2 * (high - low))
    return (low + np.minimum(beyond, 2 * (high - low) - beyond)).clip(0, size - 1)


def _taps(mode: str, place: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """(pixels along an axis, their weights)."""
    if mode == "nearest":
        return [(np.rint(place), np.ones_like(place))]
    first = np.floor(place)
    t = place - first
    if mode in _LINEAR:
        return [(first, 1 - t), (first + 1, t)]
    return [(first + i, _cubic(np.abs(t - i))) for i in (-1, 0, 1, 2)]


def _cubic(d: np.ndarray) -> np.ndarray:
    """The weight of a pixel at this distance."""
    near = ((_ALPHA + 2) * d - (_ALPHA + 3)) * d * d + 1
    far = ((_ALPHA * d - 5 * _ALPHA) * d + 8 * _ALPHA) * d - 4 * _ALPHA
    return np.where(d <= 1, near, far)


def _picked(node: Node, images: np.ndarray, places: list[np.ndarray]) -> np.ndarray:
    """The pixels at whole places, 0 beyond the images, where only the cubic has a share of another padding."""
    sizes = images.shape[1:-1]
    if node.attributes["padding_mode"] != "zeros" and node.attributes["mode"] in CUBIC:
        places = [np.rint(_inside(node, place, size)) for place, size in zip(places, sizes, strict=True)]
    pairs = zip(places, sizes, strict=True)
    is_there = np.logical_and.reduce([(place >= 0) & (place <= size - 1) for place, size in pairs])
    numbers = [place.clip(0, size - 1).astype(np.intp) for place, size in zip(places, sizes, strict=True)]
    batch = np.arange(len(images)).reshape(-1, *(1,) * len(sizes))
    return np.where(is_there[..., None], images[(batch, *numbers)], 0)


FUNCTIONS: dict[str, Any] = {"GridSample": grid_sample}
