"""What the machine can do at most, measured: the yardstick for every figure."""

import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import perf_counter

import numpy as np

from fastconv._planning import teams
from fastconv._runners import limits

_COPY_BYTES = 64 * 2**20  # larger than the caches of a few cores
_ROUNDS = 20_000  # of multiply-adds: some 0.04 ms, short enough that some run is undisturbed


@dataclass(frozen=True, slots=True)
class Peak:
    """What `peak` measured."""

    threads: int
    fma_gflops_one: float
    fma_gflops_all: float
    copy_gb_s_one: float
    copy_gb_s_all: float


def peak() -> Peak:
    """Measure the machine's limits, in about 0.2 s.

    Returns
    -------
    Peak
        The most that one thread and the default team did in the best of many short runs:

        - `threads`: the size of the default team;
        - `fma_gflops_one`, `fma_gflops_all`: float32 multiply-adds of the active instruction set by one thread and by
          the team, in 10⁹ FLOP/s (one multiply-add is two);
        - `copy_gb_s_one`, `copy_gb_s_all`: bytes read plus bytes written by a copy in main memory, in 10⁹/s.

    Warns
    -----
    RuntimeWarning
        Where all threads did fewer multiply-adds than one: then the CPUs are busy, or fewer than the threads.

    Examples
    --------
    >>> import fastconv
    >>> fastconv.peak().fma_gflops_one > 0
    True
    """
    threads = teams.now(None)
    source, target = np.ones(_COPY_BYTES // 8), np.ones(_COPY_BYTES // 8)  # their pages are there
    copied = partial(limits.copy, source, target)
    return Peak(threads, *fma_gflops(threads), *(best_rate(copied, team) for team in (1, threads)))


def fma_gflops(team: int) -> tuple[float, float]:
    """What `Peak` has of multiply-adds, for one thread and for a team of any size; it warns as `peak` does."""
    work = partial(limits.multiply_adds, _ROUNDS)
    one = best_rate(work, 1)
    most = best_rate(work, team) if team > 1 else one
    if most < one:
        warnings.warn(
            f"{team} threads did fewer multiply-adds than one ({most:.3g} and {one:.3g} GFLOP/s): other work is on the "
            "CPUs, or there are fewer CPUs than threads. Shares of this limit are too high; measure again",
            RuntimeWarning,
            stacklevel=_level_outside(),
        )
    return one, most


def _level_outside() -> int:
    """The `stacklevel` of a warning by the caller that points to the first line outside of this package."""
    frame, level = sys._getframe(1), 1
    while frame.f_back and frame.f_globals["__name__"].partition(".")[0] == "fastconv":
        frame, level = frame.f_back, level + 1
    return level


def best_rate(work: Callable[[int], float], team: int, fewest: int = 5) -> float:
    """The highest rate, in 10⁹/s, of as many runs of `work(team)`, which returns an amount, as fit a twentieth of a
    second, and `fewest` at least; the first ones wake the cores.
    """
    best, runs, end = 0.0, 0, perf_counter() + 0.05
    while runs < fewest or perf_counter() <= end:
        start = perf_counter()
        amount = work(team)
        best, runs = max(best, amount / (perf_counter() - start)), runs + 1
    return best / 1e9
