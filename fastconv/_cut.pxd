"""What runs a convolution, cut into units that a team shares."""

from fastconv._shares cimport fc_shares


cdef struct Cut:
    ptrdiff_t team
    ptrdiff_t strips
    ptrdiff_t parts  # that the blocks of output channels are dealt into
    ptrdiff_t units


cdef struct Arrays:  # of a call
    const char *x
    const char *residual  # or NULL
    char *out
    ptrdiff_t out_image, out_stride  # bytes from an image of it to the next, from a pixel to the next


cdef inline ptrdiff_t share(ptrdiff_t i, ptrdiff_t shares, ptrdiff_t total) noexcept nogil:
    """Where the i-th of so many even shares of a total begins."""
    return total * i // shares


cdef class Runner:
    cdef readonly str tile
    cdef readonly ptrdiff_t workspace_bytes  # for each thread
    cdef readonly ptrdiff_t repeats  # of every strip and part: for each group, say
    cdef readonly ptrdiff_t strips, most_strips, most_parts  # `strips` and 1 at least; no more: there is one cut
    cdef readonly int team
    cdef Cut cut, cut_alone  # for the team, for one thread
    cdef void run_on(self, const Arrays *arrays, char *work, bint alone) noexcept nogil
    cdef void _run_share(
        self, fc_shares *shares, int thread, Cut cut, const Arrays *arrays, char *work
    ) noexcept nogil
    cdef Cut best_cut(self, ptrdiff_t team) noexcept
    cdef double _time_of(self, Cut cut) noexcept
    cdef double strip_time(self, ptrdiff_t strips) noexcept
    cdef double unit_time(self, Cut cut) noexcept
    cdef void run_units(
        self, fc_shares *shares, int thread, Cut cut, const Arrays *arrays, char *work
    ) noexcept nogil
