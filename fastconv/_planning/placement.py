"""Where arrays lie in one arena: two that are alive at once never overlap, others may share their bytes.

That is the packing of rectangles (bytes × steps) whose steps are given, for which no fast exact method is known. Each
array is put at the lowest place that is free over its life, the largest first, the first to live first and so on; or in
the order of their lives, every other one at the highest place, which is exact for a chain. No placement takes fewer
bytes than `largest_alive`: the first way that takes no more is kept, or else the best.
"""

from typing import NamedTuple


class Lifetime(NamedTuple):
    """The bytes of an array, and the first and last step at which it is alive."""

    nbytes: int
    first: int
    last: int


_ORDERS = (
    lambda one: (-one.nbytes, one.first),
    lambda one: (one.first, -one.nbytes),
    lambda one: (-one.last, -one.nbytes),
    lambda one: (one.first - one.last, -one.nbytes),
)


def place(lifetimes):
    """([where each array begins], bytes of the arena)."""
    least, best = largest_alive(lifetimes), None
    for by, room in [(_ORDERS[1], least), *((by, None) for by in _ORDERS)]:
        order = sorted(range(len(lifetimes)), key=lambda i, by=by: by(lifetimes[i]))
        placed = _first_fit(lifetimes, order, room)
        if best is None or placed[1] < best[1]:
            best = placed
        if best[1] == least:
            break
    return best


def largest_alive(lifetimes):
    """Bytes of the largest set of arrays that are alive at one step."""
    steps = _alive(lifetimes, range(len(lifetimes)))
    return max((sum(lifetimes[i].nbytes for i in alive) for alive in steps), default=0)


def _first_fit(lifetimes, order, room):
    """`place` in this order; every other array below the end of `room`, where that is given and it fits there."""
    offsets, alive = [0] * len(lifetimes), _alive(lifetimes, ())
    for turn, i in enumerate(order):
        nbytes, steps = lifetimes[i].nbytes, alive[lifetimes[i].first : lifetimes[i].last + 1]
        others = {(offsets[j], offsets[j] + lifetimes[j].nbytes) for placed in steps for j in placed}
        places = sorted([0, *(end for _, end in others)])
        if room and turn % 2:
            places = [*sorted([room - nbytes, *(begin - nbytes for begin, _ in others)], reverse=True), *places]
        fits = (at for at in places if at >= 0 and all(at + nbytes <= begin or end <= at for begin, end in others))
        offsets[i] = next(fits)
        for placed in steps:
            placed.append(i)
    return offsets, max((offset + one.nbytes for offset, one in zip(offsets, lifetimes, strict=True)), default=0)


def _alive(lifetimes, which):
    """[those of `which` that are alive] for each step."""
    steps = [[] for _ in range(max((one.last + 1 for one in lifetimes), default=0))]
    for i in which:
        for alive in steps[lifetimes[i].first : lifetimes[i].last + 1]:
            alive.append(i)
    return steps
