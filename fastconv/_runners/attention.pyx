"""Attention: softmax(s Q Kᵀ + biases) V of a stack of matrices, some rows of the scores at a time, which stay in L2.

The keys of a matrix, times s, and its values are packed as the weights of 1×1 convolutions whose pixels are the rows of
the queries, then of the scores: the tiles of the direct convolution compute both products. What a row gives depends on
it alone, so any partition of the rows gives the same bits.
"""

import numpy as np

from libc.math cimport INFINITY
from libc.stdint cimport int64_t
from libc.string cimport memcpy, memset
from numpy cimport PyArray_DATA, import_array, ndarray

from fastconv._kernels.cpu cimport (
    CACHE_LINE, FC_MAX_PIXELS, FC_MAX_VECTORS, fc_conv_args, fc_kernels, fc_map_args, fc_map_kernel, kernels_for,
    map_kernel,
)
from fastconv._runners.partition cimport LoopNest, Work, take_task
from fastconv._runners.runner cimport End

from fastconv._checks.arrays import aligned

import_array()

cdef enum:
    MAX_BIASES = 4

cdef ptrdiff_t SCORE_BYTES = 64 * 1024  # of the rows that are computed together
cdef char NOTHING = 0


cdef struct Stack:
    const int64_t *places  # the bytes from the begin of an array to each matrix
    ptrdiff_t step  # bytes from a row to the next, or from a column to the next where that is the last, turned
    bint turns


