"""Winograd's convolution: loops over pixel blocks, blocks of output channels and points around its kernels.

A *tile* is a square of output values, the *patch* the input that it sees, a *pixel block* a run of tiles, through
the images of a batch one after the other. A pixel block's patches are transformed to V [point][chunk][tile][channel of
the chunk]; for each block of output channels the products with the transformed weights give M [tile][point][column],
which is transformed to the tiles. V and M lie in the thread's workspace and stay in its L2 cache; the weights pass
through once for each pixel block.

Where the values of a patch are not finite, or might overflow on the way, its tile is computed directly: NaN and Inf
stand where they belong. So is an output that sees values much smaller than those beside them in the patch, whose
rounding would spread to it: its error follows from its own input. The reduction is never split and every tile is
computed by itself, so every partition gives the same bits.
"""

from numpy cimport PyArray_DATA, import_array

from fastconv._kernels.cpu cimport (
    CACHE_LINE, FC_ALL_OUTPUTS, FC_CACHED_BYTES, FC_CHUNK, FC_MAX_COLUMNS, FC_MAX_POINTS, FC_MAX_VECTORS, FC_RANGE,
    fc_direct, fc_end_nontemporal, fc_input_args, fc_kernels, fc_output_args, fc_product_args, fc_slopes_at,
    fc_winograd, kernels_for,
)
from fastconv._runners.finish cimport Finish
from fastconv._runners.pack cimport keep_activation
from fastconv._runners.partition cimport LoopNest, Partition, Range, Work, range_of, take_task
from fastconv._runners.runner cimport Arrays
from fastconv._runners.tiles cimport KINDS, MAX_TILES, SHORT_COLS, SHORT_ROWS, PixelBlock, Tile, Tiles

import_array()

# What a point of a tile takes beside its products, in multiply-adds.
INPUT_COST = 8  # for an input channel
OUTPUT_COST = 11  # for an output channel
LANES = kernels_for(sizeof(float)).lanes
RANGE = FC_RANGE  # csrc/winograd.h; the tests derive a bound of the error from it

cdef double WEIGHT_COST = 2.5  # the same of a task, to bring in a weight from L2
cdef double BYTES_FROM_FAR = 8  # of vectors that are multiplied while a weight comes from L3 or memory
cdef ptrdiff_t PIXEL_BLOCK_BYTES = 320 * 1024  # of V: it stays in L2, with M and the weights that pass through
# Weights, in bytes. Larger ones than the first come in anew for every pixel block, which is worth one twice as large;
# smaller ones are prefetched in a thread's first pixel block alone. Beyond the second they come from memory, as early
# as can be.
cdef ptrdiff_t NEAR_WEIGHTS = 3 * 512 * 1024, FAR_WEIGHTS = 24 * 1024 * 1024
# With no more channels the weights of one point stay in L1. Then no more tiles go together than are worth it, and twice
# as many are those of a 14×14 map.
cdef ptrdiff_t FEW_CHANNELS = 128, FEW_TILES = 8
cdef ptrdiff_t IMAGE_IN_CACHE = 512 * 1024  # of bytes: larger ones are prefetched


