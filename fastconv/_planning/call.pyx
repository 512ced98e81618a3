"""A call of a plan: check the arrays, bind to their shapes once, run. Compiled, since small layers take no longer."""

from functools import partial

from fastconv._checks.arrays cimport check, contiguous, output

from fastconv._checks.arguments import kind
from fastconv._planning import layouts


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
