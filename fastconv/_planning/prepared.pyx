"""A runner for each team, lent memory for each call: what plans and functions run."""

from fastconv._runners.runner cimport Runner

from fastconv._planning import teams, workspace


cdef class Prepared:
    """What is prepared for arrays of one shape, which are known to be right: it runs with the team of each call.

    A subclass has `_bind(threads)`, which makes a runner for a largest team of `threads`.
    """

    cdef object _num_threads
    cdef readonly ptrdiff_t useful  # threads that are worth opening
    cdef dict _runners  # by the largest team; a runner does not change, so threads may share it

    def __init__(self, num_threads, useful):
        self._num_threads, self.useful = num_threads, useful
        self._runners = {}

    @property
    def runner(self):
        """The runner for the largest team of the calling thread now."""
        return self.runner_for(1 if self.useful == 1 else teams.now(self._num_threads))

    cpdef Runner runner_for(self, threads):
        """The runner for a largest team of `threads`."""
        runner = self._runners.get(threads)
        if runner is None:
            runner = self._bind(threads)
            runner.set_team(threads, self.useful)
            self._runners[threads] = runner
        return runner

    def run(self, list inputs, list outputs, times=None):
        """Write the results for contiguous inputs to the outputs, pairs (array, bytes from pixel to pixel).

        `times` as in `Runner.run`.
        """
        cdef Runner runner = self.runner_for(1 if self.useful == 1 else teams.now(self._num_threads))
        if runner.memory == 0:
            runner.run(inputs, outputs, None, times)
            return
        work = workspace.borrow(runner.memory)
        try:
            runner.run(inputs, outputs, work, times)
        finally:
            workspace.give_back(work)
