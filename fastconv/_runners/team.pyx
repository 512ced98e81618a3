"""Teams of threads, from one of two layers: the process's own pool (csrc/thread_pool.h) or OpenMP. The only file that
opens a parallel region.

FASTCONV_THREADING (pool, openmp) chooses the layer when the package is imported; otherwise it is the pool. Both run the
same work, and any threads of a team may come, so that the bits of a result depend on neither.

Every thread of a team works in the floating-point environment of its caller (rounding, flush to zero). OpenMP's threads
have their own again afterwards. Those that went through a fork work alone there; the pool begins anew in a child.

libgomp ends and starts threads where a region has another size than the one before. So all regions of a plan are opened
with its largest team, and threads that a small layer has no use for leave again at once. What that costs with dozens of
threads has not been measured.
"""

import os

from cython.parallel cimport parallel, threadid
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int64_t

from fastconv._runners.queue cimport fc_fill_queue, fc_queue, fc_take_task


cdef extern from "environment.h" nogil:
    ctypedef unsigned long fc_environment
    fc_environment fc_get_environment() noexcept
    void fc_set_environment(fc_environment) noexcept
    fc_environment fc_default_environment() noexcept

cdef extern from "forks.h" nogil:
    int fc_was_forked
    int fc_watch_forks() noexcept

cdef extern from "thread_pool.h" nogil:
    enum:
        FC_MAX_TEAM
    void fc_run_on_pool(Work work, void *job, int team, bint is_worth_waking) noexcept
    int64_t fc_tick_of(int team) noexcept
    int fc_start_pool(int (*settle)(int thread, int caller, int but_for) noexcept nogil) noexcept

cdef extern from "openmp.h" nogil:
    const bint fc_has_openmp
    int fc_thread_limit() noexcept
    void fc_set_thread_limit(int threads) noexcept
    int fc_place_count() noexcept
    int fc_place_size(int place) noexcept
    void fc_place_cpus(int place, int *cpus) noexcept

cdef extern from "affinity.h" nogil:
    enum:
        FC_MASK_BYTES
    long fc_read_affinity(char *mask, long room) noexcept
    void fc_bind_to(const int *cpus, int count) noexcept
    int fc_follow(int thread_id, int but_for) noexcept

cdef bint _uses_pool

cdef enum:
    WORTH_WAKING = 6  # useful threads of work that takes one thread about 30 µs, as long as a sleeper takes to come
    TURNS = 8  # of a thread, about: enough for an even load
    PLACE_CPUS = 8192


cdef Team team_of(int threads, ptrdiff_t useful) noexcept nogil:
    """A team of at most `threads`, for work that is worth `useful` threads."""
    return Team(min(threads, useful), threads, useful >= WORTH_WAKING)


cdef void run_team(Team team, Work work, void *job) noexcept nogil:
    """Let each thread of a team, whose numbers begin with the caller's 0, do `work`; fewer than asked for may come."""
    cdef fc_environment environment
    if team.size > 1 and _uses_pool:
        fc_run_on_pool(work, job, team.size, team.is_worth_waking)
        return
    if team.size == 1 or fc_was_forked:  # a parallel region costs time even for one thread
        work(job, 0)
        return
    environment = fc_get_environment()
    with parallel(num_threads=team.opened):
        _work_in(environment, team, work, job, threadid())


cdef int64_t tick_of(Team team) noexcept nogil:
    """The nanoseconds between the ticks that a queue's workers look at; 0: they need not look."""
    return fc_tick_of(team.size) if _uses_pool else 0


cdef void _work_in(fc_environment environment, Team team, Work work, void *job, int thread) noexcept nogil:
    cdef fc_environment own
    if thread == 0:  # the caller, whose environment it is
        work(job, thread)
    elif thread < team.size:
        own = fc_get_environment()
        fc_set_environment(environment)
        work(job, thread)
        fc_set_environment(own)


