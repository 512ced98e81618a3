"""Winograd's convolution: loops over strips of tiles, blocks of output channels and points around its kernels.

A *tile* is a square of output values, the *patch* the input that it sees, a *strip* a run of tiles, through the images
of a batch one after the other. A strip's patches are transformed to V [point][tile][channel]; for each block of output
channels the products with the transformed weights give M [tile][point][column], which is transformed to the tiles. V
and M lie in the thread's workspace and stay in its L2 cache; the weights pass through once for each strip.

Tiles at the far edges of the map may be *short*: they leave out two points of an axis. A strip keeps its tiles in the
order of `ORDER`, so that those which have a point lie side by side.

Where the values of a patch are not finite, or might overflow on the way, its tile is computed directly: NaN and Inf
stand where they belong. The reduction is never split and every tile is computed by itself, so every cut gives the
same bits.
"""

import numpy as np

from cython.parallel cimport parallel, prange, threadid
from numpy cimport PyArray_DATA, PyArray_NDIM, PyArray_STRIDES, import_array, ndarray

from fastconv._cpu cimport (
    FC_MAX_COLUMNS, FC_MAX_NODES, FC_MAX_POINTS, FC_MAX_RUN, FC_MAX_VECTORS, fc_axes, fc_kernels, fc_patches,
    fc_product, fc_result, fc_winograd, fc_winograd_kernels, kernels_for,
)
from fastconv._cut cimport Cut, Cuttable

from fastconv._rows import skips_rows

import_array()

cdef enum:
    MAX_TILES = 48  # in a strip
    FULL = 0
    SHORT_ROWS = 1
    SHORT_COLS = 2
    KINDS = 4

cdef int[KINDS] ORDER = [SHORT_COLS, FULL, SHORT_ROWS, SHORT_ROWS + SHORT_COLS]

# What a point of a tile takes beside its products, in multiply-adds, and what a weight takes to come in.
INPUT_COST = 8  # for an input channel
OUTPUT_COST = 11  # for an output channel
WEIGHT_COST = 2.5
LANES = kernels_for(sizeof(float)).lanes

cdef ptrdiff_t STRIP_BYTES = 320 * 1024  # of V: it stays in L2, with M and the weights that pass through
cdef ptrdiff_t LARGE_WEIGHTS = 4 * 1024 * 1024  # of bytes: twice as large a strip is worth more than its place in L2
cdef ptrdiff_t IMAGE_IN_CACHE = 512 * 1024  # of bytes: those of larger ones are called for ahead