def max_block_tiles(transform, group_in, itemsize, reads_weights_anew):
    """The most tiles of a pixel block."""
    block_bytes = PIXEL_BLOCK_BYTES * (1 + reads_weights_anew)
    tile_bytes = transform.points**2 * -(-group_in // FC_CHUNK) * FC_CHUNK * itemsize
    return max(min(block_bytes // tile_bytes, MAX_TILES), kernels_for(itemsize).max_pixels)


cdef class Winograd(LoopNest):
    """A convolution of one geometry by one transform, ready to run on any arrays of it."""

    def __init__(self, shape, weights, bias, direct_weights, all_finite, max_squares, activation, transform):
        self.groups, self.out_channels, self.out_width = shape.groups, shape.out_channels, shape.out_width
        self.group_in, self.group_out = shape.in_channels // self.groups, shape.out_channels // self.groups
        self.weights, self.bias, self.direct_weights, self.itemsize = weights, bias, direct_weights, weights.itemsize
        self.packed = <const char *>PyArray_DATA(weights)
        self.packed_bias = <const char *>PyArray_DATA(bias)
        self.unpacked = <const char *>PyArray_DATA(direct_weights)
        self.max_squares = max_squares
        self.slopes = keep_activation(&self.epilogue, activation, self.groups, self.out_channels, weights.dtype)
        self.epilogue.residual_stride = self.out_channels * self.itemsize
        out_values = shape.batch * shape.out_height * shape.out_width * shape.out_channels
        self.nontemporal = out_values * self.itemsize > FC_CACHED_BYTES
        cdef const fc_kernels *kernels = kernels_for(self.itemsize)
        self.kernels, self.lanes = kernels.winograd, kernels.lanes
        self.max_tiles = [kernels.max_pixels, kernels.max_pixels]
        if self.group_in <= FEW_CHANNELS:
            self.max_tiles[FC_MAX_VECTORS - 1] = min(kernels.max_pixels, FEW_TILES)
        _set_transform(&self.transform, transform)
        if transform.short is not None:
            _set_transform(&self.short_transform, transform.short)
        for kind in range(KINDS):
            self.axes[kind].rows = &self.short_transform if kind & SHORT_ROWS else &self.transform
            self.axes[kind].cols = &self.short_transform if kind & SHORT_COLS else &self.transform
            self.axes[kind].points = transform.points
        self.tiles = Tiles(shape, weights.dtype, all_finite, transform)
        self.is_5x5 = transform.kernel == 5
        points = transform.points**2
        block = self.lanes * FC_MAX_VECTORS
        self.blocks = -(-self.group_out // block)
        self.column_bytes = points * self.group_in * self.itemsize
        self.group_bytes, self.group_bias_bytes = weights[0].nbytes, bias[0].nbytes
        self.prefetched = (self.group_bytes > NEAR_WEIGHTS) + (self.group_bytes > FAR_WEIGHTS)
        self.first_prefetched = max(self.prefetched, 1)
        far_cost = self.lanes * self.itemsize / BYTES_FROM_FAR if self.prefetched else 0
        self.weight_cost = max(WEIGHT_COST, far_cost)  # that of a short vector from L3 comes to no less than from L2

        image_bytes = shape.height * shape.width * shape.in_channels * self.itemsize
        self.ahead = transform.outputs * shape.in_channels * self.itemsize if image_bytes > IMAGE_IN_CACHE else 0
        chunks = -(-self.group_in // FC_CHUNK)
        self.v_tile = FC_CHUNK * self.itemsize
        block_tiles = max_block_tiles(transform, self.group_in, self.itemsize, self._reads_weights_anew())
        self.pixel_blocks = -(-self.tiles.count // block_tiles)
        self.repeats, self.max_pixel_blocks, self.max_ranges = self.groups, self.tiles.count, self.blocks
        block_tiles = -(-self.tiles.count // max(self.pixel_blocks, 1))
        self.v_chunk = block_tiles * self.v_tile
        self.v_point = _odd_lines(chunks * self.v_chunk)
        self.m_point = block * self.itemsize
        self.m_tile = _odd_lines(points * self.m_point)
        self.workspace_bytes = points * self.v_point + block_tiles * self.m_tile
        vectors = 1 if self.group_out <= self.lanes else FC_MAX_VECTORS
        tiles = min(block_tiles, self.max_tiles[vectors - 1])
        self.tile = f"{transform}, {tiles} tiles × {vectors * self.lanes} channels"

    def finish_with(self, Finish finish):
        """As in `LoopNest`: what is read again stays in the caches."""
        LoopNest.finish_with(self, finish)
        self.nontemporal = False

    cdef bint _reads_weights_anew(self) noexcept:
        """Whether weights come in, or are made, anew for every pixel block, which is worth one twice as large."""
        return self.group_bytes > NEAR_WEIGHTS

    cdef double pixel_block_time(self, ptrdiff_t pixel_blocks) noexcept:
        """What it takes to transform the patches of the largest pixel block, in multiply-adds."""
        cdef double tiles = (self.tiles.count + pixel_blocks - 1) // pixel_blocks
        return self.transform.points**2 * tiles * INPUT_COST * self.group_in

    cdef double task_time(self, Partition partition) noexcept:
        """What the products and outputs of the largest task take, in multiply-adds."""
        cdef double tiles = (self.tiles.count + partition.pixel_blocks - 1) // partition.pixel_blocks
        cdef ptrdiff_t blocks = (self.blocks + partition.ranges - 1) // partition.ranges
        cdef double columns = self.group_out * blocks / <double>self.blocks
        cdef double point = tiles * (self.group_in + OUTPUT_COST) + self.weight_cost * self.group_in
        return self.transform.points**2 * columns * point

    cdef void run_tasks(self, const Work *work) noexcept nogil:
        """A thread's tasks: channel ranges fastest, then groups, then pixel blocks."""
        cdef ptrdiff_t task = take_task(work), number, group, block, transformed = -1, first = -1
        cdef const Arrays *arrays = &work.arrays
        cdef Partition partition = work.partition
        cdef Range tiles, blocks
        cdef PixelBlock pixel_block
        cdef fc_direct[MAX_TILES] direct
        cdef fc_output_args result
        result.epilogue, result.weight_stride = self.epilogue, self.out_channels * self.itemsize
        result.residual_row = self.out_width * self.epilogue.residual_stride
        result.epilogue.out_stride, result.out_row = arrays.out_stride, self.out_width * arrays.out_stride
        while task >= 0:
            number, group = task // partition.ranges // self.groups, task // partition.ranges % self.groups
            if task // partition.ranges != transformed:
                transformed = task // partition.ranges
                if first < 0:
                    first = number
                pixel_block.prefetched = self.first_prefetched if number == first else self.prefetched
                tiles = range_of(number, partition.pixel_blocks, self.tiles.count)
                self.tiles.arrange(&pixel_block, tiles.first, tiles.end)
                self._transform(
                    &pixel_block, arrays.x + group * self.group_in * self.itemsize, work.workspace, direct
                )
            blocks = range_of(task % partition.ranges, partition.ranges, self.blocks)
            for block in range(blocks.first, blocks.end):
                self._block(&pixel_block, direct, group, block, work, &result)
            task = take_task(work)
        if self.nontemporal:
            fc_end_nontemporal()

    cdef void _transform(
        self, const PixelBlock *pixel_block, const char *x, char *work, fc_direct *direct
    ) noexcept nogil:
        """Transform a pixel block's patches, whose group's channels begin at x, and tell what to compute directly."""
        cdef ptrdiff_t index = 0
        cdef const char *pixels[FC_MAX_POINTS * FC_MAX_COLUMNS]
        cdef fc_input_args patches
        patches.pixels, patches.channels, patches.max_squares = pixels, self.group_in, self.max_squares
        patches.point_stride, patches.chunk_stride = self.v_point, self.v_chunk
        while index < pixel_block.count:
            patches.tiles = self.tiles.run_length(pixel_block, index)
            patches.axes, patches.out = self.axes[pixel_block.tiles[index].kind], work + index * self.v_tile
            patches.direct, patches.ahead = direct + index, self.ahead * patches.tiles
            self.tiles.find_pixels(x, pixel_block.tiles + index, patches.tiles, pixels)
            self.kernels.input[self.is_5x5][patches.axes.rows.nodes - 1][patches.axes.cols.nodes - 1](&patches)
            index += patches.tiles

    cdef void _block(
        self, const PixelBlock *pixel_block, fc_direct *direct, ptrdiff_t group, ptrdiff_t block, const Work *work,
        fc_output_args *result,
    ) noexcept nogil:
        """A block of channels of a pixel block: the products, then every tile's output, what must be directly."""
        cdef ptrdiff_t index, row, first, block_columns = self.lanes * FC_MAX_VECTORS
        cdef ptrdiff_t channel = (group * self.group_out + block * block_columns) * self.itemsize
        cdef char *sums = work.workspace + self.transform.points * self.transform.points * self.v_point
        cdef const Tile *tile
        cdef const char *pixels[FC_MAX_POINTS * FC_MAX_POINTS]
        cdef fc_input_args patch
        result.columns = min(block_columns, self.group_out - block * block_columns)
        first = group * self.group_bias_bytes + block * block_columns * self.itemsize
        result.epilogue.bias, result.epilogue.slopes = self.packed_bias + first, fc_slopes_at(&self.epilogue, first)
        result.weights = self.unpacked + channel
        self._products(
            pixel_block, self.packed + group * self.group_bytes + block * block_columns * self.column_bytes,
            1 if result.columns <= self.lanes else FC_MAX_VECTORS, work.workspace, sums,
        )
        for index in range(pixel_block.count):
            tile = pixel_block.tiles + index
            result.axes, result.sums = self.axes[tile.kind], sums + index * self.m_tile
            self.tiles.set_output(tile, channel, &work.arrays, result)
            # What is written again stays in the cache.
            result.nontemporal = self.nontemporal and direct[index].outputs == 0
            if direct[index].outputs != FC_ALL_OUTPUTS:
                self.kernels.output[self.is_5x5][result.axes.rows.nodes - 1][result.axes.cols.nodes - 1](result)
            if direct[index].outputs:
                patch.pixels, patch.channels, patch.direct = pixels, self.group_in, direct + index
                self.tiles.find_pixels(work.arrays.x + group * self.group_in * self.itemsize, tile, 1, pixels)
                self.tiles.find_taps(tile, &patch)
                self.kernels.direct(&patch, result)
            if self.finish is not None:
                for row in range(result.rows):
                    self.finish.run(
                        result.epilogue.out + row * result.out_row, result.epilogue.out_stride, result.cols,
                        group * self.group_out + block * block_columns, result.columns,
                    )

    cdef void _products(
        self, const PixelBlock *pixel_block, const char *weights, ptrdiff_t vectors, const char *values, char *sums
    ) noexcept nogil:
        """Multiply V with the weights of a block of columns, so many vectors, at every point."""
        cdef fc_product_args product
        cdef ptrdiff_t points = self.transform.points, i, j
        cdef ptrdiff_t point_bytes = self.group_in * vectors * self.lanes * self.itemsize
        cdef Range tiles
        product.channels, product.chunk_stride, product.out_stride = self.group_in, self.v_chunk, self.m_tile
        product.weights, product.adds, product.points = weights, False, 1
        product.point_stride = product.weight_stride = 0  # to no other point
        for i in range(points):
            for j in range(points):
                tiles = self._at_point(&product, pixel_block, i, j, values, sums)
                product.next = product.weights + point_bytes
                product.prefetched = min(pixel_block.prefetched, vectors)
                self._product(&product, vectors, tiles.end - tiles.first)
                product.weights += point_bytes

    cdef Range _at_point(
        self, fc_product_args *product, const PixelBlock *pixel_block, ptrdiff_t i, ptrdiff_t j, const char *values,
        char *sums,
    ) noexcept nogil:
        """Have the products begin at a point of line i; the tiles that have it."""
        cdef Range tiles = self._with_point(pixel_block, i, j)
        cdef ptrdiff_t point = i * self.transform.points + j
        product.values = values + point * self.v_point + tiles.first * self.v_tile
        product.out = sums + point * self.m_point + tiles.first * self.m_tile
        return tiles

    cdef Range _with_point(self, const PixelBlock *pixel_block, ptrdiff_t i, ptrdiff_t j) noexcept nogil:
        """The tiles that have a point; short ones have none of the last pair: the kinds that do, in their order."""
        cdef ptrdiff_t points = self.transform.points
        cdef bint of_last_pair = points - 3 <= j < points - 1
        cdef ptrdiff_t end = pixel_block.starts[3 if of_last_pair else KINDS]
        if points - 3 <= i < points - 1:
            end = pixel_block.starts[2]
        return Range(pixel_block.starts[of_last_pair], end)

    cdef void _product(self, fc_product_args *product, ptrdiff_t vectors, ptrdiff_t tiles) noexcept nogil:
        """The products of a point, or some, in turns of a few tiles, which prefetch the next point's weights."""
        cdef ptrdiff_t max_tiles = self.max_tiles[vectors - 1], turns = (tiles + max_tiles - 1) // max_tiles, turn, n
        cdef ptrdiff_t low = tiles // max(turns, 1), higher = tiles - low * turns
        cdef const char *end = product.next + self.group_in * vectors * self.lanes * self.itemsize
        for turn in range(turns):
            n = low + (turn < higher)
            if turn + 1 < turns:
                product.values_ahead = n * self.v_tile - (product.points - 1) * product.point_stride
            else:  # the next point's first tiles
                product.values_ahead = self.v_point - (tiles - n) * self.v_tile
            self.kernels.product[vectors - 1][n - 1](product)
            product.next += product.prefetched * self.lanes * self.itemsize * self.group_in
            if product.next >= end:
                product.prefetched = 0
            product.values += n * self.v_tile
            product.out += n * self.m_tile


cdef void _set_transform(fc_winograd *target, transform):
    powers, pairs, ends, scales = transform.constants
    target.nodes, target.points, target.outputs = len(ends), transform.points, transform.outputs
    for i in range(target.nodes):
        for k in range(transform.outputs):
            target.powers[k][i] = powers[k][i]
        for k in range(target.nodes - 1):
            target.pairs[i][k] = pairs[i][k]
        target.ends[i] = ends[i]
    for i in range(target.nodes + 1):
        target.scales[i] = scales[i]


def _odd_lines(nbytes):
    """An odd number of cache lines: rows so far apart fall on different sets of the cache."""
    return (-(-nbytes // CACHE_LINE) | 1) * CACHE_LINE
