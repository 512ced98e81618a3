"""The tiles of Winograd's output maps: their order in a pixel block, what they see and where their values go."""

from fastconv._kernels.cpu cimport fc_input_args, fc_output_args
from fastconv._runners.padded_rows cimport PaddedRows
from fastconv._runners.runner cimport Arrays


cdef enum:
    MAX_TILES = 48  # in a pixel block
    SHORT_ROWS = 1
    SHORT_COLS = 2
    KINDS = 4


cdef struct Tile:
    ptrdiff_t number  # row by row, through the images of the batch
    ptrdiff_t image, row, col  # of its first value
    int kind


cdef struct PixelBlock:
    ptrdiff_t count
    Tile[MAX_TILES] tiles  # in the order of their kinds
    int prefetched  # vectors of weights, for each channel
    ptrdiff_t[KINDS + 1] starts  # where each kind does: short columns, full, short rows, both


cdef class Tiles:
    cdef readonly ptrdiff_t count  # in the batch
    cdef ptrdiff_t height, width, pixel_bytes, out_height, out_width, top, left, points, outputs, rows, cols
    cdef ptrdiff_t short_row, short_col  # of tiles, the last ones; -1: none is short
    cdef PaddedRows inputs  # of the direct convolution
    cdef object zeros
    cdef const char *no_values
    cdef void arrange(self, PixelBlock *pixel_block, ptrdiff_t first, ptrdiff_t end) noexcept nogil
    cdef ptrdiff_t run_length(self, const PixelBlock *pixel_block, ptrdiff_t index) noexcept nogil
    cdef void find_pixels(self, const char *x, const Tile *tile, ptrdiff_t count, const char **pixels) noexcept nogil
    cdef void find_taps(self, const Tile *tile, fc_input_args *patch) noexcept nogil
    cdef void set_output(
        self, const Tile *tile, ptrdiff_t channel, const Arrays *arrays, fc_output_args *result
    ) noexcept nogil
