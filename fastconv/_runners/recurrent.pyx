"""The steps of recurrent layers, one after the other: in each a product of the state and the recurrent weights, by one
thread, and functions of each value of the gates.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport INFINITY
from libc.stdint cimport int64_t
from numpy cimport PyArray_DATA, import_array, ndarray

from fastconv._kernels.cpu cimport fc_map_args, fc_map_kernel, map_kernel
from fastconv._runners.queue cimport FC_NEVER, fc_now
from fastconv._runners.runner cimport BETWEEN_SIGNALS, Arrays, Progress, Runner

import_array()

cdef char NOTHING = 0


cdef class Recurrence:
    """One direction of a layer, whose subclass has `step`.

    Parameters
    ----------
    product : Runner
        For one thread, of a state as an image (1, 1, batch, hidden), which gives (1, 1, batch, gates · hidden).
    batch, hidden, gates, itemsize : int
    """

    cdef Runner product
    cdef fc_map_kernel add, mul, sub, sigmoid, tanh
    cdef ptrdiff_t batch, hidden
    cdef ptrdiff_t state_row, gate_row  # bytes of an image's

    def __init__(self, Runner product, ptrdiff_t batch, ptrdiff_t hidden, ptrdiff_t gates, ptrdiff_t itemsize):
        self.add, self.mul = map_kernel("add", itemsize), map_kernel("mul", itemsize)
        self.sub = map_kernel("sub", itemsize)
        self.sigmoid, self.tanh = map_kernel("sigmoid", itemsize), map_kernel("tanh", itemsize)
        self.product, self.batch, self.hidden = product, batch, hidden
        self.state_row, self.gate_row = hidden * itemsize, gates * hidden * itemsize

    @property
    def memory(self):
        """Bytes that a run takes: those of the product."""
        return self.product.memory

    def run(
        self, ndarray projected, ndarray y, ptrdiff_t way, list state, ndarray gates, ndarray work, bint is_reverse
    ):
        """Write what each step gives to y[:, way], of shape (steps, ways, batch, hidden); `state` has the first one.

        `projected` has what the inputs of each step add to its gates, (steps, batch, gates · hidden), `gates` room for
        one step; all are contiguous. The second array of a `state` becomes the last cell. Handlers of signals run
        between the steps of a long run; where one raises, the results are undefined.
        """
        cdef ptrdiff_t steps = projected.shape[0], ways = y.shape[1], i = 0, t
        cdef int64_t deadline
        cdef const char *h = <const char *>PyArray_DATA(<ndarray>state[0])
        cdef char *cell = <char *>PyArray_DATA(<ndarray>state[1]) if len(state) > 1 else NULL
        cdef const char *added = <const char *>PyArray_DATA(projected)
        cdef char *room = <char *>PyArray_DATA(gates)
        cdef char *results = <char *>PyArray_DATA(y)
        cdef char *memory = NULL if work is None else <char *>PyArray_DATA(work)
        cdef char *out
        while True:
            deadline = fc_now() + BETWEEN_SIGNALS
            with nogil:
                while i < steps and fc_now() < deadline:
                    t = steps - 1 - i if is_reverse else i
                    out = results + (t * ways + way) * self.batch * self.state_row
                    self.step(added + t * self.batch * self.gate_row, h, cell, room, out, memory)
                    h = out
                    i += 1
            if i == steps:
                return
            PyErr_CheckSignals()

    cdef void step(
        self, const char *added, const char *h, char *cell, char *gates, char *out, char *work
    ) noexcept nogil:
        """From one state to the next."""

    cdef void multiply(self, const char *h, const char *added, char *gates, char *work) noexcept nogil:
        """The product of a state, plus what is added to it unless that is NULL."""
        cdef Arrays arrays
        cdef Progress progress
        arrays.x, arrays.residual, arrays.out, arrays.ends = h, added, gates, NULL
        arrays.out_image, arrays.out_stride = self.batch * self.gate_row, self.gate_row
        progress.steps_done = progress.begun = 0
        progress.times, progress.since, progress.deadline = NULL, 0, FC_NEVER
        self.product.run_on(&arrays, work, &progress)

    cdef void apply(
        self, fc_map_kernel function, const char *x, ptrdiff_t x_stride, const char *y, ptrdiff_t y_stride, char *out,
        ptrdiff_t out_stride, ptrdiff_t states=1,
    ) noexcept nogil:
        """A function of as many values of each image as `states` have."""
        cdef fc_map_args t
        t.x, t.x_stride, t.y, t.y_stride, t.out, t.out_stride = x, x_stride, y, y_stride, out, out_stride
        t.z, t.work, t.pixels, t.channels = &NOTHING, &NOTHING, self.batch, states * self.hidden
        t.lo, t.hi = -INFINITY, INFINITY
        function(&t)


cdef class LSTM(Recurrence):
    """Gates i, o, f, c, in ONNX's order."""

    cdef void step(
        self, const char *added, const char *h, char *cell, char *gates, char *out, char *work
    ) noexcept nogil:
        cdef ptrdiff_t one = self.state_row, all = self.gate_row
        cdef char *new = gates + 3 * one
        self.multiply(h, added, gates, work)
        self.apply(self.sigmoid, gates, all, &NOTHING, 0, gates, all, 3)
        self.apply(self.tanh, new, all, &NOTHING, 0, new, all)
        self.apply(self.mul, new, all, gates, all, new, all)
        self.apply(self.mul, cell, one, gates + 2 * one, all, cell, one)
        self.apply(self.add, cell, one, new, all, cell, one)
        self.apply(self.tanh, cell, one, &NOTHING, 0, new, all)
        self.apply(self.mul, new, all, gates + one, all, out, one)


cdef class GRU(Recurrence):
    """Gates z, r, h, in ONNX's order; r is multiplied by what the state adds to the last, bias and all."""

    cdef void step(
        self, const char *added, const char *h, char *cell, char *gates, char *out, char *work
    ) noexcept nogil:
        cdef ptrdiff_t one = self.state_row, all = self.gate_row
        cdef char *new = gates + 2 * one
        self.multiply(h, NULL, gates, work)
        self.apply(self.add, gates, all, added, all, gates, all, 2)
        self.apply(self.sigmoid, gates, all, &NOTHING, 0, gates, all, 2)
        self.apply(self.mul, new, all, gates + one, all, new, all)
        self.apply(self.add, new, all, added + 2 * one, all, new, all)
        self.apply(self.tanh, new, all, &NOTHING, 0, new, all)
        self.apply(self.sub, h, one, new, all, out, one)
        self.apply(self.mul, out, one, gates, all, out, one)
        self.apply(self.add, out, one, new, all, out, one)
