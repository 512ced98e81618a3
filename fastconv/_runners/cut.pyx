"""What runs a convolution or a pooling: cut into units that a team shares, strips of its map times parts of its output
channels.

Every cut gives the same bits, so it may follow the team: units of even cost, and enough of them that threads which are
done can help one whose core is slowed down. What a strip needs before its first part (transforms, copies) a thread does
anew only where its last unit was of another strip; the weights come in for every unit.
"""

from cpython.exc cimport PyErr_CheckSignals
from cpython.pyport cimport PY_SSIZE_T_MAX
from libc.math cimport INFINITY
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc
from numpy cimport PyArray_DATA, PyArray_NDIM, PyArray_STRIDES, import_array, ndarray

from fastconv._runners.shares cimport fc_nanoseconds, fc_now, fc_set_deadline, fc_share_out, fc_shares
from fastconv._runners.team cimport Team, run_team

import_array()

cdef ptrdiff_t UNITS_PER_THREAD = 12  # enough for an even share when a core is slowed down
cdef double UNIT_COST = 10_000  # to take a unit, in multiply-adds
cdef int64_t BETWEEN_SIGNALS = 200  # milliseconds of a run, after which it looks for signals
cdef double SPARE = 1.04  # how much longer than the shortest a finer cut may take


cdef class Runner:
    """The base of the algorithms' runners, which know what strips and units cost, and how many there may be."""

    def __cinit__(self):
        if type(self) is Runner:
            raise TypeError("Runner is a base: it has nothing to run")
        self.most_pixel = PY_SSIZE_T_MAX

    def set_team(self, int size, int opened):
        """Cut the work for `size` threads of a region of `opened`, with which the runner runs from now on."""
        self.team, self.cut = Team(size, opened), self.best_cut(size)
        self.memory = size * self.workspace_bytes

    @property
    def threads(self):
        """Threads that work."""
        return self.team.size

    cpdef run(self, list inputs, list outputs, ndarray work, ndarray times=None):
        """Write the results for contiguous inputs to the outputs, pairs (array, bytes from a pixel of it to the next).

        `work` has `memory` bytes; it is None where that is 0. Handlers of signals run between units of a long run, with
        no team at work; where one raises, the outputs are undefined. To `times`, an integer for each part of a chain,
        the nanoseconds of these are added.
        """
        cdef Arrays arrays
        cdef Progress progress
        cdef bint is_done
        cdef char nothing  # one may add 0 to where it lies, but not to NULL
        cdef char *memory = &nothing if work is None else <char *>PyArray_DATA(work)
        cdef Py_ssize_t i, count = len(inputs)
        cdef End *ends = <End *>malloc((count + len(outputs)) * sizeof(End))
        if ends == NULL:
            raise MemoryError
        try:
            for i in range(count):
                ends[i] = end(inputs[i], 0)
            for i in range(len(outputs)):
                ends[count + i] = end((<tuple>outputs[i])[0], (<tuple>outputs[i])[1])
                if ends[count + i].pixel > self.most_pixel:
                    raise ValueError('out must have its pixels less than 2**31 values apart for algorithm "blas"')
            arrays.ends, arrays.x, arrays.residual = ends, ends[0].at, ends[1].at if count > 1 else NULL
            arrays.out, arrays.out_image, arrays.out_stride = ends[count].at, ends[count].image, ends[count].pixel
            progress.parts_done = progress.begun = 0
            progress.times = NULL if times is None else <int64_t *>PyArray_DATA(times)
            progress.since = fc_nanoseconds() if times is not None else 0
            while True:
                with nogil:
                    progress.deadline = fc_now() + BETWEEN_SIGNALS
                    is_done = self.run_on(&arrays, memory, &progress)
                if is_done:
                    return
                PyErr_CheckSignals()
        finally:
            free(ends)

    cdef bint run_on(self, const Arrays *arrays, char *work, Progress *progress) noexcept nogil:
        """Run until all is done or the deadline has passed; whether all is done."""
        cdef Job job
        if not progress.begun:
            fc_share_out(&progress.shares, self.cut.units, self.team.size)
            progress.begun = True
        fc_set_deadline(&progress.shares, progress.deadline)
        job.runner, job.shares, job.arrays, job.work = <void *>self, &progress.shares, arrays, work
        run_team(self.team, _run_share, &job)
        return not progress.shares.stopped

    def units(self, ptrdiff_t team):
        """How many units a team shares."""
        return self.best_cut(team).units

    cdef Cut best_cut(self, ptrdiff_t team) noexcept:
        """The finest cut that takes a team little longer than the shortest, as far as a unit's cost tells.

        One thread takes as few units as there can be.
        """
        cdef Cut best = Cut(team, self.strips, 1, self.repeats * self.strips)
        cdef Cut cut
        cdef ptrdiff_t most = max(team * UNITS_PER_THREAD // max(self.repeats, 1), self.strips + team)
        cdef ptrdiff_t strips, parts
        cdef double least = INFINITY, time
        cdef bint is_picking
        if team > 1 and self.most_strips * self.most_parts > self.strips:  # there is a choice
            for is_picking in range(2):  # the first round finds the least time, the second picks
                for strips in range(self.strips, min(most, self.most_strips) + 1):
                    for parts in range(1, min(most // strips, self.most_parts) + 1):
                        cut = Cut(team, strips, parts, self.repeats * strips * parts)
                        time = self._time_of(cut)
                        if not is_picking:
                            least = min(least, time)
                        elif time <= SPARE * least and cut.units >= best.units:
                            best = cut
        return best

    cdef double _time_of(self, Cut cut) noexcept:
        """What a thread's share of the units takes at most."""
        cdef ptrdiff_t units = (cut.units + cut.team - 1) // cut.team
        cdef ptrdiff_t strips = (units + cut.parts - 1) // cut.parts
        if units % cut.parts and cut.parts % units:  # not all begin with a strip, or divide one
            strips += 1
        return units * (self.unit_time(cut) + UNIT_COST) + strips * self.strip_time(cut.strips)

    cdef double strip_time(self, ptrdiff_t strips) noexcept:
        """What the largest of so many strips takes before its first part, in multiply-adds."""
        return 0

    cdef double unit_time(self, Cut cut) noexcept:
        """What the largest unit of a cut takes for itself, in multiply-adds."""
        return 0

    cdef void run_units(
        self, fc_shares *shares, int thread, Cut cut, const Arrays *arrays, char *work
    ) noexcept nogil:
        """A thread's share of the units, in a workspace of its own."""


cdef End end(ndarray array, ptrdiff_t pixel):
    return End(<char *>PyArray_DATA(array), PyArray_STRIDES(array)[0] if PyArray_NDIM(array) % 2 == 0 else 0, pixel)


cdef struct Job:
    void *runner
    fc_shares *shares
    const Arrays *arrays
    char *work


cdef void _run_share(void *what, int thread) noexcept nogil:
    """What a thread does, from its own copy of `arrays`: beside them the caller writes to its stack."""
    cdef Job *job = <Job *>what
    cdef Arrays own = job.arrays[0]
    (<Runner>job.runner).run_units(
        job.shares, thread, (<Runner>job.runner).cut, &own, job.work + thread * (<Runner>job.runner).workspace_bytes
    )