cdef class Attention(LoopNest):
    """Attention of one shape, in an array in which the rows of all heads lie side by side.

    Parameters
    ----------
    shape : (matrices, heads, rows, columns, depth, width)
        Of which there are (rows, depth) queries, (depth, columns) keys and (columns, width) values in each matrix.
    scale : float
    itemsize : int
    stacks : list of (ndarray of int64, int, bool)
        Of the queries, the keys, the values, and of each of up to `max_biases` biases: the bytes from the begin of its
        array to each matrix, from a row to the next, or from a column to the next where that is the last, true, as it
        may be of the keys alone.
    """

    max_biases = MAX_BIASES

    cdef const fc_kernels *kernels
    cdef fc_map_kernel add, mul, softmax
    cdef Stack queries, keys, values
    cdef Stack[MAX_BIASES] biases
    cdef ptrdiff_t n_biases, heads, rows, columns, depth, width, itemsize, block, score_row, slab_rows
    cdef ptrdiff_t keys_bytes, values_bytes  # packed
    cdef bint is_scaled
    cdef list kept  # what the stacks point to
    cdef ndarray zeros, scales

    def __init__(self, shape, double scale, ptrdiff_t itemsize, list stacks):
        matrices, self.heads, self.rows, self.columns, self.depth, self.width = shape
        self.kernels, self.itemsize, self.kept = kernels_for(itemsize), itemsize, stacks
        self.add, self.mul = map_kernel("add", itemsize), map_kernel("mul", itemsize)
        self.softmax = map_kernel("softmax_of_scores", itemsize)
        self.queries, self.keys, self.values = _stack(stacks[0]), _stack(stacks[1]), _stack(stacks[2])
        self.n_biases = len(stacks) - 3
        for i in range(self.n_biases):
            self.biases[i] = _stack(stacks[3 + i])
        self.block = self.kernels.lanes * FC_MAX_VECTORS
        columns, width = self.whole_vectors(self.columns), self.whole_vectors(self.width)
        dtype = np.dtype(np.float64 if itemsize == 8 else np.float32)
        self.zeros, self.scales = aligned((max(columns, width),), dtype), aligned((self.block,), dtype)
        self.zeros[:], self.scales[:], self.is_scaled = 0, scale, scale != 1
        self.score_row = columns * itemsize
        tile = self.kernels.max_pixels
        slab_rows = max(1, SCORE_BYTES // self.score_row // tile) * tile
        self.repeats, self.pixel_blocks = matrices, -(-self.rows // slab_rows)
        self.slab_rows = -(-self.rows // self.pixel_blocks)
        self.max_pixel_blocks, self.max_ranges = self.pixel_blocks, 1
        self.keys_bytes = _lines(self.depth * self.score_row)
        self.values_bytes = _lines(self.columns * width * itemsize)
        self.workspace_bytes = self.keys_bytes + self.values_bytes + _lines(self.slab_rows * self.score_row)
        self.tile = f"{self.slab_rows} rows × {self.columns} columns"

    cdef ptrdiff_t whole_vectors(self, ptrdiff_t columns) noexcept nogil:
        return (columns + self.kernels.lanes - 1) // self.kernels.lanes * self.kernels.lanes

    cdef void run_tasks(self, const Work *work) noexcept nogil:
        """Slabs of rows; a thread packs what all rows of a matrix read once for those that follow each other."""
        cdef ptrdiff_t task = take_task(work), packed = -1, matrix
        while task >= 0:
            matrix = task // self.pixel_blocks
            if matrix != packed:
                self.pack_keys(matrix_of(&work.arrays.ends[1], &self.keys, matrix), work.workspace)
                self.pack_values(
                    matrix_of(&work.arrays.ends[2], &self.values, matrix), work.workspace + self.keys_bytes
                )
                packed = matrix
            self.run_slab(matrix, task % self.pixel_blocks * self.slab_rows, work)
            task = take_task(work)

    cdef void run_slab(self, ptrdiff_t matrix, ptrdiff_t first, const Work *work) noexcept nogil:
        """The scores of some rows, their softmax, and its product with the values."""
        cdef const End *ends = work.arrays.ends
        cdef ptrdiff_t rows = min(self.slab_rows, self.rows - first), i
        cdef char *values = work.workspace + self.keys_bytes
        cdef char *scores = values + self.values_bytes
        cdef const char *x = matrix_of(&ends[0], &self.queries, matrix) + first * self.queries.step
        cdef ptrdiff_t row = self.heads * self.width * self.itemsize
        cdef char *out = work.arrays.out + (matrix // self.heads * self.rows + first) * row
        cdef const char *bias = NULL
        cdef fc_map_args t
        out += matrix % self.heads * self.width * self.itemsize
        if self.n_biases:
            bias = matrix_of(&ends[3], &self.biases[0], matrix) + first * self.biases[0].step
        self.multiply(
            x, self.queries.step, rows, self.depth, work.workspace, self.columns, bias, self.biases[0].step, scores,
            self.score_row,
        )
        t.x, t.out, t.x_stride, t.out_stride, t.pixels = scores, scores, self.score_row, self.score_row, rows
        t.y, t.y_stride, t.z, t.work = &NOTHING, 0, &NOTHING, NULL
        t.channels, t.lo, t.hi = self.columns, -INFINITY, INFINITY
        for i in range(1, self.n_biases):
            t.y = matrix_of(&ends[3 + i], &self.biases[i], matrix) + first * self.biases[i].step
            t.y_stride = self.biases[i].step
            self.add(&t)
        self.softmax(&t)
        self.multiply(scores, self.score_row, rows, self.columns, values, self.width, NULL, 0, out, row)

    cdef void multiply(
        self, const char *x, ptrdiff_t step, ptrdiff_t rows, ptrdiff_t terms, const char *packed, ptrdiff_t columns,
        const char *residual, ptrdiff_t residual_step, char *out, ptrdiff_t out_step,
    ) noexcept nogil:
        """Rows times a packed matrix, plus those of a residual unless that is NULL."""
        cdef const char *inputs[FC_MAX_PIXELS]
        cdef ptrdiff_t segment = 0, whole = columns // self.block * self.block, i, n
        cdef ptrdiff_t tiles = (rows + self.kernels.max_pixels - 1) // self.kernels.max_pixels, done = 0, tile
        cdef fc_conv_args t, last
        memset(&t, 0, sizeof(t))
        t.pixels, t.segments, t.n_segments, t.length = inputs, &segment, 1, terms * self.itemsize
        t.epilogue.lo, t.epilogue.hi, t.epilogue.bias = -INFINITY, INFINITY, PyArray_DATA(self.zeros)
        t.epilogue.out_stride, t.epilogue.residual_stride = out_step, residual_step
        for tile in range(tiles):
            n = (rows - done) // (tiles - tile)
            for i in range(n):
                inputs[i] = x + (done + i) * step
            t.weights, t.columns, t.epilogue.out = packed, whole, out + done * out_step
            t.epilogue.residual = NULL if residual == NULL else residual + done * residual_step
            if whole:
                self.kernels.conv[FC_MAX_VECTORS - 1][n - 1](&t)
            if whole < columns:
                last = t
                last.weights, last.columns = packed + whole * t.length, columns - whole
                last.epilogue.out += whole * self.itemsize
                if residual != NULL:
                    last.epilogue.residual += whole * self.itemsize
                i = 0 if last.columns <= self.kernels.lanes else FC_MAX_VECTORS - 1
                self.kernels.conv[i][n - 1](&last)
            done += n

    cdef void pack_keys(self, const char *keys, char *packed) noexcept nogil:
        """As [block][depth][column], times the scale."""
        cdef ptrdiff_t all = self.whole_vectors(self.columns), first = 0, width, given, d
        cdef ptrdiff_t item = self.itemsize
        cdef fc_map_args t
        while first < all:
            width = min(self.block, all - first)
            given = min(width, self.columns - first)
            if self.keys.turns:
                self.turn(keys + first * self.keys.step, given, packed, width * item)
            for d in range(self.depth):
                if not self.keys.turns:
                    memcpy(packed + d * width * item, keys + d * self.keys.step + first * item, given * item)
                if given < width:
                    memset(packed + (d * width + given) * item, 0, (width - given) * item)
            if self.is_scaled:
                t.x, t.out, t.x_stride, t.out_stride = packed, packed, width * item, width * item
                t.y, t.y_stride, t.z, t.work = <const char *>PyArray_DATA(self.scales), 0, &NOTHING, NULL
                t.pixels, t.channels, t.lo, t.hi = self.depth, width, -INFINITY, INFINITY
                self.mul(&t)
            packed += self.depth * width * item
            first += width

    cdef void turn(self, const char *keys, ptrdiff_t count, char *out, ptrdiff_t out_step) noexcept nogil:
        """Some keys, transposed: by blocks in registers, the last of which overlap those before, or value by value."""
        cdef ptrdiff_t lanes = self.kernels.lanes, item = self.itemsize, step = self.keys.step, i, k, c, d
        if self.depth < lanes:
            self.kernels.split(keys, step, count, self.depth, out, out_step)
        elif count < lanes:
            for c in range(count):
                for d in range(self.depth):
                    memcpy(out + d * out_step + c * item, keys + c * step + d * item, item)
        else:
            for i in range((count + lanes - 1) // lanes):
                c = min(i * lanes, count - lanes)
                for k in range((self.depth + lanes - 1) // lanes):
                    d = min(k * lanes, self.depth - lanes)
                    self.kernels.transpose[0](keys + c * step + d * item, step, out + d * out_step + c * item, out_step)

    cdef void pack_values(self, const char *values, char *packed) noexcept nogil:
        """As [block][row][column]."""
        cdef ptrdiff_t all = self.whole_vectors(self.width), first = 0, width, given, i
        cdef ptrdiff_t item = self.itemsize
        while first < all:
            width = min(self.block, all - first)
            given = min(width, self.width - first)
            for i in range(self.columns):
                memcpy(packed, values + i * self.values.step + first * item, given * item)
                if given < width:
                    memset(packed + given * item, 0, (width - given) * item)
                packed += width * item
            first += width


cdef Stack _stack(told):
    cdef ndarray places
    places, step, turns = told
    return Stack(<const int64_t *>PyArray_DATA(places), step, turns)


cdef inline const char *matrix_of(const End *end, const Stack *stack, ptrdiff_t matrix) noexcept nogil:
    return end.at + stack.places[matrix]


cdef ptrdiff_t _lines(ptrdiff_t nbytes):
    return -(-nbytes // CACHE_LINE) * CACHE_LINE
