"""The tiles of Winograd's output maps: their order in a pixel block, what they see and where their values go.

Tiles at the far edges of the map may be *short*: they leave out two points of an axis. A pixel block keeps its tiles in
an order in which those that have a point lie side by side.
"""

from numpy cimport PyArray_DATA, import_array

from fastconv._kernels.cpu cimport FC_MAX_RUN, fc_epilogue, fc_window
from fastconv._runners.padded_rows cimport PaddedRows, Window
from fastconv._runners.runner cimport Arrays

from fastconv._checks.arrays import aligned

import_array()

cdef int[KINDS] ORDER = [SHORT_COLS, 0, SHORT_ROWS, SHORT_ROWS + SHORT_COLS]


cdef class Tiles:
    """The tiles of one geometry and transform."""

    def __init__(self, shape, dtype, all_finite, transform):
        self.height, self.width = shape.height, shape.width
        self.pixel_bytes = shape.in_channels * dtype.itemsize
        self.out_height, self.out_width = shape.out_height, shape.out_width
        (self.top, _), (self.left, _) = shape.padding
        self.points, self.outputs = transform.points, transform.outputs
        self.rows, self.cols = transform.tiles(shape)
        short_rows, short_cols = transform.ends_short(shape)
        self.short_row, self.short_col = self.rows - 1 if short_rows else -1, self.cols - 1 if short_cols else -1
        self.inputs = PaddedRows(shape, all_finite, dtype.itemsize, shape.in_channels // shape.groups)
        self.count = shape.batch * self.rows * self.cols
        self.zeros = aligned((shape.in_channels // shape.groups,), dtype)
        self.zeros[:] = 0
        self.no_values = <const char *>PyArray_DATA(self.zeros)

    cdef void arrange(self, PixelBlock *pixel_block, ptrdiff_t first, ptrdiff_t end) noexcept nogil:
        """Make a pixel block of the tiles first to end."""
        cdef ptrdiff_t row = first // self.cols, image = row // self.rows, col = first % self.cols, start = 0, i
        cdef ptrdiff_t[KINDS] places = [0, 0, 0, 0]  # how many there are of a kind, then where the next one goes
        cdef Tile[MAX_TILES] tiles
        cdef int kind
        row %= self.rows
        for i in range(end - first):
            kind = (row == self.short_row) * SHORT_ROWS + (col == self.short_col) * SHORT_COLS
            tiles[i] = Tile(first + i, image, row * self.outputs, col * self.outputs, kind)
            places[kind] += 1
            col += 1
            if col == self.cols:
                row, col = row + 1, 0
            if row == self.rows:
                image, row = image + 1, 0
        for i in range(KINDS):
            pixel_block.starts[i] = start
            start += places[ORDER[i]]
            places[ORDER[i]] = pixel_block.starts[i]
        pixel_block.count = pixel_block.starts[KINDS] = start
        for i in range(start):
            pixel_block.tiles[places[tiles[i].kind]] = tiles[i]
            places[tiles[i].kind] += 1

    cdef ptrdiff_t run_length(self, const PixelBlock *pixel_block, ptrdiff_t index) noexcept nogil:
        """How many tiles of a pixel block, from this place on, lie side by side and are of one kind, up to the most."""
        cdef const Tile *tile = pixel_block.tiles + index
        cdef ptrdiff_t n = 1, end = min(pixel_block.count - index, FC_MAX_RUN)
        while n < end and tile[n].number == tile.number + n and tile[n].col > tile.col and tile[n].kind == tile.kind:
            n += 1
        return n

    cdef void find_pixels(self, const char *x, const Tile *tile, ptrdiff_t count, const char **pixels) noexcept nogil:
        """Where, for `count` tiles side by side, each pixel's channels begin, column by column; outside, zeros.

        `x` is where those of the first image's first pixel do.
        """
        cdef ptrdiff_t row = tile.row - self.top, col = tile.col - self.left, i, j
        cdef bint inside
        x += tile.image * self.height * self.width * self.pixel_bytes
        for j in range(col, col + self.points + (count - 1) * self.outputs):
            for i in range(row, row + self.points):
                inside = 0 <= i and i < self.height and 0 <= j and j < self.width
                pixels[0] = x + (i * self.width + j) * self.pixel_bytes if inside else self.no_values
                pixels += 1

    cdef void find_taps(self, const Tile *tile, fc_input_args *patch) noexcept nogil:
        """Which taps of the kernel the direct convolution multiplies for each value of a tile."""
        cdef ptrdiff_t y, x
        cdef Window window
        for y in range(min(self.outputs, self.out_height - tile.row)):
            for x in range(min(self.outputs, self.out_width - tile.col)):
                self.inputs.find_window(tile.row + y, tile.col + x, &window)
                patch.windows[y][x] = fc_window(
                    window.rows.first, window.rows.end, window.cols.first, window.cols.end
                )

    cdef void set_output(
        self, const Tile *tile, ptrdiff_t channel, const Arrays *arrays, fc_output_args *result
    ) noexcept nogil:
        """Where a tile's result goes from this channel (in bytes) on, and how much of it lies inside the map."""
        cdef ptrdiff_t pixel = tile.row * self.out_width + tile.col
        cdef fc_epilogue *epilogue = &result.epilogue
        result.rows = min(self.outputs, self.out_height - tile.row)
        result.cols = min(self.outputs, self.out_width - tile.col)
        epilogue.out = arrays.out + tile.image * arrays.out_image + pixel * epilogue.out_stride + channel
        epilogue.residual = NULL
        if arrays.residual != NULL:
            pixel += tile.image * self.out_height * self.out_width
            epilogue.residual = arrays.residual + pixel * epilogue.residual_stride + channel
