"""How many CPUs this process may use: those of its affinity, within the quotas of its control groups."""

import os
import sys
from functools import cache, lru_cache

from fastconv._runners import team


def logical(mask: bytes) -> set[int]:
    """The CPUs of an affinity mask as `team.affinity` gives it; all where it is empty."""
    if not mask:
        return set(range(os.cpu_count() or 1))
    bits = int.from_bytes(mask, sys.byteorder)
    return {cpu for cpu in range(bits.bit_length()) if bits >> cpu & 1}


def physical(cpus: set[int]) -> int:
    """How many cores are behind these CPUs: hardware threads of one core share its multiply-add units."""
    return len({_core(cpu) for cpu in cpus})


@cache
def _core(cpu: int) -> str | int:
    return _read(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list") or cpu


def usable(mask: bytes) -> set[int]:
    """The CPUs with this affinity; those of OpenMP's places where it binds threads to them, one thread to each."""
    return team.places() or logical(mask)


def quota() -> int | None:
    """Whole CPUs that the quotas of the process's control groups allow, at least 1, the groups around them included;
    None where there are none.

    Version 2 and version 1, as /proc/self/cgroup names the groups and /proc/self/mountinfo where they are.
    """
    limits = [limit for group in _groups(_read("/proc/self/cgroup")) if (limit := _limit(*group))]
    return max(1, int(min(limits))) if limits else None


def _limit(folder: str, version: int) -> float | None:
    """CPUs that the quota of one group allows, as a fraction; None where there is none."""
    if version == 2:
        words = (_read(f"{folder}/cpu.max") or "max").split()
    else:
        words = [_read(f"{folder}/cpu.cfs_{what}_us") or "-1" for what in ("quota", "period")]
    try:
        limit, period = map(int, words)
        return limit / period if limit > 0 and period > 0 else None
    except ValueError:  # "max", or what is no quota
        return None


@lru_cache(maxsize=4)  # mounts stay, and reading them may take a millisecond
def _groups(groups: str) -> list[tuple[str, int]]:
    """(folder, version) of the groups that may limit the CPUs, and of all around them; `groups` is what /proc says."""
    found, mounts = [], _mounts()
    for line in groups.splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        version = 1 if controllers else 2
        if version == 1 and "cpu" not in controllers.split(","):
            continue
        for root, mount in mounts[version]:
            # Inside a container the path may be the host's, of which only what is below the mount's root is here.
            inside = os.path.relpath(path or "/", root)
            parts = [] if inside == "." or inside.startswith("..") else inside.split("/")
            found += [("/".join([mount, *parts[:depth]]), version) for depth in range(len(parts), -1, -1)]
    return found


def _mounts() -> dict[int, list[tuple[str, str]]]:
    """{version: [(the group at its root, where it is mounted)]} of the hierarchies with the CPU controller."""
    found: dict[int, list[tuple[str, str]]] = {1: [], 2: []}
    for line in _read("/proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        places, words = before.split()[3:5], after.split(" ", 2)
        if len(places) == 2 and len(words) == 3:
            root, mount = (path.replace(r"\040", " ") for path in places)
            if words[0] == "cgroup2" or (words[0] == "cgroup" and "cpu" in words[2].split(",")):
                found[2 if words[0] == "cgroup2" else 1].append((root, mount))
    return found


def _read(path: str) -> str:
    """What a small file says; "" where it cannot be read."""
    try:
        with open(path) as file:
            return file.read().strip()
    except (OSError, UnicodeDecodeError):
        return ""
