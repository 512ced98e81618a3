"""The kernels of the active instruction set, for the modules that loop over them."""

cdef extern from "conv_kernels.h" nogil:
    enum:
        FC_MAX_PIXELS
        FC_MAX_VECTORS

    struct fc_tile:
        const char **pixels
        const ptrdiff_t *segments
        ptrdiff_t n_segments
        ptrdiff_t length
        const void *weights
        const void *bias
        const char *residual
        ptrdiff_t residual_stride
        char *out
        ptrdiff_t out_stride
        ptrdiff_t columns
        int relu

    ctypedef void (*fc_tile_kernel)(const fc_tile *) noexcept

    struct fc_conv_kernels:
        int lanes
        int max_pixels
        fc_tile_kernel kernel[2][12]


cdef const fc_conv_kernels *conv_kernels(size_t itemsize) noexcept
