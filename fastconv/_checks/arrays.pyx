"""The arrays a user gives, checked before any work, in the form that the kernels read.

Of a subclass only the values count, as NumPy itself has them: it is taken as the plain array that it is based on, and
its attributes and methods are not asked. One whose values mean more than numbers is refused, since the result could not
say so: a masked array, and one with arithmetic of its own (`__array_ufunc__` or `__array_function__`), as with units.
"""

from math import prod

import numpy as np

from numpy cimport (
    NPY_UINT8, PyArray_BYTES, PyArray_DESCR, PyArray_EMPTY, PyArray_IS_C_CONTIGUOUS, PyArray_ISALIGNED,
    PyArray_ISCARRAY_RO, PyArray_ISWRITEABLE, PyArray_NBYTES, import_array, ndarray, npy_intp,
)

from fastconv._checks.orders import order, weight_channels
from fastconv._checks.shapes import pointwise_shape

import_array()

cdef enum:
    CACHE_LINE = 64

# Bytes of a result that begins at a cache line: vectors that lie across two take longer to write.
cdef ptrdiff_t LARGE = 128 * 1024

cdef object PLAIN = np.ndarray, EMPTY = np.empty
cdef object PLAIN_VIEW = np.ndarray.view  # a subclass's own could give anything

DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


cdef ndarray as_array(name, value):
    """`value` as a plain array, without a copy."""
    if type(value) is ndarray:
        return value
    if not isinstance(value, ndarray) or is_more_than_numbers(type(value)):
        plain = "plain " * isinstance(value, ndarray)
        raise TypeError(f"{name} must be a {plain}numpy array, got {type(value).__name__}{array_hint(name, value)}")
    return PLAIN_VIEW(value, ndarray)


cdef bint is_more_than_numbers(kind):
    """Whether the values of this subclass have a mask or arithmetic of their own, units for one."""
    if issubclass(kind, np.ma.MaskedArray):
        return True
    return any(getattr(kind, name) is not getattr(ndarray, name) for name in ("__array_ufunc__", "__array_function__"))


def array_hint(name, value):
    """How to make a plain array of a subclass's or another library's, as the end of an error."""
    name = argument(name)
    if isinstance(value, np.ma.MaskedArray):  # the mask would be lost without a word
        if name == "out":
            return "; give out.data, whose mask then does not count"
        return f"; give {name}.filled(0), or another value for what is masked"
    if hasattr(value, "detach") and hasattr(value, "numpy"):
        return f"; give {name}.detach().numpy()"
    return f"; give np.asarray({name})" if hasattr(value, "__array__") else ""


def argument(name):
    """The weight or bias of a part of a block, as an expression names it, or the name of another array."""
    return next((word for word in ("weight", "bias") if word in name), name)


cpdef ndarray check(name, value, dtype=None, shape=None, other="weight"):
    """`value` as a plain array, when it is one of float32 or float64, of this dtype, `other`'s, and shape."""
    cdef ndarray array = as_array(name, value)
    given = <object>PyArray_DESCR(array)
    if given is not dtype:
        native = native_dtype(array)
        if native not in DTYPES:
            is_real = np.can_cast(given, np.float32, "same_kind")  # bfloat16 too, which has no kind of its own
            hint = f"; give {argument(name)}.astype(np.{dtype or 'float32'})" if is_real else ""
            raise TypeError(f"{name} must have dtype float32 or float64, got {given}{hint}")
        if dtype is not None and native != dtype:
            doubles = argument(name if native == np.float64 else other)  # NumPy's default, seldom meant
            raise TypeError(f"{name} has dtype {given}, but {other} has {dtype}; give {doubles}.astype(np.float32)")
    if shape is not None and (<object>array).shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {(<object>array).shape}")
    return array


def native_dtype(ndarray array):
    """The dtype of an array in the byte order of the machine."""
    dtype = <object>PyArray_DESCR(array)
    return dtype if dtype.isnative else dtype.newbyteorder("=")


cpdef ndarray contiguous(ndarray value, dtype):
    """A checked array as the kernels read it: native, aligned, C-contiguous; copied only when it is not so already."""
    return value if PyArray_ISCARRAY_RO(value) else np.require(value, dtype, ["C", "A"])


def array(name, value, dtype=None, shape=None, other="weight"):
    """`check`, then `contiguous`."""
    value = check(name, value, dtype, shape, other)
    return contiguous(value, native_dtype(value))


