"""A runner for each team, lent memory for each call."""

from fastconv._runners.partition cimport Runner


cdef class Prepared:
    cdef object _num_threads
    cdef readonly ptrdiff_t useful  # threads that are worth opening
    cdef dict _runners  # by the largest team; a runner does not change, so threads may share it

    cdef Runner runner_of(self, threads)
    cdef run_with(self, list inputs, list outputs, times)
