"""The loops of the direct convolution over the tiles of small groups, depthwise ones among them: of a row of pixels."""

from fastconv._kernels.cpu cimport FC_MAX_PIXELS, fc_advance, fc_conv_args, fc_conv_kernel
from fastconv._runners.direct_tiles cimport DirectTiles, PixelBlock
from fastconv._runners.padded_rows cimport Window
from fastconv._runners.partition cimport Range, range_of


cdef class GroupedTiles(DirectTiles):
    """The tiles of a geometry that `pack.is_grouped`."""

    cdef void run(self, const PixelBlock *block) noexcept nogil:
        """Every tile of a pixel block, column by column."""
        cdef ptrdiff_t q = 0, first, columns, tiles, t
        cdef Range tile
        while q < self.out_width:
            first, columns = q, self.padded_rows.end_of_columns(block.pixels.first // self.out_width, q) - q
            tiles = (columns + self.max_pixels - 1) // self.max_pixels
            for t in range(tiles):
                tile = range_of(t, tiles, columns)
                self._run_of_columns(block, first + tile.first, tile.end - tile.first)
            q = first + columns

    cdef void _run_of_columns(self, const PixelBlock *block, ptrdiff_t q, ptrdiff_t n) noexcept nogil:
        """Tiles of n pixels from column q on: down the rows under a tile, whose inputs then are met again in L1."""
        cdef const char *inputs[FC_MAX_PIXELS]
        cdef fc_conv_args tile
        cdef ptrdiff_t step = self.stride_w * self.pixel_bytes, row_step = self.stride_h * self.row_bytes
        cdef ptrdiff_t top_row = block.pixels.first // self.out_width, end_row = block.pixels.end // self.out_width
        cdef ptrdiff_t i, row = top_row, end, at
        cdef Window window
        cdef fc_conv_kernel kernel
        tile.pixels, tile.columns = inputs, self.group_out
        while row < end_row:
            end = self.padded_rows.end_of_rows(row, end_row)
            self.padded_rows.find_window(row, q, &window)
            self._set_args(&tile, block, 0, 1, &window, (row - top_row) * self.out_width + q)
            at = q * step + window.rows.first * self.band_bytes + window.cols.first * self.tap_bytes
            if self.in_place:
                at += row * row_step - self.padded_rows.y.before * self.row_bytes
                at -= self.padded_rows.x.before * self.pixel_bytes
            else:
                at += (row - top_row) * row_step
            if self.in_rows and window.cols.end - window.cols.first == self.kernel_cols:
                kernel = self.kernels.row[self.kernel_cols > 3][self.stride_w - 1][n - 1]
            else:
                kernel = self.grouped_kernels[n - 1]
            while row < end:
                for i in range(n):
                    inputs[i] = block.source + at + i * step
                kernel(&tile)
                if self.finish is not None:
                    self.finish.run(
                        tile.epilogue.out, tile.epilogue.out_stride, n, block.group * self.group_out, self.group_out
                    )
                row, at = row + 1, at + row_step
                fc_advance(&tile.epilogue, self.out_width, 0)
