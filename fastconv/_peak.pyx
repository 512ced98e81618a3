"""Runs the loops that `fastconv.peak` times, on a team."""

from cython.parallel cimport prange
from libc.string cimport memcpy
from numpy cimport PyArray_DATA, import_array, ndarray

from fastconv._cpu cimport active_isa, fc_peak_kernel

import_array()


def multiply_adds(long rounds, int team):
    """Each of `team` threads does `rounds` rounds of independent multiply-adds; return the FLOP of all together."""
    cdef fc_peak_kernel peak = active_isa().peak
    cdef int _, flop = 0
    for _ in prange(team, num_threads=team, schedule="static", nogil=True):
        flop += peak(rounds)
    return flop * rounds


def copy(ndarray source, ndarray target, int team):
    """Each of `team` threads copies its share of one array into another; return the bytes read and written."""
    cdef const char *from_data = <const char *>PyArray_DATA(source)
    cdef char *to_data = <char *>PyArray_DATA(target)
    cdef ptrdiff_t share = source.nbytes // team
    cdef int i
    for i in prange(team, num_threads=team, schedule="static", nogil=True):
        memcpy(to_data + i * share, from_data + i * share, share)
    return 2 * share * team
