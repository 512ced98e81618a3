"""What runs a convolution, cut into units that a team shares."""

from libc.stdint cimport int64_t
from numpy cimport ndarray

from fastconv._runners.shares cimport fc_shares
from fastconv._runners.team cimport Team


cdef struct Cut:
    ptrdiff_t team
    ptrdiff_t strips
    ptrdiff_t parts  # that the blocks of output channels are dealt into
    ptrdiff_t units


cdef struct End:  # an array of a call
    char *at
    ptrdiff_t image, pixel  # bytes from an image of it to the next, from a pixel to the next


cdef struct Arrays:  # of a step
    const char *x
    const char *residual  # or NULL
    char *out
    ptrdiff_t out_image, out_stride  # bytes from an image of it to the next, from a pixel to the next
    const End *ends  # of the call: its inputs, then its results


cdef struct Progress:  # of a run, which stops now and then to let Python look for signals
    int64_t deadline  # when it does next
    ptrdiff_t parts_done  # of a chain
    bint begun  # the units are shared out
    int64_t *times  # nanoseconds of each part of a chain, to add to; or NULL
    int64_t since  # where the time of the next part begins
    fc_shares shares


cdef inline ptrdiff_t share(ptrdiff_t i, ptrdiff_t shares, ptrdiff_t total) noexcept nogil:
    """Where the i-th of so many even shares of a total begins."""
    return total * i // shares


cdef class Runner:
    cdef readonly str tile
    cdef readonly ptrdiff_t workspace_bytes  # for each thread
    cdef readonly ptrdiff_t repeats  # of every strip and part: for each group, say
    cdef readonly ptrdiff_t strips, most_strips, most_parts  # `strips` and 1 at least; no more: there is one cut
    cdef readonly ptrdiff_t memory  # bytes that a run of the team takes
    cdef ptrdiff_t most_pixel  # bytes from a pixel of a result to the next that it can count
    cdef Team team
    cdef Cut cut
    cpdef run(self, list inputs, list outputs, ndarray work, ndarray times=*)
    cdef bint run_on(self, const Arrays *arrays, char *work, Progress *progress) noexcept nogil
    cdef Cut best_cut(self, ptrdiff_t team) noexcept
    cdef double _time_of(self, Cut cut) noexcept
    cdef double strip_time(self, ptrdiff_t strips) noexcept
    cdef double unit_time(self, Cut cut) noexcept
    cdef void run_units(
        self, fc_shares *shares, int thread, Cut cut, const Arrays *arrays, char *work
    ) noexcept nogil
