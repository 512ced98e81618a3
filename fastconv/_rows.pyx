"""The rows of the input that a row of the output sees: which rows of the kernel meet them, and their copy with borders.

At the top and the bottom of a map rows of the kernel lie wholly in the padding. Where all weights are finite their
products are zeros, and left out. Which ones depends on the row of the map alone, and so do the bits.
"""

from libc.string cimport memcpy, memset

cdef ptrdiff_t LEAST_ROW = 4  # pixels that keep the multiply-add units busy: narrower rows are not parted


def skips_rows(shape, all_finite):
    """Whether the rows of the kernel that lie in the padding are left out."""
    return bool(all_finite) and shape.out_width >= LEAST_ROW


cdef class InputRows:
    """The rows of the images of one geometry, and of their copies, which hold some channels of a pixel."""

    def __init__(self, shape, all_finite, itemsize, copied_channels):
        self.kernel_rows, kernel_columns = shape.kernel
        self.height, self.width, self.out_height = shape.height, shape.width, shape.out_height
        (self.stride, stride_w), (self.dilation, dilation_w) = shape.stride, shape.dilation
        (self.top, _), (self.left, _) = shape.padding
        self.skips = skips_rows(shape, all_finite)
        self.pixel_bytes, self.copied_pixel_bytes = shape.in_channels * itemsize, copied_channels * itemsize
        self.copied_width = (shape.out_width - 1) * stride_w + (kernel_columns - 1) * dilation_w + 1
        self.row_bytes = self.copied_width * self.copied_pixel_bytes
        self.band_rows = self.dilation

    def most(self, room):
        """The most rows of the output that see no more rows of the input than these."""
        dense = (room - (self.kernel_rows - 1) * self.dilation - 1) // self.stride + 1
        banded = (room // self.kernel_rows - 1) // self.stride + 1
        return max(dense, banded)

    def set_longest(self, rows):
        """Make room for copies under so many rows of the output; returns its bytes."""
        self.band_rows = min(self.dilation, self._span(rows))  # of rows far apart only those needed are copied
        return -(-self.copied_rows(rows) * self.row_bytes // 64) * 64

    def sum_inside(self):
        """How many rows of the kernel are multiplied, in all rows of the output."""
        cdef ptrdiff_t row, rows = 0
        cdef KernelRows inside
        for row in range(self.out_height):
            inside = self.inside(row)
            rows += inside.end - inside.first
        return rows

    cdef KernelRows inside(self, ptrdiff_t row) noexcept nogil:
        """The rows of the kernel that are multiplied for a row of the output: those that meet the image, or all."""
        cdef ptrdiff_t y = row * self.stride - self.top
        cdef KernelRows rows = KernelRows(0, self.kernel_rows)
        if self.skips and (y < 0 or y + (self.kernel_rows - 1) * self.dilation >= self.height):
            rows.first = max(0, -(y // self.dilation))
            rows.end = min(self.kernel_rows, -((y - self.height) // self.dilation))
            if rows.end <= rows.first:
                rows = KernelRows(0, 0)
        return rows

    cdef ptrdiff_t end_of_alike(self, ptrdiff_t row, ptrdiff_t end) noexcept nogil:
        """The row of the output after those, from `row` on and before `end`, that see the same rows of the kernel."""
        cdef KernelRows rows = self.inside(row), others = rows
        if not self.skips:
            return end
        while rows.first == others.first and rows.end == others.end and row < end:
            row += 1
            others = self.inside(row)
        return row

    cdef ptrdiff_t _span(self, ptrdiff_t rows) noexcept nogil:
        """Rows of the input from the first to the last that one row of the kernel meets in so many of the output."""
        return (rows - 1) * self.stride + 1

    cdef ptrdiff_t copied_rows(self, ptrdiff_t rows) noexcept nogil:
        """Rows of the input that so many rows of the output need, as far as they are copied."""
        cdef ptrdiff_t span = self._span(rows)
        return (self.kernel_rows - 1) * min(self.band_rows, span) + span

    cdef void copy(self, const char *image, ptrdiff_t row, ptrdiff_t rows, char *work) noexcept nogil:
        """Copy what `rows` of the output from `row` on see: under each row of the kernel as many rows as it meets."""
        cdef ptrdiff_t span = self._span(rows), first = row * self.stride - self.top, band, y, copied = 0
        cdef char *target
        for band in range(self.kernel_rows):
            target = work + band * self.band_rows * self.row_bytes
            for y in range(copied, span):
                self._copy_row(image, first + band * self.dilation + y, target + y * self.row_bytes)
            copied = span - self.band_rows if span > self.band_rows else 0

    cdef void _copy_row(self, const char *image, ptrdiff_t y, char *work) noexcept nogil:
        """Copy row y, the pixels outside the image as zeros."""
        cdef ptrdiff_t x, columns = min(self.width, self.copied_width - self.left)
        cdef const char *source = image + y * self.width * self.pixel_bytes
        if y < 0 or y >= self.height or columns <= 0:
            memset(work, 0, self.row_bytes)
            return
        memset(work, 0, self.left * self.copied_pixel_bytes)
        work += self.left * self.copied_pixel_bytes
        if self.copied_pixel_bytes == self.pixel_bytes:
            memcpy(work, source, columns * self.pixel_bytes)
        else:
            for x in range(columns):
                memcpy(work + x * self.copied_pixel_bytes, source + x * self.pixel_bytes, self.copied_pixel_bytes)
        work += columns * self.copied_pixel_bytes
        memset(work, 0, (self.copied_width - self.left - columns) * self.copied_pixel_bytes)
