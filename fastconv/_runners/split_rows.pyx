"""Copies of rows whose channels are split, for the tile of few output channels, whose lanes are pixels: the columns of
each channel lie side by side.
"""

from libc.string cimport memset

from fastconv._kernels.cpu cimport CACHE_LINE, FC_MAX_SPLIT, fc_kernels, kernels_for
from fastconv._runners.padded_rows cimport SPARSE, PaddedRows

cdef ptrdiff_t SET_LINES = 16  # planes a multiple of so many lines apart would fall on the same few sets of L1
cdef ptrdiff_t MIN_ROWS = 4  # of the output, which a team shares


def is_for_whole_rows(shape, group_out):
    """Whether rows may be split: then no columns of the kernel are left out, however wide the map is.

    What is left out has a say in the bits, which must not depend on the width of a block of a larger map.
    """
    return 0 < group_out <= FC_MAX_SPLIT and shape.kernel != (1, 1) and shape.stride == (1, 1)


def is_for_split_rows(shape, ptrdiff_t group_out, itemsize):
    """Whether they are: there is a tile for so few channels, which fill no vectors, and the map fills it."""
    cdef const fc_kernels *kernels = kernels_for(itemsize)
    if not is_for_whole_rows(shape, group_out) or kernels.split_tile[group_out - 1] == NULL:
        return False
    is_dense = (shape.kernel[1] - 1) * shape.dilation[1] < SPARSE * shape.out_width
    is_filled = shape.out_width >= kernels.lanes and group_out % kernels.lanes > 0
    return is_filled and is_dense and shape.out_height >= MIN_ROWS


cdef class SplitRows(PaddedRows):
    """The rows of the images of one geometry, and of their copies, which hold the channels of a group."""

    def __init__(self, shape, all_finite, itemsize, channels):
        PaddedRows.__init__(self, shape, all_finite, itemsize, channels, whole_rows=True)
        self.split, self.channels, self.itemsize = kernels_for(itemsize).split, channels, itemsize
        self.lead = -self.x.before * itemsize % CACHE_LINE
        lines = -(-(self.lead + self.copied_width * itemsize) // CACHE_LINE)
        self.plane_bytes = (lines + (lines % SET_LINES == 0)) * CACHE_LINE
        self.row_bytes, self.gathers = channels * self.plane_bytes, False

    cdef void _copy_row(self, const char *image, ptrdiff_t y, char *work) noexcept nogil:
        """Copy row y, the pixels outside the image as zeros."""
        cdef ptrdiff_t _channel, first = min(self.x.before, self.copied_width)
        cdef ptrdiff_t end = max(first, min(self.copied_width, self.x.before + self.x.size))
        cdef char *plane = work + self.lead
        if y < 0 or y >= self.y.size:
            memset(work, 0, self.row_bytes)
            return
        for _channel in range(self.channels):
            memset(plane, 0, first * self.itemsize)
            memset(plane + end * self.itemsize, 0, (self.copied_width - end) * self.itemsize)
            plane += self.plane_bytes
        if first < end:
            self.split(
                image + y * self.x.size * self.pixel_bytes, self.pixel_bytes, end - first, self.channels,
                work + self.lead + first * self.itemsize, self.plane_bytes,
            )
