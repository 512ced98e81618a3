"""What runs a convolution or a pooling: cut into units that a team shares, strips of its map times parts of its output
channels.

Every cut gives the same bits, so it may follow the team: units of even cost, and enough of them that threads which are
done can help one whose core is slowed down. What a strip needs before its first part (transforms, copies) a thread does
anew only where its last unit was of another strip; the weights come in for every unit.
"""

from cython.parallel cimport parallel, threadid
from libc.math cimport INFINITY
from numpy cimport PyArray_DATA, PyArray_NDIM, PyArray_STRIDES, import_array, ndarray

from fastconv._shares cimport fc_share_out, fc_shares

import_array()

cdef ptrdiff_t UNITS_PER_THREAD = 12  # enough for an even share when a core is slowed down
cdef double UNIT_COST = 10_000  # to take a unit, in multiply-adds
cdef double SPARE = 1.04  # how much longer than the shortest a finer cut may take


cdef class Runner:
    """The base of the algorithms' runners, which know what strips and units cost, and how many there may be."""

    def __cinit__(self):
        if type(self) is Runner:
            raise TypeError("Runner is a base: it has nothing to run")

    def set_team(self, int team):
        """Cut the work for this team, with which the runner runs from now on."""
        self.team, self.cut, self.cut_alone = team, self.best_cut(team), self.best_cut(1)

    @property
    def memory(self):
        """Bytes that a run of the team takes."""
        return self.team * self.workspace_bytes

    def run(self, ndarray x, ndarray residual, ndarray out, ptrdiff_t out_stride, ndarray work, bint alone):
        """Write the result for x to out (bytes from pixel to pixel: `out_stride`), on the team or `alone`.

        `work` has `memory` bytes; it is None where that is 0.
        """
        cdef Arrays arrays
        arrays.x, arrays.out = <const char *>PyArray_DATA(x), <char *>PyArray_DATA(out)
        arrays.residual = NULL if residual is None else <const char *>PyArray_DATA(residual)
        arrays.out_image, arrays.out_stride = PyArray_STRIDES(out)[0] if PyArray_NDIM(out) == 4 else 0, out_stride
        cdef char nothing  # one may add 0 to where it lies, but not to NULL
        cdef char *memory = &nothing if work is None else <char *>PyArray_DATA(work)
        with nogil:
            self.run_on(&arrays, memory, alone)

    cdef void run_on(self, const Arrays *arrays, char *work, bint alone) noexcept nogil:
        """`run`, with the addresses of the arrays."""
        cdef Cut cut = self.cut_alone if alone else self.cut
        cdef int team = cut.team
        cdef fc_shares shares
        fc_share_out(&shares, cut.units, team)
        if team == 1:  # a parallel region costs time even for one thread
            self.run_units(&shares, 0, cut, arrays, work)
        else:
            with parallel(num_threads=team):
                self._run_share(&shares, threadid(), cut, arrays, work)

    cdef void _run_share(
        self, fc_shares *shares, int thread, Cut cut, const Arrays *arrays, char *work
    ) noexcept nogil:
        """What a thread does, from its own copy of `arrays`: beside them the caller writes to its stack."""
        cdef Arrays own = arrays[0]
        self.run_units(shares, thread, cut, &own, work + thread * self.workspace_bytes)

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
        raise NotImplementedError

    cdef double unit_time(self, Cut cut) noexcept:
        """What the largest unit of a cut takes for itself, in multiply-adds."""
        raise NotImplementedError

    cdef void run_units(
        self, fc_shares *shares, int thread, Cut cut, const Arrays *arrays, char *work
    ) noexcept nogil:
        """A thread's share of the units, in a workspace of its own."""
        with gil:
            raise NotImplementedError
