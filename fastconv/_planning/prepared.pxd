"""A runner for each team, lent memory for each call."""

from numpy cimport ndarray

from fastconv._runners.runner cimport Runner


cdef class Prepared:
    cdef object _num_threads
    cdef readonly ptrdiff_t useful  # threads that are worth opening
    # By the largest team; a runner does not change, so threads may share it. None is ever replaced: Cython's `get`
    # borrows a reference, which another thread, in a Python without its lock, would make invalid.
    cdef dict _runners

    cdef Runner runner_now(self)
    cdef Runner runner_of(self, threads)
    cdef run_one(self, ndarray x, ndarray out, ptrdiff_t pixel)
