"""The loops of the direct convolution over the tiles of a pixel block, and over blocks of output channels.

With dilation 1, and the pixels of a group side by side, the S·C values under a kernel row are one contiguous segment.
Output pixels for which the same taps of the kernel lie in the padding, and are left out, form tiles of their own.
Few output channels, which fill no vector, take a tile whose lanes are pixels, where enough lie side by side.
"""

import numpy as np

from numpy cimport PyArray_DATA, import_array

from fastconv._kernels.cpu cimport (
    CACHE_LINE, FC_FEW_BYTES, FC_MAX_FEW, FC_MAX_PIXELS, FC_MAX_VECTORS, FC_NARROW_PIXELS, FC_NARROW_TERMS,
    FC_PREFETCHING, FC_STEPS, FC_SUM_TERMS, fc_advance, fc_conv_args, fc_conv_kernel, fc_slopes_at, kernels_for,
)
from fastconv._runners.pack cimport is_grouped
from fastconv._runners.padded_rows cimport PaddedRows, Window
from fastconv._runners.split_rows cimport SplitRows

from fastconv._runners.padded_rows import chunks, is_read_well
from fastconv._runners.split_rows import is_for_split_rows, is_for_whole_rows

import_array()


cdef extern from "scatter.h" nogil:
    void fc_scatter(
        fc_conv_kernel, fc_conv_args *, ptrdiff_t n, ptrdiff_t done, ptrdiff_t cols, ptrdiff_t others, ptrdiff_t nbytes
    ) noexcept


# Weights, in bytes, in blocks that go over a tile one after the other: they stay in L1. They are twice as many, and L1
# has not all, where a block of results is but a cache line wide: lines side by side come in together.
cdef ptrdiff_t SET_BYTES = 16 * 1024

# The most weights, in blocks that go over a tile one after the other, that the tiles before them prefetch: more would
# push out of L2 what is in use. Twice as many where vectors are cache lines: such processors have more L2.
cdef ptrdiff_t PREFETCHED_BYTES = 160 * 1024

# The stores at the end of a tile hold up the next one's multiply-adds, and the fewer come together the less. So sums of
# few terms have tiles of no more sums than hide the latency: the weights are read more often then, but most from L1.
cdef ptrdiff_t FEW_TERMS = 288, ENOUGH_SUMS = 12


