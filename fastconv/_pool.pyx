"""Pooling on NHWC arrays: rows of output pixels are shared by the team, channels are the inner loop."""

from cython cimport floating
from libc.string cimport memcpy

from fastconv._cut cimport Arrays, Cut, Runner
from fastconv._shares cimport fc_shares, fc_take_unit

cdef enum:
    CHANNELS = 64  # averages are summed for this many channels at a time, in double


cdef class Pool(Runner):
    """A pooling of one geometry, ready to run on any arrays of it; `kind` is "max" or "avg"."""

    cdef bint is_max, is_double
    cdef ptrdiff_t image_bytes, height, width, channels, out_height, out_width
    cdef ptrdiff_t kernel_h, kernel_w, stride_h, stride_w, top, left

    def __init__(self, shape, kind, itemsize):
        self.is_max, self.is_double = kind == "max", itemsize == 8
        self.height, self.width, self.channels = shape.height, shape.width, shape.channels
        self.image_bytes = self.height * self.width * self.channels * itemsize
        self.out_height, self.out_width = shape.out_height, shape.out_width
        (self.kernel_h, self.kernel_w), (self.stride_h, self.stride_w) = shape.kernel, shape.stride
        (self.top, _), (self.left, _) = shape.padding
        self.repeats, self.strips = shape.batch, self.out_height
        self.most_strips, self.most_parts = self.strips, 1

    cdef void run_units(
        self, fc_shares *shares, int thread, Cut cut, const Arrays *arrays, char *work
    ) noexcept nogil:
        """A thread's share of the rows of output pixels."""
        cdef ptrdiff_t row = fc_take_unit(shares, thread), image, p
        cdef const char *x
        cdef char *out
        while row >= 0:
            image, p = row // self.out_height, row % self.out_height
            x = arrays.x + image * self.image_bytes
            out = arrays.out + image * arrays.out_image + p * self.out_width * arrays.out_stride
            if self.is_double:
                self._row(<const double *>x, p, <double *>out, arrays.out_stride // sizeof(double))
            else:
                self._row(<const float *>x, p, <float *>out, arrays.out_stride // sizeof(float))
            row = fc_take_unit(shares, thread)

    cdef void _row(self, const floating *image, ptrdiff_t p, floating *out, ptrdiff_t out_stride) noexcept nogil:
        """One row of output pixels; the windows are cut to the pixels that exist."""
        cdef ptrdiff_t top = p * self.stride_h - self.top, left, q
        cdef ptrdiff_t y0 = max(top, 0), y1 = min(top + self.kernel_h, self.height)
        for q in range(self.out_width):
            left = q * self.stride_w - self.left
            if self.is_max:
                self._max(image, y0, y1, max(left, 0), min(left + self.kernel_w, self.width), out + q * out_stride)
            else:
                self._average(image, y0, y1, max(left, 0), min(left + self.kernel_w, self.width), out + q * out_stride)

    cdef void _max(
        self, const floating *image, ptrdiff_t y0, ptrdiff_t y1, ptrdiff_t x0, ptrdiff_t x1, floating *out
    ) noexcept nogil:
        cdef ptrdiff_t y, x, c
        cdef const floating *values
        memcpy(out, image + (y0 * self.width + x0) * self.channels, self.channels * sizeof(floating))
        for y in range(y0, y1):
            for x in range(x0, x1):
                values = image + (y * self.width + x) * self.channels
                for c in range(self.channels):
                    # The second comparison lets a NaN in; the first never replaces one.
                    out[c] = values[c] if (values[c] > out[c]) | (values[c] != values[c]) else out[c]

    cdef void _average(
        self, const floating *image, ptrdiff_t y0, ptrdiff_t y1, ptrdiff_t x0, ptrdiff_t x1, floating *out
    ) noexcept nogil:
        cdef double sums[CHANNELS]
        cdef double count = self.kernel_h * self.kernel_w
        cdef ptrdiff_t y, x, c, first = 0, channels
        cdef const floating *values
        while first < self.channels:
            channels = min(<ptrdiff_t>CHANNELS, self.channels - first)
            for c in range(channels):
                sums[c] = 0
            for y in range(y0, y1):
                for x in range(x0, x1):
                    values = image + (y * self.width + x) * self.channels + first
                    for c in range(channels):
                        sums[c] += values[c]
            for c in range(channels):
                out[first + c] = <floating>(sums[c] / count)
            first += channels
