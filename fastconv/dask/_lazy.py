"""A plan on dask arrays: a task for each block of the results, which reads a block of each input.

Blocks are cut along the height first, then along the width: a slice of an array for each row and each column of them,
instead of one for each block.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

import dask.array as da
import numpy as np
from dask import delayed

from fastconv._checks import arguments, arrays
from fastconv._checks.shapes import image_shape
from fastconv._checks.types import Array
from fastconv._planning.block_plan import BlockConvPlan, BlockPlan, for_blocks
from fastconv._planning.plan import Plan
from fastconv.dask._blocks import Block, Interval, axes

Chunks = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Blocks:
    """What all tasks share: the plan, and what each keeps of its results, by its place in the height and the width."""

    plan: BlockConvPlan | BlockPlan
    height: int  # the axis; the next one is the width
    rows: tuple[Block, ...]
    columns: tuple[Block, ...]

    def run(self, inputs: Sequence[Array[Any]], row: int, column: int) -> Any:
        """The result of one task, a tuple of several."""
        for i, x in enumerate(inputs):
            declared = tuple(end - start for start, end in (self.rows[row].inputs[i], self.columns[column].inputs[i]))
            found = x.shape[self.height : self.height + 2]
            if found != declared:
                raise ValueError(f"a block of input {i} has height and width {found}, but its chunks say {declared}")
        given = self.plan.run(*inputs)
        results = given if isinstance(given, tuple) else (given,)
        kept = zip(self.rows[row].kept, self.columns[column].kept, strict=True)
        return arguments.alone([self._part(y, *part) for y, part in zip(results, kept, strict=True)])

    def _part(self, y: Array[Any], rows: Interval, columns: Interval) -> Array[Any]:
        part = y[(slice(None),) * self.height + (slice(*rows), slice(*columns))]
        return y if part.shape == y.shape else part.copy()  # no view: what is dropped would stay in memory with it


def checked(name: str, x: object, dtype: np.dtype | None = None, other: str = "weight") -> Any:
    """A dask array of plain float32 or float64 arrays, of `other`'s dtype, whose shape is known."""
    if not isinstance(x, da.Array):
        raise TypeError(f"{name} must be a dask array, got {arguments.kind(x)}")
    arrays.check(name, x._meta, dtype, other=other)
    if any(isnan(size) for size in x.shape):
        raise ValueError(f"{name} must have known chunks, got shape {x.shape}; call {name}.compute_chunk_sizes()")
    return x


def run(plan: Plan, inputs: Sequence[Any], num_threads: int | None, chunks: Chunks | None = None) -> Any:
    """The results of a plan for checked dask arrays, a tuple of several.

    Their chunks are those of the first input, or the ones given for its size, moved to where blocks may begin.
    """
    first, layout = inputs[0], plan.layout
    chunks = first.chunks if chunks is None else chunks
    dtype, ndim = arrays.native_dtype(first._meta), first.ndim
    height, channel = (ndim - 3, ndim - 1) if layout == "NHWC" else (ndim - 2, ndim - 3)
    block_plan, graph, tiles = for_blocks(plan, dtype, num_threads, [(1, *x.shape[-3:]) for x in inputs])
    shapes = graph.shapes(*((1, *image_shape(x.shape, layout)[1:]) for x in inputs))
    (rows, heights), (columns, widths) = (
        axis.blocks(chunks[at]) for at, axis in enumerate(axes(graph, shapes, tiles), height)
    )
    batch = {0: tuple(filter(None, first.chunks[0])) or (0,)} if ndim == 4 else {}  # without chunks of no images
    blocks = []
    for i, x in enumerate(inputs):
        x = _cut(x.rechunk({**batch, channel: -1}), height, [block.inputs[i] for block in rows])
        blocks.append(_cut(x, height + 1, [block.inputs[i] for block in columns]))
    of_results = []
    for name, *lengths in zip(graph.outputs, heights, widths, strict=True):
        axes_of = [*lengths, shapes[name][-1:]] if layout == "NHWC" else [shapes[name][-1:], *lengths]
        of_results.append((*batch.values(), *axes_of))
    shared = delayed(Blocks(block_plan, height, tuple(rows), tuple(columns)), pure=True, traverse=False)
    of_array = {"dtype": dtype, "meta": np.empty((0,) * ndim, dtype)}
    if len(of_results) == 1:
        return da.map_blocks(fastconv_block, *blocks, shared=shared, chunks=of_results[0], **of_array)
    of_tuple = {"dtype": object, "meta": np.empty((0,) * ndim, object)}
    results = da.map_blocks(fastconv_block, *blocks, shared=shared, chunks=of_results[0], **of_tuple)
    return tuple(da.map_blocks(_pick, results, i, chunks=one, **of_array) for i, one in enumerate(of_results))


def _cut(x: Any, axis: int, intervals: Sequence[Interval]) -> Any:
    """An array whose chunks along an axis are these parts of x, which may overlap."""
    parts = [x[(slice(None),) * axis + (slice(*interval),)].rechunk({axis: -1}) for interval in intervals]
    return da.concatenate(parts, axis)


def fastconv_block(*inputs: Array[Any], shared: Blocks, block_id: tuple[int, ...]) -> Any:
    """A task, which dask calls by the name of this function."""
    return shared.run(inputs, *block_id[shared.height : shared.height + 2])


def _pick(results: tuple[Array[Any], ...], i: int) -> Array[Any]:
    return results[i]
