"""Winograd's convolution with weights that were transformed when they were packed."""

from fastconv._kernels.cpu cimport (
    FC_MAX_VECTORS, fc_axes, fc_direct, fc_epilogue, fc_output_args, fc_product_args, fc_winograd, fc_winograd_kernels,
)
from fastconv._runners.partition cimport LoopNest, Range, Work
from fastconv._runners.tiles cimport KINDS, PixelBlock, Tiles


cdef class Winograd(LoopNest):
    cdef const fc_winograd_kernels *kernels
    cdef ptrdiff_t lanes
    cdef ptrdiff_t[FC_MAX_VECTORS] max_tiles  # of a product, by its vectors
    cdef object weights, bias, direct_weights, slopes
    cdef const char *packed
    cdef const char *packed_bias
    cdef const char *unpacked
    cdef fc_winograd transform, short_transform
    cdef fc_axes axes[KINDS]
    cdef ptrdiff_t itemsize
    cdef double max_squares
    cdef int nontemporal
    cdef fc_epilogue epilogue  # but for what a call tells
    # Geometry, in channels, tiles and bytes.
    cdef Tiles tiles
    cdef ptrdiff_t groups, group_in, group_out, out_channels, out_width, ahead
    cdef bint is_5x5
    # Packed weights, in bytes.
    cdef ptrdiff_t column_bytes, group_bytes, group_bias_bytes
    # Vectors of weights that are prefetched for each channel, in a thread's first pixel block and in others.
    cdef int first_prefetched, prefetched
    # The partition.
    cdef ptrdiff_t blocks
    cdef double weight_cost  # of a task
    # The workspace, in bytes.
    cdef ptrdiff_t v_tile, v_chunk, v_point  # FC_CHUNK channels of a tile, of all tiles; all channels
    cdef ptrdiff_t m_point, m_tile
    cdef bint _reads_weights_anew(self) noexcept
    cdef void _transform(
        self, const PixelBlock *pixel_block, const char *x, char *work, fc_direct *direct
    ) noexcept nogil
    cdef void _block(
        self, const PixelBlock *pixel_block, fc_direct *direct, ptrdiff_t group, ptrdiff_t block, const Work *work,
        fc_output_args *result,
    ) noexcept nogil
    cdef void _products(
        self, const PixelBlock *pixel_block, const char *weights, ptrdiff_t vectors, const char *values, char *sums
    ) noexcept nogil
    cdef Range _at_point(
        self, fc_product_args *product, const PixelBlock *pixel_block, ptrdiff_t i, ptrdiff_t j, const char *values,
        char *sums,
    ) noexcept nogil
    cdef Range _with_point(self, const PixelBlock *pixel_block, ptrdiff_t i, ptrdiff_t j) noexcept nogil
    cdef void _product(self, fc_product_args *product, ptrdiff_t vectors, ptrdiff_t tiles) noexcept nogil
