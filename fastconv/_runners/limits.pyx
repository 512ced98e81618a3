"""Runs the loops that `fastconv.peak` times, on a team."""

from cpython.pyport cimport PY_SSIZE_T_MAX
from libc.string cimport memcpy
from numpy cimport PyArray_DATA, import_array, ndarray

from fastconv._kernels.cpu cimport active_isa, fc_peak_kernel
from fastconv._runners.team cimport parallel_for, team_of

import_array()


cdef struct Job:
    fc_peak_kernel peak
    long rounds
    const char *source
    char *target
    ptrdiff_t nbytes


def multiply_adds(long rounds, int threads):
    """Each of `threads` does `rounds` rounds of independent multiply-adds; return the FLOP of all together."""
    cdef Job job
    job.peak, job.rounds = active_isa().peak, rounds
    with nogil:
        parallel_for(team_of(threads, PY_SSIZE_T_MAX), threads, _multiply_add, &job)
    return job.peak(0) * rounds * threads


cdef void _multiply_add(void *job, ptrdiff_t _) noexcept nogil:
    (<Job *>job).peak((<Job *>job).rounds)


def copy(ndarray source, ndarray target, int threads):
    """Each of `threads` copies its slice of one array into another; return the bytes read and written."""
    cdef Job job
    job.source, job.target = <const char *>PyArray_DATA(source), <char *>PyArray_DATA(target)
    job.nbytes = source.nbytes // threads
    with nogil:
        parallel_for(team_of(threads, PY_SSIZE_T_MAX), threads, _copy, &job)
    return 2 * job.nbytes * threads


cdef void _copy(void *what, ptrdiff_t i) noexcept nogil:
    cdef Job *job = <Job *>what
    memcpy(job.target + i * job.nbytes, job.source + i * job.nbytes, job.nbytes)
