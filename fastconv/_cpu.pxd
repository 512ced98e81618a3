"""The kernels of the active instruction set, for the modules that loop over them."""

cdef extern from "kernels.h" nogil:
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

    struct fc_kernels:
        int lanes
        int max_pixels
        fc_tile_kernel conv[2][12]
        fc_tile_kernel narrow[2][12]

    ctypedef int (*fc_peak_kernel)(long rounds) noexcept

    struct fc_isa:
        const char *name
        int (*is_available)() noexcept
        const fc_kernels *kernels[2]
        fc_peak_kernel peak

    const fc_isa fc_isas[]


cdef const fc_isa *active_isa() noexcept
cdef const fc_kernels *kernels_for(size_t itemsize) noexcept
