"""A call of a plan: check the arrays, bind to their shapes once, run. Compiled, since small layers take no longer."""

from functools import partial

from numpy cimport (
    PyArray_DESCR, PyArray_DIMS, PyArray_ISCARRAY, PyArray_ISCARRAY_RO, PyArray_NDIM, import_array, ndarray, npy_intp,
)

from fastconv._checks.arrays cimport check, contiguous, new, output, shares_memory
from fastconv._planning.prepared cimport Prepared

from fastconv._checks.arguments import kind
from fastconv._planning import layouts

import_array()


cdef class Known:
    """The shape of a plan's last input, and what runs on it: for another call on plain, contiguous arrays of that shape
    the checks here are enough. It does not change, so threads may share it.
    """

    cdef Prepared runs
    cdef object dtype
    cdef ptrdiff_t pixel
    cdef tuple out_shape
    cdef int ndim, out_ndim
    cdef npy_intp[4] dims
    cdef npy_intp[4] out_dims

    cdef bint is_plain(self, value, int ndim, const npy_intp *dims):
        """Whether it is an array of this dtype and shape, and no subclass."""
        if type(value) is not ndarray:
            return False
        array = <ndarray>value
        if <object>PyArray_DESCR(array) is not self.dtype or PyArray_NDIM(array) != ndim:
            return False
        for i in range(ndim):
            if PyArray_DIMS(array)[i] != dims[i]:
                return False
        return True

    cdef run(self, x, out):
        """The result, or None where the arrays need a closer look."""
        if not self.is_plain(x, self.ndim, self.dims) or not PyArray_ISCARRAY_RO(<ndarray>x):
            return None
        if out is None:
            out = new(self.out_shape, self.dtype)
        elif not self.is_plain(out, self.out_ndim, self.out_dims) or not PyArray_ISCARRAY(<ndarray>out):
            return None
        elif shares_memory(<ndarray>x, <ndarray>out):
            return None
        self.runs.run_one(x, out, self.pixel)
        return out


cdef Known known(Prepared runs, dtype, ndarray x, tuple out_shape):
    """What runs on arrays of this dtype and x's shape, and gives this one."""
    cdef Known made = Known()
    made.runs, made.dtype, made.out_shape = runs, dtype, out_shape
    made.pixel = out_shape[-1] * dtype.itemsize
    made.ndim, made.out_ndim = PyArray_NDIM(x), len(out_shape)
    for i in range(made.ndim):
        made.dims[i] = PyArray_DIMS(x)[i]
    for i in range(made.out_ndim):
        made.out_dims[i] = out_shape[i]
    return made


def call_one(plan, tuple names, x, out):
    """The result of a `Plan` of one input of this name, x; it is `out` if that was given."""
    cdef Known last = plan._known
    y = None if last is None else last.run(x, out)
    return call(plan, names, (x,), out) if y is None else y


def call(plan, tuple names, tuple given, out, times=None):
    """The result of a `Plan` for inputs of these names, a tuple of several results; it is `out` if that was given.

    To `times` the nanoseconds of each step of a graph are added.
    """
    cdef dict inputs = {}
    cdef list arrays = [], shapes_of = []
    cdef Py_ssize_t i
    cdef object x
    dtype, layout, whose = plan._dtype, plan._layout, plan._whose_dtype
    for i in range(len(names)):
        x = check(names[i], given[i], dtype, None, whose)
        inputs[names[i]] = x
        arrays.append(x)
        shapes_of.append(x.shape)
    shapes = tuple(shapes_of)
    prepared = plan._prepared.get(shapes)
    runs, results = plan._bind(shapes) if prepared is None else prepared
    cdef list outputs = outputs_of(out, dtype, results, layout, inputs)
    if runs.layout == layout:
        runs.run([contiguous(x, dtype) for x in arrays], outputs, times)
    else:
        layouts.run_in_nhwc(
            lambda images: partial(plan._bind(tuple((images, *shape[-3:]) for shape in shapes))[0].run, times=times),
            arrays, [y for y, _ in outputs], plan._num_threads,
        )
    if len(arrays) == len(outputs) == 1 and runs.layout == layout and runs.at_once is not None:
        plan._known = known(runs.at_once, dtype, arrays[0], results[0])
    if out is not None:
        return out
    return outputs[0][0] if len(outputs) == 1 else tuple([y for y, _ in outputs])


cdef list outputs_of(out, dtype, tuple shapes, layout, dict inputs):
    """[what `output` gives for each result]; none may share memory with another."""
    if len(shapes) == 1:
        return [output("out", out, dtype, shapes[0], layout, inputs)]
    if out is not None and (not isinstance(out, tuple) or len(out) != len(shapes)):
        raise TypeError(f"out must be a tuple of {len(shapes)} arrays, got {kind(out)}")
    cdef list outputs = []
    others = dict(inputs)
    for i, shape in enumerate(shapes):
        name = f"out[{i}]"
        outputs.append(output(name, None if out is None else check(name, out[i]), dtype, shape, layout, others))
        others[name] = outputs[-1][0]
    return outputs
