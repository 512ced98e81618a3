"""The weights of fast inner products as the runner reads them: equalized, scaled, in steps of three channels.

csrc/fip_tile.h has the identity and the scaling. A *chunk* is some input channels, a *block* as many output channels as
a tile has columns.
"""

import numpy as np

from cython cimport floating
from libc.math cimport INFINITY, fabs, frexp, isfinite, ldexp, sqrt
from numpy cimport import_array, ndarray

from fastconv._kernels.cpu cimport (
    FC_FIP_BLOCK, FC_FIP_LANES, FC_FIP_STEPS, FC_MAX_VECTORS, fc_fip_distance, fc_fip_first_block, kernels_for,
)

from fastconv._checks.arrays import aligned
from fastconv._runners.team import DefaultEnvironment

import_array()

cdef int MIN_EQUALIZER = -80  # the smallest is 2 to this power: a float32 pixel's scale times it is a normal number
cdef double DOUBLES = 2.0**-480  # smaller weights, and larger than its inverse: sums of their squares may be no doubles
cdef ptrdiff_t[3] SWAPPED = [1, 0, 2]  # the first of a pair is added to what the second is multiplied by, and back


def steps(channels):
    """(pairs of channels, channels by themselves), those of a step that has neither of a pair among the latter."""
    rest = channels % FC_FIP_BLOCK
    distance = fc_fip_distance(channels - rest, channels) if rest else 0
    whole = channels // FC_FIP_BLOCK * FC_FIP_LANES
    return whole + distance, whole + max(rest - 2 * distance, 0)


cdef ptrdiff_t chunks_of(ptrdiff_t channels) noexcept nogil:
    return (channels + 3 * FC_FIP_STEPS - 1) // (3 * FC_FIP_STEPS)


cdef ptrdiff_t first_step(ptrdiff_t chunk, ptrdiff_t channels) noexcept nogil:
    """Where a chunk of the weights begins, in steps; all chunks together are the last."""
    cdef ptrdiff_t chunks = chunks_of(channels), rest = channels % FC_FIP_BLOCK
    cdef ptrdiff_t step = fc_fip_first_block(chunk, chunks, channels) * FC_FIP_LANES
    if chunk == chunks and rest:
        step -= FC_FIP_LANES - fc_fip_distance(channels - rest, channels)
    return step


def pack(ndarray weight, bias, ptrdiff_t groups):
    """What a plan keeps of weights HWIO of a 1×1 kernel.

    They, [group][block][step][second of a pair, first, other][column]; −Σ of the products of the pairs
    [group][block][chunk][column]; what sums are multiplied by and the bias [group][block][column]; the equalizers
    [group][channel]; the weights as they are; and whether they are in range. Those that are not are for pixels by
    themselves, directly, and the equalizers NaN.
    """
    cdef ptrdiff_t c = weight.shape[2], k = weight.shape[3] // groups, group
    width, dtype = kernels_for(weight.itemsize).lanes * FC_MAX_VECTORS, weight.dtype
    blocks = -(-k // width)
    packed = aligned((groups, blocks, first_step(chunks_of(c), c), 3, width), dtype)
    sums, scales = aligned((groups, blocks, chunks_of(c), width), dtype), aligned((groups, blocks, width), dtype)
    packed_bias = aligned((groups, blocks * width), dtype)
    equalizers = aligned((groups, c + SPARE), dtype)
    for array in (packed, sums, scales, packed_bias, equalizers):
        array[...] = 0
    if bias is not None:
        packed_bias[:, :k] = bias.reshape(groups, k)
    in_range = True
    with DefaultEnvironment():
        for group in range(groups):
            parts = packed[group], sums[group], scales[group], equalizers[group]
            if weight.itemsize == 4:
                in_range &= _pack_group[float](weight[0, 0], group * k, k, *parts)
            else:
                in_range &= _pack_group[double](weight[0, 0], group * k, k, *parts)
    if not in_range:
        equalizers[...] = np.nan
    return packed, sums, scales, packed_bias, equalizers, weight, in_range


cdef bint _pack_group(
    const floating[:, ::1] weight, ptrdiff_t first, ptrdiff_t columns, floating[:, :, :, ::1] packed,
    floating[:, :, ::1] sums, floating[:, ::1] scales, floating[::1] equalizers,
) except? False:
    """Pack the columns of a group, from `first` on; whether all is in range."""
    cdef ptrdiff_t channels = weight.shape[0], width = packed.shape[3], chunks = sums.shape[1], block, n, chunk
    cdef ptrdiff_t c, k, begin, end, step, i, j
    cdef double[::1] factors = np.zeros(channels), shrink = np.zeros(packed.shape[0] * width), norms = np.zeros(columns)
    cdef double largest = 0
    cdef int exponent, most = 0
    cdef const floating *w
    with nogil:
        for c in range(channels):
            factors[c] = _norm(&weight[c, first], columns)
            if not isfinite(factors[c]):
                return False
            largest = max(largest, factors[c])
        frexp(largest, &most)
        for c in range(channels):
            if factors[c] > 0:
                frexp(factors[c], &exponent)
                exponent = max(exponent - most, MIN_EQUALIZER)
                equalizers[c], factors[c] = <floating>ldexp(1, exponent), ldexp(1, -exponent)
                w = &weight[c, first]
                for k in range(columns):
                    norms[k] += (w[k] * factors[c]) * (w[k] * factors[c])
        for k in range(columns):
            if norms[k] > 0:
                frexp(sqrt(norms[k]), &exponent)
                scales[k // width, k % width], shrink[k] = <floating>ldexp(1, exponent - 1), ldexp(1, 1 - exponent)
                if not isfinite(scales[k // width, k % width]):
                    return False
        for block in range(packed.shape[0]):
            n = min(width, columns - block * width)
            for chunk in range(chunks):
                begin = fc_fip_first_block(chunk, chunks, channels) * FC_FIP_BLOCK
                end = min(fc_fip_first_block(chunk + 1, chunks, channels) * FC_FIP_BLOCK, channels)
                step = first_step(chunk, channels)
                norms[:n] = 0  # no longer needed: of the columns, the products of the chunk's pairs
                while begin < end:
                    for i in range(fc_fip_distance(begin, end)):
                        for j in range(3):
                            c = begin + j * fc_fip_distance(begin, end) + i
                            if c < end:
                                w = &weight[c, first + block * width]
                                _scale(w, factors[c], &shrink[block * width], n, &packed[block, step, SWAPPED[j], 0])
                        for k in range(n):
                            norms[k] -= <double>packed[block, step, 0, k] * packed[block, step, 1, k]
                        step += 1
                    begin += FC_FIP_BLOCK
                for k in range(n):
                    sums[block, chunk, k] = <floating>norms[k]
    return True


cdef double _norm(const floating *w, ptrdiff_t count) noexcept nogil:
    """The norm of a row of weights; infinite where their squares do not fit a double."""
    cdef double squares = 0
    cdef ptrdiff_t i
    for i in range(count):
        squares += <double>w[i] * w[i]
        if floating is double:
            if w[i] != 0 and not DOUBLES < fabs(w[i]) < 1 / DOUBLES:
                return INFINITY
    return sqrt(squares)


cdef void _scale(
    const floating *w, double factor, const double *shrink, ptrdiff_t count, floating *out
) noexcept nogil:
    """Weights of a row, divided by the channel's equalizer and their columns' scales."""
    cdef ptrdiff_t i
    for i in range(count):
        out[i] = <floating>(w[i] * factor * shrink[i])
