"""How many threads a call uses: the default team, and the cut-down teams of small layers."""

import os
import sys

from fastconv import _arguments

# 2 to 5 µs of work: opening a parallel region, and reading what another core wrote before, take 1 to 3.
_MACS_PER_THREAD = 250_000
_MACS_FOR_A_MOVE = 20  # what a value takes to be moved: about 0.2 ns where it is cached
# More threads than CPUs only wait for each other; a limit keeps thread creation from failing.
_LARGEST_TEAM = max(64, os.cpu_count() or 1)

_default = None
_team_was_used = False
_forked = False


def default_threads():
    """The default number of threads: FASTCONV_NUM_THREADS, else OMP_NUM_THREADS, else the physical CPUs usable here.

    Usable are those in the process's affinity mask, within the cgroup's CPU quota. Determined at the first use.
    """
    global _default
    if _default is None:
        _default = _from_environment() or min(_physical_cpus(), _quota())
    return _default


def resolve(num_threads):
    """The number of threads that `num_threads` asks for; None is the default."""
    if num_threads is None:
        return default_threads()
    return min(_arguments.integer("num_threads", num_threads, 1), _LARGEST_TEAM)


def team_size(num_threads, macs):
    """Threads that are worth opening for work that takes as long as so many multiply-accumulates of whole vectors."""
    return max(1, min(num_threads, int(macs) // _MACS_PER_THREAD))


def moving_team(num_threads, values):
    """Threads that are worth opening to move so many values: to change their layout, or to pool them."""
    return team_size(num_threads, values * _MACS_FOR_A_MOVE)


def allowed(team):
    """`team`, or 1 in a child forked after a team ran: OpenMP would wait there for threads that are gone."""
    return 1 if _forked else team


def take(team):
    """`allowed`, for a team that is about to be opened."""
    global _team_was_used
    team = allowed(team)
    _team_was_used = _team_was_used or team > 1
    return team


def _from_environment():
    own = os.environ.get("FASTCONV_NUM_THREADS")
    if own:
        if not own.isascii() or not own.isdigit() or int(own) < 1:
            raise ValueError(f"FASTCONV_NUM_THREADS must be a positive integer, got {own!r}")
        return resolve(int(own))
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return resolve(int(first)) if first.isascii() and first.isdigit() and int(first) > 0 else None


def _physical_cpus():
    """Cores behind the CPUs this process may run on; hardware threads of one core share its multiply-add units."""
    try:
        cpus = os.sched_getaffinity(0)
    except AttributeError:  # not Linux
        return os.cpu_count() or 1
    cores = set()
    for cpu in cpus:
        try:
            with open(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list") as file:
                cores.add(file.read().strip())
        except OSError:
            cores.add(cpu)
    return len(cores) or 1


def _quota():
    """Whole CPUs that the cgroup's quota allows (version 2, then 1); more than there are where there is none."""
    for limit, period in (
        ("/sys/fs/cgroup/cpu.max", None),
        ("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us"),
    ):
        try:
            with open(limit) as file:
                words = file.read().split()
            if period:
                with open(period) as file:
                    words += file.read().split()
            if words[0] not in ("max", "-1"):
                return max(1, int(words[0]) // int(words[1]))
        except (OSError, ValueError, IndexError):
            continue
    return sys.maxsize


def _after_fork():
    global _forked
    _forked = _forked or _team_was_used


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
