"""The placement of arrays by liveness: no two that are alive at once overlap, and little room is lost."""

from itertools import combinations, permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from fastconv._planning import placement
from fastconv._planning.placement import Lifetime, largest_alive, place


@st.composite
def lifetimes(draw, most):
    def one():
        first = draw(st.integers(0, 7))
        return Lifetime(draw(st.integers(0, 20)), first, draw(st.integers(first, 8)))

    return [one() for _ in range(draw(st.integers(0, most)))]


def are_alive_together(a, b):
    return a.first <= b.last and b.first <= a.last


def assert_apart(arrays, offsets, nbytes):
    assert all(offset >= 0 and offset + one.nbytes <= nbytes for one, offset in zip(arrays, offsets, strict=True))
    for (a, at_a), (b, at_b) in combinations(zip(arrays, offsets, strict=True), 2):
        if are_alive_together(a, b):
            assert at_a + a.nbytes <= at_b or at_b + b.nbytes <= at_a


def best(arrays):
    """The fewest bytes of all placements: some order, first fit, gives one of them."""

    def lowest(order):
        placed = []
        for one in order:
            others = sorted((offset, other) for offset, other in placed if are_alive_together(one, other))
            offset = 0
            for begin, other in others:
                if offset + one.nbytes <= begin:
                    break
                offset = max(offset, begin + other.nbytes)
            placed.append((offset, one))
        return max((offset + one.nbytes for offset, one in placed), default=0)

    return min(map(lowest, permutations(arrays)))


@given(arrays=lifetimes(12))
def test_arrays_that_are_alive_together_never_overlap(arrays):
    offsets, nbytes = place(arrays)
    assert_apart(arrays, offsets, nbytes)
    assert largest_alive(arrays) <= nbytes <= sum(one.nbytes for one in arrays)


@given(arrays=lifetimes(5))
@settings(max_examples=200)
def test_little_room_is_lost_against_the_best_placement(arrays):
    _, nbytes = place(arrays)
    assert nbytes <= 1.5 * best(arrays)


@given(sizes=st.lists(st.integers(1, 50), min_size=1, max_size=12))
def test_a_chain_takes_the_largest_pair(sizes):
    arrays = [Lifetime(size, step, step + 1) for step, size in enumerate(sizes)]
    assert place(arrays)[1] == largest_alive(arrays) == max(a + b for a, b in zip(sizes, [*sizes[1:], 0], strict=True))


def test_what_is_alive_is_counted_at_its_first_and_last_step():
    arrays = [Lifetime(5, 0, 2), Lifetime(7, 2, 3), Lifetime(11, 3, 4), Lifetime(1, 0, 4)]
    assert largest_alive(arrays) == 7 + 11 + 1
    assert place(arrays)[1] == 7 + 11 + 1
    assert place([]) == ([], 0)
    assert placement.largest_alive([]) == 0
