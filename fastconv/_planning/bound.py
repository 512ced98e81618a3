"""What runs for one shape of x, and what it tells of itself: a convolution, a pooling, a sum."""

import numpy as np

from fastconv import _cpu, _threads
from fastconv._bound import Bound
from fastconv._elementwise import Elementwise
from fastconv._planning.description import Description
from fastconv._pool import Pool


class BoundStep(Bound):
    """What runs on NHWC arrays that are known to be right; `name` says how, `out_shape` is NHWC in any layout."""

    __slots__ = ("name", "out_shape")

    layout = "NHWC"  # of the arrays
    macs = packed_bytes = 0

    def __init__(self, name, out_shape, num_threads, useful):
        super().__init__(num_threads, useful)
        self.name, self.out_shape = name, out_shape

    def multiplications(self, runner):
        """Those that a runner really does."""
        return 0

    def describe(self):
        """The `Description` of a run."""
        runner = self.runner
        return Description(
            algorithm=self.name,
            tile=runner.tile or "",
            isa=_cpu.active(),
            threads=runner.threads,
            macs=self.macs,
            multiplications=self.multiplications(runner),
            packed_bytes=self.packed_bytes,
            workspace_bytes=runner.memory,
            layout_conversion="none",
        )


class BoundConv(BoundStep):
    """A convolution, on arrays in the layout of its algorithm."""

    __slots__ = ("_operation", "_packed", "algorithm", "layout", "shape")

    def __init__(self, operation, shape, algorithm, packed, num_threads):
        useful = _threads.useful(shape.batch * algorithm.cost(shape))
        super().__init__(algorithm.name, shape.out_shape, num_threads, useful)
        self.shape, self.algorithm, self.layout = shape, algorithm, algorithm.layout
        self._operation, self._packed = operation, packed

    @property
    def packed_bytes(self):
        weight = self._operation.weight  # which some algorithms keep as it is
        return sum(kept.nbytes for kept in self._packed if isinstance(kept, np.ndarray) and kept is not weight)

    @property
    def macs(self):
        return self.shape.macs

    def multiplications(self, runner):
        return self.algorithm.multiplications(self.shape, runner)

    def _bind(self, threads):
        return self.algorithm.bind(self.shape, self._packed, self._operation.activation)


class BoundPool(BoundStep):
    """A pooling; `combine` is "max" or "avg"."""

    __slots__ = ("_arguments",)

    def __init__(self, name, shape, combine, itemsize, num_threads):
        super().__init__(name, shape.out_shape, num_threads, _threads.useful_to_move(shape.values_read))
        self._arguments = shape, combine, itemsize

    def _bind(self, threads):
        return Pool(*self._arguments)


class BoundElementwise(BoundStep):
    """A sum of x and the residual, or a copy of x, and a ReLU after it."""

    __slots__ = ("_arguments",)

    def __init__(self, name, shape, relu, itemsize, num_threads):
        batch, height, width, channels = shape
        super().__init__(name, shape, num_threads, _threads.useful_to_move(batch * height * width * channels))
        self._arguments = shape, relu, itemsize

    def _bind(self, threads):
        return Elementwise(*self._arguments)
