"""Weights times a scale of their channels, rounded once from float64, in one pass: a network has many of them."""

import numpy as np

from libc.math cimport isfinite
from numpy cimport PyArray_DATA, import_array, ndarray

import_array()

ctypedef fused Given:
    float
    double

ctypedef fused Wanted:
    float
    double

cdef enum:
    AT_ONCE = 256  # channels, whose products stay in registers and L1


def scaled(weight, scale, dtype):
    """`weight` · `scale` in `dtype`; the scale is of the last axis of the weight, HWIO, or of the last two."""
    out = np.empty(weight.shape, dtype)
    _pass(weight, scale, out, dtype)
    return out


def fits(weight, scale, dtype):
    """Whether `scaled` would be finite throughout, and 0 only where the weight or the scale is."""
    return _pass(weight, scale, None, dtype)


cdef bint _pass(weight, scale, ndarray out, dtype):
    cdef ndarray given = np.ascontiguousarray(weight)
    cdef ndarray factors = np.ascontiguousarray(np.broadcast_to(scale, weight.shape[2:]), np.float64)
    cdef Py_ssize_t planes = weight.shape[0] * weight.shape[1], size = factors.size
    cdef const void *source = PyArray_DATA(given)
    cdef const double *by = <const double *>PyArray_DATA(factors)
    cdef void *target = NULL if out is None else PyArray_DATA(out)
    cdef bint is_double = given.dtype == np.float64, wants_double = dtype == np.float64
    with nogil:
        if is_double and wants_double:
            return _loop(<const double *>source, by, planes, size, <double *>target)
        if is_double:
            return _loop(<const double *>source, by, planes, size, <float *>target)
        if wants_double:
            return _loop(<const float *>source, by, planes, size, <double *>target)
        return _loop(<const float *>source, by, planes, size, <float *>target)


cdef bint _loop(
    const Given *weight, const double *scale, Py_ssize_t planes, Py_ssize_t size, Wanted *out
) noexcept nogil:
    cdef Wanted[AT_ONCE] products
    cdef Wanted *result
    cdef const Given *w
    cdef const double *s
    cdef Py_ssize_t plane, first, n, i
    cdef bint is_wrong = False
    cdef int suspect
    for plane in range(planes):
        first = 0
        while first < size:
            n = min(<Py_ssize_t>AT_ONCE, size - first)
            w, s = weight + plane * size + first, scale + first
            result = &products[0] if out == NULL else out + plane * size + first
            for i in range(n):
                result[i] = <Wanted>(w[i] * s[i])
            suspect = 0
            for i in range(n):  # vectors of them: NaN and Inf minus themselves are not 0
                suspect |= (result[i] - result[i] != 0) | (result[i] == 0)
            if suspect:
                for i in range(n):
                    if not isfinite(result[i]) or (result[i] == 0 and w[i] != 0 and s[i] != 0):
                        is_wrong = True
            first += n
    return not is_wrong
