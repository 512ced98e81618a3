"""The conversion of the layout: what is made for NHWC arrays runs on arrays in layout NCHW, some images in turn."""

from collections.abc import Callable
from itertools import accumulate
from math import prod
from typing import TYPE_CHECKING, Protocol

import numpy as np

from fastconv._checks import arrays
from fastconv._checks.types import Layout, Shape
from fastconv._planning import teams, workspace
from fastconv._runners.nchw import transpose

if TYPE_CHECKING:

    class Runnable(Protocol):
        """What is made for NHWC arrays."""

        def run(self, x: np.ndarray, residual: np.ndarray | None, out: np.ndarray, out_stride: int) -> None: ...


_TURN_BYTES = 8 * 2**20  # of the copies of as many images as are converted together, where one is not larger


def conversion(layout: Layout, native: Layout = "NHWC") -> str:
    """The layout conversion that a description names."""
    return "none" if layout == native else "x and the result, NCHW ↔ NHWC"


def turn_images(images: int, nbytes: int) -> int:
    """How many images are converted together, of so many whose arrays have so many bytes in all."""
    return max(1, images * _TURN_BYTES // max(nbytes, 1))


def run_in_nhwc(
    bind: "Callable[[int], Runnable]",
    x: np.ndarray,
    residual: np.ndarray | None,
    y: np.ndarray,
    num_threads: int | None,
) -> None:
    """Compute y, in layout NCHW as checked x and residual are, from NHWC copies of some images in turn.

    `bind(images)` gives what runs on so many: it has `run(x, residual, out, out_stride)`. `num_threads` is an integer,
    or None for the default.
    """
    given = [_batch(x)] if residual is None else [_batch(x), _batch(residual)]
    y = _batch(y)
    images = len(y)
    most = turn_images(images, sum(array.nbytes for array in given) + y.nbytes)
    for start in range(0, images, most):
        turn = slice(start, min(start + most, images))
        sources = [arrays.contiguous(array[turn], y.dtype) for array in given]
        _run_turn(bind(turn.stop - start), sources, y[turn], num_threads)


def _run_turn(bound: "Runnable", sources: list[np.ndarray], y: np.ndarray, num_threads: int | None) -> None:
    """Convert x, and a residual if there is one, run, and convert the result."""
    dtype, shapes = y.dtype, [_nhwc_shape(array.shape) for array in (*sources, y)]
    ends = [*accumulate(-(-prod(shape) * dtype.itemsize // 64) * 64 for shape in shapes)]  # in whole cache lines
    team = teams.moving_team(num_threads, sources[0].size + y.size)
    buffer = workspace.borrow(ends[-1])
    try:
        copies = [
            np.ndarray(shape, dtype, buffer, start) if prod(shape) else np.empty(shape, dtype)
            for shape, start in zip(shapes, (0, *ends), strict=False)
        ]
        for array, copy in zip(sources, copies, strict=False):
            transpose(_planes(array), _pixels(copy), team)
        result = copies[-1]
        bound.run(copies[0], copies[1] if len(sources) > 1 else None, result, result.shape[-1] * dtype.itemsize)
        transpose(_pixels(result), _planes(y), team)
    finally:
        workspace.give_back(buffer)


def _batch(array: np.ndarray) -> np.ndarray:
    """With all four axes."""
    array = array if array.ndim > 2 else array[..., None, None]  # a vector
    return array if array.ndim == 4 else array[None]


def _nhwc_shape(nchw: Shape) -> Shape:
    images, channels, height, width = nchw
    return images, height, width, channels


def _planes(nchw: np.ndarray) -> np.ndarray:
    """(images, channels, pixels)."""
    images, channels, height, width = nchw.shape
    return nchw.reshape(images, channels, height * width)


def _pixels(nhwc: np.ndarray) -> np.ndarray:
    """(images, pixels, channels)."""
    images, height, width, channels = nhwc.shape
    return nhwc.reshape(images, height * width, channels)
