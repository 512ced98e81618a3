"""What every plan does: check the arrays, bind to their shape once, run."""

import numpy as np

from fastconv import _arrays, _layout, _threads
from fastconv._arguments import named, sizes
from fastconv._graph.costs import Cost

FLOAT32 = np.dtype(np.float32)  # what is told of a plan that takes x of either dtype
MOST_BOUND_SHAPES = 64  # kept in a plan; each holds about a kilobyte


class Plan:
    """The base of plans, each of a `fastconv._graph.graph.Graph`.

    A subclass has `_graph`, and `_bind_to(x_shape)`: what runs on x of this shape, with the `layout` of the arrays it
    takes, the NHWC `out_shape` and `run`.
    """

    _whose_dtype = "weight"

    def __init__(self, dtype, layout, num_threads):
        self._dtype, self._layout, self._num_threads = dtype, layout, num_threads
        self._start_empty()

    def _start_empty(self):
        """Make what is made again in a copy."""
        self._bound = {}  # by the shape of x

    def __setstate__(self, state):
        vars(self).update(state)
        self._start_empty()

    @property
    def num_threads(self):
        """The largest team, for the calling thread now."""
        return _threads.now(self._num_threads)

    @property
    def dtype(self):
        """The dtype of the weights, x and the result."""
        return self._dtype

    @property
    def layout(self):
        """ "NHWC" or "NCHW"."""
        return self._layout

    def _call(self, x, residual, out):
        """The result for x, and a residual that is not None; it is `out` if that was given."""
        dtype, layout = self._dtype, self._layout
        x = _arrays.check("x", x, dtype, None, self._whose_dtype)
        bound = self._bound.get(x.shape) or self._bind(x.shape)
        shape = _arrays.result_shape(bound.out_shape, x.ndim, layout)
        if residual is not None:
            residual = _arrays.check("residual", residual, dtype, shape)
        y, step = _arrays.output(out, dtype, shape, layout, x, residual)
        if bound.layout == layout:
            added = None if residual is None else _arrays.contiguous(residual, dtype)
            bound.run(_arrays.contiguous(x, dtype), added, y, step)
        else:
            images = x.shape[-3:]
            _layout.run_in_nhwc(lambda n: self._bind((n, *images)), x, residual, y, self._num_threads)
        return y if out is None else out

    def cost(self, x_shape: tuple[int, ...]) -> Cost:
        """The exact `fastconv.cost.Cost` of a call on x of this shape."""
        with named("x_shape"):
            return self._graph.cost(x_shape, (self.dtype or FLOAT32).itemsize)

    def _bind(self, x_shape):
        bound = self._bound.get(x_shape)
        if bound is None:
            bound = self._bind_to(x_shape)
            if len(self._bound) >= MOST_BOUND_SHAPES:
                self._bound.clear()
            bound = self._bound.setdefault(x_shape, bound)
        return bound

    def _bind_named(self, x_shape):
        """(`x_shape` as a tuple of integers, what is bound to it), where that is an argument."""
        with named("x_shape"):
            x_shape = sizes("x", x_shape)
            return x_shape, self._bind(x_shape)
