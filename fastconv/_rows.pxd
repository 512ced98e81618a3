"""The rows of the input that a row of the output sees."""

cdef struct KernelRows:
    ptrdiff_t first
    ptrdiff_t end


cdef class InputRows:
    # Of the image, in pixels and bytes.
    cdef ptrdiff_t height, width, pixel_bytes
    cdef ptrdiff_t out_height, kernel_rows, stride, dilation, top, left
    cdef bint skips
    # Of the copy.
    cdef readonly ptrdiff_t copied_width, row_bytes
    cdef ptrdiff_t copied_pixel_bytes
    cdef readonly ptrdiff_t band_rows  # from those under one row of the kernel to those under the next

    cdef KernelRows inside(self, ptrdiff_t row) noexcept nogil
    cdef ptrdiff_t end_of_alike(self, ptrdiff_t row, ptrdiff_t end) noexcept nogil
    cdef ptrdiff_t copied_rows(self, ptrdiff_t rows) noexcept nogil
    cdef ptrdiff_t _span(self, ptrdiff_t rows) noexcept nogil
    cdef void _copy_row(self, const char *image, ptrdiff_t y, char *work) noexcept nogil
    cdef void copy(self, const char *image, ptrdiff_t row, ptrdiff_t rows, char *work) noexcept nogil
