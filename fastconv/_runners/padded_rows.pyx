"""The rows of the input that a row of the output sees: which taps of the kernel meet them, and their copy with borders.

At the edges of a map rows and columns of the kernel lie wholly in the padding. Where all weights are finite their
products are zeros, and left out: rows of the kernel at the top and the bottom, columns at the left and the right of the
rows of the map between. Which ones depends on the place in the map alone, and so do the bits; in a block of a larger
map it depends on what that leaves out.
"""

from libc.string cimport memcpy, memset

CHUNK_CHANNELS = 64
cdef double MIN_SAVED = 0.02  # of the products, that is worth tiles of single columns
cdef ptrdiff_t SAME_SETS_BYTES = 2048  # pixels so far apart fall on the same two sets of an L1 cache of 64 sets
cdef ptrdiff_t IN_L1 = 42_000  # of bytes: so much of the input is still in an L1 cache of 48 KB for the next row


cdef inline Taps taps_inside(Axis axis, ptrdiff_t i) noexcept nogil:
    """Those that meet the image at place i of the output; (0, 0) if none does."""
    cdef ptrdiff_t at = i * axis.stride - axis.before
    cdef Taps taps = Taps(0, axis.taps)
    if at < 0 or at + (axis.taps - 1) * axis.dilation >= axis.size:
        taps.first = max(0, -(at // axis.dilation))
        taps.end = min(axis.taps, -((at - axis.size) // axis.dilation))
    return taps if taps.first < taps.end else Taps(0, 0)


cdef ptrdiff_t places_before(Axis axis, ptrdiff_t tap, ptrdiff_t pixel, ptrdiff_t places) noexcept:
    """How many of the first `places` of the output have this tap before a pixel of the image."""
    cdef ptrdiff_t span = pixel + axis.before - tap * axis.dilation
    return min(max(-(-span // axis.stride), 0), places)


cdef ptrdiff_t count_inside(Axis axis, ptrdiff_t places) noexcept:
    """How many taps meet the image, in the first `places` of the output together."""
    cdef ptrdiff_t tap, taps = 0
    for tap in range(axis.taps):
        taps += places_before(axis, tap, axis.size, places) - places_before(axis, tap, 0, places)
    return taps


cdef ptrdiff_t count_whole(Axis axis, ptrdiff_t places) noexcept:
    """In how many of the first `places` of the output the whole kernel lies inside the image."""
    return max(places_before(axis, axis.taps - 1, axis.size, places) - places_before(axis, 0, 0, places), 0)


cdef ptrdiff_t end_of_same(Axis axis, ptrdiff_t i, ptrdiff_t end) noexcept nogil:
    """The place of the output after those, from i on and before `end`, that meet the same taps."""
    cdef Taps first = taps_inside(axis, i), taps = first
    if first.end - first.first == axis.taps:  # as up to the last place whose last tap is inside
        return min(end, (axis.size - 1 - (axis.taps - 1) * axis.dilation + axis.before) // axis.stride + 1)
    while i < end and taps.first == first.first and taps.end == first.end:
        i += 1
        taps = taps_inside(axis, i)
    return i


def is_read_well(shape, pixel_bytes, tile_pixels):
    """Whether row tiles of `tile_pixels`, of `pixel_bytes` each, read x in place faster than a copy of it.

    Few columns, each a tile by itself whose time grows with the kernel, may see less than all of it, and what a tile
    sees must still be in L1 for the next row. With a stride, where it is read once or twice, its pixels need only not
    fall on the same few sets.
    """
    edges, (kernel_rows, kernel_cols) = sum(shape.padding[1]), shape.kernel
    if shape.stride[1] > 1:
        return edges * 3 <= shape.width and pixel_bytes % SAME_SETS_BYTES > 0
    seen = min(kernel_rows, shape.height) * (tile_pixels + kernel_cols - 1) * pixel_bytes
    return edges**2 * 3 <= shape.width and seen <= IN_L1


def chunks(shape, lanes):
    """How many chunks the channels of small groups are taken in, each copied and convolved by itself.

    A chunk is a few cache lines wide, so that a pixel block's pixels do not fall on the same few sets of the cache.
    """
    channels = shape.in_channels
    widths = range(min(CHUNK_CHANNELS, channels), 0, -1)
    return next((channels // width for width in widths if channels % width == width % lanes == 0), 1)


cdef class PaddedRows:
    """The rows of the images of one geometry, and of their copies, which hold some channels of a pixel.

    Tiles of `whole_rows` take in all columns of the kernel over a copy; over x in place, only what meets the image.
    """

    def __init__(self, shape, all_finite, itemsize, copied_channels, whole_rows=False, in_place=False):
        cdef PaddedRows whole
        (height_taps, width_taps), (before, _) = shape.kernel, shape.padding[0]
        self.y = Axis(shape.height, height_taps, shape.stride[0], shape.dilation[0], before)
        self.x = Axis(shape.width, width_taps, shape.stride[1], shape.dilation[1], shape.padding[1][0])
        self.out_height, self.out_width = shape.out_height, shape.out_width
        self.pixel_bytes, self.copied_pixel_bytes = shape.in_channels * itemsize, copied_channels * itemsize
        self.copied_width = (self.out_width - 1) * self.x.stride + (width_taps - 1) * self.x.dilation + 1
        self.window_step, self.tap_step = self.x.stride, self.x.dilation
        is_copied = shape.padding != ((0, 0), (0, 0)) and not in_place
        self.gathers = is_copied and self.copied_width > SPARSE * self.out_width * width_taps
        if self.gathers:
            self.window_step, self.tap_step, self.copied_width = width_taps, 1, self.out_width * width_taps
        self.row_bytes = self.copied_width * self.copied_pixel_bytes
        self.band_rows = self.y.dilation
        self.in_place = in_place
        self.skips_rows = in_place or bool(all_finite) and self.out_width >= MIN_ROW
        self.skips_columns = in_place or (
            self.skips_rows
            and not whole_rows
            and self.x.dilation == 1
            and shape.terms >= MIN_TERMS
            and count_inside(self.x, self.out_width) <= (1 - MIN_SAVED) * self.out_width * width_taps
            and min(count_whole(self.y, self.out_height), self.max_rows(PIXEL_BLOCK_BYTES // self.row_bytes)) >= MIN_ROW
        )
        if shape.whole is not None:
            whole = PaddedRows(shape.whole, all_finite, itemsize, copied_channels, whole_rows, in_place)
            self.skips_rows, self.skips_columns = whole.skips_rows, whole.skips_columns

    def max_rows(self, room):
        """The most rows of the output that see no more rows of the input than these."""
        dense = (room - (self.y.taps - 1) * self.y.dilation - 1) // self.y.stride + 1
        banded = (room // self.y.taps - 1) // self.y.stride + 1
        return max(dense, banded)

    def set_longest(self, rows):
        """Make room for copies under `rows` of the output; returns its bytes."""
        self.band_rows = min(self.y.dilation, self._span(rows))  # of rows far apart only those needed are copied
        return -(-self.copied_rows(rows) * self.row_bytes // 64) * 64

    def count_taps(self):
        """How many taps are multiplied, in all pixels of the output."""
        cdef ptrdiff_t all_rows = self.out_height * self.y.taps
        rows = count_inside(self.y, self.out_height) if self.skips_rows else all_rows
        split_rows = 0  # those whose columns see columns of the kernel of their own
        if self.in_place:
            split_rows = rows
        elif self.skips_columns:
            split_rows = count_whole(self.y, self.out_height) * self.y.taps
        left_out = self.out_width * self.x.taps - count_inside(self.x, self.out_width)
        return rows * (self.out_width * self.x.taps) - split_rows * left_out

    cdef bint splits(self, ptrdiff_t row) noexcept nogil:
        """Whether the columns of a row of the output see columns of the kernel of their own."""
        cdef Taps rows
        if self.in_place or not self.skips_columns:
            return self.in_place
        rows = taps_inside(self.y, row)
        return rows.end - rows.first == self.y.taps

    cdef void find_window(self, ptrdiff_t row, ptrdiff_t column, Window *window) noexcept nogil:
        """The taps that are multiplied for a pixel of the output: those that meet the image, or all of an axis.

        The window is written and read number by number, for the reason that csrc/scatter.h gives.
        """
        cdef Taps rows = Taps(0, self.y.taps), cols = Taps(0, self.x.taps)
        if self.skips_rows:
            rows = taps_inside(self.y, row)
        if self.splits(row):
            cols = taps_inside(self.x, column)
        window.rows.first, window.rows.end = rows.first, rows.end
        window.cols.first, window.cols.end = cols.first, cols.end

    cdef ptrdiff_t end_of_rows(self, ptrdiff_t row, ptrdiff_t end) noexcept nogil:
        """The row of the output after those, from `row` on and before `end`, that see the same rows of the kernel."""
        return end_of_same(self.y, row, end) if self.skips_rows else end

    cdef ptrdiff_t end_of_columns(self, ptrdiff_t row, ptrdiff_t column) noexcept nogil:
        """The same for columns, in a row of the output."""
        return end_of_same(self.x, column, self.out_width) if self.splits(row) else self.out_width

    cdef ptrdiff_t _span(self, ptrdiff_t rows) noexcept nogil:
        """Rows of the input from the first to the last that one row of the kernel meets in `rows` of the output."""
        return (rows - 1) * self.y.stride + 1

    cdef ptrdiff_t copied_rows(self, ptrdiff_t rows) noexcept nogil:
        """Rows of the input that `rows` of the output need, as far as they are copied."""
        cdef ptrdiff_t span = self._span(rows)
        return (self.y.taps - 1) * min(self.band_rows, span) + span

    cdef void copy(self, const char *image, ptrdiff_t row, ptrdiff_t rows, char *work) noexcept nogil:
        """Copy what `rows` of the output from `row` on see: under each row of the kernel as many rows as it meets."""
        cdef ptrdiff_t span = self._span(rows), first = row * self.y.stride - self.y.before, band, y, copied = 0
        cdef char *target
        for band in range(self.y.taps):
            target = work + band * self.band_rows * self.row_bytes
            for y in range(copied, span):
                self._copy_row(image, first + band * self.y.dilation + y, target + y * self.row_bytes)
            copied = span - self.band_rows if span > self.band_rows else 0

    cdef void _copy_row(self, const char *image, ptrdiff_t y, char *work) noexcept nogil:
        """Copy row y, the pixels outside the image as zeros."""
        cdef ptrdiff_t x, columns = min(self.x.size, self.copied_width - self.x.before)
        cdef const char *source = image + y * self.x.size * self.pixel_bytes
        if y < 0 or y >= self.y.size or columns <= 0 and not self.gathers:
            memset(work, 0, self.row_bytes)
            return
        if self.gathers:
            self._gather_row(source, work)
            return
        memset(work, 0, self.x.before * self.copied_pixel_bytes)
        work += self.x.before * self.copied_pixel_bytes
        if self.copied_pixel_bytes == self.pixel_bytes:
            memcpy(work, source, columns * self.pixel_bytes)
        else:
            for x in range(columns):
                memcpy(work + x * self.copied_pixel_bytes, source + x * self.pixel_bytes, self.copied_pixel_bytes)
        work += columns * self.copied_pixel_bytes
        memset(work, 0, (self.copied_width - self.x.before - columns) * self.copied_pixel_bytes)

    cdef void _gather_row(self, const char *source, char *work) noexcept nogil:
        """Copy the pixels of a row that a column of the output sees, and then those that the next one does."""
        cdef ptrdiff_t column, tap, x
        for column in range(self.out_width):
            for tap in range(self.x.taps):
                x = column * self.x.stride - self.x.before + tap * self.x.dilation
                if 0 <= x < self.x.size:
                    memcpy(work, source + x * self.pixel_bytes, self.copied_pixel_bytes)
                else:
                    memset(work, 0, self.copied_pixel_bytes)
                work += self.copied_pixel_bytes
