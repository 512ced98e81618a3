"""What plans keep of their weights: packed in the order in which the kernels read them, by cache lines."""

from math import isfinite, prod

import numpy as np

from libc.string cimport memcpy, memset
from numpy cimport PyArray_DATA, import_array, ndarray

from fastconv._cpu cimport CACHE_LINE, FC_MAX_VECTORS, fc_kernels, kernels_for
from fastconv._rows cimport LEAST_TERMS

import_array()


PACKED_CHANNELS = 16  # whose weights are transformed at a time: for more, fresh memory would take longer than the work


def aligned(shape, dtype):
    """An uninitialised array that begins at a cache line."""
    size = prod(shape) * dtype.itemsize
    cdef ndarray buffer = np.empty(size + CACHE_LINE, np.uint8)
    cdef ptrdiff_t start = -<ptrdiff_t>PyArray_DATA(buffer) % CACHE_LINE
    return buffer[start : start + size].view(dtype).reshape(shape)


def direct(weight, bias, groups):
    """What a plan keeps: weights and bias in the order of the tiles, and whether all weights are known to be finite."""
    packed_bias = _direct_bias(bias, groups, *weight.shape[2:], weight.dtype)
    return _direct_weights(weight, groups), packed_bias, _all_finite(weight)


def _all_finite(weight):
    """Whether zeros of the padding may be left out; not asked of kernels of one row and few terms, for which an answer
    takes longer than it saves.
    """
    rows, terms = weight.shape[0], prod(weight.shape[:3])
    return bool((rows > 1 or terms >= LEAST_TERMS) and np.isfinite(weight).all())


def _direct_weights(ndarray weight, ptrdiff_t groups):
    """Weights HWIO in the order the tile reads them: [group][block][r, s, c][column], zeros in the missing columns.

    The last block of a group is one vector wide when its columns fit one. Weights of narrow groups are packed as one
    group, in blocks of one vector.
    """
    cdef const fc_kernels *kernels = kernels_for(weight.itemsize)
    cdef ptrdiff_t lanes = kernels.lanes, block = lanes * FC_MAX_VECTORS, itemsize = weight.itemsize
    cdef ptrdiff_t r = weight.shape[0], s = weight.shape[1], c = weight.shape[2], all_columns = weight.shape[3]
    if is_narrow(c, all_columns // groups, groups, lanes):
        block, groups = lanes, 1
    cdef ptrdiff_t rows = r * s * c, k = all_columns // groups, columns = -(-k // lanes) * lanes
    cdef ptrdiff_t group, first, row, width, stored
    packed = aligned((groups, rows * columns), weight.dtype)
    cdef char *target = <char *>PyArray_DATA(packed)
    cdef const char *source = <const char *>PyArray_DATA(weight)
    with nogil:
        for group in range(groups):
            first = 0
            while first < columns:
                width = min(block, columns - first)
                stored = min(width, k - first)
                for row in range(rows):
                    memcpy(target, source + (row * all_columns + group * k + first) * itemsize, stored * itemsize)
                    memset(target + stored * itemsize, 0, (width - stored) * itemsize)
                    target += width * itemsize
                first += block
    return packed


cdef bint is_narrow(ptrdiff_t group_in, ptrdiff_t group_out, ptrdiff_t groups, ptrdiff_t lanes) noexcept nogil:
    """Whether the groups are for the narrow tile: as wide in as out, and a vector holds whole groups."""
    return groups > 1 and group_in == group_out and (group_in == 1 or (group_in == 4 and lanes % 4 == 0))


def _direct_bias(bias, groups, group_in, out_channels, dtype):
    """The bias as [group][column], the weights of narrow groups being packed as one group."""
    if is_narrow(group_in, out_channels // groups, groups, kernels_for(dtype.itemsize).lanes):
        groups = 1
    return _bias(bias, groups, out_channels, dtype)


def _bias(bias, groups, out_channels, dtype):
    """The bias as [group][column], padded to whole vectors; zeros for None."""
    lanes, k = kernels_for(dtype.itemsize).lanes, out_channels // groups
    packed = aligned((groups, -(-k // lanes) * lanes), dtype)
    packed[:] = 0
    if bias is not None:
        packed[:, :k] = bias.reshape(groups, k)
    return packed


def winograd(weight, bias, groups, transform):
    """What a plan keeps: the weights at every point, [group][block][point][c][column], the bias, the weights as they
    are, whether they are finite, and the largest sum of squares of a patch's values for which nothing can overflow on
    the way.
    """
    cdef const fc_kernels *kernels = kernels_for(weight.itemsize)
    _, _, c, k = weight.shape
    k //= groups
    block, points = kernels.lanes * FC_MAX_VECTORS, transform.points**2
    columns = -(-k // kernels.lanes) * kernels.lanes
    packed = aligned((groups, points * c * columns), weight.dtype)
    largest = 0.0  # sum of absolute weights
    for g in range(groups):
        for first in range(0, columns, block):
            part = weight[..., g * k + first : min(g * k + first + block, (g + 1) * k)]
            width, stored = min(block, columns - first), part.shape[3]
            target = packed[g, points * c * first : points * c * (first + width)].reshape(points, c, width)
            target[..., stored:] = 0
            with np.errstate(over="ignore", invalid="ignore"):
                for channel in range(0, c, PACKED_CHANNELS):
                    some = part[:, :, channel : channel + PACKED_CHANNELS]
                    target[:, channel : channel + PACKED_CHANNELS, :stored] = transform.weights(some).reshape(
                        points, -1, stored
                    )
                sums = np.abs(part).sum((0, 1, 2), dtype=float), np.abs(target).sum(1, dtype=float)
            largest = float(np.max([largest, *map(np.max, sums)]))  # NaN stays
    packed_bias = _bias(bias, groups, groups * k, weight.dtype)
    return packed, packed_bias, weight, _all_finite(weight), _most(largest, transform, weight.dtype)


def _most(largest, transform, dtype):
    """The largest sum of squares of x for which no value can overflow; -1, less than any, for unfit weights.

    A value on the way, of the transforms or of the direct sum, is at most max |x| times the largest sum of absolute
    weights times the absolute row sums of Bᵀ and Aᵀ, once for each axis.
    """
    a, _, b = transform.matrices
    gain = float(np.abs(a).sum(1).max() * np.abs(b).sum(1).max()) ** 2 * largest
    if not isfinite(gain):
        return -1.0
    limit = float(np.finfo(dtype).max)
    return min(limit / 4 / max(gain, 1), limit**0.5) ** 2  # with a gain below 1 the squares overflow first
