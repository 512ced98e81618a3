"""Functions of each value of NHWC arrays, of all channels of a pixel, of all pixels of groups of channels, or along an
axis of the image: the team shares blocks of pixels, and of channels.
"""

from libc.string cimport memcpy
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


cdef class Along(LoopNest):
    """A softmax along the height, axis 0, or the width, 1, of each image: `function` is its name without "_along".

    What lies side by side is computed together: pixels of a row, or else channels. The team shares blocks of these, of
    a cache line or more.
    """

    cdef fc_map_kernel along, of_one
    cdef ptrdiff_t itemsize, channels
    cdef ptrdiff_t count, step, starts  # values along the axis, pixels from one to the next, and lines of an image
    cdef ptrdiff_t values, block, blocks  # of a line side by side, of a block of these, and how many blocks
    cdef ptrdiff_t all_blocks, blocks_of_task

    def __init__(self, str function, shape, ptrdiff_t itemsize, int axis):
        cdef ptrdiff_t line = CACHE_LINE // itemsize
        batch, height, width, self.channels = shape
        self.along, self.of_one = map_kernel(f"{function}_along", itemsize), map_kernel(function, itemsize)
        self.itemsize = itemsize
        self.count, self.step, self.starts = (height, width, 1) if axis == 0 else (width, 1, height)
        self.values = self.step * self.channels
        self.block = max(line, BLOCK_VALUES // max(self.count, 1) // line * line)
        self.blocks = -(-self.values // self.block)
        self.all_blocks = batch * self.starts * self.blocks
        self.blocks_of_task = max(1, BLOCK_VALUES // max(self.count * min(self.block, self.values), 1))
        self.repeats = 1
        self.pixel_blocks = self.max_pixel_blocks = -(-self.all_blocks // self.blocks_of_task)
        self.max_ranges = 1
        if self.values == 1:
            self.workspace_bytes = -(-self.count * itemsize // CACHE_LINE) * CACHE_LINE

    cdef void run_task(self, ptrdiff_t task, const Work *work) noexcept nogil:
        """Some blocks."""
        cdef ptrdiff_t first = task * self.blocks_of_task, block
        for block in range(first, min(first + self.blocks_of_task, self.all_blocks)):
            self.run_block(block // self.blocks, block % self.blocks * self.block, work)

    cdef void run_block(self, ptrdiff_t start, ptrdiff_t first, const Work *work) noexcept nogil:
        """The values from `first` on of a line, which is an image or a row of one."""
        cdef const Arrays *arrays = &work.arrays
        cdef ptrdiff_t end = min(first + self.block, self.values), pixel = self.channels * self.itemsize
        cdef const char *x = arrays.x + start * self.count * self.step * pixel
        cdef char *out = arrays.out + start // self.starts * arrays.out_image
        cdef fc_map_args t
        out += start % self.starts * self.count * arrays.out_stride
        t.pixels, t.x_stride, t.out_stride = self.count, self.step * pixel, self.step * arrays.out_stride
        t.y = t.z = &NOTHING
        if self.values == 1:
            self.run_line(&t, x, out, work.workspace)
            return
        while first < end:
            t.x = x + first * self.itemsize
            t.out = out + first // self.channels * arrays.out_stride + first % self.channels * self.itemsize
            t.channels = end - first
            if arrays.out_stride != pixel:
                t.channels = min(t.channels, self.channels - first % self.channels)
            first += t.channels
            self.along(&t)

    cdef void run_line(self, fc_map_args *t, const char *x, char *out, char *work) noexcept nogil:
        """A line of one value at each place, which lie side by side in x, as the channels of a pixel do."""
        cdef ptrdiff_t i, step = t.out_stride
        t.x, t.channels, t.pixels = x, self.count, 1
        t.out = out if step == self.itemsize else work
        self.of_one(t)
        if step != self.itemsize:
            for i in range(self.count):
                memcpy(out + i * step, work + i * self.itemsize, self.itemsize)
