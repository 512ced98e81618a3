"""What every call takes, for the compiled code that makes it."""

from numpy cimport ndarray


cpdef ndarray check(name, value, dtype=*, shape=*, other=*)
cpdef ndarray contiguous(ndarray value, dtype)
cpdef tuple output(name, value, dtype, tuple shape, layout, dict others)
cdef ndarray new(tuple shape, dtype)
cdef bint shares_memory(ndarray a, ndarray b)
