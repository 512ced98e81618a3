"""The direct convolution: loops over strips, output channels and tiles around the register-tile kernels.

A *strip* is a run of output pixels of one image, a *block* as many output channels as a tile has columns. One unit of
work is a strip times some blocks of one group; the team shares the units, as many as its size asks for. The reduction
is never split, and a kernel's result for a pixel does not depend on the tile that it is in, so every cut gives the same
bits.

Without padding the kernels read x where it is. With padding a strip's rows are first copied, borders and all, into the
thread's workspace, where the copy stays in the L2 cache for every block: there is then no edge anywhere. With dilation
1, and the pixels of a group side by side, the S·C values under a kernel row are one contiguous segment.

Output pixels for which the same taps of the kernel lie in the padding, and are left out, form tiles of their own.
"""

import numpy as np

from cython.parallel cimport parallel, threadid
from libc.string cimport memcpy
from numpy cimport PyArray_DATA, PyArray_NDIM, PyArray_STRIDES, import_array, ndarray

from fastconv._cpu cimport FC_MAX_PIXELS, FC_MAX_VECTORS, FC_ROW_TAPS, fc_kernels, fc_tile, fc_tile_kernel, kernels_for
from fastconv._cut cimport Cut, Cuttable, share
from fastconv._pack cimport is_narrow
from fastconv._rows cimport STRIP_BYTES, InputRows, Window
from fastconv._shares cimport fc_share_out, fc_shares, fc_take_unit

import_array()

CHUNK_CHANNELS = 64
cdef ptrdiff_t SET_BYTES = 16 * 1024  # of weights in blocks that go over a tile one after the other: they stay in L1

cdef enum:
    BLOCK_BYTES = 128  # of a pixel's values in a block, two of the widest vectors

# What a unit costs beside its multiply-adds, in multiply-adds of the plain tile.
cdef double VALUE_COST = 12  # to bring in a value of input or weights
cdef double REREAD_COST = 3  # to read a value of input again, from L2, for another part of the blocks
cdef double NARROW_COST = 8  # of a multiply-add in the narrow tile, which is bound by loads


cdef struct Run:
    ptrdiff_t m, end  # pixels of a strip
    ptrdiff_t end_row, first_col, end_col  # of the map, where they are
    Window window  # of the kernel, that they see


