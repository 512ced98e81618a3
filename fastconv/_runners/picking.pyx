"""Copies from listed places: slices, shuffles between channels and space, nearest neighbours, paddings of NHWC arrays.

The team shares blocks of the output: some rows, of which those next to each other that are equal are made as one, or a
part of them where they are long.
"""

from libc.string cimport memcpy
from numpy cimport PyArray_DATA, import_array, ndarray

from fastconv._runners.partition cimport LoopNest, Work
from fastconv._runners.runner cimport Arrays

import numpy as np

import_array()

cdef ptrdiff_t BLOCK_BYTES = 32768  # of a task: some microseconds


cdef struct Runs:  # of a row, whose bytes lie side by side in x and in the output
    ptrdiff_t count
    const ptrdiff_t *places  # in x, negative where there is none
    const ptrdiff_t *lengths
    ptrdiff_t length  # of all of them, or 0


cdef class Pick(LoopNest):
    """The output is made of chunks, some values of a pixel: the k-th of row p lies at rows[p] + columns[k] in x.

    Parameters
    ----------
    x_shape, out_shape : NHWC
    rows, columns : arrays of int64
        In values; negative where the output has `value` instead.
    chunk : int
        Values of one.
    value : float
    dtype : dtype
    """

    cdef ptrdiff_t[::1] rows, first_rows
    cdef ptrdiff_t[::1] first_runs  # of each part of the rows
    cdef tuple kept  # what the pointers point to
    cdef Runs chunks, runs
    cdef ptrdiff_t chunk, pixel, width, height, x_image
    cdef ptrdiff_t groups, groups_of_task  # of equal rows
    cdef ptrdiff_t parts, part  # of the rows, and its pixels
    cdef ptrdiff_t together  # chunks in a pixel
    cdef const char *value

    def __init__(self, x_shape, out_shape, rows, columns, ptrdiff_t chunk, value, dtype):
        cdef ptrdiff_t itemsize = dtype.itemsize
        self.repeats, self.height, self.width, channels = out_shape
        self.chunk, self.pixel = chunk * itemsize, channels * itemsize
        self.together = channels // chunk
        self.x_image = x_shape[1] * x_shape[2] * x_shape[3] * itemsize
        rows, columns = (np.ascontiguousarray(places * itemsize, np.intp) for places in (rows, columns))
        changes = np.flatnonzero(np.diff(rows)) + 1
        self.rows, self.first_rows = rows, np.concatenate([[0], changes, [rows.size]]).astype(np.intp)
        self.groups = self.first_rows.size - 1
        self.part = max(1, min(self.width, BLOCK_BYTES // self.pixel))
        self.parts = -(-self.width // self.part)
        self.groups_of_task = max(1, BLOCK_BYTES * self.groups // (rows.size * self.part * self.pixel))
        begins = np.flatnonzero((np.diff(columns) != self.chunk) | (columns[:-1] < 0)) + 1
        first_chunks = np.append(np.arange(self.parts) * self.part * self.together, columns.size)
        begins = np.union1d(begins, first_chunks)
        if 2 * begins.size > columns.size:  # chunks of one length take less time than runs of several
            begins = np.arange(columns.size + 1)
        self.first_runs = np.searchsorted(begins, first_chunks).astype(np.intp)
        lengths = np.diff(begins).astype(np.intp) * self.chunk
        starts = np.ascontiguousarray(columns[begins[:-1]])
        with np.errstate(over="ignore"):  # infinity then, as of any other value
            values = np.full(lengths.max() // itemsize, value, dtype)
        self.kept = columns, lengths, starts, values
        self.value = <const char *>PyArray_DATA(<ndarray>values)
        self.chunks = Runs(columns.size, integers(columns), NULL, self.chunk)
        same = lengths[0] if (lengths == lengths[0]).all() else 0
        self.runs = Runs(starts.size, integers(starts), integers(lengths), same)
        self.pixel_blocks = self.max_pixel_blocks = -(-self.groups // self.groups_of_task) * self.parts
        self.max_ranges = 1

    cdef void run_task(self, ptrdiff_t task, const Work *work) noexcept nogil:
        """A part of some groups of equal rows."""
        cdef ptrdiff_t image = task // self.pixel_blocks, block = task % self.pixel_blocks, group
        cdef ptrdiff_t first = block // self.parts * self.groups_of_task
        for group in range(first, min(first + self.groups_of_task, self.groups)):
            self.make_rows(image, group, block % self.parts, &work.arrays)

    cdef void make_rows(self, ptrdiff_t image, ptrdiff_t group, ptrdiff_t part, const Arrays *arrays) noexcept nogil:
        """A part of equal rows of the output."""
        cdef ptrdiff_t first = self.first_rows[group], step = arrays.out_stride, row_bytes = self.width * step, row
        cdef ptrdiff_t pixel = part * self.part, pixels = min(self.part, self.width - pixel)
        cdef char *out = arrays.out + image * arrays.out_image + first * row_bytes + pixel * step
        cdef const char *x = NULL
        cdef Runs chunks = self.chunks, runs = self.runs
        if self.rows[first] >= 0:
            x = arrays.x + image * self.x_image + self.rows[first]
        chunks.places, chunks.count = chunks.places + pixel * self.together, pixels * self.together
        runs.places, runs.lengths = runs.places + self.first_runs[part], runs.lengths + self.first_runs[part]
        runs.count = self.first_runs[part + 1] - self.first_runs[part]
        for row in range(self.first_rows[group + 1] - first):
            if step != self.pixel:
                copy_runs(x, &chunks, self.value, out + row * row_bytes, self.together, step - self.pixel)
            elif row == 0:
                copy_runs(x, &runs, self.value, out, runs.count, 0)
            else:
                memcpy(out + row * row_bytes, out, pixels * step)


cdef const ptrdiff_t *integers(array):
    return <const ptrdiff_t *>PyArray_DATA(<ndarray>array)


cdef void copy_runs(
    const char *x, const Runs *runs, const char *value, char *out, ptrdiff_t together, ptrdiff_t gap
) noexcept nogil:
    """Write runs side by side, with a gap after every few; the values where x is NULL."""
    if runs.length == 4:
        copy_equal(x, runs, value, out, together, gap, 4)
    elif runs.length == 8:
        copy_equal(x, runs, value, out, together, gap, 8)
    elif runs.length == 16:
        copy_equal(x, runs, value, out, together, gap, 16)
    else:
        copy_equal(x, runs, value, out, together, gap, runs.length)


cdef inline void copy_equal(
    const char *x, const Runs *runs, const char *value, char *out, ptrdiff_t together, ptrdiff_t gap, ptrdiff_t length
) noexcept nogil:
    """The same for runs of one length, which the compiler may know; 0 where each has its own."""
    cdef ptrdiff_t i, end = together, nbytes = length
    cdef const char *source
    for i in range(runs.count):
        if i == end:
            out += gap
            end += together
        if length == 0:
            nbytes = runs.lengths[i]
        source = value if x == NULL or runs.places[i] < 0 else x + runs.places[i]
        copy(source, out, nbytes)
        out += nbytes


cdef inline void copy(const char *source, char *out, ptrdiff_t nbytes) noexcept nogil:
    """Copy whole values: a call of memcpy takes longer than the few bytes of most pixels."""
    cdef ptrdiff_t i
    if nbytes > 256:
        memcpy(out, source, nbytes)
    elif nbytes >= 16:
        for i in range(0, nbytes - 16, 16):
            memcpy(out + i, source + i, 16)
        memcpy(out + nbytes - 16, source + nbytes - 16, 16)
    else:
        for i in range(0, nbytes, 4):
            memcpy(out + i, source + i, 4)
