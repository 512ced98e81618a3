"""The rows of the input that a row of the output sees."""

cdef enum:
    MIN_ROW = 4  # pixels that keep the multiply-add units busy: narrower rows, and columns, are not split
    MIN_TERMS = 512  # of a sum: tiles of single columns are worth while
    SPARSE = 4  # times as many pixels in a row as are read: only these are copied
    PIXEL_BLOCK_BYTES = 192 * 1024  # of input that a pixel block reads: it stays in L2 beside a block of weights


cdef struct Axis:
    ptrdiff_t size  # of the image
    ptrdiff_t taps, stride, dilation
    ptrdiff_t before  # the padding


cdef struct Taps:
    ptrdiff_t first, end


cdef struct Window:
    Taps rows, cols


cdef class PaddedRows:
    cdef Axis y, x
    cdef ptrdiff_t out_height, out_width, pixel_bytes
    cdef bint in_place  # x is read where it is, so that what lies in the padding must be left out
    cdef bint skips_rows, skips_columns  # of the kernel, that lie in the padding
    # Of the copy.
    cdef bint gathers  # the pixels that the columns of the output see, side by side: the others would take far more
    cdef ptrdiff_t copied_width, copied_pixel_bytes, row_bytes
    cdef ptrdiff_t window_step, tap_step  # pixels of a row of it, or of x, from a window and from a tap to the next
    cdef ptrdiff_t band_rows  # from those under one row of the kernel to those under the next

    cdef bint splits(self, ptrdiff_t row) noexcept nogil
    cdef void find_window(self, ptrdiff_t row, ptrdiff_t column, Window *window) noexcept nogil
    cdef ptrdiff_t end_of_rows(self, ptrdiff_t row, ptrdiff_t end) noexcept nogil
    cdef ptrdiff_t end_of_columns(self, ptrdiff_t row, ptrdiff_t column) noexcept nogil
    cdef ptrdiff_t copied_rows(self, ptrdiff_t rows) noexcept nogil
    cdef ptrdiff_t _span(self, ptrdiff_t rows) noexcept nogil
    cdef void _copy_row(self, const char *image, ptrdiff_t y, char *work) noexcept nogil
    cdef void _gather_row(self, const char *source, char *work) noexcept nogil
    cdef void copy(self, const char *image, ptrdiff_t row, ptrdiff_t rows, char *work) noexcept nogil
