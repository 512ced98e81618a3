"""Copies of rows whose channels are split."""

from fastconv._kernels.cpu cimport fc_split_kernel
from fastconv._runners.padded_rows cimport PaddedRows


cdef class SplitRows(PaddedRows):
    cdef fc_split_kernel split
    cdef ptrdiff_t channels, itemsize
    cdef ptrdiff_t plane_bytes  # from the columns of a channel to those of the next
    cdef ptrdiff_t lead  # bytes before the first column, so that the image begins with a cache line
