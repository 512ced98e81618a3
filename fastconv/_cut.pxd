"""The cut of a convolution into units that a team shares."""

cdef struct Cut:
    ptrdiff_t team
    ptrdiff_t strips
    ptrdiff_t parts  # that the blocks of output channels are dealt into


cdef inline ptrdiff_t share(ptrdiff_t i, ptrdiff_t shares, ptrdiff_t total) noexcept nogil:
    """Where the i-th of so many even shares of a total begins."""
    return total * i // shares


cdef class Cuttable:
    cdef Cut cut
    cdef Cut cut_for(
        self, ptrdiff_t team, ptrdiff_t repeats, ptrdiff_t strips, ptrdiff_t most_strips, ptrdiff_t blocks
    ) noexcept
    cdef double _time_of(self, Cut cut, ptrdiff_t units) noexcept
    cdef double strip_time(self, ptrdiff_t strips) noexcept
    cdef double unit_time(self, Cut cut) noexcept
