"""1×1 convolutions by fast inner products: csrc/fip_tile.h has the identity, the scaling and the arithmetic.

A *chunk* is some input channels, a *block* as many output channels as a tile has columns, a *pixel block* a run of
output pixels of one image. One task is a pixel block, or one group of it, times a range of blocks. The first of these
packs the pixels, scaled, into the thread's workspace, [chunk][pixel], where the others find them. For each block of
columns the chunks come one after the other, all tiles for each: so a chunk's weights are in L1 or L2 while they are
used, and those of the next are prefetched. The reduction is never split and every pixel is computed by itself, so every
partition gives the same bits.
"""

from numpy cimport PyArray_DATA, import_array

from fastconv._kernels.cpu cimport (
    CACHE_LINE, FC_FIP_DIRECT, FC_FIP_ROW, FC_MAX_VECTORS, fc_advance, fc_epilogue, fc_fip_args, fc_fip_direct_args,
    fc_fip_kernels, fc_fip_pack_args, fc_kernels, fc_slopes_at, kernels_for,
)
from fastconv._runners.fip_weights cimport SPARE, chunks_of, first_step
from fastconv._runners.pack cimport keep_activation
from fastconv._runners.partition cimport LoopNest, Partition, Range, Work, range_of, take_task
from fastconv._runners.runner cimport Arrays

import_array()

# Of the estimate that chooses, from a prototype's times on a Zen 5: how much faster than direct its products are, and
# what the packing of an input channel and the end of an output channel take beside them, for a pixel, in multiply-adds.
GAIN = 1.42
INPUT_COST, OUTPUT_COST = 10, 5
MIN_CHANNELS, MIN_PIXELS = 64, 25  # in and out; of an image
COLUMNS = kernels_for(sizeof(float)).lanes * FC_MAX_VECTORS  # of a block

cdef ptrdiff_t PIXEL_BLOCK_BYTES = 192 * 1024  # of packed pixels: they stay in L2 beside a chunk's weights
cdef double PACK_COST = 16  # to pack a value of input, in multiply-adds
cdef double WEIGHT_COST = 8  # to bring in a weight


cdef struct PixelBlock:  # of a group
    const char *x  # where the image begins
    ptrdiff_t group
    Range pixels
    bint any_direct  # of them are computed directly
    fc_epilogue epilogue  # but for the bias
    char *work


