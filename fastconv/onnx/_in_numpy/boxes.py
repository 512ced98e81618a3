"""What detectors do with boxes: those that others cover are left out, and regions are cut out of maps."""

from typing import Any

import numpy as np

from fastconv.onnx._program import Node


def non_max_suppression(
    node: Node,
    boxes: np.ndarray,
    scores: np.ndarray,
    most: np.ndarray | None = None,
    share: np.ndarray | None = None,
    least: np.ndarray | None = None,
) -> np.ndarray:
    """(image, class, box) of each that is kept, the best of a class first."""
    if boxes.ndim != 3 or scores.ndim != 3 or boxes.shape != (len(scores), scores.shape[2], 4):
        raise ValueError(f"boxes of shape {boxes.shape} and scores of shape {scores.shape} do not fit")
    count, covered, low = (
        default if one is None or not one.size else one.ravel()[0]
        for one, default in ((most, 0), (share, 0.0), (least, -np.inf))
    )
    corners = _corners(boxes, bool(node.attributes["center_point_box"]))
    found = [
        (i, c, box)
        for i in range(len(scores))
        for c in range(scores.shape[1])
        for box in _kept(corners[i], scores[i, c], int(count), covered, low)
    ]
    return np.array(found, np.int64).reshape(-1, 3)


def _corners(boxes: np.ndarray, has_centers: bool) -> np.ndarray:
    """Least and greatest coordinates along both axes: (images, boxes, 2, 2)."""
    first, second = boxes[..., :2], boxes[..., 2:]
    if has_centers:
        first, second = first - second / 2, first + second / 2
    return np.stack([np.minimum(first, second), np.maximum(first, second)], 2)


def _kept(corners: np.ndarray, scores: np.ndarray, most: int, share: float, least: float) -> list[int]:
    """The boxes of a class of an image, each unless one that is kept before overlaps it by more than a share."""
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] > least]
    low, high = corners[:, 0], corners[:, 1]
    areas = (high - low).prod(1)
    kept = list[int]()
    while order.size and len(kept) < most:
        best, order = order[0], order[1:]
        kept.append(int(best))
        sides = np.minimum(high[best], high[order]) - np.maximum(low[best], low[order])
        common = np.maximum(sides, 0).prod(1)
        whole = areas[best] + areas[order] - common
        is_covered = (common > 0) & (whole > 0) & (common / np.where(whole > 0, whole, 1) > share)
        order = order[~is_covered]
    return kept


def roi_align(node: Node, x: np.ndarray, rois: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Averages, or maxima, of points between the pixels of each region, (regions, channels, height, width)."""
    get = node.attributes
    if x.ndim != 4 or rois.shape != (images.size, 4) or get["mode"] not in ("avg", "max"):
        raise ValueError(f"regions of shape {rois.shape} do not fit x of shape {x.shape}, mode {get['mode']!r}")
    if images.size and not 0 <= images.min() <= images.max() < len(x):
        raise ValueError(f"regions of images {images.min()} to {images.max()} of x of shape {x.shape}")
    is_half = get.get("coordinate_transformation_mode", "output_half_pixel") == "half_pixel"
    sizes = get["output_height"], get["output_width"]
    y = np.zeros((len(rois), x.shape[1], *sizes), x.dtype)
    for i, (roi, image) in enumerate(zip(rois.astype(np.float64), images.ravel(), strict=True)):
        left, top, right, bottom = roi * get["spatial_scale"] - 0.5 * is_half
        ends = (top, bottom, x.shape[2]), (left, right, x.shape[3])
        rows, columns = (
            _taps(*end, size, get["sampling_ratio"], is_half) for end, size in zip(ends, sizes, strict=True)
        )
        y[i] = _pooled(x[image], rows, columns, get["mode"])
    return y


Taps = tuple[list[tuple[np.ndarray, np.ndarray]], int]


def _taps(first: float, last: float, size: int, count: int, ratio: int, is_half: bool) -> Taps:
    """([(pixels, their weights) of all points along an axis], points in each of `count` bins)."""
    extent = last - first if is_half else max(last - first, 1.0)
    points = ratio if ratio > 0 else max(int(np.ceil(extent / count)), 0)
    step = extent / count / max(points, 1)
    place = first + (np.arange(count * points) + 0.5) * step
    is_there = (place >= -1) & (place <= size)
    place = place.clip(0, size - 1)
    low = np.floor(place).astype(np.intp)
    high, t = np.minimum(low + 1, size - 1), place - low
    return [(low, (1 - t) * is_there), (high, t * is_there)], points


def _pooled(x: np.ndarray, rows: Taps, columns: Taps, mode: str) -> np.ndarray:
    """Of each bin the average of its points; or the maximum of all weighted pixels, as ONNX has it; of no points 0."""
    if not rows[1] or not columns[1]:
        return np.zeros(1, x.dtype)
    parts = [x[:, r[:, None], c] * (a[:, None] * b).astype(x.dtype) for r, a in rows[0] for c, b in columns[0]]
    points = sum(parts) if mode == "avg" else np.maximum.reduce(parts)
    bins = points.reshape(len(x), -1, rows[1], points.shape[2] // columns[1], columns[1])
    return np.asarray(bins.mean((2, 4)) if mode == "avg" else bins.max((2, 4)))


FUNCTIONS: dict[str, Any] = {"NonMaxSuppression": non_max_suppression, "RoiAlign": roi_align}
