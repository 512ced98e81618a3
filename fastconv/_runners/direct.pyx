"""The direct convolution: loops over strips, output channels and tiles around the register-tile kernels.

A *strip* is a run of output pixels of one image, a *block* as many output channels as a tile has columns. One unit of
work is a strip times some blocks of one group; the team shares the units, as many as its size asks for. The reduction
is never split, and a kernel's result for a pixel does not depend on the tile that it is in, so every cut gives the same
bits.

Without padding the kernels read x where it is. With padding a strip's rows are first copied, borders and all, into the
thread's workspace, where the copy stays in the L2 cache for every block: there is then no edge anywhere. Most depthwise
convolutions read x where it is and leave out the taps in the padding.
"""

from fastconv._kernels.cpu cimport fc_conv_args, fc_epilogue
from fastconv._runners.cut cimport Arrays, Cut, Runner, share
from fastconv._runners.direct_tiles cimport DirectTiles
from fastconv._runners.rows cimport LEAST_ROW, STRIP_BYTES
from fastconv._runners.shares cimport fc_shares, fc_take_unit

# What a unit costs beside its multiply-adds, in multiply-adds of the plain tile.
cdef double VALUE_COST = 12  # to bring in a value of input or weights
cdef double REREAD_COST = 3  # to read a value of input again, from L2, for another part of the blocks
cdef double NARROW_COST = 8  # of a multiply-add in the narrow tile, which is bound by loads


cdef class Direct(Runner):
    """A direct convolution of one geometry, ready to run on any arrays of it."""

    cdef DirectTiles tiles
    cdef ptrdiff_t batch, out_height, image_bytes
    cdef fc_epilogue epilogue  # but for what a call tells
    # The cut. A strip is some lines: rows of the output, or as many pixels as the largest tile has when the plain tile
    # reads x in place.
    cdef ptrdiff_t lines, line_pixels

    def __init__(self, shape, weights, bias, all_finite, bounds):
        self.tiles = DirectTiles(shape, weights, bias, all_finite)
        self.tile = self.tiles.tile
        self.batch, self.out_height = shape.batch, shape.out_height
        self.epilogue.lo, self.epilogue.hi = bounds
        self.epilogue.residual_stride = shape.out_channels * self.tiles.itemsize
        self.image_bytes = shape.height * shape.width * shape.in_channels * self.tiles.itemsize
        self._set_strips()
        self.tiles.set_segments(shape.dilation[1])
        self.repeats, self.most_strips, self.most_parts = self.batch * self.tiles.groups, self.lines, self.tiles.blocks

    def _set_strips(self):
        """The strips of one thread, the longest: as much of the input as stays in the L2 cache."""
        if self.tiles.copies or self.tiles.narrow:
            self.lines, self.line_pixels = self.out_height, self.tiles.out_width
            longest = self.tiles.rows.most(STRIP_BYTES // max(self.tiles.row_bytes, 1))
        else:
            self.line_pixels = self.tiles.kernels.max_pixels
            self.lines = -(-self.out_height * self.tiles.out_width // self.line_pixels)
            pixel = max(self.tiles.pixel_bytes * self.tiles.stride_h * self.tiles.stride_w, 1)
            longest = max(STRIP_BYTES // pixel // self.line_pixels, 8)
        self.strips = -(-self.lines // max(longest, 1))
        if self.tiles.copies:
            self.workspace_bytes = self.tiles.rows.set_longest(-(-self.lines // self.strips))

    @property
    def multiplications(self):
        """Those really done."""
        channels = self.tiles.terms // (self.tiles.kernel_rows * self.tiles.kernel_cols)  # that a value sums
        return self.tiles.rows.count_taps() * self.batch * self.tiles.groups * self.tiles.group_out * channels

    cdef double strip_time(self, ptrdiff_t strips) noexcept:
        """What it takes to bring in the input of the largest strip, in multiply-adds of the plain tile."""
        return VALUE_COST * self._input_of(strips)

    cdef double unit_time(self, Cut cut) noexcept:
        """What the products of the largest unit take, in multiply-adds of the plain tile."""
        cdef ptrdiff_t lines = (self.lines + cut.strips - 1) // cut.strips
        cdef ptrdiff_t blocks = (self.tiles.blocks + cut.parts - 1) // cut.parts
        cdef double columns = self.tiles.group_out * blocks / <double>self.tiles.blocks
        cdef double pixels = lines * self.line_pixels
        if self.tiles.rows.skips_columns and not self.tiles.narrow:  # tiles of fewer pixels take as long
            pixels += 2 * (self.tiles.kernel_cols // 2) * max(0, LEAST_ROW - lines)
        cdef double work = pixels * columns * self.tiles.terms
        if self.tiles.narrow:
            work *= NARROW_COST
        return work + VALUE_COST * columns * self.tiles.terms + REREAD_COST * self._input_of(cut.strips)

    cdef double _input_of(self, ptrdiff_t strips) noexcept:
        """Values of input that the largest of so many strips reads."""
        cdef ptrdiff_t lines = (self.lines + strips - 1) // strips
        if self.tiles.copies:
            return <double>self.tiles.rows.copied_rows(lines) * self.tiles.rows.copied_width * self.tiles.group_in
        return <double>lines * self.line_pixels * self.tiles.stride_h * self.tiles.stride_w * self.tiles.group_in

    cdef void run_units(
        self, fc_shares *shares, int thread, Cut cut, const Arrays *arrays, char *work
    ) noexcept nogil:
        """A thread's share of the units: parts of the blocks fastest, then groups, strips, images."""
        cdef ptrdiff_t unit, part, group, strip, image, line, lines, m, pixels, copied = -1
        cdef ptrdiff_t all_pixels = self.out_height * self.tiles.out_width
        cdef const char *source
        cdef fc_conv_args tile
        tile.epilogue, tile.epilogue.out_stride = self.epilogue, arrays.out_stride
        while True:
            unit = fc_take_unit(shares, thread)
            if unit < 0:
                return
            part = unit % cut.parts
            group = unit // cut.parts % self.tiles.groups
            strip = unit // (cut.parts * self.tiles.groups) % cut.strips
            image = unit // (cut.parts * self.tiles.groups * cut.strips)
            line = share(strip, cut.strips, self.lines)
            lines = share(strip + 1, cut.strips, self.lines) - line
            m = line * self.line_pixels
            pixels = min(lines * self.line_pixels, all_pixels - m)
            source = arrays.x + image * self.image_bytes + group * self.tiles.group_in * self.tiles.itemsize
            if self.tiles.copies:
                if unit // cut.parts != copied:
                    self.tiles.rows.copy(source, line, lines, work)
                    copied = unit // cut.parts
                source = work
            elif not self.tiles.in_place:
                source += m // self.tiles.out_width * self.tiles.stride_h * self.tiles.row_bytes
            tile.epilogue.out = arrays.out + image * arrays.out_image + m * arrays.out_stride
            tile.epilogue.residual = NULL
            if arrays.residual != NULL:
                tile.epilogue.residual = arrays.residual + (image * all_pixels + m) * tile.epilogue.residual_stride
            if self.tiles.narrow:
                self.tiles.run_narrow_strip(&tile, group, source, line, lines)
            else:
                self.tiles.run_strip(
                    &tile, group, share(part, cut.parts, self.tiles.blocks),
                    share(part + 1, cut.parts, self.tiles.blocks), source, m, pixels,
                )
