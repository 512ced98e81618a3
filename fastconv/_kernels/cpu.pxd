"""The kernels of the active instruction set, for the modules that loop over them."""

cdef extern from "nontemporal.h" nogil:
    enum:
        FC_CACHED_BYTES

    void fc_end_nontemporal()


cdef extern from "epilogue.h" nogil:
    struct fc_epilogue:
        const void *bias
        const void *slopes
        const char *residual
        ptrdiff_t residual_stride
        char *out
        ptrdiff_t out_stride
        double lo, hi

    int fc_activation(const fc_epilogue *) noexcept  # 0 where there is none
    const void *fc_slopes_at(const fc_epilogue *, ptrdiff_t nbytes) noexcept
    void fc_advance(fc_epilogue *, ptrdiff_t pixels, ptrdiff_t nbytes) noexcept


cdef extern from "winograd.h" nogil:
    enum:
        CACHE_LINE, FC_ALL_OUTPUTS, FC_CHUNK, FC_MAX_COLUMNS, FC_MAX_NODES, FC_MAX_OUTPUTS, FC_MAX_POINTS, FC_MAX_RUN
        FC_RANGE

    struct fc_winograd:
        int nodes, points, outputs
        double powers[4][2]
        double pairs[2][1]
        double ends[2]
        double scales[3]

    struct fc_axes:
        const fc_winograd *rows
        const fc_winograd *cols
        int points

    struct fc_window:
        int first_row, end_row, first_col, end_col

    struct fc_direct:
        unsigned short outputs
        unsigned short zeros

    struct fc_input_args:
        fc_axes axes
        const char **pixels
        int tiles
        ptrdiff_t channels, ahead
        char *out
        ptrdiff_t point_stride, chunk_stride
        double max_squares
        fc_direct *direct
        fc_window windows[4][4]

    struct fc_weights_args:
        double rows[3][5]
        const char *taps
        ptrdiff_t tap_stride, channel_stride, channels, columns
        char *out
        ptrdiff_t point_stride
        double *sums

    struct fc_line_args:
        double rows[3][5]
        const char *taps
        ptrdiff_t channels, ahead
        int vectors, line
        char *out
        ptrdiff_t point_stride

    struct fc_product_args:
        const char *values
        ptrdiff_t chunk_stride, channels
        const char *weights
        int points
        ptrdiff_t point_stride, weight_stride
        const char *next
        ptrdiff_t values_ahead
        int prefetched, adds
        char *out
        ptrdiff_t out_stride

    struct fc_output_args:
        fc_axes axes
        const char *sums
        fc_epilogue epilogue
        ptrdiff_t residual_row, out_row, columns
        int rows, cols, nontemporal
        const char *weights
        ptrdiff_t weight_stride

    ctypedef void (*fc_weights_kernel)(const fc_weights_args *) noexcept
    ctypedef void (*fc_line_kernel)(const fc_line_args *) noexcept
    ctypedef void (*fc_input_kernel)(const fc_input_args *) noexcept
    ctypedef void (*fc_product_kernel)(const fc_product_args *) noexcept
    ctypedef void (*fc_output_kernel)(const fc_output_args *) noexcept
    ctypedef void (*fc_direct_kernel)(const fc_input_args *, const fc_output_args *) noexcept

    struct fc_winograd_kernels:
        fc_weights_kernel weights[2][2]
        fc_line_kernel line
        fc_input_kernel input[2][2][2]
        fc_product_kernel product[2][12]
        fc_output_kernel output[2][2][2]
        fc_direct_kernel direct


cdef extern from "fip.h" nogil:
    enum:
        FC_FIP_DIRECT, FC_FIP_LANES, FC_FIP_BLOCK, FC_FIP_STEPS, FC_FIP_ROW

    struct fc_fip_pack_args:
        const char *x
        ptrdiff_t channels, chunks
        const void *equalizers
        char *rows
        ptrdiff_t row_stride
        char *sums
        ptrdiff_t sum_stride
        void *scale

    struct fc_fip_args:
        const char *rows
        const char *row_sums
        const void *weights
        const void *weight_sums
        ptrdiff_t steps
        const char *ahead
        ptrdiff_t ahead_step
        char *sums
        int is_first, is_last
        const void *scales
        const void *column_scales
        ptrdiff_t columns
        fc_epilogue epilogue

    struct fc_fip_direct_args:
        const char *x
        ptrdiff_t channels
        const char *weights
        ptrdiff_t weight_stride, columns
        fc_epilogue epilogue

    ctypedef int (*fc_fip_pack_kernel)(const fc_fip_pack_args *) noexcept
    ctypedef void (*fc_fip_kernel)(const fc_fip_args *) noexcept
    ctypedef void (*fc_fip_direct_kernel)(const fc_fip_direct_args *) noexcept

    struct fc_fip_kernels:
        int max_pixels
        fc_fip_pack_kernel pack
        fc_fip_kernel tile[12]
        fc_fip_direct_kernel direct

    ptrdiff_t fc_fip_first_block(ptrdiff_t chunk, ptrdiff_t chunks, ptrdiff_t channels) noexcept
    ptrdiff_t fc_fip_distance(ptrdiff_t first, ptrdiff_t channels) noexcept


