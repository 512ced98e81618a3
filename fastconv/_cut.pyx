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
    """The base of what is cut: it knows what strips and units cost, and how many there may be."""

    def units(self, ptrdiff_t team):
        """How many units a team shares."""
        return self.cut_for(team).units

    cdef Cut cut_for(self, ptrdiff_t team) noexcept:
        """The finest cut that takes a team little longer than the shortest, as far as a unit's cost tells.

        One thread takes as few units as there can be.
        """
        if self.cut.team == team:
            return self.cut
        cdef Cut best = Cut(team, self.strips, 1, self.repeats * self.strips)
        cdef Cut cut
        cdef ptrdiff_t most = max(team * UNITS_PER_THREAD // max(self.repeats, 1), self.strips + team)
        cdef ptrdiff_t strips, parts
        cdef double least = INFINITY, time
        cdef bint is_picking
        if team > 1:
            for is_picking in range(2):  # the first round finds the least time, the second picks
                for strips in range(self.strips, min(most, self.most_strips) + 1):
                    for parts in range(1, min(most // strips, self.most_parts) + 1):
                        cut = Cut(team, strips, parts, self.repeats * strips * parts)
                        time = self._time_of(cut)
                        if not is_picking:
                            least = min(least, time)
                        elif time <= SPARE * least and cut.units >= best.units:
                            best = cut
        self.cut = best
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
