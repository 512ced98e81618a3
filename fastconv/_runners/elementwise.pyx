"""Sums, ReLUs and copies of whole NHWC arrays: what no convolution's store could take. Memory is all they wait for."""

from libc.string cimport memcpy

from fastconv._kernels.cpu cimport fc_bounds, fc_epilogue
from fastconv._runners.cut cimport Arrays, Cut, Runner
from fastconv._runners.shares cimport fc_shares, fc_take_unit

ctypedef fused value:
    float
    double


cdef class Elementwise(Runner):
    """out = min(max(x + residual, low), high), or of x where there is none, for arrays of one NHWC shape.

    x and the residual are contiguous; the team shares the rows of pixels.
    """

    cdef fc_epilogue epilogue  # its bounds
    cdef ptrdiff_t itemsize, height, width, channels

    def __init__(self, shape, bounds, ptrdiff_t itemsize):
        self.repeats, self.height, self.width, self.channels = shape
        self.epilogue.lo, self.epilogue.hi = bounds
        self.itemsize = itemsize
        self.strips = self.most_strips = self.height
        self.most_parts = 1

    cdef void run_units(
        self, fc_shares *shares, int thread, Cut cut, const Arrays *arrays, char *work
    ) noexcept nogil:
        """A thread's share of the rows of pixels."""
        cdef ptrdiff_t row = fc_take_unit(shares, thread), n = self.channels, pixels = self.width, at, _
        cdef const char *residual
        cdef char *out
        if arrays.out_stride == n * self.itemsize:  # pixels side by side: one wide pixel
            n, pixels = n * pixels, 1
        while row >= 0:
            at = row * self.width * self.channels * self.itemsize
            out = arrays.out + row // self.height * arrays.out_image
            out += row % self.height * self.width * arrays.out_stride
            for _ in range(pixels):
                residual = NULL
                if arrays.residual != NULL:
                    residual = arrays.residual + at
                if self.itemsize == sizeof(float):
                    apply(<const float *>(arrays.x + at), <const float *>residual, <float *>out, n, &self.epilogue)
                else:
                    apply(<const double *>(arrays.x + at), <const double *>residual, <double *>out, n, &self.epilogue)
                at += n * self.itemsize
                out += arrays.out_stride
            row = fc_take_unit(shares, thread)


cdef void apply(
    const value *x, const value *residual, value *out, ptrdiff_t n, const fc_epilogue *epilogue
) noexcept nogil:
    """n values side by side; a comparison with a NaN is false, which keeps it."""
    cdef ptrdiff_t i
    cdef value sum, lo = <value>epilogue.lo, hi = <value>epilogue.hi
    if residual == NULL and not fc_bounds(epilogue):
        memcpy(out, x, n * sizeof(value))
        return
    for i in range(n):
        sum = x[i] + residual[i] if residual != NULL else x[i]
        sum = lo if sum < lo else sum
        out[i] = hi if sum > hi else sum
