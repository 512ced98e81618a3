"""Products through SciPy's BLAS: pointwise convolutions in slabs of pixels, stacks of matrices in slabs of rows. No
other file names BLAS.

The team shares the slabs, and BLAS itself must then run single-threaded: its own pool beside ours costs more than it
gives. A BLAS keeps one thread count for the process, so it is held at one while slabs run; csrc/blas_threads.h says
how. The slabs depend on the shape alone, so the bits do not depend on the team.
"""

import ctypes
from itertools import product

import scipy.linalg.cython_blas

from cython cimport floating
from libc.limits cimport INT_MAX
from libc.stdint cimport int64_t
from libc.string cimport memcpy
from numpy cimport PyArray_DATA, import_array, ndarray
from scipy.linalg.cython_blas cimport dgemm, sgemm

from fastconv._kernels.cpu cimport fc_activation, fc_epilogue
from fastconv._runners.pack cimport keep_activation
from fastconv._runners.partition cimport LoopNest, Work
from fastconv._runners.runner cimport Arrays, Progress
from fastconv._runners.team cimport own_thread_limit, set_own_thread_limit


cdef extern from "blas_threads.h" nogil:
    void fc_hold_blas() noexcept
    void fc_release_blas() noexcept
    int fc_watch_blas(size_t get, size_t set) noexcept


# Each product packs all weights once more, so not too few pixels; but two threads should share even a 14×14 map.
cdef int MIN_PIXELS = 96, MAX_PIXELS = 256
cdef int MIN_SLABS = 16, MIN_ROWS = 64  # of a stack of matrices; of a slab


import_array()


cdef class _Slabs(LoopNest):
    """The base of what BLAS computes."""

    def set_team(self, int threads, ptrdiff_t useful):
        LoopNest.set_team(self, threads, useful)
        self.is_short = False  # it may wait for calls that hold the BLAS

    cdef bint run_on(self, const Arrays *arrays, char *work, Progress *progress) noexcept nogil:
        """Run until the deadline, BLAS itself on one thread."""
        cdef bint is_done
        cdef int limit = own_thread_limit()
        fc_hold_blas()
        set_own_thread_limit(1)  # which alone a BLAS built with OpenMP follows
        is_done = LoopNest.run_on(self, arrays, work, progress)
        fc_release_blas()
        set_own_thread_limit(limit)
        return is_done


