"""What a call of a plan runs, and what it is told."""

from libc.stdint cimport int64_t
from numpy cimport ndarray

from fastconv._runners.queue cimport fc_queue
from fastconv._runners.team cimport Team


cdef enum:
    BETWEEN_SIGNALS = 200  # milliseconds of a run, after which it looks for signals


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
    int64_t deadline  # when it does next, or FC_NEVER
    ptrdiff_t steps_done  # of a chain
    bint begun  # the queue is filled
    int64_t *times  # nanoseconds of each step of a chain, to add to; or NULL
    int64_t since  # where the time of the next step begins
    fc_queue queue


cdef class Runner:
    cdef readonly ptrdiff_t memory  # bytes that a run of the team takes
    cdef ptrdiff_t max_pixel_bytes  # bytes from a pixel of a result to the next that it can count
    cdef readonly bint overwrites  # it reads what it adds to a result before it writes that, which may lie in its place
    cdef Team team
    # One loop nest that one thread is enough for, mostly some microseconds: to let other Python threads run meanwhile
    # would take as long as they gain, and to look for signals too.
    cdef bint is_short
    cpdef run(self, list inputs, list outputs, ndarray work, ndarray times=*)
    cdef run_one(self, ndarray x, ndarray out, ptrdiff_t pixel, ndarray work)
    cdef _run(self, const End *ends, Py_ssize_t inputs, Py_ssize_t outputs, ndarray work, ndarray times)
    cdef bint run_on(self, const Arrays *arrays, char *work, Progress *progress) noexcept nogil