cdef int _settle(int thread, int caller, int but_for) noexcept nogil:
    """What a worker of the pool does when it begins (`caller` is 0 then) and before it works for a caller: it binds
    itself as OpenMP's threads are bound, to a place each, or to the caller's CPUs but for one, and keeps a BLAS that is
    built with OpenMP to this one thread. On how many CPUs all can work, or 0.
    """
    cdef int[PLACE_CPUS] cpus
    cdef int place
    fc_set_thread_limit(1)
    if fc_place_count():
        place = thread % fc_place_count()
        if fc_place_size(place) <= PLACE_CPUS:
            fc_place_cpus(place, cpus)
            fc_bind_to(cpus, fc_place_size(place))
        return 0
    return fc_follow(caller, but_for) if caller else 0


cdef int own_thread_limit() noexcept nogil:
    return fc_thread_limit()


cdef void set_own_thread_limit(int threads) noexcept nogil:
    if fc_thread_limit() != threads:
        fc_set_thread_limit(threads)


cdef struct Loop:
    fc_queue queue
    ptrdiff_t count, together  # tasks, and how many are taken at once
    Task work
    void *job


cdef void parallel_for(Team team, ptrdiff_t tasks, Task work, void *job) noexcept nogil:
    """Let a team do `tasks`, each once; some are taken together, since a task may be tiny."""
    cdef Loop all
    all.work, all.job, all.count = work, job, tasks
    all.together = max(1, tasks // (TURNS * team.size))
    fc_fill_queue(&all.queue, (tasks + all.together - 1) // all.together, team.size)
    run_team(team, _take_tasks, &all)


cdef bint _take_tasks(void *job, int thread) noexcept nogil:
    cdef Loop *all = <Loop *>job
    cdef ptrdiff_t turn = fc_take_task(&all.queue, thread), task
    while turn >= 0:
        for task in range(turn * all.together, min((turn + 1) * all.together, all.count)):
            all.work(all.job, task)
        turn = fc_take_task(&all.queue, thread)
    return False  # no tick is set


cdef class DefaultEnvironment:
    """Context with the floating-point environment in which a program starts: what plans keep does not depend on when
    they were packed.
    """

    cdef fc_environment before

    def __enter__(self):
        self.before = fc_get_environment()
        fc_set_environment(fc_default_environment())

    def __exit__(self, *error):
        fc_set_environment(self.before)


def threading():
    """The layer in use: "pool" or "openmp"."""
    return "pool" if _uses_pool else "openmp"


def works_alone():
    """Whether the calling thread has no team: it went through a fork, after which OpenMP would wait for threads that
    are gone.
    """
    return bool(fc_was_forked) and not _uses_pool


def thread_limit():
    """The most threads that OpenMP gives the calling thread by default: its variable nthreads-var, which
    `omp_set_num_threads` sets, and so threadpoolctl. 0 in a build without OpenMP.
    """
    return fc_thread_limit()


def max_threads():
    """The most threads that there can be in a team."""
    return FC_MAX_TEAM


def affinity():
    """The CPUs on which the calling thread may run, as a mask in bytes; empty where the system does not tell."""
    cdef char[FC_MASK_BYTES] mask
    cdef long length = fc_read_affinity(mask, FC_MASK_BYTES)
    return PyBytes_FromStringAndSize(mask, max(length, 0))


def places():
    """The CPUs of OpenMP's places, where its threads are bound to such, or an empty set.

    Then the affinity of the calling thread tells of one place alone.
    """
    cdef int[PLACE_CPUS] cpus
    cdef int place, i
    found = set()
    for place in range(fc_place_count()):
        if fc_place_size(place) <= PLACE_CPUS:
            fc_place_cpus(place, cpus)
            for i in range(fc_place_size(place)):
                found.add(cpus[i])
    return found


def _choose(layer):
    global _uses_pool
    layers = ["pool", "openmp"] if fc_has_openmp else ["pool"]
    if layer not in layers:
        raise ValueError(f"FASTCONV_THREADING={layer}: this build has {' and '.join(layers)}")
    _uses_pool = layer == "pool"


_choose(os.environ.get("FASTCONV_THREADING") or "pool")
if fc_watch_forks() or fc_start_pool(_settle):
    raise OSError("forks cannot be watched: pthread_atfork failed")
