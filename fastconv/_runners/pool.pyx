"""Pooling on NHWC arrays: the team shares the rows of output pixels, and channel ranges where there are few.

The kernels take a row run by run.
"""

from fastconv._kernels.cpu cimport CACHE_LINE, fc_kernels, fc_pool_kernel, fc_pool_args, kernels_for
from fastconv._runners.partition cimport LoopNest, Partition, Range, Work, range_of


cdef ptrdiff_t BLOCK_CHANNELS = 64  # the last block has the tail too
cdef double VALUE_COST = 20  # to take a value into a maximum or a sum, in multiply-adds
cdef ptrdiff_t MAX_MAXIMA_BYTES = 64 * 1024  # of a row: they are to stay in the fast caches


cdef class Pool(LoopNest):
    """A pooling of one geometry, ready to run on any arrays of it; `kind` is "max", "avg" or "sum"."""

    cdef fc_pool_kernel kernel
    cdef fc_pool_args windows  # whole ones; a run fills in its own
    cdef ptrdiff_t height, width, out_height, out_width
    cdef ptrdiff_t kernel_h, kernel_w, stride_h, stride_w, top, left
    cdef ptrdiff_t[2] rows_counted, columns_counted  # the first that an average counts, and the end of them
    cdef double values  # under the windows
    cdef bint divides
    cdef ptrdiff_t first_whole, end_whole  # the columns of the output whose windows lie in x

    def __init__(self, shape, kind, itemsize):
        cdef const fc_kernels *kernels = kernels_for(itemsize)
        self.kernel, self.divides = kernels.pool_max if kind == "max" else kernels.pool_average, kind != "sum"
        self.height, self.width = shape.height, shape.width
        self.out_height, self.out_width = shape.out_height, shape.out_width
        (self.kernel_h, self.kernel_w), (self.stride_h, self.stride_w) = shape.kernel, shape.stride
        (self.top, _), (self.left, _) = shape.padding
        (counted_top, counted_bottom), (counted_left, counted_right) = shape.counted
        self.rows_counted = [-counted_top, self.height + counted_bottom]
        self.columns_counted = [-counted_left, self.width + counted_right]
        self.first_whole = -(-self.left // self.stride_w)
        self.end_whole = min(self.out_width, (self.width + self.left - self.kernel_w) // self.stride_w + 1)
        self.windows.channels = shape.channels
        self.windows.column_stride = shape.channels * itemsize
        self.windows.row_stride = self.width * self.windows.column_stride
        self.windows.step = self.stride_w * self.windows.column_stride
        # Maxima of the columns first, which overlapping windows share, where that reads fewer values.
        overlaps = kind == "max" and self.kernel_h * self.kernel_w > self.stride_w * self.kernel_h + self.kernel_w
        if overlaps and self.windows.row_stride <= MAX_MAXIMA_BYTES:
            self.workspace_bytes = -(-self.windows.row_stride // CACHE_LINE) * CACHE_LINE
        self.repeats, self.pixel_blocks = shape.batch, self.out_height
        self.max_pixel_blocks, self.values = self.pixel_blocks, shape.values_read
        self.max_ranges = 1 if self.workspace_bytes else max(1, shape.channels // BLOCK_CHANNELS)

    cdef double task_time(self, Partition partition) noexcept:
        return VALUE_COST * self.values / partition.tasks

    cdef void run_task(self, ptrdiff_t task, const Work *work) noexcept nogil:
        """Some channels of a row of output pixels; the windows are clipped to the pixels that exist."""
        cdef fc_pool_args t = self.windows
        cdef Range blocks = range_of(task % work.partition.ranges, work.partition.ranges, self.max_ranges)
        cdef ptrdiff_t row = task // work.partition.ranges, image = row // self.out_height, p = row % self.out_height
        cdef ptrdiff_t first = blocks.first * BLOCK_CHANNELS, offset = first * (t.column_stride // t.channels)
        cdef ptrdiff_t channels = (t.channels if blocks.end == self.max_ranges else blocks.end * BLOCK_CHANNELS) - first
        cdef ptrdiff_t top = p * self.stride_h - self.top, y = max(top, 0), left, x, q = 0
        cdef ptrdiff_t rows = count(top, self.kernel_h, self.rows_counted)
        cdef const char *source = work.arrays.x + (image * self.height + y) * t.row_stride + offset
        cdef char *out = work.arrays.out + image * work.arrays.out_image + offset
        t.out_stride = work.arrays.out_stride
        out += p * self.out_width * t.out_stride
        t.rows = min(top + self.kernel_h, self.height) - y
        if self.workspace_bytes:  # of all channels: there is one range
            t.x, t.out, t.columns, t.pixels = source, work.workspace, 1, 1
            t.channels *= self.width
            self.kernel(&t)
            source, t.rows = work.workspace, 1
        while q < self.out_width:
            left = q * self.stride_w - self.left
            x = max(left, 0)
            t.columns = min(left + self.kernel_w, self.width) - x
            t.count = rows * count(left, self.kernel_w, self.columns_counted) if self.divides else 1
            t.x = source + x * t.column_stride
            t.out = out + q * t.out_stride
            t.pixels = self.end_whole - q if self.first_whole <= q < self.end_whole else 1
            t.channels = channels
            q += t.pixels
            if channels == self.windows.channels and t.step == t.column_stride == t.out_stride:
                # All side by side: channels of one wide pixel.
                t.channels *= t.pixels
                t.pixels = 1
            self.kernel(&t)


cdef ptrdiff_t count(ptrdiff_t first, ptrdiff_t size, const ptrdiff_t *counted) noexcept nogil:
    """How many of a window's rows or columns an average counts."""
    return min(first + size, counted[1]) - max(first, counted[0])
