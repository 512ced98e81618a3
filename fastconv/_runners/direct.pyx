"""The direct convolution: loops over pixel blocks, output channels and tiles around the register-tile kernels.

A *pixel block* is a run of output pixels of one image, a *block* as many output channels as a tile has columns. One
task is a pixel block times a range of output channels of one group, in whole blocks; the size of the team decides how
many tasks there are. The reduction is never split, and a kernel's result for a pixel does not depend on the tile that
it is in, so every partition gives the same bits.

Without padding the kernels read x where it is. With padding a pixel block's rows are first copied, borders and all,
into the thread's workspace, where the copy stays in the L2 cache for every block: there is then no edge anywhere.
Most depthwise convolutions read x where it is and leave out the taps in the padding.
"""

from fastconv._kernels.cpu cimport fc_epilogue, kernels_for
from fastconv._runners.direct_tiles cimport DirectTiles, PixelBlock
from fastconv._runners.finish cimport Finish
from fastconv._runners.grouped_tiles cimport GroupedTiles
from fastconv._runners.pack cimport is_grouped, keep_activation
from fastconv._runners.padded_rows cimport MIN_ROW, PIXEL_BLOCK_BYTES
from fastconv._runners.partition cimport LoopNest, Partition, Range, Work, range_of, take_task
from fastconv._runners.runner cimport Arrays

# What a task costs beside its multiply-adds, in multiply-adds of the plain tile.
cdef double VALUE_COST = 12  # to bring in a value of input or weights
cdef double REREAD_COST = 3  # to read a value of input again, from L2, for another channel range
cdef double GROUPED_COST = 8  # of a multiply-add in the grouped tile, which is bound by loads

cdef ptrdiff_t MIN_PIXELS = 49  # of a pixel block that is read in place: the weights of a 7×7 map come in but once
cdef ptrdiff_t TURN_BYTES = 256 * 1024  # of input that a row of the kernel meets: it stays in L2 beside its weights


