"""What plans keep of their weights: packed in the order in which the kernels read them, in arrays that begin at a cache
line.
"""

from math import isfinite

import numpy as np

from libc.string cimport memcpy, memset
from numpy cimport PyArray_DATA, PyArray_NBYTES, import_array, ndarray

from fastconv._kernels.cpu cimport (
    FC_MAX_VECTORS, fc_epilogue, fc_kernels, fc_weights_args, fc_weights_kernel, kernels_for,
)
from fastconv._runners.padded_rows cimport MIN_TERMS
from fastconv._runners.team cimport Team, parallel_for, team_of

from fastconv._checks.arrays import aligned
from fastconv._runners.team import DefaultEnvironment

import_array()


cdef enum:
    PIECE = 16  # channels whose weights one thread transforms
    ROWS = 256  # taps and channels of a block of columns, which one thread copies


def direct(weight, bias, groups, team):
    """What a plan keeps: weights and bias in the order of the tiles, and whether all weights are known to be finite."""
    packed_bias = _direct_bias(bias, groups, *weight.shape[2:], weight.dtype)
    return _direct_weights(weight, groups, team), packed_bias, _all_finite(weight)


def _all_finite(weight):
    """Whether zeros of the padding may be left out; not asked of kernels of one row and few terms, for which an answer
    takes longer than it saves.
    """
    r, s, c, _ = weight.shape
    return bool((r > 1 or s * c >= MIN_TERMS) and np.isfinite(weight).all())


cdef struct Rows:
    const char *source
    char *target
    ptrdiff_t itemsize, rows, taps, columns, all_columns, k, block, blocks, pieces
    bint grouped


