"""Where arrays lie in one arena: two that are alive at once never overlap, others may share their bytes.

That is the packing of rectangles (bytes × steps) whose steps are given, for which no fast exact method is known. Each
array is put at the lowest place that is free over its life, the largest first, the first to live first and so on; or in
the order of their lives, every other one at the highest place, which is exact for a chain. No placement takes fewer
bytes than `largest_alive`: the first way that takes no more is kept, or else the best.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple


class Lifetime(NamedTuple):
    """The bytes of an array, and the first and last step at which it is alive."""

    nbytes: int
    first: int
    last: int


_ORDERS: tuple[Callable[[Lifetime], tuple[int, int]], ...] = (
    lambda one: (-one.nbytes, one.first),
    lambda one: (one.first, -one.nbytes),
    lambda one: (-one.last, -one.nbytes),
    lambda one: (one.first - one.last, -one.nbytes),
)


def place(lifetimes: Sequence[Lifetime]) -> tuple[list[int], int]:
    """([where each array begins], bytes of the arena)."""
    lower_bound = largest_alive(lifetimes)
    best = _first_fit(lifetimes, _ORDERS[1], lower_bound)
    for by in _ORDERS:
        if best[1] > lower_bound:
            best = min(best, _first_fit(lifetimes, by, None), key=lambda placed: placed[1])
    return best


def largest_alive(lifetimes: Sequence[Lifetime]) -> int:
    """Bytes of the largest set of arrays that are alive at one step."""
    steps = _alive(lifetimes, range(len(lifetimes)))
    return max((sum(lifetimes[i].nbytes for i in alive) for alive in steps), default=0)


def _first_fit(
    lifetimes: Sequence[Lifetime], by: Callable[[Lifetime], tuple[int, int]], room: int | None
) -> tuple[list[int], int]:
    """`place` in the order of these keys, every other array at the end of `room` where that is given and has place."""
    offsets, alive = [0] * len(lifetimes), _alive(lifetimes, ())
    for turn, i in enumerate(sorted(range(len(lifetimes)), key=lambda i: by(lifetimes[i]))):
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


def _alive(lifetimes: Sequence[Lifetime], which: Iterable[int]) -> list[list[int]]:
    """[those of `which` that are alive] for each step."""
    steps: list[list[int]] = [[] for _ in range(max((one.last + 1 for one in lifetimes), default=0))]
    for i in which:
        for alive in steps[lifetimes[i].first : lifetimes[i].last + 1]:
            alive.append(i)
    return steps
