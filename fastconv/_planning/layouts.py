"""The conversion of the layout: what is made for NHWC arrays runs on arrays in layout NCHW, some images in turn."""

from collections.abc import Callable, Sequence
from itertools import accumulate
from math import prod

import numpy as np

from fastconv._checks import arrays
from fastconv._checks.types import Layout, Shape
from fastconv._planning import teams, workspace
from fastconv._runners.shaping import transpose

Run = Callable[[list[np.ndarray], list[tuple[np.ndarray, int]]], None]  # on NHWC arrays

_TURN_BYTES = 8 * 2**20  # of the copies of as many images as are converted together, where one is not larger


def conversion(layout: Layout, native: Layout = "NHWC") -> str:
    """The layout conversion that a description names."""
    return "none" if layout == native else "x and the result, NCHW ↔ NHWC"


def turn_size(images: int, shapes: Sequence[Shape], itemsize: int) -> tuple[int, int]:
    """(how many of these images are converted together, the bytes of their copies), for arrays whose images have these
    shapes.
    """
    image_bytes = itemsize * sum(map(prod, shapes))
    together = min(images, max(1, _TURN_BYTES // max(image_bytes, 1)))
    return together, _ends([(together, *shape) for shape in shapes], itemsize)[-1]


def run_in_nhwc(
    bind: Callable[[int], Run], inputs: list[np.ndarray], outputs: list[np.ndarray], num_threads: int | None
) -> None:
    """Compute the outputs, in layout NCHW as the checked inputs are, from NHWC copies of some images in turn.

    `bind(images)` gives what runs on this number of images. `num_threads` is an integer, or None for the default.
    """
    inputs, outputs = [_batch(x) for x in inputs], [_batch(y) for y in outputs]
    images, dtype = len(outputs[0]), outputs[0].dtype
    together, _ = turn_size(images, [array.shape[1:] for array in inputs + outputs], dtype.itemsize)
    for start in range(0, images, max(together, 1)):
        turn = slice(start, min(start + together, images))
        sources = [arrays.contiguous(x[turn], dtype) for x in inputs]
        _run_turn(bind(turn.stop - start), sources, [y[turn] for y in outputs], num_threads)


def _run_turn(run: Run, sources: list[np.ndarray], results: list[np.ndarray], num_threads: int | None) -> None:
    """Convert the inputs, run, and convert the results."""
    dtype, shapes = sources[0].dtype, [_nhwc_shape(array.shape) for array in sources + results]
    ends = _ends(shapes, dtype.itemsize)
    team = teams.moving_team(num_threads, sources[0].size + results[0].size)
    buffer = workspace.borrow(ends[-1])
    try:
        copies = [
            np.ndarray(shape, dtype, buffer, start) if prod(shape) else np.empty(shape, dtype)
            for shape, start in zip(shapes, (0, *ends), strict=False)
        ]
        for array, copy in zip(sources, copies, strict=False):
            transpose(array, copy, array.shape[1], team)
        inner = copies[len(sources) :]
        run(copies[: len(sources)], [(copy, copy.shape[-1] * dtype.itemsize) for copy in inner])
        for copy, array in zip(inner, results, strict=True):
            transpose(copy, array, prod(copy.shape[1:3]), team)
    finally:
        workspace.give_back(buffer)


def _ends(shapes: Sequence[Shape], itemsize: int) -> list[int]:
    """Where the copies of arrays of these shapes end, one after the other in whole cache lines."""
    return [*accumulate(-(-prod(shape) * itemsize // 64) * 64 for shape in shapes)]


def _batch(array: np.ndarray) -> np.ndarray:
    """With all four axes."""
    array = array if array.ndim > 2 else array[..., None, None]  # a vector
    return array if array.ndim == 4 else array[None]


def _nhwc_shape(nchw: Shape) -> Shape:
    images, channels, height, width = nchw
    return images, height, width, channels
