"""Pointwise convolution as a matrix product: slabs of pixels through SciPy's BLAS. The only file that names BLAS.

The team shares the slabs, and BLAS itself must then run single-threaded: its own pool beside ours costs more than it
gives. A BLAS keeps one thread count for the process, so it is set to one while slabs run and put back after the last.
The slabs depend on the shape alone, so the bits do not depend on the team.
"""

import os
from collections import Counter
from pathlib import Path
from threading import Condition, RLock, get_ident

import threadpoolctl

from cython cimport floating
from libc.string cimport memcpy
from numpy cimport PyArray_DATA, import_array, ndarray
from scipy.linalg.cython_blas cimport dgemm, sgemm

from fastconv._cut cimport Arrays, Cut, Runner
from fastconv._shares cimport fc_shares, fc_take_unit

# Each product packs all weights once more, so not too few pixels; but two threads should share even a 14×14 map.
cdef int FEWEST_PIXELS = 96, MOST_PIXELS = 256


import_array()


cdef class Blas(Runner):
    """A pointwise convolution of one geometry, ready to run on any arrays of it."""

    cdef object weights, bias
    cdef const void *weight_data
    cdef const void *bias_data
    cdef bint relu, is_double
    cdef int channels, out_channels, row_pixels, slab_pixels, pixel_values
    cdef ptrdiff_t rows, image_values, row_values

    def __init__(self, shape, weights, bias, activation):
        self.weights, self.bias = weights, bias
        self.weight_data = PyArray_DATA(weights)
        self.bias_data = NULL if bias is None else PyArray_DATA(bias)
        self.relu, self.is_double = activation == "relu", weights.itemsize == 8
        self.channels, self.out_channels = shape.in_channels, shape.out_channels
        # A row is a run of output pixels whose inputs are a constant step apart: the whole image for stride 1.
        strided = shape.stride != (1, 1)
        self.rows = shape.out_height if strided else 1
        self.row_pixels = shape.out_width if strided else shape.out_height * shape.out_width
        self.pixel_values = shape.stride[1] * shape.in_channels
        self.row_values = shape.stride[0] * shape.width * shape.in_channels
        self.image_values = shape.height * shape.width * shape.in_channels
        row_slabs = -(-self.row_pixels // min(MOST_PIXELS, max(FEWEST_PIXELS, -(-self.row_pixels // 2))))
        self.slab_pixels = -(-self.row_pixels // row_slabs)
        self.repeats, self.strips = shape.batch, self.rows * row_slabs
        self.most_strips, self.most_parts = self.strips, 1  # what BLAS rounds may depend on the slab
        self.tile = f"{self.slab_pixels} pixels × {self.out_channels} channels"

    def run(self, ndarray x, ndarray residual, ndarray out, ptrdiff_t out_stride, ndarray work, bint alone):
        """Convolve x into out as every runner does, BLAS itself on one thread."""
        with single_threaded_blas:
            super().run(x, residual, out, out_stride, work, alone)

    cdef void run_units(
        self, fc_shares *shares, int thread, Cut cut, const Arrays *arrays, char *work
    ) noexcept nogil:
        """A thread's share of the slabs."""
        cdef ptrdiff_t slab = fc_take_unit(shares, thread)
        while slab >= 0:
            if self.is_double:
                self._slab(slab, arrays, <const double *>self.weight_data, <const double *>self.bias_data)
            else:
                self._slab(slab, arrays, <const float *>self.weight_data, <const float *>self.bias_data)
            slab = fc_take_unit(shares, thread)

    cdef void _slab(
        self, ptrdiff_t slab, const Arrays *arrays, const floating *weights, const floating *bias
    ) noexcept nogil:
        """out = activation(x @ weights + (bias + residual)): the sum in brackets is where the product starts from."""
        cdef ptrdiff_t image = slab // self.strips, row, first, m, i, k, row_slabs = self.strips // self.rows
        cdef int pixels, channels = self.channels, out_channels = self.out_channels
        cdef int ldx = self.pixel_values, ldy = arrays.out_stride // sizeof(floating)
        cdef floating one = 1
        cdef const floating *x = <const floating *>arrays.x + image * self.image_values
        cdef const floating *residual = <const floating *>arrays.residual
        cdef floating *out = <floating *>(arrays.out + image * arrays.out_image)
        cdef floating *y
        slab = slab % self.strips
        row, first = slab // row_slabs, slab % row_slabs * self.slab_pixels
        pixels = min(self.slab_pixels, self.row_pixels - first)
        m = row * self.row_pixels + first
        x += row * self.row_values + first * self.pixel_values
        out += m * ldy
        if residual != NULL:
            residual += (image * self.rows * self.row_pixels + m) * out_channels
        for i in range(pixels):
            y = out + i * ldy
            if residual != NULL:
                memcpy(y, residual + i * out_channels, out_channels * sizeof(floating))
            for k in range(out_channels):
                y[k] = (y[k] if residual != NULL else 0) + (bias[k] if bias != NULL else 0)
        # BLAS reads by columns: row-major y = x @ w is column-major yᵀ = wᵀ xᵀ.
        if floating is double:
            dgemm(
                b"N", b"N", &out_channels, &pixels, &channels,
                &one, <double *>weights, &out_channels, <double *>x, &ldx, &one, out, &ldy,
            )
        else:
            sgemm(
                b"N", b"N", &out_channels, &pixels, &channels,
                &one, <float *>weights, &out_channels, <float *>x, &ldx, &one, out, &ldy,
            )
        if self.relu:
            for i in range(pixels):
                y = out + i * ldy
                for k in range(out_channels):
                    y[k] = 0 if y[k] < 0 else y[k]  # always stored, and so vectorised; a NaN stays


class _SingleThreadedBlas:
    """Context that holds BLAS at one thread while any caller is inside; each thread of a program may enter.

    A fork waits until no other thread is inside: a BLAS forked in the middle of its work may hold locks that nobody
    opens again. Signal handlers may come at any line, and themselves enter or fork: so the lock is reentrant, the count
    goes up before BLAS is held, and what BLAS had is noted once.
    """

    def __init__(self):
        self._changed = Condition(RLock())
        self._inside = Counter()  # by thread
        self._forking = False
        self._before = None  # BLAS's own numbers of threads, while it is held
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._close, after_in_parent=self._open, after_in_child=self._open_in_child)

    def __enter__(self):
        me = get_ident()
        with self._changed:
            while self._forking and not self._inside[me]:
                self._changed.wait()
            self._inside[me] += 1
            try:
                if self._before is None:
                    self._before = [library.num_threads for library in _controllers]
                    for library in _controllers:
                        library.set_num_threads(1)
            except BaseException:  # Ctrl-C: nobody calls __exit__ then
                self._leave(me)
                raise

    def __exit__(self, *error):
        with self._changed:
            self._leave(get_ident())

    def _leave(self, me):
        self._inside[me] -= 1
        self._inside += Counter()  # drops threads that left
        try:
            if not self._inside and self._before is not None:
                before, self._before = self._before, None
                for library, threads in zip(_controllers, before, strict=True):
                    library.set_num_threads(threads)
        finally:
            self._changed.notify_all()

    def _close(self):
        self._changed.acquire()
        self._forking = True
        while set(self._inside) - {get_ident()}:
            self._changed.wait()

    def _open(self):
        self._forking = False
        self._changed.notify_all()
        self._changed.release()

    def _open_in_child(self):
        self._forking = False
        self._changed.release()


def library():
    """What threadpoolctl knows of the BLAS that SciPy uses; empty where it knows none."""
    return _controllers[0].info() if _controllers else {}


def _find_blas():
    """Controllers of SciPy's BLAS alone where its package brings one, so that NumPy's stays as it is."""
    every = threadpoolctl.ThreadpoolController().select(user_api="blas").lib_controllers
    own = [one for one in every if {"scipy", "scipy.libs"} & set(Path(one.filepath).parts)]
    return own or every


_controllers = _find_blas()
single_threaded_blas = _SingleThreadedBlas()
