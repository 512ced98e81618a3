"""The tiles of small groups."""

from fastconv._runners.direct_tiles cimport DirectTiles, PixelBlock


cdef class GroupedTiles(DirectTiles):
    cdef void _run_of_columns(self, const PixelBlock *block, ptrdiff_t q, ptrdiff_t n) noexcept nogil
