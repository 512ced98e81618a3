"""Pooling on NHWC arrays: rows of output pixels are shared by the team, channels are the inner loop."""

from cython cimport floating
from cython.parallel cimport parallel, threadid
from libc.string cimport memcpy
from numpy cimport PyArray_DATA, import_array, ndarray

from fastconv._shares cimport fc_share_out, fc_shares, fc_take_unit

import_array()

cdef enum:
    CHANNELS = 64  # averages are summed for this many channels at a time, in double


cdef class Pool:
    """A pooling of one geometry, ready to run on any arrays of it; `kind` is "max" or "avg"."""

    cdef bint is_max
    cdef ptrdiff_t batch, height, width, channels, out_height, out_width
    cdef ptrdiff_t kernel_h, kernel_w, stride_h, stride_w, top, left

    def __init__(self, shape, kind):
        self.is_max = kind == "max"
        self.batch, self.height, self.width, self.channels = shape.batch, shape.height, shape.width, shape.channels
        self.out_height, self.out_width = shape.out_height, shape.out_width
        (self.kernel_h, self.kernel_w), (self.stride_h, self.stride_w) = shape.kernel, shape.stride
        (self.top, _), (self.left, _) = shape.padding

    def run(self, ndarray x, ndarray out, ptrdiff_t out_stride, int team):
        """Pool x into out (bytes from pixel to pixel: `out_stride`), on `team` threads."""
        cdef void *x_data = PyArray_DATA(x)
        cdef void *out_data = PyArray_DATA(out)
        out_image = out.strides[0] if out.ndim == 4 else 0
        if x.itemsize == 8:
            self._run[double](<double *>x_data, <double *>out_data, out_image // 8, out_stride // 8, team)
        else:
            self._run[float](<float *>x_data, <float *>out_data, out_image // 4, out_stride // 4, team)

    cdef _run(self, const floating *x, floating *out, ptrdiff_t out_image, ptrdiff_t out_stride, int team):
        cdef fc_shares shares
        fc_share_out(&shares, self.batch * self.out_height, team)
        with nogil, parallel(num_threads=team):
            self._rows(&shares, threadid(), x, out, out_image, out_stride)

    cdef void _rows(
        self, fc_shares *shares, int thread, const floating *x, floating *out, ptrdiff_t out_image,
        ptrdiff_t out_stride,
    ) noexcept nogil:
        """A thread's share of the rows of output pixels."""
        cdef ptrdiff_t image = self.height * self.width * self.channels, row = fc_take_unit(shares, thread)
        while row >= 0:
            self._row(
                x + row // self.out_height * image,
                row % self.out_height,
                out + row // self.out_height * out_image + row % self.out_height * self.out_width * out_stride,
                out_stride,
            )
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
