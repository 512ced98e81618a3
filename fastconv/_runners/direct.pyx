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
from fastconv._runners.cut cimport Arrays, Cut, share
from fastconv._runners.direct_tiles cimport DirectTiles
from fastconv._runners.rows cimport LEAST_ROW, STRIP_BYTES
from fastconv._runners.shares cimport fc_shares, fc_take_unit

# What a unit costs beside its multiply-adds, in multiply-adds of the plain tile.
cdef double VALUE_COST = 12  # to bring in a value of input or weights
cdef double REREAD_COST = 3  # to read a value of input again, from L2, for another part of the blocks
cdef double NARROW_COST = 8  # of a multiply-add in the narrow tile, which is bound by loads


cdef class Direct(DirectTiles):
    """A direct convolution of one geometry, ready to run on any arrays of it."""

    cdef ptrdiff_t batch, out_height, image_bytes
    cdef fc_epilogue epilogue  # but for what a call tells
    # The cut. A strip is some lines: rows of the output, or as many pixels as the largest tile has when the plain tile
    # reads x in place.
    cdef ptrdiff_t lines, line_pixels

    def __init__(self, shape, weights, bias, all_finite, bounds):
        super().__init__(shape, weights, bias, all_finite)
        self.batch, self.out_height = shape.batch, shape.out_height
        self.epilogue.lo, self.epilogue.hi = bounds
        self.epilogue.residual_stride = shape.out_channels * self.itemsize
        self.image_bytes = shape.height * shape.width * shape.in_channels * self.itemsize
        self._set_strips()
        self.set_segments(shape.dilation[1])
        self.repeats, self.most_strips, self.most_parts = self.batch * self.groups, self.lines, self.blocks

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
        if self.rows.skips_columns and not self.narrow:  # tiles of fewer pixels take as long
            pixels += 2 * (self.kernel_cols // 2) * max(0, LEAST_ROW - lines)
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

    cdef void run_units(
        self, fc_shares *shares, int thread, Cut cut, const Arrays *arrays, char *work
    ) noexcept nogil:
        """A thread's share of the units: parts of the blocks fastest, then groups, strips, images."""
        cdef ptrdiff_t unit, part, group, strip, image, line, lines, m, pixels, copied = -1
        cdef ptrdiff_t all_pixels = self.out_height * self.out_width
        cdef const char *source
        cdef fc_conv_args tile
        tile.epilogue, tile.epilogue.out_stride = self.epilogue, arrays.out_stride
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
            source = arrays.x + image * self.image_bytes + group * self.group_in * self.itemsize
            if self.copies:
                if unit // cut.parts != copied:
                    self.rows.copy(source, line, lines, work)
                    copied = unit // cut.parts
                source = work
            elif not self.in_place:
                source += m // self.out_width * self.stride_h * self.row_bytes
            tile.epilogue.out = arrays.out + image * arrays.out_image + m * arrays.out_stride
            tile.epilogue.residual = NULL
            if arrays.residual != NULL:
                tile.epilogue.residual = arrays.residual + (image * all_pixels + m) * tile.epilogue.residual_stride
            if self.narrow:
                self.run_narrow_strip(&tile, group, source, line, lines)
            else:
                self.run_strip(
                    &tile, group, share(part, cut.parts, self.blocks), share(part + 1, cut.parts, self.blocks),
                    source, m, pixels,
                )
