"""A runner for each team, lent memory for each call: what plans and functions run, for one shape of x."""

from fastconv import _cpu, _threads, _workspace
from fastconv._elementwise import Elementwise
from fastconv._planning.description import Description
from fastconv._pool import Pool


class Bound:
    """What runs on arrays of one shape that are known to be right, with the team that there is at each call.

    A subclass has `_bind(threads)`, which makes a runner for a largest team of so many, and the NHWC `out_shape`.
    """

    __slots__ = ("_num_threads", "_runners", "name", "out_shape", "useful")

    layout = "NHWC"  # of the arrays
    macs = packed_bytes = 0

    def __init__(self, name, out_shape, num_threads, useful):
        self.name, self.out_shape, self._num_threads, self.useful = name, out_shape, num_threads, useful
        self._runners = {}  # by the largest team; a runner does not change, so threads may share it

    @property
    def runner(self):
        """The runner for the largest team of the calling thread now."""
        return self.runner_for(1 if self.useful == 1 else _threads.now(self._num_threads))

    def runner_for(self, threads):
        """The runner for a largest team of so many."""
        runner = self._runners.get(threads)
        if runner is None:
            runner = self._bind(threads)
            runner.set_team(min(threads, self.useful), threads)
            self._runners[threads] = runner
        return runner

    def run(self, x, residual, out, out_stride):
        """Write the result for x into out, whose pixels are `out_stride` bytes apart."""
        runner = self.runner
        work = _workspace.borrow(runner.memory)
        try:
            runner.run(x, residual, out, out_stride, work)
        finally:
            _workspace.give_back(work)

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


class BoundConv(Bound):
    """A convolution, on arrays in the layout of its algorithm."""

    __slots__ = ("_activation", "_packed", "algorithm", "layout", "packed_bytes", "shape")

    def __init__(self, shape, algorithm, packed, packed_bytes, activation, num_threads):
        useful = _threads.useful(shape.batch * algorithm.cost(shape))
        super().__init__(algorithm.name, shape.out_shape, num_threads, useful)
        self.shape, self.algorithm, self.layout = shape, algorithm, algorithm.layout
        self._packed, self.packed_bytes, self._activation = packed, packed_bytes, activation

    @property
    def macs(self):
        return self.shape.macs

    def multiplications(self, runner):
        return self.algorithm.multiplications(self.shape, runner)

    def _bind(self, threads):
        return self.algorithm.bind(self.shape, self._packed, self._activation)


class BoundPool(Bound):
    """A pooling; `combine` is "max" or "avg"."""

    __slots__ = ("_arguments",)

    def __init__(self, name, shape, combine, itemsize, num_threads):
        super().__init__(name, shape.out_shape, num_threads, _threads.useful_to_move(shape.values_read))
        self._arguments = shape, combine, itemsize

    def _bind(self, threads):
        return Pool(*self._arguments)


class BoundElementwise(Bound):
    """A sum of x and the residual, or a copy of x, and a ReLU after it."""

    __slots__ = ("_arguments",)

    def __init__(self, name, shape, relu, itemsize, num_threads):
        batch, height, width, channels = shape
        super().__init__(name, shape, num_threads, _threads.useful_to_move(batch * height * width * channels))
        self._arguments = shape, relu, itemsize

    def _bind(self, threads):
        return Elementwise(*self._arguments)