def bias(value, weight, layout, part=""):
    """The bias that a user gave beside a checked weight, of a part of a block or alone: one value for each channel."""
    name, other = (f"the {what} of {part}" if part else what for what in ("bias", "weight"))
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be a numpy array, or None where there is none, got {value}")
    value = check(name, value, weight.dtype, other=other)
    _, k = weight_channels(weight.shape, layout)
    if value.shape != (k,):
        raise ValueError(
            f"{name} must have shape ({k},), a value for each output channel of {other} {weight.shape}, "
            f"{order(weight.shape, layout)} in layout {layout}, got {value.shape}"
        )
    return contiguous(value, weight.dtype)


cpdef tuple output(name, value, dtype, tuple shape, layout, dict others):
    """(`value` as a plain array when it can take a result of this dtype and shape, a new array when it is None; bytes
    between pixels).

    `value` may be a slice of channels of a contiguous NHWC array; it may share no memory with `others`, {name: array}.
    """
    if value is None:
        return new(shape, dtype), shape[-1] * dtype.itemsize
    cdef ndarray out = as_array(name, value)
    value = out
    if <object>PyArray_DESCR(out) is not dtype and value.dtype != dtype:  # a byte-swapped dtype differs too
        raise TypeError(f"{name} must have dtype {dtype}, got {value.dtype}")
    if value.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {value.shape}")
    if not PyArray_ISWRITEABLE(out):
        raise ValueError(f"{name} must be writeable")
    is_whole = PyArray_IS_C_CONTIGUOUS(out)
    step = shape[-1] * dtype.itemsize if is_whole else layout == "NHWC" and pixel_stride(value)
    if not step or not PyArray_ISALIGNED(out):
        raise ValueError(
            f"{name} must be C-contiguous, or a slice of channels of a C-contiguous NHWC array, and aligned; "
            f"got strides {value.strides} for shape {shape}"
        )
    for other, array in others.items():
        if shares_memory(out, array):
            raise ValueError(f"{name} must not share memory with {other}")
    return value, step


cdef ndarray new(tuple shape, dtype):
    cdef ptrdiff_t nbytes = dtype.itemsize, size
    for size in shape:
        nbytes *= size
    if nbytes > LARGE:
        try:
            return aligned(shape, dtype)
        except MemoryError:
            pass  # NumPy's own words name the array that was wanted
    return EMPTY(shape, dtype)


def aligned(shape, dtype):
    """An uninitialised array that begins at a cache line."""
    cdef npy_intp size = prod(shape) * dtype.itemsize + CACHE_LINE
    cdef ndarray buffer = PyArray_EMPTY(1, &size, NPY_UINT8, 0)
    cdef ptrdiff_t start = -<ptrdiff_t>PyArray_BYTES(buffer) % CACHE_LINE
    return PLAIN(shape, dtype, buffer, start)


cdef bint shares_memory(ndarray a, ndarray b):
    cdef const char *first = PyArray_BYTES(a)
    cdef const char *second = PyArray_BYTES(b)
    if PyArray_IS_C_CONTIGUOUS(a) and PyArray_IS_C_CONTIGUOUS(b):
        return first < second + PyArray_NBYTES(b) and second < first + PyArray_NBYTES(a)
    try:
        return np.shares_memory(a, b, max_work=10_000)
    except np.exceptions.TooHardError:  # odd strides over the same range
        return True


def pixel_stride(array):
    """Bytes from a pixel of an NHWC array to the next, or 0 where that is not one same step over each whole image.

    Vectors are images of one pixel, and from one such image to the next is from pixel to pixel.
    """
    if array.ndim < 3:
        array = array[..., None, None, :]
    *batch, height, width, channels = array.shape
    *image, row, pixel, channel = array.strides
    step = channels * array.itemsize
    if height * width > 1:
        step = pixel if width > 1 else row
    elif batch and batch[0] > 1:
        step = image[0]
    regular = (
        (channels == 1 or channel == array.itemsize)
        and step >= channels * array.itemsize
        and (width == 1 or height == 1 or row == width * step)
        and (not batch or batch[0] == 1 or image[0] >= height * width * step)
    )
    return step if regular and array.size else 0


def result_shape(nhwc, ndim, layout):
    """The shape that a user sees of a result of shape `nhwc`: without the batch for one image, in `layout`."""
    shape = nhwc if layout == "NHWC" else (nhwc[0], nhwc[3], nhwc[1], nhwc[2])
    return shape if ndim == 4 else shape[1:]


def as_kernel(x, weight, bias_or_none, layout):
    """The matrix of a pointwise convolution as a 1×1 kernel in `layout`, checked with x and bias as it was given."""
    x = check("x", x)
    weight = array("weight", weight, native_dtype(x), other="x")
    shape = pointwise_shape(weight.shape, x.shape, layout)
    if bias_or_none is not None:
        bias(bias_or_none, weight, layout)
    return weight.reshape(shape)