cdef class Blas(_Slabs):
    """A pointwise convolution of one geometry, ready to run on any arrays of it."""

    cdef object weights, bias, slopes
    cdef const void *weight_data
    cdef const void *bias_data
    cdef bint is_double
    cdef fc_epilogue epilogue  # its bounds or slopes
    cdef int channels, out_channels, slab_pixels, pixel_values
    cdef ptrdiff_t rows, row_pixels, image_values, row_values

    def __init__(self, shape, weights, bias, activation):
        self.weights, self.bias = weights, bias
        self.weight_data = PyArray_DATA(weights)
        self.bias_data = NULL if bias is None else PyArray_DATA(bias)
        self.is_double = weights.itemsize == 8
        self.slopes = keep_activation(&self.epilogue, activation, 1, shape.out_channels, weights.dtype)
        self.channels, self.out_channels = shape.in_channels, shape.out_channels
        # A row is a run of output pixels whose inputs are a constant step apart: the whole image for stride 1.
        strided = shape.stride != (1, 1)
        self.rows = shape.out_height if strided else 1
        self.row_pixels = shape.out_width if strided else shape.out_height * shape.out_width
        self.pixel_values = shape.stride[1] * shape.in_channels
        self.row_values = shape.stride[0] * shape.width * shape.in_channels
        self.image_values = shape.height * shape.width * shape.in_channels
        row_slabs = -(-self.row_pixels // min(MAX_PIXELS, max(MIN_PIXELS, -(-self.row_pixels // 2))))
        self.slab_pixels = -(-self.row_pixels // row_slabs)
        self.repeats, self.pixel_blocks = shape.batch, self.rows * row_slabs
        self.max_pixel_blocks, self.max_ranges = self.pixel_blocks, 1  # what BLAS rounds may depend on the slab
        self.max_pixel_bytes = INT_MAX * <ptrdiff_t>weights.itemsize
        self.tile = f"{self.slab_pixels} pixels × {self.out_channels} channels"

    cdef void run_task(self, ptrdiff_t task, const Work *work) noexcept nogil:
        """A slab of pixels."""
        if self.is_double:
            self._slab(task, &work.arrays, <const double *>self.weight_data, <const double *>self.bias_data)
        else:
            self._slab(task, &work.arrays, <const float *>self.weight_data, <const float *>self.bias_data)

    cdef void _slab(
        self, ptrdiff_t slab, const Arrays *arrays, const floating *weights, const floating *bias
    ) noexcept nogil:
        """out = activation(x @ weights + (bias + residual)): the sum in brackets is where the product starts from."""
        cdef ptrdiff_t image = slab // self.pixel_blocks, row_slabs = self.pixel_blocks // self.rows
        cdef ptrdiff_t row, first, m, i, k
        cdef int pixels, channels = self.channels, out_channels = self.out_channels
        cdef int ldx = self.pixel_values, ldy = arrays.out_stride // sizeof(floating)
        cdef floating one = 1, lo = <floating>self.epilogue.lo, hi = <floating>self.epilogue.hi
        cdef const floating *x = <const floating *>arrays.x + image * self.image_values
        cdef const floating *residual = <const floating *>arrays.residual
        cdef floating *out = <floating *>(arrays.out + image * arrays.out_image)
        cdef const floating *slopes = <const floating *>self.epilogue.slopes
        cdef floating *y
        slab = slab % self.pixel_blocks
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
        if slopes != NULL:
            for i in range(pixels):
                y = out + i * ldy
                for k in range(out_channels):
                    y[k] = y[k] * slopes[k] if y[k] < 0 else y[k]
        elif fc_activation(&self.epilogue):
            for i in range(pixels):
                y = out + i * ldy
                for k in range(out_channels):  # always stored, and so vectorised; a NaN stays
                    y[k] = lo if y[k] < lo else y[k]
                    y[k] = hi if y[k] > hi else y[k]
        if self.finish is not None:
            self.finish.run(<char *>out, arrays.out_stride, pixels, 0, out_channels)


cdef class Product(_Slabs):
    """The products of a stack of matrices, in one contiguous array.

    Parameters
    ----------
    shape : (matrices, rows, inner, columns)
        Of which there are (rows, inner) and (inner, columns) values in each.
    is_double : bool
    first, second : (ndarray of int64, int, bool)
        Of either stack: the bytes from its begin to each matrix, the values from a row to the next, or from a column to
        the next where that is the last, true.
    """

    cdef bint is_double
    cdef int rows, inner, columns, slab_rows, first_step, second_step
    cdef bint first_turns, second_turns
    cdef ndarray first_places, second_places

    def __init__(self, shape, bint is_double, first, second):
        matrices, self.rows, self.inner, self.columns = shape
        self.is_double = is_double
        self.first_places, self.first_step, self.first_turns = first
        self.second_places, self.second_step, self.second_turns = second
        slabs = max(1, min(-(-MIN_SLABS // matrices), self.rows // MIN_ROWS))
        self.slab_rows = -(-self.rows // slabs)
        self.repeats, self.pixel_blocks = matrices, -(-self.rows // self.slab_rows)
        self.max_pixel_blocks, self.max_ranges = self.pixel_blocks, 1
        self.tile = f"{self.slab_rows} rows × {self.columns} columns"

    cdef void run_task(self, ptrdiff_t task, const Work *work) noexcept nogil:
        """A slab of rows."""
        if self.is_double:
            self._slab(task, &work.arrays, <double>1)
        else:
            self._slab(task, &work.arrays, <float>1)

    cdef void _slab(self, ptrdiff_t slab, const Arrays *arrays, floating one) noexcept nogil:
        cdef ptrdiff_t matrix = slab // self.pixel_blocks, row = slab % self.pixel_blocks * self.slab_rows
        cdef int rows = <int>min(self.slab_rows, self.rows - row), columns = self.columns, inner = self.inner
        cdef const char *x = arrays.x + (<const int64_t *>PyArray_DATA(self.first_places))[matrix]
        cdef const char *y = arrays.residual + (<const int64_t *>PyArray_DATA(self.second_places))[matrix]
        cdef floating *out = <floating *>arrays.out + (matrix * self.rows + row) * columns
        cdef floating zero = 0
        cdef char of_x = b"T" if self.first_turns else b"N"
        cdef char of_y = b"T" if self.second_turns else b"N"
        x += row * (1 if self.first_turns else self.first_step) * sizeof(floating)
        # By columns as above: outᵀ = yᵀ xᵀ.
        if floating is double:
            dgemm(
                &of_y, &of_x, &columns, &rows, &inner,
                &one, <double *>y, &self.second_step, <double *>x, &self.first_step, &zero, out, &columns,
            )
        else:
            sgemm(
                &of_y, &of_x, &columns, &rows, &inner,
                &one, <float *>y, &self.second_step, <float *>x, &self.first_step, &zero, out, &columns,
            )


# How BLAS libraries name what reads and what sets their number of threads, and what we call them. FlexiBLAS has the
# names of OpenBLAS too.
_LIBRARIES = [
    ("flexiblas_get_num_threads", "flexiblas_set_num_threads", "flexiblas"),
    *(
        (f"{prefix}openblas_get_num_threads{suffix}", f"{prefix}openblas_set_num_threads{suffix}", "openblas")
        for prefix, suffix in product(("scipy_", ""), ("", "64_"))
    ),
    ("MKL_Get_Max_Threads", "MKL_Set_Num_Threads", "mkl"),
]


def describe():
    """(name, version and architecture, threads) of SciPy's BLAS, each None where it is not known."""
    if _found is None:
        return None, None, None
    read, _, name = _found
    config, core = (_text(read.replace("num_threads", fact)) for fact in ("config", "corename"))
    version = f"{config.split()[1]} ({core})" if name == "openblas" and len(config.split()) > 1 else None
    return name, version, getattr(_blas, read)()


def _text(name):
    """What a function of the library that gives a text says; "" where there is none."""
    function = getattr(_blas, name, None)
    if function is None:
        return ""
    function.restype = ctypes.c_char_p
    return (function() or b"").decode(errors="replace")


def _address(name):
    return ctypes.cast(getattr(_blas, name), ctypes.c_void_p).value


# A module that calls BLAS, by which the loader finds the functions of the library that it was linked to.
_blas = ctypes.CDLL(scipy.linalg.cython_blas.__file__)
_found = next((names for names in _LIBRARIES if hasattr(_blas, names[0]) and hasattr(_blas, names[1])), None)
if fc_watch_blas(_address(_found[0]) if _found else 0, _address(_found[1]) if _found else 0):
    raise OSError("forks cannot be watched: pthread_atfork failed")
