"""The loops of the direct convolution over the tiles of a pixel block."""

from fastconv._kernels.cpu cimport fc_few_kernel, fc_kernels, fc_conv_args, fc_conv_kernel, fc_epilogue
from fastconv._runners.finish cimport Finish
from fastconv._runners.padded_rows cimport PaddedRows, Window
from fastconv._runners.partition cimport Range


cdef struct PixelBlock:  # for a range of a group's output channels
    ptrdiff_t group
    Range blocks  # of the output channels
    Range pixels  # of the map; of a row all, where x is copied, and in small groups
    const char *source  # the input of its first row, or of the map's, where x is read in place
    fc_epilogue epilogue  # of its first pixel
    char *kept  # room for the sums of a block of channels, where rows of the kernel take turns


cdef struct Run:
    Range blocks  # of output channels, that go over it one after the other
    ptrdiff_t m, end  # pixels of a pixel block
    ptrdiff_t end_row, first_col, end_col  # of the map, where they are
    Window window  # of the kernel, that they see
    ptrdiff_t turn  # the row of the kernel, where these take turns; else 0
    ptrdiff_t tile  # the number of the last, among those of the same blocks and turn
    char *kept  # for the next tile


cdef struct Call:  # of a kernel, for some of a tile's output channels
    fc_conv_args tile
    ptrdiff_t vectors


cdef class DirectTiles:
    cdef readonly str tile
    cdef Finish finish  # of each tile of small groups, or None
    cdef const fc_kernels *kernels
    cdef object weights, bias, offsets
    cdef const char *packed
    cdef const char *packed_bias
    cdef ptrdiff_t itemsize
    cdef ptrdiff_t max_pixels  # of a tile
    cdef bint grouped, in_rows, in_place
    cdef const fc_conv_kernel *grouped_kernels
    cdef fc_few_kernel few  # the tile for few output channels, or NULL
    cdef ptrdiff_t few_pixels  # of a run, at least, that it takes
    cdef bint by_rows  # a run of pixels for it ends with the row
    # Geometry, in pixels and channels.
    cdef ptrdiff_t out_width, groups, group_in, group_out, blocks, terms, kernel_rows, kernel_cols, stride_h, stride_w
    # Packed weights, in bytes.
    cdef ptrdiff_t block_columns
    cdef ptrdiff_t column_bytes, block_bytes, group_bytes, group_bias_bytes
    cdef ptrdiff_t set_bytes  # of blocks that go over a tile one after the other
    cdef ptrdiff_t prefetched_bytes  # of weights, at most
    cdef bint keeps  # sums while rows of the kernel take turns
    cdef ptrdiff_t kept_bytes  # of a pixel's sums
    cdef ptrdiff_t turn_bytes  # of a block, that a turn of a tile's loop takes in
    cdef ptrdiff_t row_bytes_of_vector  # of a vector of columns under a row of the kernel
    # How the kernels walk the input, in bytes.
    cdef PaddedRows padded_rows
    cdef bint copies, splits
    cdef ptrdiff_t plane_bytes  # of split rows, from a channel to the next
    cdef ptrdiff_t pixel_bytes, row_bytes
    cdef ptrdiff_t tap_bytes, band_bytes  # from what is under a tap of the kernel to the next, and under a row of it
    cdef ptrdiff_t row_segments, segment_bytes  # segments under a row of the kernel
    cdef const ptrdiff_t *segments

    cdef void run(self, const PixelBlock *block) noexcept nogil
    cdef void _run_turn(self, const PixelBlock *block, Run *run) noexcept nogil
    cdef void _run_of_pixels(self, const PixelBlock *block, Run *run) noexcept nogil
    cdef ptrdiff_t _calls(self, const PixelBlock *block, const Run *run, Call *calls) noexcept nogil
    cdef void _set_args(
        self, fc_conv_args *tile, const PixelBlock *block, ptrdiff_t first, ptrdiff_t vectors, const Window *seen,
        ptrdiff_t m,
    ) noexcept nogil
