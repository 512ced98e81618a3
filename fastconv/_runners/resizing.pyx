"""Linear interpolation of NHWC arrays: the team shares the rows of the output, and parts of long ones.

A row of it is a sum of two rows of x, of whose pixels its own are then sums of two.
"""

from numpy cimport PyArray_DATA, import_array, ndarray

from fastconv._kernels.cpu cimport CACHE_LINE, fc_blend_args, fc_kernels, kernels_for
from fastconv._runners.partition cimport LoopNest, Work

import numpy as np

import_array()

cdef ptrdiff_t BLOCK_BYTES = 32768  # of a task: some microseconds


cdef class Linear(LoopNest):
    """From x to the output; `rows` and `columns` are pairs, of each one the two in x, and their shares."""

    cdef const fc_kernels *kernels
    cdef fc_blend_args rows, columns
    cdef ptrdiff_t x_image, height, row_bytes, itemsize
    cdef ptrdiff_t rows_of_task, parts, part  # of the rows, and its pixels
    cdef ptrdiff_t[::1] read_from, read_to  # bytes of the rows of x that a part reads
    cdef list kept  # what the arguments point to

    def __init__(self, x_shape, out_shape, rows, columns, dtype):
        self.itemsize = dtype.itemsize
        self.repeats, self.height, width, channels = out_shape
        self.row_bytes = x_shape[2] * channels * self.itemsize
        self.x_image = x_shape[1] * self.row_bytes
        self.kernels, self.kept = kernels_for(self.itemsize), []
        self.rows = self._args(rows, self.row_bytes, dtype)
        self.columns = self._args(columns, channels * self.itemsize, dtype)
        self.rows.pixels, self.rows.channels = 1, x_shape[2] * channels
        self.columns.pixels, self.columns.channels = width, channels
        self.workspace_bytes = -(-self.row_bytes // CACHE_LINE) * CACHE_LINE
        pixel = max(1, channels * self.itemsize)
        self.part = max(1, min(width, BLOCK_BYTES // pixel))
        self.parts = -(-width // self.part)
        self.rows_of_task = max(1, BLOCK_BYTES // (self.part * pixel))
        places = [columns[0].reshape(width, 2)[i * self.part : (i + 1) * self.part] for i in range(self.parts)]
        self.read_from = np.array([one.min() for one in places], np.intp) * pixel
        self.read_to = np.array([one.max() + 1 for one in places], np.intp) * pixel
        self.pixel_blocks = self.max_pixel_blocks = -(-self.height // self.rows_of_task) * self.parts
        self.max_ranges = 1

    cdef fc_blend_args _args(self, taps, nbytes, dtype):
        """Of an axis, from one to the next of which there are so many bytes in x."""
        cdef fc_blend_args args
        cdef ndarray places = np.ascontiguousarray(taps[0] * nbytes, np.intp)
        cdef ndarray shares = np.ascontiguousarray(taps[1], dtype)
        self.kept += [places, shares]
        args.places, args.shares = <const ptrdiff_t *>PyArray_DATA(places), <const char *>PyArray_DATA(shares)
        return args

    cdef void run_task(self, ptrdiff_t task, const Work *work) noexcept nogil:
        """A part of some rows of the output."""
        cdef ptrdiff_t image = task // self.pixel_blocks, block = task % self.pixel_blocks, row
        cdef ptrdiff_t first = block // self.parts * self.rows_of_task
        for row in range(first, min(first + self.rows_of_task, self.height)):
            self.make_row(image, row, block % self.parts, work)

    cdef void make_row(self, ptrdiff_t image, ptrdiff_t row, ptrdiff_t part, const Work *work) noexcept nogil:
        """A part of a row of the output."""
        cdef fc_blend_args rows = self.rows, columns = self.columns
        cdef ptrdiff_t pixel = part * self.part, first = self.read_from[part]
        rows.x, rows.out = work.arrays.x + image * self.x_image + first, work.workspace + first
        rows.channels = (self.read_to[part] - first) // self.itemsize
        rows.places += 2 * row
        rows.shares += 2 * row * self.itemsize
        self.kernels.blend(&rows)
        columns.x, columns.out_stride = work.workspace, work.arrays.out_stride
        columns.places += 2 * pixel
        columns.shares += 2 * pixel * self.itemsize
        columns.out = work.arrays.out + image * work.arrays.out_image
        columns.out += (row * self.columns.pixels + pixel) * columns.out_stride
        columns.pixels = min(self.part, self.columns.pixels - pixel)
        self.kernels.blend(&columns)
