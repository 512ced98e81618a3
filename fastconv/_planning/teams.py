"""How many threads a call uses: the default team, and the smaller teams of small layers."""

import os
from functools import cache
from time import monotonic

from fastconv._checks import arguments
from fastconv._planning import cpus
from fastconv._runners import team

# 2 to 5 µs of work: giving a team its work, and reading what another core wrote before, take 1 to 3.
_MACS_PER_THREAD = 250_000
_MACS_FOR_A_MOVE = 20  # what a value takes to be moved: about 0.2 ns where it is cached
_QUOTA_SECONDS = 0.1  # after which quotas are read again
_MAX_KNOWN = 64

_known: dict[tuple[bytes, int, int | None], int] = {}  # default teams, by what they follow from
_quota: tuple[int | None, float] = (None, -1.0)  # and when it is to be read again


def default_threads() -> int:
    """The default number of threads now: FASTCONV_NUM_THREADS, else OMP_NUM_THREADS, else the usable physical CPUs.

    Usable are those in the affinity mask of the calling thread, or in OpenMP's places where it binds threads to them,
    within the quotas of the process's control groups. A limit that `omp_set_num_threads` set for the calling thread, as
    threadpoolctl does, holds for all of these where it is lower than what OpenMP gives by itself.
    """
    global _quota
    if monotonic() > _quota[1]:
        _quota = cpus.quota(), monotonic() + _QUOTA_SECONDS
    key = team.affinity(), team.thread_limit(), _quota[0]
    threads = _known.get(key)
    if threads is None:
        if len(_known) >= _MAX_KNOWN:
            _known.clear()
        threads = _known[key] = _default(*key)
    return threads


def _default(mask: bytes, limit: int, quota: int | None) -> int:
    threads = _from_environment()
    if threads is None:
        usable = cpus.physical(cpus.usable(mask))
        threads = min(usable, quota or usable, _LARGEST_TEAM)
    return min(threads, limit) if 0 < limit < _unlimited else threads


def checked(num_threads: int | None) -> int | None:
    """What a user gave as `num_threads`: an integer, as far as it makes sense, or None for the default."""
    if num_threads is None:
        _from_environment()  # which may be wrong
        return None
    return min(arguments.integer("num_threads", num_threads, 1), _LARGEST_TEAM)


def now(num_threads: int | None) -> int:
    """The largest team of the calling thread: `num_threads`, or the default for None; 1 where it works alone."""
    if team.works_alone():
        return 1
    return num_threads or default_threads()


def useful(macs: float, moved: int = 0) -> int:
    """Threads that are useful for work that takes as long as `macs` multiply-accumulates of whole vectors, and to move
    so many values.
    """
    return max(1, (int(macs) + moved * _MACS_FOR_A_MOVE) // _MACS_PER_THREAD)


def useful_to_move(values: int) -> int:
    """Threads that are useful to move `values`: to change their layout, or to pool them."""
    return useful(0, values)


def moving_team(num_threads: int | None, values: int) -> tuple[int, int]:
    """(threads of the largest team, how many are useful) to move `values`."""
    return now(num_threads), useful_to_move(values)


@cache
def _from_environment() -> int | None:
    """The default number of threads that the environment asks for, or None; read at the first use."""
    own = os.environ.get("FASTCONV_NUM_THREADS")
    if own:
        if not own.isascii() or not own.isdigit() or len(own) > 20 or int(own) < 1:
            raise ValueError(f"FASTCONV_NUM_THREADS must be a positive integer, got {own[:40]!r}")
        return min(int(own), _LARGEST_TEAM)
    return _omp_num_threads()


def _omp_num_threads() -> int | None:
    """The first number of OMP_NUM_THREADS; None where OpenMP would pass over it."""
    threads = _omp_number("OMP_NUM_THREADS")
    return threads and min(threads, _LARGEST_TEAM)


def _omp_number(name: str) -> int | None:
    """The first number of a variable of OpenMP; None where OpenMP would pass over it."""
    first = os.environ.get(name, "").split(",")[0].strip()
    if first.isascii() and first.isdigit() and len(first) < 20 and 0 < int(first) <= arguments.LARGEST:
        return int(first)
    return None


def _limit_by_default() -> int:
    """What `team.thread_limit` is as long as nobody sets it; more where it may have been set before this import."""
    return _omp_num_threads() or max(team.thread_limit(), len(cpus.usable(team.affinity())))


# More threads than CPUs only wait for each other; a limit keeps thread creation from failing.
_OMP_THREAD_LIMIT = _omp_number("OMP_THREAD_LIMIT") or team.max_threads()
_LARGEST_TEAM = min(max(64, os.cpu_count() or 1), _OMP_THREAD_LIMIT, team.max_threads())
_unlimited = _limit_by_default()
