"""Functions of each value that a step computes in place of what it has just written."""

from fastconv._kernels.cpu cimport fc_map_args, fc_map_kernel


cdef struct Map:
    fc_map_kernel kernel
    fc_map_args args  # but for where the values lie


cdef class Finish:
    cdef Map *maps
    cdef ptrdiff_t count, itemsize
    cdef tuple vectors  # what the maps point to

    cdef void run(
        self, char *out, ptrdiff_t stride, ptrdiff_t pixels, ptrdiff_t channel, ptrdiff_t channels
    ) noexcept nogil