cdef class Direct(LoopNest):
    """A direct convolution of one geometry, ready to run on any arrays of it."""

    cdef DirectTiles tiles
    cdef ptrdiff_t batch, out_height, image_bytes
    cdef fc_epilogue epilogue  # but for what a call tells
    cdef object slopes
    # The partition. A pixel block is some lines: rows of the output, or as many pixels as the largest tile has when
    # the plain tile reads x in place.
    cdef ptrdiff_t lines, line_pixels, copied_bytes

    def __init__(self, shape, weights, bias, all_finite, activation):
        group_in, group_out = shape.in_channels // shape.groups, shape.out_channels // shape.groups
        grouped = is_grouped(group_in, group_out, shape.groups, kernels_for(weights.itemsize).lanes)
        self.tiles = (GroupedTiles if grouped else DirectTiles)(shape, weights, bias, all_finite)
        self.tile = self.tiles.tile
        # Other tiles may compute some values twice.
        self.overwrites = not self.tiles.grouped and self.tiles.few == NULL
        self.batch, self.out_height = shape.batch, shape.out_height
        self.slopes = keep_activation(&self.epilogue, activation, bias.shape[0], shape.out_channels, weights.dtype)
        self.epilogue.residual_stride = shape.out_channels * self.tiles.itemsize
        self.image_bytes = shape.height * shape.width * shape.in_channels * self.tiles.itemsize
        self._set_pixel_blocks()
        self.tiles.set_segments(shape.dilation[1])
        self.repeats = self.batch * self.tiles.groups
        self.max_pixel_blocks, self.max_ranges = self.lines, self.tiles.blocks

    def finish_with(self, Finish finish):
        """As in `LoopNest`, but that tiles of small groups, whose tasks may take some channels of many, do it alone."""
        if self.tiles.grouped:
            self.tiles.finish = finish
        else:
            LoopNest.finish_with(self, finish)

    def _set_pixel_blocks(self):
        """The pixel blocks of one thread, the longest: as much of the input as stays in the L2 cache."""
        if self.tiles.copies or self.tiles.grouped:
            self.lines, self.line_pixels = self.out_height, self.tiles.out_width
            longest = self.tiles.padded_rows.max_rows(PIXEL_BLOCK_BYTES // max(self.tiles.row_bytes, 1))
            if self.tiles.keeps:  # a turn reads but the rows that meet one of the kernel
                longest = max(longest, TURN_BYTES // max(self.tiles.row_bytes, 1))
        else:
            self.line_pixels = self.tiles.kernels.max_pixels
            self.lines = -(-self.out_height * self.tiles.out_width // self.line_pixels)
            pixel = self.tiles.pixel_bytes
            if self.tiles.kernel_rows * self.tiles.kernel_cols > 1:  # else the pixels between are not read
                pixel *= self.tiles.stride_h * self.tiles.stride_w
            longest = max(PIXEL_BLOCK_BYTES // max(pixel, 1) // self.line_pixels, 8, -(-MIN_PIXELS // self.line_pixels))
        self.pixel_blocks = -(-self.lines // max(longest, 1))
        longest = -(-self.lines // self.pixel_blocks)
        if self.tiles.copies:
            self.copied_bytes = self.tiles.padded_rows.set_longest(longest)
        self.workspace_bytes = self.copied_bytes + longest * self.line_pixels * self.tiles.kept_bytes

    @property
    def multiplications(self):
        """Those really done."""
        channels = self.tiles.terms // (self.tiles.kernel_rows * self.tiles.kernel_cols)  # that a value sums
        return self.tiles.padded_rows.count_taps() * self.batch * self.tiles.groups * self.tiles.group_out * channels

    cdef double pixel_block_time(self, ptrdiff_t pixel_blocks) noexcept:
        """What it takes to bring in the input of the largest pixel block, in multiply-adds of the plain tile."""
        return VALUE_COST * self._input_of(pixel_blocks)

    cdef double task_time(self, Partition partition) noexcept:
        """What the products of the largest task take, in multiply-adds of the plain tile."""
        cdef ptrdiff_t lines = (self.lines + partition.pixel_blocks - 1) // partition.pixel_blocks
        cdef ptrdiff_t blocks = (self.tiles.blocks + partition.ranges - 1) // partition.ranges
        cdef double columns = self.tiles.group_out * blocks / <double>self.tiles.blocks
        cdef double pixels = lines * self.line_pixels
        if self.tiles.padded_rows.skips_columns and not self.tiles.grouped:  # tiles of fewer pixels take as long
            pixels += 2 * (self.tiles.kernel_cols // 2) * max(0, MIN_ROW - lines)
        cdef double work = pixels * columns * self.tiles.terms
        if self.tiles.grouped:
            work *= GROUPED_COST
        return work + VALUE_COST * columns * self.tiles.terms + REREAD_COST * self._input_of(partition.pixel_blocks)

    cdef double _input_of(self, ptrdiff_t pixel_blocks) noexcept:
        """Values of input that the largest of the pixel blocks reads."""
        cdef ptrdiff_t lines = (self.lines + pixel_blocks - 1) // pixel_blocks
        cdef double pixels
        if self.tiles.copies:
            pixels = self.tiles.padded_rows.copied_rows(lines) * self.tiles.padded_rows.copied_width
            return pixels * self.tiles.group_in
        return <double>lines * self.line_pixels * self.tiles.stride_h * self.tiles.stride_w * self.tiles.group_in

    cdef void run_tasks(self, const Work *work) noexcept nogil:
        """A thread's tasks: channel ranges fastest, then groups, pixel blocks, images."""
        cdef ptrdiff_t task = take_task(work), number, image, first, copied = -1
        cdef ptrdiff_t all_pixels = self.out_height * self.tiles.out_width
        cdef const Arrays *arrays = &work.arrays
        cdef Partition partition = work.partition
        cdef Range lines
        cdef PixelBlock block
        block.epilogue, block.epilogue.out_stride = self.epilogue, arrays.out_stride
        while task >= 0:
            number = task // partition.ranges
            block.group, image = number % self.tiles.groups, number // (self.tiles.groups * partition.pixel_blocks)
            block.blocks = range_of(task % partition.ranges, partition.ranges, self.tiles.blocks)
            lines = range_of(
                number // self.tiles.groups % partition.pixel_blocks, partition.pixel_blocks, self.lines
            )
            first = lines.first * self.line_pixels
            block.pixels = Range(first, min(lines.end * self.line_pixels, all_pixels))
            block.source = arrays.x + image * self.image_bytes
            block.source += block.group * self.tiles.group_in * self.tiles.itemsize
            if self.tiles.copies:
                if number != copied:
                    self.tiles.padded_rows.copy(block.source, lines.first, lines.end - lines.first, work.workspace)
                    copied = number
                block.source = work.workspace
            elif not self.tiles.in_place:
                block.source += first // self.tiles.out_width * self.tiles.stride_h * self.tiles.row_bytes
            block.kept = work.workspace + self.copied_bytes
            block.epilogue.out = arrays.out + image * arrays.out_image + first * arrays.out_stride
            block.epilogue.residual = NULL
            if arrays.residual != NULL:
                block.epilogue.residual = arrays.residual + (image * all_pixels + first) * self.epilogue.residual_stride
            self.tiles.run(&block)
            if self.finish is not None:
                self._finish(&block)
            task = take_task(work)

    cdef void _finish(self, const PixelBlock *block) noexcept nogil:
        """Compute the functions of what a task wrote."""
        cdef ptrdiff_t first = block.blocks.first * self.tiles.block_columns
        cdef ptrdiff_t end = min(block.blocks.end * self.tiles.block_columns, self.tiles.group_out)
        cdef ptrdiff_t channel = block.group * self.tiles.group_out + first
        self.finish.run(
            block.epilogue.out + channel * self.tiles.itemsize, block.epilogue.out_stride,
            block.pixels.end - block.pixels.first, channel, end - first,
        )