cdef extern from "kernels.h" nogil:
    enum:
        FC_MAX_PIXELS, FC_MAX_VECTORS, FC_MAX_VECTOR_BYTES, FC_MAX_LANES, FC_STEPS, FC_PREFETCHING, FC_MAX_TAIL,
        FC_SUM_TERMS,
        FC_MAX_FEW, FC_MAX_SPLIT, FC_FEW_BYTES, FC_NARROW_TERMS, FC_NARROW_PIXELS

    struct fc_conv_args:
        const char **pixels
        const ptrdiff_t *segments
        ptrdiff_t n_segments, length, tap
        const void *weights
        ptrdiff_t gap, ahead, skipped, columns
        fc_epilogue epilogue
        char *kept
        bint resumes, pauses

    ctypedef void (*fc_conv_kernel)(const fc_conv_args *) noexcept
    ctypedef void (*fc_few_kernel)(const fc_conv_args *, ptrdiff_t step, ptrdiff_t count) noexcept

    struct fc_plane_args:
        const void *weights
        ptrdiff_t rows, columns, channels
        const char *x
        ptrdiff_t plane_stride, panel_stride
        char *copy
        fc_epilogue epilogue

    ctypedef void (*fc_planes_kernel)(const fc_plane_args *) noexcept

    ctypedef void (*fc_transpose_kernel)(
        const char *source, ptrdiff_t source_stride, char *target, ptrdiff_t target_stride
    ) noexcept

    ctypedef void (*fc_split_kernel)(
        const char *x, ptrdiff_t step, ptrdiff_t count, ptrdiff_t channels, char *out, ptrdiff_t plane
    ) noexcept
    ctypedef void (*fc_join_kernel)(
        const char *x, ptrdiff_t plane, ptrdiff_t count, ptrdiff_t channels, char *out
    ) noexcept

    struct fc_pool_args:
        const char *x
        ptrdiff_t rows, columns, row_stride, column_stride, step, pixels, channels
        double count
        char *out
        ptrdiff_t out_stride

    ctypedef void (*fc_pool_kernel)(const fc_pool_args *) noexcept

    struct fc_blend_args:
        const char *x
        const ptrdiff_t *places
        const char *shares
        char *out
        ptrdiff_t out_stride, pixels, channels

    ctypedef void (*fc_blend_kernel)(const fc_blend_args *) noexcept

    enum:
        FC_FUNCTION_COUNT

    struct fc_map_args:
        const char *x
        const char *y
        const char *z
        char *out
        ptrdiff_t x_stride, y_stride, out_stride, pixels, channels
        double numbers[3]
        double lo, hi
        ptrdiff_t before, after
        char *work

    ctypedef void (*fc_map_kernel)(const fc_map_args *) noexcept

    struct fc_function:
        const char *name
        fc_map_kernel kernel

    struct fc_kernels:
        int lanes, max_pixels
        fc_conv_kernel conv[2][12]
        fc_conv_kernel conv_prefetching[12]
        fc_conv_kernel conv_keeping[12]
        fc_conv_kernel grouped[2][12]
        fc_conv_kernel row[2][2][12]
        fc_few_kernel few[8]
        fc_few_kernel split_tile[12]
        fc_few_kernel narrow[3]
        fc_planes_kernel planes[2][12]
        fc_planes_kernel planes_tail[4]
        fc_transpose_kernel transpose[2]
        fc_split_kernel split
        fc_join_kernel join
        fc_pool_kernel pool_max
        fc_pool_kernel pool_average
        fc_blend_kernel blend
        fc_function functions[13]
        const fc_winograd_kernels *winograd
        const fc_fip_kernels *fip

    ctypedef int (*fc_peak_kernel)(long rounds) noexcept

    struct fc_isa:
        const char *name
        int (*is_available)() noexcept
        const fc_kernels *kernels[2]
        fc_peak_kernel peak
        int (*has_adders)() noexcept

    const fc_isa fc_isas[]


cdef const fc_isa *active_isa() noexcept
cdef const fc_kernels *kernels_for(size_t itemsize) noexcept
cdef fc_map_kernel map_kernel(str function, size_t itemsize) except NULL
