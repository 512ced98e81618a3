"""Winograd's convolution of few tiles, whose tasks transform the weights that they multiply with.

Transformed weights of F(4×4, 3×3) are four times as many as the taps, and a map of few tiles waits for them longer than
it multiplies, with AVX-512 at least. Here the taps come in instead: some channels after the others are transformed at a
line of points, and stay in L1 until their products are done. So do the sums of the lines that go together; for each
such pass the taps come in anew, from L2, and those of the next block of columns are prefetched meanwhile.
"""

from fastconv._kernels.cpu cimport CACHE_LINE, FC_CHUNK, fc_line_args, fc_product_args, kernels_for
from fastconv._runners.partition cimport Range
from fastconv._runners.tiles cimport PixelBlock
from fastconv._runners.winograd cimport Winograd

# To transform a weight at a point, in multiply-adds: with AVX2 more than to bring it in, as measured on a Zen 3.
WEIGHT_COST = 5 if kernels_for(sizeof(float)).lanes >= 16 else 12
# A line's weights, its sums and the taps stay in L1: sums of so many bytes, and twice as many channels where the
# products of a line take long enough for the taps to come in anew.
cdef ptrdiff_t SUM_BYTES = 24 * 1024
cdef ptrdiff_t MANY_TILES = 8


cdef class WinogradOnTheFly(Winograd):
    """A convolution of one geometry by F(4×4, 3×3), ready to run on any arrays of it."""

    cdef ptrdiff_t line_channels  # whose weights are transformed together, whole chunks
    # In bytes: the taps of a channel and column; the line in the workspace, and a point of it.
    cdef ptrdiff_t tap_bytes, line_offset, line_point
    cdef fc_line_args line  # but for what a task tells

    def __init__(self, shape, weights, bias, direct_weights, all_finite, max_squares, activation, transform):
        super().__init__(shape, weights, bias, direct_weights, all_finite, max_squares, activation, transform)
        self.tap_bytes = transform.kernel**2 * self.itemsize
        self.weight_cost, self.column_bytes = WEIGHT_COST, self.tap_bytes * self.group_in
        self.line_channels = FC_CHUNK * (1 + (self.tiles.count >= MANY_TILES))
        self.line_point = self.line_channels * self.m_point + CACHE_LINE  # points on different sets of the cache
        self.line_offset = self.workspace_bytes
        self.workspace_bytes += transform.points * self.line_point
        self.line.point_stride = self.line_point
        for i, row in enumerate(transform.weight_rows):
            for k, value in enumerate(row):
                self.line.rows[i][k] = value
        self.tile += ", weights on the fly"

    cdef bint _reads_weights_anew(self) noexcept:
        """What is transformed serves one pixel block."""
        return True

    cdef void _products(
        self, const PixelBlock *pixel_block, const char *weights, ptrdiff_t vectors, const char *values, char *sums
    ) noexcept nogil:
        """As in `Winograd`: some lines of points, for some channels after the others."""
        cdef ptrdiff_t points = self.transform.points, first = 0, channel, i
        cdef ptrdiff_t taps = self.tap_bytes * vectors * self.lanes  # of a channel
        cdef ptrdiff_t lines = max(SUM_BYTES // (points * self.m_point * pixel_block.count), <ptrdiff_t>1)
        cdef fc_product_args product
        cdef fc_line_args line = self.line
        line.vectors, line.ahead, line.out = vectors, taps * self.group_in, <char *>values + self.line_offset
        product.chunk_stride, product.out_stride, product.prefetched = self.v_chunk, self.m_tile, 0
        product.next = weights
        product.point_stride, product.weight_stride = self.v_point, self.line_point
        while first < points:
            channel = 0
            while channel < self.group_in:
                line.taps, product.adds = weights + channel * taps, channel > 0
                line.channels = product.channels = min(self.group_in - channel, self.line_channels)
                for i in range(first, min(first + lines, points)):
                    line.line = i
                    self.kernels.line(&line)
                    product.weights = line.out
                    self._line(pixel_block, i, &product, vectors, values + channel // FC_CHUNK * self.v_chunk, sums)
                channel += self.line_channels
            first += lines

    cdef void _line(
        self, const PixelBlock *pixel_block, ptrdiff_t i, fc_product_args *product, ptrdiff_t vectors,
        const char *values, char *sums,
    ) noexcept nogil:
        """The products of a line: of as many of its points at a time as the same tiles have."""
        cdef ptrdiff_t points = self.transform.points, j = 0
        cdef Range tiles, of_next
        while j < points:
            tiles = of_next = self._at_point(product, pixel_block, i, j, values, sums)
            product.points = 0
            while j < points and of_next.first == tiles.first and of_next.end == tiles.end:
                product.points, j = product.points + 1, j + 1
                of_next = self._with_point(pixel_block, i, j)
            self._product(product, vectors, tiles.end - tiles.first)
            product.weights += product.points * self.line_point