cdef class DirectTiles:
    """How the kernels walk the input and the weights of one geometry."""

    def __init__(self, shape, weights, bias, all_finite):
        (self.stride_h, self.stride_w), dilation_w = shape.stride, shape.dilation[1]
        self.kernel_rows, self.kernel_cols = shape.kernel
        self.itemsize, self.out_width = weights.itemsize, shape.out_width
        self.kernels = kernels_for(self.itemsize)
        self.group_in, self.group_out = shape.in_channels // shape.groups, shape.out_channels // shape.groups
        self.grouped = is_grouped(self.group_in, self.group_out, shape.groups, self.kernels.lanes)
        is_row = self.group_in == 1 and self.kernel_cols in (3, 5) and dilation_w == 1 and self.stride_w <= 2
        self.in_rows = self.grouped and is_row
        self.grouped_kernels = self.kernels.grouped[self.group_in > 1]
        reads_well = is_read_well(shape.whole or shape, shape.in_channels * self.itemsize, self.kernels.max_pixels)
        self.in_place = self.in_rows and bool(all_finite) and reads_well
        in_whole_rows = self.grouped or is_for_whole_rows(shape, self.group_out)
        self.splits = not self.grouped and is_for_split_rows(shape, self.group_out, self.itemsize)
        self.copies = self.splits or shape.padding != ((0, 0), (0, 0)) and not self.in_place
        self.groups = (chunks(shape, self.kernels.lanes) if self.copies else 1) if self.grouped else shape.groups
        self.group_in, self.group_out = shape.in_channels // self.groups, shape.out_channels // self.groups
        self.block_columns = self.kernels.lanes * FC_MAX_VECTORS
        self.blocks = 1 if self.grouped else -(-self.group_out // self.block_columns)
        self.weights, self.bias, self.terms = weights, bias, shape.terms
        self.max_pixels = self._max_pixels()
        self.packed, self.packed_bias = <const char *>PyArray_DATA(weights), <const char *>PyArray_DATA(bias)
        self.column_bytes = self.terms * self.itemsize
        self.block_bytes = self.block_columns * self.column_bytes
        self.set_bytes = SET_BYTES * (1 + (self.block_columns * self.itemsize <= CACHE_LINE))
        self.prefetched_bytes = PREFETCHED_BYTES * (1 + (self.kernels.lanes * self.itemsize >= CACHE_LINE))
        self.turn_bytes = self.block_columns * FC_STEPS * self.itemsize
        self.row_bytes_of_vector = self.kernels.lanes * self.column_bytes // self.kernel_rows
        self.group_bytes, self.group_bias_bytes = weights.nbytes // self.groups, bias.nbytes // self.groups
        columns = self.kernels.lanes * (1 if self.grouped else FC_MAX_VECTORS)
        self.tile = f"{self.max_pixels} pixels × {columns} channels"
        if not self.grouped:
            self._set_few(shape)
            self._set_keeping()
        if self.splits:
            self.padded_rows = SplitRows(shape, all_finite, self.itemsize, self.group_in)
            self.plane_bytes = (<SplitRows>self.padded_rows).plane_bytes
        else:
            self.padded_rows = PaddedRows(shape, all_finite, self.itemsize, self.group_in, in_whole_rows, self.in_place)
        self.stride_w = self.padded_rows.window_step
        channels = 1 if self.splits else self.group_in if self.copies else shape.in_channels  # side by side
        self.pixel_bytes = channels * self.itemsize
        self.row_bytes = self.padded_rows.row_bytes if self.copies else shape.width * self.pixel_bytes

    def _set_few(self, shape):
        """Take a tile for few columns where there is one, and runs of pixels that fill it."""
        cdef ptrdiff_t vector = self.kernels.lanes * self.itemsize  # bytes
        cdef ptrdiff_t nbytes = self.group_out * self.itemsize, i = nbytes // vector
        self.by_rows = self.copies or shape.kernel != (1, 1) or shape.stride != (1, 1)
        run = shape.out_width if self.by_rows else shape.out_width * shape.out_height
        is_narrow = shape.kernel == (1, 1) and not self.copies and nbytes in (vector // 2, vector, 2 * vector)
        is_narrow = is_narrow and FC_FEW_BYTES <= self.column_bytes and self.terms <= FC_NARROW_TERMS
        self.few_pixels = pixels = self.kernels.lanes
        if self.splits:
            self.few = self.kernels.split_tile[self.group_out - 1]
        elif is_narrow and self.kernels.narrow[i] != NULL and run >= FC_NARROW_PIXELS:
            self.few, self.few_pixels, pixels = self.kernels.narrow[i], FC_NARROW_PIXELS, FC_NARROW_PIXELS // max(i, 1)
        elif 0 < self.group_out <= FC_MAX_FEW and run >= pixels:
            self.few = self.kernels.few[self.group_out - 1]
        self.by_rows = self.by_rows and self.few != NULL
        if self.few != NULL:
            self.tile = f"{pixels} pixels × {self.group_out} channels"

    def _set_keeping(self):
        """Let the rows of the kernel take turns where a block's weights are too many to be prefetched, but not those
        under a row, and where the sums between rows are of whole chunks.
        """
        cdef ptrdiff_t row_bytes = self.block_bytes // self.kernel_rows
        is_even = self.group_in % FC_SUM_TERMS == 0 and self.group_out % self.block_columns == 0
        self.keeps = row_bytes <= self.prefetched_bytes < self.block_bytes and is_even and self.few == NULL
        self.keeps = self.keeps and self.kernels.conv_keeping[0] != NULL
        self.kept_bytes = self.block_columns * self.itemsize * self.keeps

    def _max_pixels(self):
        """The most pixels of a tile."""
        last_block = self.group_out % self.block_columns
        has_half = 0 < last_block <= self.kernels.lanes  # a block of one vector, whose sums would be too few
        if self.grouped or self.terms > FEW_TERMS or has_half:
            return self.kernels.max_pixels
        return min(self.kernels.max_pixels, ENOUGH_SUMS // FC_MAX_VECTORS)

    def set_segments(self, dilation_w):
        """Where the input under the kernel lies, once it is known how many rows are copied together."""
        self.tap_bytes = self.padded_rows.tap_step * self.pixel_bytes
        self.band_bytes = self.padded_rows.band_rows * self.row_bytes
        merged = self.grouped or dilation_w == 1 and (self.groups == 1 or self.copies) and not self.splits
        self.segment_bytes = self.tap_bytes * self.kernel_cols if merged else self.group_in * self.itemsize
        self.row_segments = 1 if merged else self.kernel_cols
        first = (<SplitRows>self.padded_rows).lead if self.splits else 0
        self.offsets = np.array(  # of numbers: for so few NumPy's functions take longer
            [
                first + y * self.band_bytes + x * self.tap_bytes
                for y in range(self.kernel_rows)
                for x in range(self.row_segments)
            ],
            np.intp,
        )
        self.segments = <const ptrdiff_t *>PyArray_DATA(self.offsets)

    cdef void run(self, const PixelBlock *block) noexcept nogil:
        """Every tile of a pixel block: those for a set of blocks of output channels, then for the next one."""
        cdef ptrdiff_t turns = self.kernel_rows if self.keeps else 1
        cdef ptrdiff_t set_blocks = 1 if self.padded_rows.skips_columns else max(1, self.set_bytes // self.block_bytes)
        cdef Run run
        run.blocks.first = block.blocks.first
        while run.blocks.first < block.blocks.end:
            run.blocks.end = min(block.blocks.end, run.blocks.first + set_blocks)
            for run.turn in range(turns):
                self._run_turn(block, &run)
            run.blocks.first = run.blocks.end

    cdef void _run_turn(self, const PixelBlock *block, Run *run) noexcept nogil:
        """The tiles of a pixel block for a set of blocks of output channels; in turns those of a row of the kernel."""
        cdef ptrdiff_t first = block.pixels.first, end_row = (block.pixels.end - 1) // self.out_width + 1
        cdef ptrdiff_t row = first // self.out_width
        run.tile, run.kept = 0, block.kept
        while row < end_row:
            run.end_row = row + 1 if self.by_rows else self.padded_rows.end_of_rows(row, end_row)
            run.first_col = 0
            while run.first_col < self.out_width:
                self.padded_rows.find_window(row, run.first_col, &run.window)
                run.end_col = self.padded_rows.end_of_columns(row, run.first_col)
                run.m = max(0, row * self.out_width - first) + run.first_col
                run.end = min(block.pixels.end, (run.end_row - 1) * self.out_width + run.end_col) - first
                self._run_of_pixels(block, run)
                run.first_col = run.end_col
            row = run.end_row

    cdef void _run_of_pixels(self, const PixelBlock *block, Run *run) noexcept nogil:
        """The tiles of a run of a pixel block's pixels."""
        cdef Call[2] calls
        cdef fc_conv_args *tile
        cdef fc_conv_kernel kernel
        cdef const char *inputs[FC_MAX_PIXELS]
        cdef ptrdiff_t cols = run.end_col - run.first_col, others = self.out_width - cols, m = run.m
        cdef ptrdiff_t first = block.pixels.first
        cdef ptrdiff_t pixels = (run.end - m + others) // self.out_width * cols if others else run.end - m
        cdef ptrdiff_t tiles = (pixels + self.max_pixels - 1) // self.max_pixels
        cdef ptrdiff_t low = pixels // tiles, higher = pixels - low * tiles, done = 0, t, i, n
        cdef ptrdiff_t step = self.stride_w * self.pixel_bytes, row_step = self.stride_h * self.row_bytes
        cdef ptrdiff_t row = (first + m) // self.out_width, q = (first + m) % self.out_width
        cdef ptrdiff_t jump = row_step - cols * step  # from the end of a row to the next, if they are no neighbours
        cdef ptrdiff_t left = run.end_col - q if jump else pixels  # in the row
        cdef ptrdiff_t next_set = (run.blocks.end - run.blocks.first) * self.block_bytes, n_calls
        cdef ptrdiff_t first_row = run.window.rows.first, end_row = run.window.rows.end  # of the kernel
        cdef bint sees = first_row < end_row and run.window.cols.first < run.window.cols.end  # some of the input
        cdef bint keeps = self.keeps and sees
        if not keeps and run.turn:
            return
        if keeps and not first_row <= run.turn < end_row:
            run.kept += pixels * self.kept_bytes
            return
        if keeps:
            run.window.rows.first, run.window.rows.end = run.turn, run.turn + 1
            next_set //= self.kernel_rows
        n_calls = self._calls(block, run, calls)
        cdef bint prefetches = (keeps or run.blocks.end < self.blocks) and next_set <= self.prefetched_bytes
        cdef ptrdiff_t prefetching = FC_PREFETCHING if prefetches else 0  # tiles that do so
        cdef const char *at
        at = block.source + (row - first // self.out_width) * row_step + q * step
        at += run.window.rows.first * self.band_bytes + run.window.cols.first * self.tap_bytes
        tile = &calls[0].tile
        cdef bint in_few = self.splits or tile.n_segments <= 1 or tile.length >= FC_FEW_BYTES
        if self.few != NULL and pixels >= self.few_pixels and in_few:
            tile.pixels = &at
            self.few(tile, step, pixels)
            return
        for t in range(tiles):
            n = low + (t < higher)
            for i in range(n):
                inputs[i] = at
                at, left = at + step, left - 1
                if left == 0:
                    left, at = cols, at + jump
            run.tile += sees
            for i in range(n_calls):
                tile = &calls[i].tile
                tile.pixels = inputs
                if sees and run.tile <= prefetching and calls[i].vectors == FC_MAX_VECTORS:
                    tile.ahead = next_set + (run.tile - 1) * self.turn_bytes // FC_PREFETCHING
                    kernel = self.kernels.conv_prefetching[n - 1]
                else:
                    tile.ahead = 0
                    kernel = self.kernels.conv[calls[i].vectors - 1][n - 1]
                if keeps:
                    tile.kept, tile.resumes, tile.pauses = run.kept, run.turn > first_row, run.turn < end_row - 1
                    kernel = self.kernels.conv_keeping[n - 1]
                    run.kept += n * self.kept_bytes
                if keeps and tile.pauses:
                    kernel(tile)
                elif others:
                    fc_scatter(kernel, tile, n, done, cols, others, tile.columns * self.itemsize)
                else:
                    kernel(tile)
                    fc_advance(&tile.epilogue, n, 0)
            done += n

    cdef ptrdiff_t _calls(self, const PixelBlock *block, const Run *run, Call *calls) noexcept nogil:
        """The calls for the first tile of a run: for the full blocks of channels, then for the last; how many."""
        cdef ptrdiff_t lanes = self.kernels.lanes, block_columns = self.block_columns
        cdef ptrdiff_t first = run.blocks.first * block_columns
        cdef ptrdiff_t end = min(run.blocks.end * block_columns, self.group_out)
        cdef ptrdiff_t columns = (end - first) // block_columns * block_columns, n = 0
        while first < end:
            calls[n].tile.columns = columns if columns else end - first
            calls[n].vectors = FC_MAX_VECTORS if calls[n].tile.columns > lanes else 1
            self._set_args(&calls[n].tile, block, first, calls[n].vectors, &run.window, run.m)
            first += calls[n].tile.columns
            columns, n = 0, n + 1
        return n

    cdef void _set_args(
        self, fc_conv_args *tile, const PixelBlock *block, ptrdiff_t first, ptrdiff_t vectors, const Window *seen,
        ptrdiff_t m,
    ) noexcept nogil:
        """Set what a tile reads and where it writes: channels from `first` on, in blocks of `vectors`; of the
        kernel the taps that are `seen`; the pixel block's pixel m and on.
        """
        cdef ptrdiff_t channel = (block.group * self.group_out + first) * self.itemsize
        cdef ptrdiff_t rows = seen.rows.end - seen.rows.first, cols = seen.cols.end - seen.cols.first
        cdef ptrdiff_t row_weights = vectors * self.row_bytes_of_vector, left_out = self.kernel_cols - cols
        tile.segments = self.segments
        tile.n_segments = rows * self.row_segments if cols else 0
        tile.weights = (
            self.packed + block.group * self.group_bytes + first * self.column_bytes + seen.rows.first * row_weights
        )
        tile.skipped = (self.kernel_rows - rows) * row_weights
        tile.length, tile.gap = self.segment_bytes, 0
        tile.tap = self.plane_bytes if self.splits else self.tap_bytes
        if left_out:  # of merged segments
            tile.length -= left_out * self.segment_bytes // self.kernel_cols
            tile.gap = left_out * row_weights // self.kernel_cols
            tile.weights = <const char *>tile.weights + seen.cols.first * row_weights // self.kernel_cols
        tile.epilogue = block.epilogue
        first = block.group * self.group_bias_bytes + first * self.itemsize
        tile.epilogue.bias, tile.epilogue.slopes = self.packed_bias + first, fc_slopes_at(&block.epilogue, first)
        fc_advance(&tile.epilogue, m, channel)
