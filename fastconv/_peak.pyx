"""Runs the loops that `fastconv.peak` times, on a team."""

from cython.parallel cimport prange
from libc.stdint cimport uintptr_t
from libc.string cimport memcpy

from fastconv._cpu cimport active_isa, fc_peak_kernel


def multiply_adds(long rounds, int team):
    """Each of `team` threads does `rounds` rounds of independent multiply-adds; return the FLOP of all together."""
    cdef fc_peak_kernel peak = active_isa().peak
    cdef int _, flop = 0
    for _ in prange(team, num_threads=team, schedule="static", nogil=True):
        flop += peak(rounds)
    return flop * rounds


def copy(source, target, int team):
    """Each of `team` threads copies its share of one array into another; return the bytes read and written."""
    cdef const char *from_data = <const char *><uintptr_t>source.ctypes.data
    cdef char *to_data = <char *><uintptr_t>target.ctypes.data
    cdef ptrdiff_t share = source.nbytes // team
    cdef int i
    for i in prange(team, num_threads=team, schedule="static", nogil=True):
        memcpy(to_data + i * share, from_data + i * share, share)
    return 2 * share * team