cdef class Winograd(Cuttable):
    """A convolution of one geometry by one transform, ready to run on any arrays of it."""

    cdef const fc_winograd_kernels *kernels
    cdef ptrdiff_t lanes, max_tiles
    cdef object weights, bias, direct_weights, zeros
    cdef const char *packed
    cdef const char *packed_bias
    cdef const char *unpacked
    cdef const char *no_values
    cdef fc_winograd transform, short_transform
    cdef fc_axes axes[KINDS]
    cdef ptrdiff_t itemsize
    cdef double most
    cdef int relu
    # Geometry, in pixels, channels and tiles.
    cdef ptrdiff_t height, width, channels, out_height, out_width, groups, group_in, group_out, out_channels, top, left
    cdef ptrdiff_t tile_rows, tile_cols, tiles, ahead
    cdef bint skips_rows  # of the kernel, where a tile is computed directly
    cdef bint is_5x5, short_rows, short_cols  # in the last row, in the last column of tiles
    # Packed weights, in bytes.
    cdef ptrdiff_t column_bytes, group_bytes, group_bias_bytes
    # The cut.
    cdef ptrdiff_t strips, blocks
    # The workspace, in bytes.
    cdef ptrdiff_t v_tile, v_point, m_tile
    cdef readonly ptrdiff_t workspace_bytes  # for each thread
    cdef readonly str tile

    def __init__(self, shape, weights, bias, direct_weights, all_finite, most, activation, transform):
        self.height, self.width, self.channels = shape.height, shape.width, shape.in_channels
        self.out_height, self.out_width, self.out_channels = shape.out_height, shape.out_width, shape.out_channels
        self.groups = shape.groups
        self.group_in, self.group_out = shape.in_channels // self.groups, shape.out_channels // self.groups
        (self.top, _), (self.left, _) = shape.padding
        self.skips_rows = skips_rows(shape, all_finite)
        self.weights, self.bias, self.direct_weights, self.itemsize = weights, bias, direct_weights, weights.itemsize
        self.packed = <const char *>PyArray_DATA(weights)
        self.packed_bias = <const char *>PyArray_DATA(bias)
        self.unpacked = <const char *>PyArray_DATA(direct_weights)
        self.most, self.relu = most, activation == "relu"
        cdef const fc_kernels *kernels = kernels_for(self.itemsize)
        self.kernels, self.lanes, self.max_tiles = kernels.winograd, kernels.lanes, kernels.max_pixels
        _set_transform(&self.transform, transform, transform)
        if transform.short is not None:
            _set_transform(&self.short_transform, transform.short, transform)
        for kind in range(KINDS):
            self.axes[kind].rows = &self.short_transform if kind & SHORT_ROWS else &self.transform
            self.axes[kind].cols = &self.short_transform if kind & SHORT_COLS else &self.transform
            self.axes[kind].points = transform.points
        self.tile_rows, self.tile_cols = transform.tiles(shape)
        self.short_rows, self.short_cols = transform.ends_short(shape)
        self.is_5x5 = transform.kernel == 5
        self.tiles = shape.batch * self.tile_rows * self.tile_cols
        points = transform.points**2
        block = self.lanes * FC_MAX_VECTORS
        self.blocks = -(-self.group_out // block)
        self.column_bytes = points * self.group_in * self.itemsize
        self.group_bytes, self.group_bias_bytes = weights[0].nbytes, bias[0].nbytes
        self.zeros = np.zeros(max(self.group_in, self.lanes), weights.dtype)
        self.no_values = <const char *>PyArray_DATA(self.zeros)

        pixel_bytes = self.channels * self.itemsize
        is_large = self.height * self.width * pixel_bytes > IMAGE_IN_CACHE
        self.ahead = self.transform.outputs * pixel_bytes if is_large else 0
        self.v_tile = _lines(self.group_in * self.itemsize)
        strip_bytes = STRIP_BYTES * (1 + (self.group_bytes > LARGE_WEIGHTS))
        strip = max(min(strip_bytes // (points * self.v_tile), MAX_TILES), self.max_tiles)
        self.strips = -(-self.tiles // strip)
        strip = -(-self.tiles // max(self.strips, 1))
        self.v_point = _odd_lines(strip * self.v_tile)
        self.m_tile = _odd_lines(points * block * self.itemsize)
        self.workspace_bytes = points * self.v_point + strip * self.m_tile
        self.tile = f"{transform}, {min(strip, self.max_tiles)} tiles × {block} channels"

    def run(
        self, ndarray x, ndarray residual, ndarray out, ptrdiff_t out_stride, ndarray workspace, int team
    ):
        """Convolve x into out (bytes from pixel to pixel: `out_stride`), on `team` threads.

        `workspace` has `workspace_bytes` for each thread.
        """
        cdef const char *x_data = <const char *>PyArray_DATA(x)
        cdef const char *residual_data = NULL if residual is None else <const char *>PyArray_DATA(residual)
        cdef char *out_data = <char *>PyArray_DATA(out)
        cdef char *work = <char *>PyArray_DATA(workspace)
        cdef ptrdiff_t out_image = PyArray_STRIDES(out)[0] if PyArray_NDIM(out) == 4 else 0
        cdef Cut cut = self.cut_for(team, self.groups, self.strips, self.tiles, self.blocks)
        cdef ptrdiff_t unit, units = self.groups * cut.strips * cut.parts
        if team == 1:
            with nogil:
                for unit in range(units):
                    self._unit(unit, cut, x_data, residual_data, out_data, out_image, out_stride, work)
            return
        with nogil, parallel(num_threads=team):
            for unit in prange(units, schedule="dynamic"):
                self._unit(
                    unit, cut, x_data, residual_data, out_data, out_image, out_stride,
                    work + threadid() * self.workspace_bytes,
                )

    cdef double time_of(self, Cut cut) noexcept:
        """What the largest unit takes, in multiply-adds, by the costs of a point."""
        cdef double tiles = (self.tiles + cut.strips - 1) // cut.strips
        cdef double columns = self.group_out * ((self.blocks + cut.parts - 1) // cut.parts) / <double>self.blocks
        cdef double point = tiles * (self.group_in * columns + INPUT_COST * self.group_in + OUTPUT_COST * columns)
        return self.transform.points**2 * (point + WEIGHT_COST * self.group_in * columns)

    cdef void _unit(
        self, ptrdiff_t unit, Cut cut, const char *x, const char *residual,
        char *out, ptrdiff_t out_image, ptrdiff_t out_stride, char *work,
    ) noexcept nogil:
        """A part of the blocks of a group for a strip: parts fastest, then groups, then strips."""
        cdef ptrdiff_t part = unit % cut.parts, group = unit // cut.parts % self.groups
        cdef ptrdiff_t strip = unit // (cut.parts * self.groups)
        cdef ptrdiff_t first = self.tiles * strip // cut.strips, end = self.tiles * (strip + 1) // cut.strips
        cdef ptrdiff_t tiles[MAX_TILES]
        cdef char kinds[MAX_TILES]
        cdef char fits[MAX_TILES]
        cdef ptrdiff_t starts[KINDS + 1]
        cdef ptrdiff_t block, place, channel, block_columns = self.lanes * FC_MAX_VECTORS
        cdef char *sums = work + self.transform.points * self.transform.points * self.v_point
        cdef const char *pixels[FC_MAX_POINTS * FC_MAX_COLUMNS]
        cdef fc_patches patches
        cdef fc_result result
        self._arrange(first, end, tiles, kinds, starts)
        patches.pixels, patches.channels, patches.most = pixels, self.group_in, self.most
        patches.point_stride, patches.tile_stride = self.v_point, self.v_tile
        place = 0
        while place < end - first:
            patches.tiles = self._run_length(tiles + place, kinds + place, end - first - place)
            patches.axes, patches.out = self.axes[kinds[place]], work + place * self.v_tile
            patches.fits, patches.ahead = fits + place, self.ahead * patches.tiles
            self._find_pixels(x, group, tiles[place], patches.tiles, pixels)
            self.kernels.input[self.is_5x5][patches.axes.rows.nodes - 1][patches.axes.cols.nodes - 1](&patches)
            place += patches.tiles

        result.relu = self.relu
        result.residual_stride = result.weight_stride = self.out_channels * self.itemsize
        result.residual_row = self.out_width * result.residual_stride
        result.out_stride, result.out_row = out_stride, self.out_width * out_stride
        for block in range(self.blocks * part // cut.parts, self.blocks * (part + 1) // cut.parts):
            result.columns = min(block_columns, self.group_out - block * block_columns)
            result.bias = self.packed_bias + group * self.group_bias_bytes + block * block_columns * self.itemsize
            channel = (group * self.group_out + block * block_columns) * self.itemsize
            result.weights = self.unpacked + channel
            self._products(group, block, result.columns, starts, work, sums)
            for place in range(end - first):
                result.axes = self.axes[kinds[place]]
                self._place(tiles[place], channel, residual, out, out_image, &result)
                if fits[place]:
                    result.sums = sums + place * self.m_tile
                    self.kernels.output[self.is_5x5][result.axes.rows.nodes - 1][result.axes.cols.nodes - 1](&result)
                else:
                    self._find_pixels(x, group, tiles[place], 1, pixels)
                    self._find_rows(tiles[place], &patches)
                    self.kernels.direct(&patches, &result)

    cdef void _arrange(
        self, ptrdiff_t first, ptrdiff_t end, ptrdiff_t *tiles, char *kinds, ptrdiff_t *starts
    ) noexcept nogil:
        """The tiles of a strip in the order of their kinds, and where each kind starts."""
        cdef ptrdiff_t i, tile, place = 0
        cdef char kind
        for i in range(KINDS):
            starts[i] = place
            if ORDER[i] & SHORT_ROWS and not self.short_rows or ORDER[i] & SHORT_COLS and not self.short_cols:
                continue
            for tile in range(first, end):
                kind = FULL
                if self.short_rows and tile // self.tile_cols % self.tile_rows == self.tile_rows - 1:
                    kind |= SHORT_ROWS
                if self.short_cols and tile % self.tile_cols == self.tile_cols - 1:
                    kind |= SHORT_COLS
                if kind == ORDER[i]:
                    tiles[place], kinds[place] = tile, kind
                    place += 1
        starts[KINDS] = place

    cdef int _run_length(self, const ptrdiff_t *tiles, const char *kinds, ptrdiff_t most) noexcept nogil:
        """How many tiles, from the first on, lie side by side and are of its kind."""
        cdef ptrdiff_t in_row = self.tile_cols - tiles[0] % self.tile_cols
        cdef int n = 1
        most = min(most, min(in_row, FC_MAX_RUN))
        while n < most and tiles[n] == tiles[0] + n and kinds[n] == kinds[0]:
            n += 1
        return n

    cdef void _find_pixels(
        self, const char *x, ptrdiff_t group, ptrdiff_t tile, ptrdiff_t count, const char **pixels
    ) noexcept nogil:
        """Where, for `count` tiles, each pixel's channels of the group begin; zeros outside the image."""
        cdef ptrdiff_t points = self.transform.points, i, j, columns = points + (count - 1) * self.transform.outputs
        cdef ptrdiff_t row = tile // self.tile_cols % self.tile_rows * self.transform.outputs - self.top
        cdef ptrdiff_t col = tile % self.tile_cols * self.transform.outputs - self.left
        cdef ptrdiff_t image = tile // (self.tile_rows * self.tile_cols), pixel = self.channels * self.itemsize
        cdef bint inside
        x += image * self.height * self.width * pixel + group * self.group_in * self.itemsize
        for j in range(col, col + columns):
            for i in range(row, row + points):
                inside = 0 <= i and i < self.height and 0 <= j and j < self.width
                pixels[0] = x + (i * self.width + j) * pixel if inside else self.no_values
                pixels += 1

    cdef void _find_rows(self, ptrdiff_t tile, fc_patches *patch) noexcept nogil:
        """Which rows of a patch the direct convolution does not leave out."""
        cdef ptrdiff_t row = tile // self.tile_cols % self.tile_rows * self.transform.outputs - self.top
        patch.first_row, patch.end_row = 0, self.transform.points
        if self.skips_rows:
            patch.first_row, patch.end_row = max(0, -row), min(self.transform.points, self.height - row)

    cdef void _products(
        self, ptrdiff_t group, ptrdiff_t block, ptrdiff_t columns, const ptrdiff_t *starts, const char *rows, char *sums
    ) noexcept nogil:
        """Multiply V with the weights of a block of columns at every point."""
        cdef fc_product product
        cdef ptrdiff_t block_columns = self.lanes * FC_MAX_VECTORS
        cdef ptrdiff_t vectors = 1 if columns <= self.lanes else FC_MAX_VECTORS
        cdef ptrdiff_t points = self.transform.points, i, j, start, end
        cdef bint of_last_pair
        product.length, product.row_stride, product.out_stride = self.group_in * self.itemsize, self.v_tile, self.m_tile
        product.weights = self.packed + group * self.group_bytes + block * block_columns * self.column_bytes
        product.ahead = self.group_in * vectors * self.lanes * self.itemsize
        for i in range(points):
            for j in range(points):
                # Short tiles have no point of the last pair: of the kinds, in the order of ORDER, those that have it.
                of_last_pair = points - 3 <= j < points - 1
                start, end = starts[of_last_pair], starts[3 if of_last_pair else KINDS]
                if points - 3 <= i < points - 1:
                    end = starts[2]
                product.rows = rows + (i * points + j) * self.v_point + start * self.v_tile
                product.out = sums + (i * points + j) * block_columns * self.itemsize + start * self.m_tile
                self._product(&product, vectors, end - start)
                product.weights += product.ahead

    cdef void _product(self, fc_product *product, ptrdiff_t vectors, ptrdiff_t tiles) noexcept nogil:
        """The products of one point, in turns of a few tiles; the first calls for the next point's weights."""
        cdef ptrdiff_t turns = (tiles + self.max_tiles - 1) // self.max_tiles, turn, n, ahead = product.ahead
        for turn in range(turns):
            n = tiles // turns + (turn < tiles % turns)
            self.kernels.product[vectors - 1][n - 1](product)
            product.ahead = 0
            product.rows += n * self.v_tile
            product.out += n * self.m_tile
        product.ahead = ahead

    cdef void _place(
        self, ptrdiff_t tile, ptrdiff_t channel, const char *residual, char *out, ptrdiff_t out_image,
        fc_result *result,
    ) noexcept nogil:
        """Where a tile's result goes from this channel (in bytes) on, and how much of it lies inside the map."""
        cdef ptrdiff_t image = tile // (self.tile_rows * self.tile_cols)
        cdef ptrdiff_t row = tile // self.tile_cols % self.tile_rows * self.transform.outputs
        cdef ptrdiff_t col = tile % self.tile_cols * self.transform.outputs
        cdef ptrdiff_t pixel = row * self.out_width + col
        result.rows = min(self.transform.outputs, self.out_height - row)
        result.cols = min(self.transform.outputs, self.out_width - col)
        result.out = out + image * out_image + pixel * result.out_stride + channel
        result.residual = NULL
        if residual != NULL:
            pixel += image * self.out_height * self.out_width
            result.residual = residual + pixel * result.residual_stride + channel


cdef void _set_transform(fc_winograd *target, transform, full):
    powers, pairs, ends = transform.constants
    target.nodes, target.points, target.outputs = len(transform.nodes), transform.points, transform.outputs
    target.scales = [float(scale) for scale in (*transform.scales(full), *[0] * (FC_MAX_NODES - len(transform.nodes)))]
    for i in range(len(transform.nodes)):
        for k in range(transform.outputs):
            target.powers[k][i] = powers[k][i]
        for k in range(len(transform.nodes) - 1):
            target.pairs[i][k] = pairs[i][k]
        target.ends[i] = ends[i]


def _lines(nbytes):
    """Whole cache lines, not many times a power of two: rows far apart fall on different sets of the cache."""
    lines = -(-nbytes // 64)
    return (lines + (lines % 16 == 0)) * 64


def _odd_lines(nbytes):
    """An odd number of cache lines: rows so far apart fall on different sets of the cache."""
    return (-(-nbytes // 64) | 1) * 64
