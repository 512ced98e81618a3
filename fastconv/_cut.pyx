"""The cut of a convolution into units that a team shares, strips of its map times parts of its output channels.

Every cut gives the same bits, so it may follow the team: units of even cost, and enough of them that threads which are
done can help one whose core is slowed down. What a strip needs before its first part (transforms, copies) a thread does
anew only where its last unit was of another strip; the weights come in for every unit.
"""

from libc.math cimport INFINITY

cdef ptrdiff_t UNITS_PER_THREAD = 8  # enough for an even share when a core is slowed down
cdef double UNIT_COST = 10_000  # to take a unit, in multiply-adds
cdef double SPARE = 1.04  # how much longer than the shortest a finer cut may take


cdef class Cuttable:
    """The base of what is cut: it knows what strips and units cost."""

    cdef Cut cut_for(
        self, ptrdiff_t team, ptrdiff_t repeats, ptrdiff_t strips, ptrdiff_t most_strips, ptrdiff_t blocks
    ) noexcept:
        """The finest cut that takes a team little longer than the shortest, as far as a unit's cost tells.

        There are `repeats` of each unit (groups, say), `strips` at least, and as many parts as `blocks` at most.
        """
        if self.cut.team == team:
            return self.cut
        cdef Cut best = Cut(team, strips, 1)
        cdef Cut cut
        cdef ptrdiff_t most = max(team * UNITS_PER_THREAD // max(repeats, 1), strips + team)
        cdef double least = INFINITY, time
        cdef bint is_last_round
        if team > 1:
            for is_last_round in range(2):
                for cut.strips in range(strips, min(most, most_strips) + 1):
                    for cut.parts in range(1, min(most // cut.strips, blocks) + 1):
                        cut.team = team
                        time = self._time_of(cut, -(-repeats * cut.strips * cut.parts // team))
                        least = min(least, time)
                        if is_last_round and time <= SPARE * least:
                            best = cut if cut.strips * cut.parts >= best.strips * best.parts else best
        self.cut = best
        return best

    cdef double _time_of(self, Cut cut, ptrdiff_t units) noexcept:
        """What a thread's share of so many units takes at most."""
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