def _direct_weights(ndarray weight, ptrdiff_t groups, team):
    """Weights HWIO in the order the tile reads them: [group][block][r, s, c][column], zeros in the missing columns.

    The last block of a group is one vector wide when its columns fit one. Weights of small groups are packed as one
    group, in blocks of one vector, where the last may begin inside the one before it.
    """
    lanes = kernels_for(weight.itemsize).lanes
    grouped = is_grouped(weight.shape[2], weight.shape[3] // groups, groups, lanes)
    return _packed_rows(weight, 1 if grouped else groups, 1, grouped, team)


cdef _packed_rows(ndarray weight, ptrdiff_t groups, ptrdiff_t taps, bint grouped, team):
    """Rows of columns, block by block; so many taps of a channel together, or with 1 tap by tap."""
    cdef ptrdiff_t lanes = kernels_for(weight.itemsize).lanes
    cdef Team shared = team_of(team[0], team[1])
    cdef Rows all
    all.itemsize, all.all_columns, all.taps, all.grouped = weight.itemsize, weight.shape[3], taps, grouped
    all.block = lanes if all.grouped else lanes * FC_MAX_VECTORS
    all.rows, all.k = weight.shape[0] * weight.shape[1] * weight.shape[2], all.all_columns // groups
    all.columns = -(-all.k // lanes) * lanes
    all.blocks, all.pieces = -(-all.columns // all.block), -(-all.rows // ROWS)
    packed = aligned((groups, all.rows * all.columns), weight.dtype)
    all.source, all.target = <const char *>PyArray_DATA(weight), <char *>PyArray_DATA(packed)
    with nogil:
        parallel_for(shared, groups * all.blocks * all.pieces, _direct_piece, &all)
    return packed


cdef void _direct_piece(void *job, ptrdiff_t task) noexcept nogil:
    """Pack a task: pieces fastest, then blocks, groups."""
    cdef const Rows *all = <const Rows *>job
    cdef ptrdiff_t group = task // all.pieces // all.blocks, piece = task % all.pieces
    cdef ptrdiff_t first = task // all.pieces % all.blocks * all.block, row, place, channels = all.rows // all.taps
    cdef ptrdiff_t width = min(all.block, all.columns - first), stored = min(width, all.k - first)
    cdef ptrdiff_t start = group * all.k + first
    if all.grouped and first > 0:
        stored, start = width, min(start, all.k - width)
    cdef char *target = all.target + (group * all.columns + first) * all.rows * all.itemsize
    for row in range(piece * ROWS, min((piece + 1) * ROWS, all.rows)):
        place = row % channels * all.taps + row // channels
        memcpy(
            target + place * width * all.itemsize,
            all.source + (row * all.all_columns + start) * all.itemsize,
            stored * all.itemsize,
        )
        memset(target + (place * width + stored) * all.itemsize, 0, (width - stored) * all.itemsize)


cdef bint is_grouped(ptrdiff_t group_in, ptrdiff_t group_out, ptrdiff_t groups, ptrdiff_t lanes) noexcept nogil:
    """Whether the groups are for the grouped tile: as wide in as out, and a vector holds whole groups."""
    return groups > 1 and group_in == group_out and (group_in == 1 or (group_in == 4 and lanes % 4 == 0))


def _direct_bias(bias, groups, group_in, out_channels, dtype):
    """The bias as [group][column], the weights of small groups being packed as one group."""
    if is_grouped(group_in, out_channels // groups, groups, kernels_for(dtype.itemsize).lanes):
        groups = 1
    return _bias(bias, groups, out_channels, dtype)


def _bias(bias, groups, out_channels, dtype):
    """The bias as [group][column], padded to whole vectors; zeros for None."""
    lanes, k = kernels_for(dtype.itemsize).lanes, out_channels // groups
    cdef ndarray packed = aligned((groups, -(-k // lanes) * lanes), dtype)
    memset(PyArray_DATA(packed), 0, PyArray_NBYTES(packed))
    if bias is not None:
        packed[:, :k] = bias.reshape(groups, k)
    return packed


cdef object keep_activation(fc_epilogue *epilogue, activation, groups, out_channels, dtype):
    """Set what an epilogue applies, (low, high, slopes or None); returns what it points to, [group][column]."""
    epilogue.lo, epilogue.hi, slopes = activation
    epilogue.slopes = NULL
    if slopes is None:
        return None
    with np.errstate(over="ignore"):  # infinity then, as of any other value
        packed = _bias(slopes, groups, out_channels, dtype)
    epilogue.slopes = PyArray_DATA(<ndarray>packed)
    return packed


cdef struct Weights:
    fc_weights_args all  # of all channels and columns of a group
    fc_weights_kernel kernel
    ptrdiff_t itemsize, points, columns, block, blocks, pieces


def winograd(ndarray weight, bias, ptrdiff_t groups, transform, team):
    """What a plan keeps: the weights at every point, [group][block][point][c][column], the bias, the weights as they
    are, whether they are finite, and the largest sum of squares of a patch's values for which nothing can overflow on
    the way. The team shares the blocks, in pieces of a few channels.
    """
    cdef const fc_kernels *kernels = kernels_for(weight.itemsize)
    cdef ptrdiff_t c = weight.shape[2], all_columns = weight.shape[3]
    cdef Weights weights
    cdef Team shared = team_of(team[0], team[1])
    weights.itemsize, weights.points = weight.itemsize, transform.points**2
    weights.block = kernels.lanes * FC_MAX_VECTORS
    weights.all.channels, weights.all.columns = c, all_columns // groups
    weights.columns = -(-weights.all.columns // kernels.lanes) * kernels.lanes
    weights.blocks, weights.pieces = -(-weights.columns // weights.block), -(-c // PIECE)
    weights.kernel = kernels.winograd.weights[transform.kernel == 5][len(transform.nodes) - 1]
    for i, row in enumerate(transform.weight_rows):
        for k, value in enumerate(row):
            weights.all.rows[i][k] = value
    weights.all.channel_stride = all_columns * weight.itemsize
    weights.all.tap_stride = c * weights.all.channel_stride
    packed = aligned((groups, weights.points * c * weights.columns), weight.dtype)
    sums = np.zeros((groups * weights.blocks, weights.pieces, weights.block))
    weights.all.taps, weights.all.out = <const char *>PyArray_DATA(weight), <char *>PyArray_DATA(packed)
    weights.all.sums = <double *>PyArray_DATA(sums)
    with DefaultEnvironment():
        with nogil:
            parallel_for(shared, groups * weights.blocks * weights.pieces, _winograd_piece, &weights)
        with np.errstate(over="ignore"):
            totals = sums.sum(1)
        largest = float(totals.max(initial=0))  # NaN stays
        packed_bias = _bias(bias, groups, all_columns, weight.dtype)
        return packed, packed_bias, weight, isfinite(largest), _max_squares(largest, transform, weight.dtype)


def winograd_on_the_fly(ndarray weight, bias, ptrdiff_t groups, transform, team):
    """The same with the weights as they are, [group][block][c][tap][column], for tasks that transform them."""
    packed = _packed_rows(weight, groups, weight.shape[0] * weight.shape[1], False, team)
    cdef ptrdiff_t terms = weight.shape[0] * weight.shape[1] * weight.shape[2]
    with DefaultEnvironment():
        largest = float(max(weight.max(initial=0), -weight.min(initial=0))) * terms  # NaN stays
        packed_bias = _bias(bias, groups, weight.shape[3], weight.dtype)
        return packed, packed_bias, weight, isfinite(largest), _max_squares(largest, transform, weight.dtype)


cdef void _winograd_piece(void *job, ptrdiff_t task) noexcept nogil:
    """Pack a task: pieces fastest, then blocks, groups."""
    cdef const Weights *weights = <const Weights *>job
    cdef fc_weights_args piece = weights.all
    cdef ptrdiff_t itemsize = weights.itemsize, channel = task % weights.pieces * PIECE
    cdef ptrdiff_t group = task // weights.pieces // weights.blocks
    cdef ptrdiff_t column = task // weights.pieces % weights.blocks * weights.block
    cdef ptrdiff_t width = min(weights.block, weights.columns - column) * itemsize
    piece.point_stride = weights.all.channels * width
    piece.out += (group * weights.columns + column) * weights.points * weights.all.channels * itemsize + channel * width
    piece.taps += channel * piece.channel_stride + (group * weights.all.columns + column) * itemsize
    piece.channels = min(<ptrdiff_t>PIECE, weights.all.channels - channel)
    piece.columns = min(weights.block, weights.all.columns - column)
    piece.sums += task * weights.block
    weights.kernel(&piece)


def _max_squares(largest, transform, dtype):
    """The largest sum of squares of x for which no value can overflow, `largest` being the largest sum of absolute
    weights; -1, less than any, for unfit weights.
    """
    gain = transform.gain * largest
    limit = float(np.finfo(dtype).max) / 4  # there is rounding
    if not gain <= limit:  # the weights themselves may overflow, or gain is NaN
        return -1.0
    return min(limit / max(gain, 1), limit**0.5) ** 2  # with a gain below 1 the squares overflow first
