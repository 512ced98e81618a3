"""The cut of a convolution into units that a team shares, strips of its map times parts of its output channels.

Every cut gives the same bits, so it may follow the team: units of even cost, enough of them for a core that is slowed
down, few enough that what each one does anew (transforms, copies, weights) stays small.
"""

from libc.math cimport INFINITY

cdef ptrdiff_t UNITS_PER_THREAD = 8  # enough for an even share when a core is slowed down
cdef double UNIT_COST = 30_000  # to hand out a unit, in multiply-adds
cdef double SPARE = 1.04  # how much longer than the shortest a finer cut may take


cdef class Cuttable:
    """The base of what is cut: it knows what a unit costs."""

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
                        time = (self.time_of(cut) + UNIT_COST) * -(-repeats * cut.strips * cut.parts // team)
                        least = min(least, time)
                        if is_last_round and time <= SPARE * least:
                            best = cut if cut.strips * cut.parts >= best.strips * best.parts else best
        self.cut = best
        return best

    cdef double time_of(self, Cut cut) noexcept:
        """What the largest unit of a cut takes, in multiply-adds."""
        raise NotImplementedError
