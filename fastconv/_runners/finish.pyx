"""Functions of each value that a step computes in place of what it has just written, which is in the fast caches still.

A runner tells where: dense direct convolutions after each task, others after less. A kernel gives a value the same bits
wherever it lies: those of a step of its own.
"""

from libc.stdlib cimport calloc, free
from numpy cimport PyArray_DATA, import_array, ndarray

from fastconv._kernels.cpu cimport map_kernel

import_array()

cdef char NOTHING = 0


cdef class Finish:
    """Functions of csrc/kernels.h, one after the other.

    Parameters
    ----------
    functions : list of (str, tuple of float, (float, float), tuple of ndarray)
        Of each its name, numbers and bounds, and its vectors of a value for each channel, of the arrays' dtype.
    itemsize : int
    """

    def __init__(self, list functions, ptrdiff_t itemsize):
        cdef ptrdiff_t i, k
        cdef fc_map_args *args
        free(self.maps)
        self.count, self.itemsize = len(functions), itemsize
        self.maps = <Map *>calloc(max(self.count, 1), sizeof(Map))
        if self.maps == NULL:
            raise MemoryError
        self.vectors = tuple(vectors for *_, vectors in functions)
        for i, (name, numbers, bounds, vectors) in enumerate(functions):
            self.maps[i].kernel, args = map_kernel(name, itemsize), &self.maps[i].args
            for k, number in enumerate(numbers):
                args.numbers[k] = number
            args.lo, args.hi = bounds
            args.y = <const char *>PyArray_DATA(<ndarray>vectors[0]) if vectors else NULL
            args.z = <const char *>PyArray_DATA(<ndarray>vectors[1]) if len(vectors) > 1 else NULL

    def __dealloc__(self):
        free(self.maps)

    cdef void run(
        self, char *out, ptrdiff_t stride, ptrdiff_t pixels, ptrdiff_t channel, ptrdiff_t channels
    ) noexcept nogil:
        """Compute all of some pixels, whose channels from `channel` on begin at `out`."""
        cdef fc_map_args t
        cdef ptrdiff_t i
        for i in range(self.count):
            t = self.maps[i].args
            t.out, t.out_stride, t.pixels, t.channels = out, stride, pixels, channels
            if t.y != NULL:
                t.y += channel * self.itemsize
                t.z = t.z + channel * self.itemsize if t.z != NULL else &NOTHING
            else:
                t.y = t.z = &NOTHING
                if stride == channels * self.itemsize:  # one pixel for the kernel, whose vectors have no tails then
                    t.pixels, t.channels = 1, pixels * channels
            t.x, t.x_stride = t.out, t.out_stride
            self.maps[i].kernel(&t)