cdef class Direct(Cuttable):
    """A direct convolution of one geometry, ready to run on any arrays of it."""

    cdef const fc_kernels *kernels
    cdef object weights, bias, offsets
    cdef const char *packed
    cdef const char *packed_bias
    cdef ptrdiff_t itemsize
    cdef bint relu, narrow, in_rows
    cdef const fc_tile_kernel *narrow_kernels
    # Geometry, in pixels and channels.
    cdef ptrdiff_t batch, out_height, out_width, groups, group_in, group_out, terms
    cdef ptrdiff_t kernel_rows, kernel_cols, stride_h, stride_w
    # Packed weights, in bytes.
    cdef ptrdiff_t column_bytes, group_bytes, group_bias_bytes
    cdef ptrdiff_t row_bytes_of_vector  # of a vector of columns under a row of the kernel
    # How the kernels walk the input, in bytes.
    cdef InputRows rows
    cdef bint copies
    cdef ptrdiff_t pixel_bytes, row_bytes, image_bytes
    cdef ptrdiff_t row_segments, segment_bytes, residual_stride  # segments under a row of the kernel
    cdef const ptrdiff_t *segments
    # The cut. A strip is some lines: rows of the output, or a tile's pixels when x is read in place by the plain tile.
    cdef ptrdiff_t lines, line_pixels, blocks
    cdef readonly ptrdiff_t workspace_bytes  # for each thread
    cdef readonly str tile

    def __init__(self, shape, weights, bias, all_finite, activation):
        (self.stride_h, self.stride_w), (_, dilation_w) = shape.stride, shape.dilation
        self.kernel_rows, self.kernel_cols = shape.kernel
        self.itemsize = weights.itemsize
        self.kernels = kernels_for(self.itemsize)
        self.batch, self.out_height, self.out_width = shape.batch, shape.out_height, shape.out_width
        self.group_in, self.group_out = shape.in_channels // shape.groups, shape.out_channels // shape.groups
        self.narrow = is_narrow(self.group_in, self.group_out, shape.groups, self.kernels.lanes)
        self.in_rows = (
            self.group_in == 1 and self.kernel_cols == FC_ROW_TAPS and dilation_w == 1 and self.stride_w <= 2 and self.narrow
        )
        if self.in_rows:
            self.narrow_kernels = self.kernels.row[self.stride_w - 1]
        else:
            self.narrow_kernels = self.kernels.narrow[self.group_in > 1]
        self.groups = self._chunks(shape) if self.narrow else shape.groups
        self.group_in, self.group_out = shape.in_channels // self.groups, shape.out_channels // self.groups
        self.terms = shape.terms
        self.weights, self.bias, self.relu = weights, bias, activation == "relu"
        self.packed = <const char *>PyArray_DATA(weights)
        self.packed_bias = <const char *>PyArray_DATA(bias)
        self.column_bytes = self.terms * self.itemsize
        self.row_bytes_of_vector = self.kernels.lanes * self.column_bytes // self.kernel_rows
        self.residual_stride = shape.out_channels * self.itemsize
        self.group_bytes = weights.nbytes // self.groups
        self.group_bias_bytes = bias.nbytes // self.groups
        block = self.kernels.lanes * FC_MAX_VECTORS
        self.blocks = 1 if self.narrow else -(-self.group_out // block)
        self.tile = f"{self.kernels.max_pixels} pixels × {self.kernels.lanes if self.narrow else block} channels"

        self.copies = shape.padding != ((0, 0), (0, 0))
        self.rows = InputRows(shape, all_finite, self.itemsize, self.group_in)
        self.pixel_bytes = (self.group_in if self.copies else shape.in_channels) * self.itemsize
        self.row_bytes = self.rows.row_bytes if self.copies else shape.width * self.pixel_bytes
        self.image_bytes = shape.height * shape.width * shape.in_channels * self.itemsize
        self._set_strips()
        self.repeats, self.most_strips, self.most_parts = self.batch * self.groups, self.lines, self.blocks
        merged = dilation_w == 1 and not self.narrow and (self.groups == 1 or self.copies)
        self.segment_bytes = self.group_in * self.itemsize * (self.kernel_cols if merged else 1)
        self.offsets = np.array(
            [
                y * self.rows.band_rows * self.row_bytes + x * dilation_w * self.pixel_bytes
                for y in range(self.kernel_rows)
                for x in range(1 if merged else self.kernel_cols)
            ],
            np.intp,
        )
        self.row_segments = len(self.offsets) // self.kernel_rows
        self.segments = <const ptrdiff_t *>PyArray_DATA(self.offsets)

    def _chunks(self, shape):
        """How many chunks the channels of narrow groups are taken in, each copied and convolved by itself.

        A chunk is a few cache lines wide, so that a strip's pixels do not fall on the same few sets of the cache.
        """
        channels, lanes = shape.in_channels, self.kernels.lanes
        widths = range(min(CHUNK_CHANNELS, channels), 0, -1)
        return next((channels // width for width in widths if channels % width == width % lanes == 0), 1)

    def _set_strips(self):
        """The strips of one thread, the longest: as much of the input as stays in the L2 cache."""
        if self.copies or self.narrow:
            self.lines, self.line_pixels = self.out_height, self.out_width
            longest = self.rows.most(STRIP_BYTES // max(self.row_bytes, 1))
        else:
            self.line_pixels = self.kernels.max_pixels
            self.lines = -(-self.out_height * self.out_width // self.line_pixels)
            pixel = max(self.pixel_bytes * self.stride_h * self.stride_w, 1)
            longest = max(STRIP_BYTES // pixel // self.line_pixels, 8)
        self.strips = -(-self.lines // max(longest, 1))
        if self.copies:
            self.workspace_bytes = self.rows.set_longest(-(-self.lines // self.strips))

    @property
    def multiplications(self):
        """Those really done."""
        channels = self.terms // (self.kernel_rows * self.kernel_cols)  # that a value sums
        return self.rows.count_taps() * self.batch * self.groups * self.group_out * channels

    cdef double strip_time(self, ptrdiff_t strips) noexcept:
        """What it takes to bring in the input of the largest strip, in multiply-adds of the plain tile."""
        return VALUE_COST * self._input_of(strips)

    cdef double unit_time(self, Cut cut) noexcept:
        """What the products of the largest unit take, in multiply-adds of the plain tile."""
        cdef ptrdiff_t lines = (self.lines + cut.strips - 1) // cut.strips
        cdef ptrdiff_t blocks = (self.blocks + cut.parts - 1) // cut.parts
        cdef double columns = self.group_out * blocks / <double>self.blocks
        cdef double pixels = lines * self.line_pixels
        if self.rows.skips_columns:  # tiles of less than four pixels take as long as those of four
            pixels += 2 * (self.kernel_cols // 2) * max(0, 4 - lines)
        cdef double work = pixels * columns * self.terms
        if self.narrow:
            work *= NARROW_COST
        return work + VALUE_COST * columns * self.terms + REREAD_COST * self._input_of(cut.strips)

    cdef double _input_of(self, ptrdiff_t strips) noexcept:
        """Values of input that the largest of so many strips reads."""
        cdef ptrdiff_t lines = (self.lines + strips - 1) // strips
        if self.copies:
            return <double>self.rows.copied_rows(lines) * self.rows.copied_width * self.group_in
        return <double>lines * self.line_pixels * self.stride_h * self.stride_w * self.group_in

    def run(
        self, ndarray x, ndarray residual, ndarray out, ptrdiff_t out_stride, ndarray workspace, int team
    ):
        """Convolve x into out (bytes from pixel to pixel: `out_stride`), on `team` threads.

        `workspace` has `workspace_bytes` for each thread.
        """
        cdef const char *x_data = <const char *>PyArray_DATA(x)
        cdef const char *residual_data = NULL if residual is None else <const char *>PyArray_DATA(residual)
        cdef char *out_data = <char *>PyArray_DATA(out)
        cdef char *work = NULL if workspace is None else <char *>PyArray_DATA(workspace)
        cdef ptrdiff_t out_image = PyArray_STRIDES(out)[0] if PyArray_NDIM(out) == 4 else 0
        cdef Cut cut = self.cut_for(team)
        cdef fc_shares shares
        fc_share_out(&shares, cut.units, team)
        if team == 1:
            with nogil:
                self._run(&shares, 0, cut, x_data, residual_data, out_data, out_image, out_stride, work)
        else:
            with nogil, parallel(num_threads=team):
                self._run(
                    &shares, threadid(), cut, x_data, residual_data, out_data, out_image, out_stride,
                    work + threadid() * self.workspace_bytes,
                )

    cdef void _run(
        self, fc_shares *shares, int thread, Cut cut, const char *x, const char *residual,
        char *out, ptrdiff_t out_image, ptrdiff_t out_stride, char *work,
    ) noexcept nogil:
        """A thread's share of the units: parts of the blocks fastest, then groups, strips, images."""
        cdef ptrdiff_t unit, part, group, strip, image, line, lines, m, pixels, copied = -1
        cdef ptrdiff_t all_pixels = self.out_height * self.out_width
        cdef const char *source
        cdef fc_tile tile
        tile.relu = self.relu
        tile.out_stride, tile.residual_stride = out_stride, self.residual_stride
        while True:
            unit = fc_take_unit(shares, thread)
            if unit < 0:
                return
            part = unit % cut.parts
            group = unit // cut.parts % self.groups
            strip = unit // (cut.parts * self.groups) % cut.strips
            image = unit // (cut.parts * self.groups * cut.strips)
            line = share(strip, cut.strips, self.lines)
            lines = share(strip + 1, cut.strips, self.lines) - line
            m = line * self.line_pixels
            pixels = min(lines * self.line_pixels, all_pixels - m)
            source = x + image * self.image_bytes + group * self.group_in * self.itemsize
            if self.copies:
                if unit // cut.parts != copied:
                    self.rows.copy(source, line, lines, work)
                    copied = unit // cut.parts
                source = work
            else:
                source += m // self.out_width * self.stride_h * self.row_bytes
            tile.out = out + image * out_image + m * out_stride
            tile.residual = residual + (image * all_pixels + m) * tile.residual_stride if residual != NULL else NULL
            if self.narrow:
                self._narrow_strip(&tile, group, source, line, lines)
            else:
                self._strip(
                    &tile, group, share(part, cut.parts, self.blocks), share(part + 1, cut.parts, self.blocks),
                    source, m, pixels,
                )

    cdef void _strip(
        self, const fc_tile *strip, ptrdiff_t group, ptrdiff_t first_block, ptrdiff_t end_block, const char *source,
        ptrdiff_t first, ptrdiff_t pixels,
    ) noexcept nogil:
        """Every tile of a strip of pixels, the map's `first` and next, the input of whose row begins at `source`."""
        cdef ptrdiff_t block_bytes = self.kernels.lanes * FC_MAX_VECTORS * self.column_bytes
        cdef ptrdiff_t top_row = first // self.out_width, row, end_of_set
        cdef ptrdiff_t end_row = (first + pixels - 1) // self.out_width + 1
        cdef Run run
        while first_block < end_block:
            end_of_set = min(end_block, first_block + (1 if self.rows.skips_columns else max(1, SET_BYTES // block_bytes)))
            row = top_row
            while row < end_row:
                run.end_row = self.rows.end_of_rows(row, end_row)
                run.first_col = 0
                while run.first_col < self.out_width:
                    run.window = self.rows.window(row, run.first_col)
                    run.end_col = self.rows.end_of_columns(row, run.first_col)
                    run.m = max(0, row * self.out_width - first) + run.first_col
                    run.end = min(pixels, (run.end_row - 1) * self.out_width + run.end_col - first)
                    self._run_of_pixels(strip, group, first_block, end_of_set, &run, source, first)
                    run.first_col = run.end_col
                row = run.end_row
            first_block = end_of_set

    cdef void _run_of_pixels(
        self, const fc_tile *strip, ptrdiff_t group, ptrdiff_t first_block, ptrdiff_t end_block, const Run *run,
        const char *source, ptrdiff_t first,
    ) noexcept nogil:
        """The tiles of a run of a strip's pixels, of which the first is the map's `first`."""
        cdef fc_tile tile = strip[0]
        cdef const char *inputs[FC_MAX_PIXELS]
        cdef ptrdiff_t places[FC_MAX_PIXELS]
        cdef ptrdiff_t cols = run.end_col - run.first_col, others = self.out_width - cols, row, q, m = run.m
        cdef ptrdiff_t pixels = (run.end - m + others) // self.out_width * cols if others else run.end - m
        cdef ptrdiff_t tiles = (pixels + self.kernels.max_pixels - 1) // self.kernels.max_pixels
        cdef ptrdiff_t low = pixels // tiles, higher = pixels - low * tiles, t, i, n
        cdef ptrdiff_t step = self.stride_w * self.pixel_bytes, row_step = self.stride_h * self.row_bytes
        cdef const char *at
        row, q = (first + m) // self.out_width, (first + m) % self.out_width
        at = source + (row - first // self.out_width) * row_step + q * step + run.window.cols.first * self.pixel_bytes
        tile.pixels = inputs
        for t in range(tiles):
            n = low + (t < higher)
            for i in range(n):
                inputs[i], places[i] = at, m
                at += step
                q += 1
                m += 1
                if q == run.end_col:
                    q = run.first_col
                    at += row_step - cols * step
                    m += others
            if others:
                self._tile(&tile, strip, group, first_block, end_block, run.window, n, 0, places)
            else:
                self._tile(&tile, strip, group, first_block, end_block, run.window, n, places[0], NULL)

    cdef void _tile(
        self, fc_tile *tile, const fc_tile *strip, ptrdiff_t group, ptrdiff_t first_block, ptrdiff_t end_block,
        Window window, ptrdiff_t n, ptrdiff_t m, const ptrdiff_t *places,
    ) noexcept nogil:
        """Blocks of channels of a tile of n pixels: the full ones, then the last.

        The pixels are the m-th and next of the strip or, one block at a time, those whose `places` are given.
        """
        cdef ptrdiff_t lanes = self.kernels.lanes, block_columns = lanes * FC_MAX_VECTORS
        cdef ptrdiff_t first = first_block * block_columns, end = min(end_block * block_columns, self.group_out)
        cdef ptrdiff_t columns = (end - first) // block_columns * block_columns, vectors
        while first < end:
            tile.columns = columns if columns else end - first
            vectors = FC_MAX_VECTORS if tile.columns > lanes else 1
            self._place(tile, strip, group, first, vectors, window, m)
            if places != NULL:
                self._scatter(self.kernels.conv[vectors - 1][n - 1], tile, n, places)
            else:
                self.kernels.conv[vectors - 1][n - 1](tile)
            first += tile.columns
            columns = 0

    cdef void _scatter(
        self, fc_tile_kernel kernel, const fc_tile *tile, ptrdiff_t n, const ptrdiff_t *places
    ) noexcept nogil:
        """Run the kernel for n pixels that are no neighbours, by way of arrays in which they are."""
        cdef char[FC_MAX_PIXELS * BLOCK_BYTES] values
        cdef char[FC_MAX_PIXELS * BLOCK_BYTES] added
        cdef fc_tile packed = tile[0]
        cdef ptrdiff_t i, nbytes = tile.columns * self.itemsize
        packed.out, packed.out_stride = values, nbytes
        if tile.residual != NULL:
            for i in range(n):
                memcpy(added + i * nbytes, tile.residual + places[i] * tile.residual_stride, nbytes)
            packed.residual, packed.residual_stride = added, nbytes
        kernel(&packed)
        for i in range(n):
            memcpy(tile.out + places[i] * tile.out_stride, values + i * nbytes, nbytes)

    cdef void _narrow_strip(
        self, const fc_tile *strip, ptrdiff_t group, const char *source, ptrdiff_t top_row, ptrdiff_t rows
    ) noexcept nogil:
        """Every tile of a strip of narrow groups: down the rows under a tile, whose inputs then are met again in L1."""
        cdef const char *inputs[FC_MAX_PIXELS]
        cdef fc_tile tile = strip[0]
        cdef ptrdiff_t tiles = (self.out_width + self.kernels.max_pixels - 1) // self.kernels.max_pixels
        cdef ptrdiff_t step = self.stride_w * self.pixel_bytes
        cdef ptrdiff_t row_step = self.stride_h * self.row_bytes, t, i, q, n, row, end
        cdef const char *at
        tile.pixels, tile.columns = inputs, self.group_out
        for t in range(tiles):
            q = share(t, tiles, self.out_width)
            n = share(t + 1, tiles, self.out_width) - q
            at = source + q * step
            row = 0
            while row < rows:
                end = self.rows.end_of_rows(top_row + row, top_row + rows) - top_row
                self._place(
                    &tile, strip, group, 0, 1, self.rows.window(top_row + row, 0), row * self.out_width + q
                )
                while row < end:
                    for i in range(1 if self.in_rows else n):
                        inputs[i] = at + i * step
                    self.narrow_kernels[n - 1](&tile)
                    row += 1
                    at += row_step
                    tile.out += self.out_width * tile.out_stride
                    if tile.residual != NULL:
                        tile.residual += self.out_width * tile.residual_stride

    cdef void _place(
        self, fc_tile *tile, const fc_tile *strip, ptrdiff_t group, ptrdiff_t first, ptrdiff_t vectors,
        Window window, ptrdiff_t m,
    ) noexcept nogil:
        """Set what a tile reads and where it writes: channels from `first` on, in blocks of so many vectors; of the
        kernel the taps in a window; the strip's pixel m and on.
        """
        cdef ptrdiff_t channel = (group * self.group_out + first) * self.itemsize
        cdef ptrdiff_t rows = window.rows.end - window.rows.first, cols = window.cols.end - window.cols.first
        cdef ptrdiff_t row_weights = vectors * self.row_bytes_of_vector, left_out = self.kernel_cols - cols
        tile.segments = self.segments + window.rows.first * self.row_segments
        tile.n_segments = rows * self.row_segments if cols else 0
        tile.weights = (
            self.packed + group * self.group_bytes + first * self.column_bytes + window.rows.first * row_weights
        )
        tile.skipped = (self.kernel_rows - rows) * row_weights
        tile.length, tile.gap = self.segment_bytes, 0
        if left_out:  # of merged segments
            tile.length -= left_out * self.segment_bytes // self.kernel_cols
            tile.gap = left_out * row_weights // self.kernel_cols
            tile.weights = <const char *>tile.weights + window.cols.first * row_weights // self.kernel_cols
        tile.bias = self.packed_bias + group * self.group_bias_bytes + first * self.itemsize
        tile.out = strip.out + m * tile.out_stride + channel
        tile.residual = strip.residual + m * tile.residual_stride + channel if strip.residual != NULL else NULL
