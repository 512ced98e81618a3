"""A runner for each team, lent memory for each call: what plans and functions run."""

from numpy cimport ndarray

from fastconv._runners.runner cimport Runner

from fastconv._planning import teams, workspace


cdef class Prepared:
    """What is prepared for arrays of one shape, which are known to be right: it runs with the team of each call.

    A subclass has `_bind(threads)`, which makes a runner for a largest team of `threads`.
    """

    def __init__(self, num_threads, useful):
        self._num_threads, self.useful = num_threads, useful
        self._runners = {}

    @property
    def runner(self):
        """The runner for the largest team of the calling thread now."""
        return self.runner_now()

    @property
    def at_once(self):
        """What runs all images of one input with `run_one`: this. A graph that takes them in turns has None."""
        return self

    def runner_for(self, threads):
        """The runner for a largest team of `threads`."""
        return self.runner_of(threads)

    def run(self, list inputs, list outputs, times=None):
        """Write the results for contiguous inputs to the outputs, pairs (array, bytes from pixel to pixel).

        `times` as in `Runner.run`.
        """
        cdef Runner runner = self.runner_now()
        work = workspace.borrow(runner.memory)
        try:
            runner.run(inputs, outputs, work, times)
        finally:
            workspace.give_back(work)

    cdef Runner runner_now(self):
        return self.runner_of(1 if self.useful == 1 else teams.now(self._num_threads))

    cdef Runner runner_of(self, threads):
        runner = self._runners.get(threads)
        if runner is None:
            runner = self._bind(threads)
            runner.set_team(threads, self.useful)
            runner = self._runners.setdefault(threads, runner)
        return runner

    cdef run_one(self, ndarray x, ndarray out, ptrdiff_t pixel):
        """`run` of one input and one result."""
        cdef Runner runner = self.runner_now()
        if runner.memory == 0:
            runner.run_one(x, out, pixel, None)
            return
        work = workspace.borrow(runner.memory)
        try:
            runner.run_one(x, out, pixel, work)
        finally:
            workspace.give_back(work)
