"""Where arrays lie in one arena: two that are alive at once never overlap, others may share their bytes.

That is the two-dimensional packing of rectangles (bytes × steps) whose steps are given, for which no fast exact method
is known. Each array is put at the lowest place that is free over its life, first the largest, or the first to live;
the better of the two orders is kept. No placement takes fewer bytes than `largest_alive`.
"""

from typing import NamedTuple


class Lifetime(NamedTuple):
    """The bytes of an array, and the first and last step at which it is alive."""

    nbytes: int
    first: int
    last: int


def place(lifetimes):
    """([where each array begins], bytes of the arena)."""
    orders = [lambda one: (-one.nbytes, one.first), lambda one: (one.first, -one.nbytes)]
    return min((_first_fit(lifetimes, order) for order in orders), key=lambda placed: placed[1])


def largest_alive(lifetimes):
    """Bytes of the largest set of arrays that are alive at one step."""
    starts = {one.first for one in lifetimes}
    return max((sum(one.nbytes for one in lifetimes if one.first <= t <= one.last) for t in starts), default=0)


def _first_fit(lifetimes, order):
    offsets, placed = [0] * len(lifetimes), []  # (where an array begins, where it ends, itself), from low to high
    for i in sorted(range(len(lifetimes)), key=lambda i: order(lifetimes[i])):
        one, offset = lifetimes[i], 0
        for begin, end, other in placed:
            if other.first <= one.last and one.first <= other.last:
                if offset + one.nbytes <= begin:
                    break
                offset = max(offset, end)
        offsets[i] = offset
        placed.append((offset, offset + one.nbytes, one))
        placed.sort(key=lambda entry: entry[0])
    return offsets, max((end for _, end, _ in placed), default=0)