cdef class Fip(LoopNest):
    """A 1×1 convolution of one geometry, ready to run on any NHWC arrays of it."""

    cdef const fc_fip_kernels *kernels
    cdef tuple kept
    cdef const char *weights
    cdef const char *weight_sums
    cdef const char *column_scales
    cdef const char *bias
    cdef const char *equalizers
    cdef const char *unpacked
    cdef ptrdiff_t itemsize
    cdef bint in_range
    cdef fc_epilogue epilogue  # but for what a call tells
    # Geometry, in pixels, channels and bytes.
    cdef ptrdiff_t batch, groups, group_in, group_out, out_channels, out_plane
    cdef ptrdiff_t out_width, row_step, pixel_step, image_bytes
    cdef ptrdiff_t group_slope_bytes
    # The partition.
    cdef ptrdiff_t lines, chunks, blocks, width, all_steps
    # The workspace: the most pixels of a pixel block, and where its parts begin, in bytes.
    cdef ptrdiff_t most_pixels, row_bytes, at_row_sums, at_scales, at_sums

    def __init__(self, shape, weights, weight_sums, column_scales, bias, equalizers, unpacked, in_range, activation):
        self.kept = weights, weight_sums, column_scales, bias, equalizers, unpacked
        self.itemsize, self.in_range = weights.itemsize, in_range
        cdef const fc_kernels *kernels = kernels_for(self.itemsize)
        self.kernels = kernels.fip
        self.weights, self.weight_sums = <const char *>PyArray_DATA(weights), <const char *>PyArray_DATA(weight_sums)
        self.column_scales, self.bias = <const char *>PyArray_DATA(column_scales), <const char *>PyArray_DATA(bias)
        self.equalizers, self.unpacked = <const char *>PyArray_DATA(equalizers), <const char *>PyArray_DATA(unpacked)
        slopes = keep_activation(&self.epilogue, activation, shape.groups, shape.out_channels, weights.dtype)
        self.kept += (slopes,)
        self.group_slope_bytes = 0 if slopes is None else slopes[0].nbytes
        self.epilogue.residual_stride = shape.out_channels * self.itemsize
        self.batch, self.groups, self.out_channels = shape.batch, shape.groups, shape.out_channels
        self.group_in, self.group_out = shape.in_channels // shape.groups, shape.out_channels // shape.groups
        self.out_plane, self.out_width = shape.out_height * shape.out_width, shape.out_width
        pixel_bytes = shape.in_channels * self.itemsize
        self.pixel_step, self.row_step = shape.stride[1] * pixel_bytes, shape.stride[0] * shape.width * pixel_bytes
        self.image_bytes = shape.height * shape.width * pixel_bytes
        self.chunks, self.all_steps = chunks_of(self.group_in), first_step(chunks_of(self.group_in), self.group_in)
        self.width = kernels.lanes * FC_MAX_VECTORS
        self.blocks = -(-self.group_out // self.width)

        self.lines = -(-self.out_plane // self.kernels.max_pixels)
        self.row_bytes = FC_FIP_ROW * self.itemsize
        # The rows of few channels are mostly empty, and yet take their place in the workspace.
        pixel = max(self.group_in * self.itemsize, self.chunks * self.row_bytes // 2)
        longest = max(PIXEL_BLOCK_BYTES // pixel // self.kernels.max_pixels, 1)
        self.pixel_blocks = -(-self.lines // longest)
        self.repeats, self.max_pixel_blocks, self.max_ranges = self.batch * self.groups, self.lines, self.blocks
        self.most_pixels = -(-self.lines // max(self.pixel_blocks, 1)) * self.kernels.max_pixels
        self.at_row_sums = self.chunks * self.most_pixels * self.row_bytes
        self.at_scales = self.at_row_sums + _lines(self.chunks * self.most_pixels * self.itemsize)
        self.at_sums = self.at_scales + _lines(self.most_pixels * self.itemsize)
        self.workspace_bytes = self.at_sums + _lines(self.most_pixels * self.width * self.itemsize)
        self.tile = f"{self.kernels.max_pixels} pixels × {self.width} channels"

    cdef double pixel_block_time(self, ptrdiff_t pixel_blocks) noexcept:
        """What it takes to pack the pixels of the largest pixel block, in multiply-adds."""
        return PACK_COST * self._pixels(pixel_blocks) * self.group_in

    cdef double task_time(self, Partition partition) noexcept:
        """What the products of the largest task take, in multiply-adds."""
        cdef ptrdiff_t blocks = (self.blocks + partition.ranges - 1) // partition.ranges
        return (self._pixels(partition.pixel_blocks) + WEIGHT_COST) * self.group_in * blocks * self.width

    cdef double _pixels(self, ptrdiff_t pixel_blocks) noexcept:
        """Those of the largest of the pixel blocks."""
        return (self.lines + pixel_blocks - 1) // pixel_blocks * self.kernels.max_pixels

    cdef void run_tasks(self, const Work *work) noexcept nogil:
        """A thread's tasks: channel ranges fastest, then groups, pixel blocks, images."""
        cdef ptrdiff_t task = take_task(work), number, image, packed = -1
        cdef const Arrays *arrays = &work.arrays
        cdef Partition partition = work.partition
        cdef Range lines
        cdef PixelBlock block
        block.epilogue, block.work = self.epilogue, work.workspace
        block.epilogue.out_stride = arrays.out_stride
        while task >= 0:
            number = task // partition.ranges
            block.group, image = number % self.groups, number // (self.groups * partition.pixel_blocks)
            lines = range_of(number // self.groups % partition.pixel_blocks, partition.pixel_blocks, self.lines)
            block.pixels = Range(
                lines.first * self.kernels.max_pixels, min(lines.end * self.kernels.max_pixels, self.out_plane)
            )
            block.x = arrays.x + image * self.image_bytes + block.group * self.group_in * self.itemsize
            block.epilogue.out, block.epilogue.residual = arrays.out + image * arrays.out_image, NULL
            if arrays.residual != NULL:
                block.epilogue.residual = arrays.residual + image * self.out_plane * self.epilogue.residual_stride
            fc_advance(&block.epilogue, block.pixels.first, block.group * self.group_out * self.itemsize)
            if number != packed:
                packed = number
                block.any_direct = self._pack(&block)
            self._blocks(&block, range_of(task % partition.ranges, partition.ranges, self.blocks))
            task = take_task(work)

    cdef void _blocks(self, const PixelBlock *block, Range blocks) noexcept nogil:
        """Some blocks of columns of a pixel block."""
        cdef ptrdiff_t i
        for i in range(blocks.first, blocks.end):
            self._columns(block, i)

    cdef const char *_pixel(self, const char *x, ptrdiff_t pixel) noexcept nogil:
        """Where the input of an output pixel lies, in an image that begins at x."""
        return x + pixel // self.out_width * self.row_step + pixel % self.out_width * self.pixel_step

    cdef bint _pack(self, const PixelBlock *block) noexcept nogil:
        """Pack the pixels of a pixel block; whether any is to be computed directly."""
        cdef fc_fip_pack_args pixel
        cdef ptrdiff_t i
        cdef bint any_direct = False
        pixel.channels, pixel.chunks = self.group_in, self.chunks
        pixel.equalizers = self.equalizers + block.group * (self.group_in + SPARE) * self.itemsize
        pixel.row_stride = self.most_pixels * self.row_bytes
        pixel.sum_stride = self.most_pixels * self.itemsize
        for i in range(block.pixels.end - block.pixels.first):
            pixel.x = self._pixel(block.x, block.pixels.first + i)
            pixel.rows = block.work + i * self.row_bytes
            pixel.sums = block.work + self.at_row_sums + i * self.itemsize
            pixel.scale = block.work + self.at_scales + i * self.itemsize
            any_direct = self.kernels.pack(&pixel) or any_direct
        return any_direct

    cdef void _columns(self, const PixelBlock *block, ptrdiff_t of_group) noexcept nogil:
        """A block of columns, by its number in the group, of a pixel block."""
        cdef fc_fip_args tile
        cdef ptrdiff_t width_bytes = self.width * self.itemsize, step_bytes = 3 * width_bytes
        cdef ptrdiff_t pixels = block.pixels.end - block.pixels.first, chunk, t, prefetched, step
        cdef ptrdiff_t tiles = (pixels + self.kernels.max_pixels - 1) // self.kernels.max_pixels
        cdef ptrdiff_t number = block.group * self.blocks + of_group
        cdef Range rows
        tile.columns = min(self.width, self.group_out - of_group * self.width)
        tile.column_scales = self.column_scales + number * width_bytes
        tile.epilogue = block.epilogue
        tile.epilogue.bias = self.bias + number * width_bytes
        tile.epilogue.slopes = fc_slopes_at(
            &block.epilogue, block.group * self.group_slope_bytes + of_group * width_bytes
        )
        fc_advance(&tile.epilogue, 0, of_group * width_bytes)
        if block.any_direct:
            self._direct(block, &tile.epilogue, tile.columns, block.group * self.group_out + of_group * self.width)
        for chunk in range(self.chunks if self.in_range else 0):
            step = first_step(chunk, self.group_in)
            tile.is_first, tile.is_last = chunk == 0, chunk == self.chunks - 1
            tile.steps = first_step(chunk + 1, self.group_in) - step
            tile.weights = self.weights + (number * self.all_steps + step) * step_bytes
            tile.weight_sums = self.weight_sums + (number * self.chunks + chunk) * width_bytes
            # The next chunk's weights come after these: each tile prefetches some, as far as it takes.
            tile.ahead, tile.ahead_step = <const char *>tile.weights + tile.steps * step_bytes, CACHE_LINE
            prefetched = 0
            for t in range(tiles):
                rows = range_of(t, tiles, pixels)
                tile.rows = block.work + (chunk * self.most_pixels + rows.first) * self.row_bytes
                tile.row_sums = block.work + self.at_row_sums
                tile.row_sums += (chunk * self.most_pixels + rows.first) * self.itemsize
                tile.scales = block.work + self.at_scales + rows.first * self.itemsize
                tile.sums = block.work + self.at_sums + rows.first * width_bytes
                self.kernels.tile[rows.end - rows.first - 1](&tile)
                prefetched += tile.steps * CACHE_LINE
                tile.ahead += tile.steps * tile.ahead_step
                if prefetched >= tile.steps * step_bytes:
                    tile.ahead_step = 0
                if tile.is_last:
                    fc_advance(&tile.epilogue, rows.end - rows.first, 0)
        if self.finish is not None:
            self.finish.run(
                block.epilogue.out + of_group * width_bytes, block.epilogue.out_stride, pixels,
                block.group * self.group_out + of_group * self.width, tile.columns,
            )

    cdef void _direct(
        self, const PixelBlock *block, const fc_epilogue *epilogue, ptrdiff_t columns, ptrdiff_t channel
    ) noexcept nogil:
        """Some columns, from a channel of the output on, of those pixels that are computed directly."""
        cdef fc_fip_direct_args pixel
        cdef ptrdiff_t i
        pixel.channels, pixel.columns, pixel.weight_stride = self.group_in, columns, self.out_channels * self.itemsize
        pixel.weights, pixel.epilogue = self.unpacked + channel * self.itemsize, epilogue[0]
        for i in range(block.pixels.end - block.pixels.first):
            if self._scale(block.work, i) == FC_FIP_DIRECT:
                pixel.x = self._pixel(block.x, block.pixels.first + i)
                self.kernels.direct(&pixel)
            fc_advance(&pixel.epilogue, 1, 0)

    cdef double _scale(self, const char *work, ptrdiff_t i) noexcept nogil:
        """The scale of a packed pixel."""
        cdef const char *scales = work + self.at_scales
        return (<const float *>scales)[i] if self.itemsize == 4 else (<const double *>scales)[i]


cdef ptrdiff_t _lines(ptrdiff_t nbytes) noexcept:
    """Bytes as whole cache lines."""
    return (nbytes + CACHE_LINE - 1) // CACHE_LINE * CACHE_LINE
