"""The cut of a convolution into units that a team shares."""

cdef struct Cut:
    ptrdiff_t team
    ptrdiff_t strips
    ptrdiff_t parts  # that the blocks of output channels are dealt into


cdef class Cuttable:
    cdef Cut cut
    cdef Cut cut_for(
        self, ptrdiff_t team, ptrdiff_t repeats, ptrdiff_t strips, ptrdiff_t most_strips, ptrdiff_t blocks
    ) noexcept
    cdef double time_of(self, Cut cut) noexcept
