"""Pixels of NHWC images at places that are values of a call, between pixels too: the team shares blocks of places.

    result = sum over the four pixels around a place, in the order of rows, then columns: share x[pixel]

The places and the shares are computed in double, the sum in the type of x. A result's bits depend on its place alone.
"""

from cython cimport floating
from libc.math cimport fabs, fmod, isfinite, rint
from numpy cimport PyArray_DATA, import_array, ndarray

from fastconv._runners.partition cimport LoopNest, Work

import numpy as np

import_array()

cdef ptrdiff_t BLOCK_VALUES = 4096  # of a task: some microseconds

cdef enum Padding:
    ZEROS, BORDER, REFLECTION


cdef struct Axis:
    ptrdiff_t size
    Padding padding
    bint is_aligned  # −1 and 1 are the middles of the first and the last pixel, not their outer sides


cdef class Sample(LoopNest):
    """From x, (N, H, W, C), and places, (N, P, Q, 2), each (across, down), from −1 to 1, to (N, P, Q, C).

    Parameters
    ----------
    x_shape, out_shape : NHWC
    double_precision : bool
    padding : "zeros", "border" or "reflection"
        What is beyond the image.
    is_aligned, is_nearest : bool
        Whether −1 and 1 are the middles of the outer pixels; whether the nearest pixel is taken, not a mean of four.
    """

    cdef Axis rows, columns
    cdef ptrdiff_t channels, itemsize, places, block
    cdef bint is_nearest
    cdef object zeros  # a pixel

    def __init__(self, x_shape, out_shape, bint double_precision, padding, bint is_aligned, bint is_nearest):
        batch, height, width, self.channels = x_shape
        cdef Padding beyond = {"zeros": ZEROS, "border": BORDER, "reflection": REFLECTION}[padding]
        self.rows, self.columns = Axis(height, beyond, is_aligned), Axis(width, beyond, is_aligned)
        self.itemsize, self.is_nearest = (8 if double_precision else 4), is_nearest
        self.zeros = np.zeros(self.channels, np.float64 if double_precision else np.float32)
        self.repeats, self.places = batch, out_shape[1] * out_shape[2]
        self.block = max(1, BLOCK_VALUES // (self.channels + 8))
        self.pixel_blocks = self.max_pixel_blocks = -(-self.places // self.block)
        self.max_ranges = 1

    cdef void run_task(self, ptrdiff_t task, const Work *work) noexcept nogil:
        """A block of places of an image."""
        if self.itemsize == 4:
            self.run_block(<const float *>NULL, task, work)
        else:
            self.run_block(<const double *>NULL, task, work)

    cdef void run_block(self, const floating *_, ptrdiff_t task, const Work *work) noexcept nogil:
        cdef ptrdiff_t image = task // self.pixel_blocks, first = task % self.pixel_blocks * self.block, i, c
        cdef ptrdiff_t y[2]
        cdef ptrdiff_t x[2]
        cdef double y_shares[2]
        cdef double x_shares[2]
        cdef floating shares[4]
        cdef const floating *pixels[4]
        cdef const floating *source = <const floating *>work.arrays.ends[0].at
        cdef const floating *places = <const floating *>work.arrays.ends[1].at
        cdef floating *out
        source += image * self.rows.size * self.columns.size * self.channels
        for i in range(image * self.places + first, image * self.places + min(first + self.block, self.places)):
            self.find(&self.columns, places[2 * i], x, x_shares)
            self.find(&self.rows, places[2 * i + 1], y, y_shares)
            for c in range(4):
                shares[c] = <floating>(y_shares[c // 2] * x_shares[c % 2])
                pixels[c] = <const floating *>PyArray_DATA(<ndarray>self.zeros)
                if y[c // 2] >= 0 and x[c % 2] >= 0:
                    pixels[c] = source + (y[c // 2] * self.columns.size + x[c % 2]) * self.channels
            out = <floating *>work.arrays.out + i * self.channels
            if self.is_nearest:
                for c in range(self.channels):
                    out[c] = pixels[0][c]
            else:
                for c in range(self.channels):
                    out[c] = (
                        shares[0] * pixels[0][c] + shares[1] * pixels[1][c]
                        + shares[2] * pixels[2][c] + shares[3] * pixels[3][c]
                    )

    cdef void find(self, const Axis *axis, double given, ptrdiff_t *pixels, double *shares) noexcept nogil:
        """The pixels around a place along an axis, negative where there is none, and their shares."""
        cdef double place
        cdef ptrdiff_t near
        place = (given + 1) / 2 * (axis.size - 1) if axis.is_aligned else ((given + 1) * axis.size - 1) / 2
        if not isfinite(place):
            place = -1  # which is no place in any image
        place = inside(axis, place)
        near = <ptrdiff_t>(rint(place) if self.is_nearest else place)
        near -= not self.is_nearest and near > place
        shares[1] = place - near
        shares[0] = 1 - shares[1]
        pixels[0], pixels[1] = pixel(axis, near), pixel(axis, near + 1)


cdef double inside(const Axis *axis, double place) noexcept nogil:
    """A place that the padding brings back into the image, or one that is as far from it as all beyond."""
    cdef double low = 0 if axis.is_aligned else -0.5, span = axis.size - 1 if axis.is_aligned else axis.size
    if axis.padding == ZEROS:
        return min(max(place, -2.0), axis.size + 1.0)
    if axis.padding == REFLECTION and not 0 <= place <= axis.size - 1:
        if span == 0:
            return 0
        place = fmod(fabs(place - low), 2 * span)
        place = low + min(place, 2 * span - place)
    return min(max(place, 0.0), axis.size - 1.0)


cdef ptrdiff_t pixel(const Axis *axis, ptrdiff_t place) noexcept nogil:
    """The pixel at a whole place, −1 where there is none: with a share that is 0, unless beyond is zeros."""
    return place if 0 <= place < axis.size else -1
