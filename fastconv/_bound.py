"""A runner with its team, which is lent memory for each call: what plans and functions run."""

from fastconv import _threads, _workspace
from fastconv._pool import Pool


class Bound:
    """A runner with its team, on arrays of one shape that are known to be right."""

    __slots__ = ("_memory", "runner")

    def __init__(self, runner, team):
        runner.set_team(team)
        self.runner, self._memory = runner, runner.memory

    def run(self, x, residual, out, out_stride):
        """Write the result for x into out, whose pixels are `out_stride` bytes apart."""
        alone = _threads.take(self.runner.team) == 1
        work = _workspace.borrow(self._memory)
        try:
            self.runner.run(x, residual, out, out_stride, work, alone)
        finally:
            _workspace.give_back(work)


class BoundPool(Bound):
    """A pooling on NHWC arrays of one shape; `kind` is "max" or "avg"."""

    __slots__ = ()

    def __init__(self, shape, kind, itemsize, num_threads):
        super().__init__(Pool(shape, kind, itemsize), _threads.moving_team(num_threads, shape.values_read))
