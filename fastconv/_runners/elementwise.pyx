"""Functions of each value of NHWC arrays, of all channels of a pixel, or of all pixels of groups of channels: the team
shares blocks of pixels, and of channels.
"""

from numpy cimport PyArray_DATA, import_array, ndarray

from fastconv._kernels.cpu cimport (
    CACHE_LINE, FC_MAX_VECTOR_BYTES, fc_map_args, fc_map_kernel, map_kernel,
)
from fastconv._runners.partition cimport LoopNest, Work
from fastconv._runners.runner cimport Arrays

import_array()

cdef char NOTHING = 0
cdef ptrdiff_t BLOCK_VALUES = 8192  # that a task has: some microseconds


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
    smaller : (0 or 1, (bool, bool)) or None
        Which of two inputs is smaller, if one is, and whether it has one pixel of each image, and one channel.
    window : (channels before, channels after)
        Of the local response normalisation.
    """

    cdef fc_map_kernel kernel, spread
    cdef fc_map_args args
    cdef tuple vectors  # what `args` points to
    cdef ptrdiff_t itemsize, pixels, channels, wide
    cdef ptrdiff_t block  # pixels in one
    cdef bint swaps, y_is_pixel, y_is_value

    def __init__(
        self, str function, shape, ptrdiff_t itemsize, numbers=(), bounds=(0, 0), tuple vectors=(), ptrdiff_t wide=1,
        smaller=None, window=None,
    ):
        cdef ndarray vector
        self.kernel, self.spread = map_kernel(function, itemsize), map_kernel("spread", itemsize)
        self.repeats, height, width, self.channels = shape
        self.pixels, self.itemsize, self.vectors = height * width, itemsize, vectors
        self.block = max(1, BLOCK_VALUES // max(self.channels, 1))
        self.wide = min(wide, self.block)
        self.block -= self.block % self.wide
        if smaller is not None:
            self.swaps, (self.y_is_pixel, self.y_is_value) = smaller[0] == 0, smaller[1]
        for i, number in enumerate(numbers):
            self.args.numbers[<ptrdiff_t>i] = number
        self.args.lo, self.args.hi = bounds
        self.args.y = self.args.z = &NOTHING
        for i, vector in enumerate(vectors):
            if i == 0:
                self.args.y = <const char *>PyArray_DATA(vector)
            else:
                self.args.z = <const char *>PyArray_DATA(vector)
        nbytes = 0
        if window is not None:
            self.args.before, self.args.after = window
            nbytes = (sum(window) + self.channels) * itemsize + 2 * FC_MAX_VECTOR_BYTES
        elif self.y_is_value:
            nbytes = (1 if self.y_is_pixel else self.block) * self.channels * itemsize
        self.workspace_bytes = -(-nbytes // CACHE_LINE) * CACHE_LINE
        self.pixel_blocks = self.max_pixel_blocks = -(-self.pixels // self.block)
        self.max_ranges = 1

    cdef void run_task(self, ptrdiff_t task, const Work *work) noexcept nogil:
        """A block of pixels."""
        cdef const Arrays *arrays = &work.arrays
        cdef fc_map_args t = self.args
        cdef ptrdiff_t image = task // self.pixel_blocks, first = task % self.pixel_blocks * self.block, offset
        cdef ptrdiff_t pixels = min(self.block, self.pixels - first), pixel = self.channels * self.itemsize
        cdef ptrdiff_t wide = self.wide if arrays.out_stride == pixel else 1
        cdef const char *x = arrays.residual if self.swaps else arrays.x
        cdef const char *y = arrays.x if self.swaps else arrays.residual
        t.work, t.x_stride, t.out_stride = work.workspace, wide * pixel, wide * arrays.out_stride
        t.x = x + (image * self.pixels + first) * pixel
        t.out = arrays.out + image * arrays.out_image + first * arrays.out_stride
        if y != NULL:
            offset = image if self.y_is_pixel else image * self.pixels + first
            t.y = y + offset * (self.itemsize if self.y_is_value else pixel)
            t.y_stride = 0 if self.y_is_pixel else t.x_stride
            if self.y_is_value:
                self.spread_values(&t, 1 if self.y_is_pixel else pixels)
        t.pixels, t.channels = pixels // wide, wide * self.channels
        self.kernel(&t)
        if pixels % wide:
            offset = t.pixels * t.x_stride
            t.x, t.y, t.out = t.x + offset, t.y + t.pixels * t.y_stride, t.out + offset
            t.pixels, t.channels = 1, pixels % wide * self.channels
            self.kernel(&t)

    cdef void spread_values(self, fc_map_args *t, ptrdiff_t pixels) noexcept nogil:
        """Have the only channel of y in all of them."""
        cdef fc_map_args values = t[0]
        values.x, values.x_stride, values.out = t.y, self.itemsize, t.work
        values.pixels, values.channels, values.out_stride = pixels, self.channels, self.channels * self.itemsize
        self.spread(&values)
        t.y = t.work


cdef class Instances(Elementwise):
    """A function of the pixels of groups of so many channels, each by itself: the team shares ranges of groups, of a
    cache line or more.
    """

    def __init__(self, str function, shape, ptrdiff_t itemsize, numbers, tuple vectors, ptrdiff_t group):
        super().__init__(function, shape, itemsize, numbers, vectors=vectors)
        self.block = -(-CACHE_LINE // itemsize // group) * group
        self.args.before = group
        doubles = 2 * (self.block * sizeof(double) + FC_MAX_VECTOR_BYTES)
        self.workspace_bytes = -(-doubles // CACHE_LINE) * CACHE_LINE
        self.pixel_blocks = self.max_pixel_blocks = -(-self.channels // self.block)

    cdef void run_task(self, ptrdiff_t task, const Work *work) noexcept nogil:
        """A range of groups of an image."""
        cdef const Arrays *arrays = &work.arrays
        cdef fc_map_args t = self.args
        cdef ptrdiff_t image = task // self.pixel_blocks, first = task % self.pixel_blocks * self.block
        cdef ptrdiff_t offset = first * self.itemsize
        t.work, t.pixels, t.channels = work.workspace, self.pixels, min(self.block, self.channels - first)
        t.x_stride, t.out_stride = self.channels * self.itemsize, arrays.out_stride
        t.x = arrays.x + image * self.pixels * t.x_stride + offset
        t.y, t.z = t.y + offset, t.z + offset
        t.out = arrays.out + image * arrays.out_image + offset
        self.kernel(&t)
