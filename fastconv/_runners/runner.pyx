"""What a call of a plan runs: a loop nest, or a chain of them."""

from cpython.exc cimport PyErr_CheckSignals
from cpython.pyport cimport PY_SSIZE_T_MAX
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc
from numpy cimport PyArray_DATA, PyArray_NDIM, PyArray_STRIDES, import_array, ndarray

from fastconv._runners.queue cimport FC_NEVER, fc_nanoseconds, fc_now
from fastconv._runners.team cimport team_of

import_array()

cdef class Runner:
    """The base of all that runs: a subclass sets `memory` and has `run_on`."""

    def __cinit__(self):
        if type(self) is Runner:
            raise TypeError("Runner is a base: it has nothing to run")
        self.max_pixel_bytes = PY_SSIZE_T_MAX

    def set_team(self, int threads, ptrdiff_t useful):
        """Run with at most `threads`, of which `useful` pay, from now on."""
        self.team = team_of(threads, useful)

    @property
    def threads(self):
        """Threads that work."""
        return self.team.size

    cpdef run(self, list inputs, list outputs, ndarray work, ndarray times=None):
        """Write the results for contiguous inputs to the outputs, pairs (array, bytes from a pixel of it to the next).

        `work` has `memory` bytes; it is None where that is 0. Handlers of signals run between tasks of a long run, with
        no team at work; where one raises, the outputs are undefined. To `times`, an integer for each step of a chain,
        the nanoseconds of these are added.
        """
        cdef Py_ssize_t i, count = len(inputs)
        cdef End few[4]  # a call of a small layer is not worth an allocation
        cdef End *ends = few
        if count + len(outputs) > 4:
            ends = <End *>malloc((count + len(outputs)) * sizeof(End))
            if ends == NULL:
                raise MemoryError
        try:
            for i in range(count):
                ends[i] = end(inputs[i], 0)
            for i in range(len(outputs)):
                ends[count + i] = end((<tuple>outputs[i])[0], (<tuple>outputs[i])[1])
            self._run(ends, count, len(outputs), work, times)
        finally:
            if ends != few:
                free(ends)

    cdef run_one(self, ndarray x, ndarray out, ptrdiff_t pixel, ndarray work):
        """`run` of one input and one result, without the lists: most calls of small layers are such."""
        cdef End ends[2]
        ends[0], ends[1] = end(x, 0), end(out, pixel)
        self._run(ends, 1, 1, work, None)

    cdef _run(self, const End *ends, Py_ssize_t inputs, Py_ssize_t outputs, ndarray work, ndarray times):
        cdef Arrays arrays
        cdef Progress progress
        cdef bint is_done
        cdef char nothing  # one may add 0 to where it lies, but not to NULL
        cdef char *memory = &nothing if work is None else <char *>PyArray_DATA(work)
        cdef const End *first = ends + inputs
        for i in range(outputs):
            if first[i].pixel > self.max_pixel_bytes:
                raise ValueError('out must have its pixels less than 2**31 values apart for algorithm "blas"')
        arrays.ends, arrays.x, arrays.residual = ends, ends[0].at, ends[1].at if inputs > 1 else NULL
        arrays.out, arrays.out_image, arrays.out_stride = first.at, first.image, first.pixel
        progress.steps_done = progress.begun = 0
        progress.times = NULL if times is None else <int64_t *>PyArray_DATA(times)
        progress.since = fc_nanoseconds() if times is not None else 0
        if self.is_short:
            progress.deadline = FC_NEVER
            self.run_on(&arrays, memory, &progress)
            return
        while True:
            progress.deadline = fc_now() + BETWEEN_SIGNALS
            with nogil:
                is_done = self.run_on(&arrays, memory, &progress)
            if is_done:
                return
            PyErr_CheckSignals()

    cdef bint run_on(self, const Arrays *arrays, char *work, Progress *progress) noexcept nogil:
        """Run until all is done or the deadline has passed; whether all is done."""
        return True


cdef End end(ndarray array, ptrdiff_t pixel):
    return End(<char *>PyArray_DATA(array), PyArray_STRIDES(array)[0] if PyArray_NDIM(array) % 2 == 0 else 0, pixel)
