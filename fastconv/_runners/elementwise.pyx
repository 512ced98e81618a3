"""Functions of each value of NHWC arrays, or of all channels of a pixel: the team shares the rows of pixels."""

from numpy cimport PyArray_DATA, import_array, ndarray

from fastconv._kernels.cpu cimport (
    CACHE_LINE, FC_FUNCTION_COUNT, FC_MAX_VECTOR_BYTES, fc_kernels, fc_map_args, fc_map_kernel, kernels_for,
)
from fastconv._runners.partition cimport LoopNest, Work, take_task
from fastconv._runners.runner cimport Arrays

import_array()

cdef char NOTHING = 0


cdef class Elementwise(LoopNest):
    """A function of csrc/kernels.h, for contiguous arrays of one NHWC shape.

    Parameters
    ----------
    function : str
    shape : (batch, height, width, channels)
    itemsize : int
    numbers, bounds : tuples of float
        What the kernels call so.
    vectors : tuple of ndarray
        Of a value for each channel, of the arrays' dtype; repeated for as many pixels as are computed as one.
    wide : int
        Pixels that are computed as one where those of the result lie side by side.
    pixel : 0, 1 or None
        Which of two inputs is one pixel of each image, if one is.
    window : (channels before, channels after)
        Of the local response normalisation.
    """

    cdef fc_map_kernel kernel
    cdef fc_map_args args
    cdef tuple vectors  # what `args` points to
    cdef ptrdiff_t itemsize, height, width, channels, wide
    cdef bint swaps, y_is_pixel

    def __init__(
        self, str function, shape, ptrdiff_t itemsize, numbers=(), bounds=(0, 0), tuple vectors=(), ptrdiff_t wide=1,
        pixel=None, window=None,
    ):
        cdef ndarray vector
        cdef const fc_kernels *kernels = kernels_for(itemsize)
        names = [kernels.functions[<ptrdiff_t>i].name.decode() for i in range(FC_FUNCTION_COUNT)]
        self.kernel = kernels.functions[<ptrdiff_t>names.index(function)].kernel
        self.repeats, self.height, self.width, self.channels = shape
        self.itemsize, self.vectors, self.wide = itemsize, vectors, wide
        self.swaps, self.y_is_pixel = pixel == 0, pixel is not None
        for i, number in enumerate(numbers):
            self.args.numbers[<ptrdiff_t>i] = number
        self.args.lo, self.args.hi = bounds
        self.args.y = self.args.z = &NOTHING
        for i, vector in enumerate(vectors):
            if i == 0:
                self.args.y = <const char *>PyArray_DATA(vector)
            else:
                self.args.z = <const char *>PyArray_DATA(vector)
        if window is not None:
            self.args.before, self.args.after = window
            nbytes = (sum(window) + self.channels) * itemsize + 2 * FC_MAX_VECTOR_BYTES
            self.workspace_bytes = -(-nbytes // CACHE_LINE) * CACHE_LINE
        self.pixel_blocks = self.max_pixel_blocks = self.height
        self.max_ranges = 1

    cdef void run_tasks(self, const Work *work) noexcept nogil:
        """A thread's rows of pixels."""
        cdef const Arrays *arrays = &work.arrays
        cdef fc_map_args t = self.args
        cdef ptrdiff_t row = take_task(work), pixel = self.channels * self.itemsize, offset
        cdef ptrdiff_t wide = self.wide if arrays.out_stride == pixel else 1
        cdef const char *x = arrays.residual if self.swaps else arrays.x
        cdef const char *y = arrays.x if self.swaps else arrays.residual
        t.work, t.x_stride, t.out_stride = work.workspace, wide * pixel, wide * arrays.out_stride
        t.y_stride = t.x_stride if y != NULL and not self.y_is_pixel else 0
        while row >= 0:
            t.x = x + row * self.width * pixel
            t.out = arrays.out + row // self.height * arrays.out_image
            t.out += row % self.height * self.width * arrays.out_stride
            if y != NULL:
                t.y = y + (row // self.height * pixel if self.y_is_pixel else row * self.width * pixel)
            t.pixels, t.channels = self.width // wide, wide * self.channels
            self.kernel(&t)
            if self.width % wide:
                offset = t.pixels * t.x_stride
                t.x, t.y, t.out = t.x + offset, t.y + t.pixels * t.y_stride, t.out + offset
                t.pixels, t.channels = 1, self.width % wide * self.channels
                self.kernel(&t)
            row = take_task(work)
