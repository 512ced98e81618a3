"""Teams of threads: the only file that opens a parallel region.

Every thread of a team works in the floating-point environment of its caller (rounding, flush to zero), so that the bits
of a result do not depend on the team, and has its own again afterwards. Threads that went through a fork work alone.

libgomp ends and starts threads where a region has another size than the one before. So all regions of a plan are opened
with its largest team, and threads that a small layer has no use for leave again at once. What that costs with dozens of
threads has not been measured.
"""

from cython.parallel cimport parallel, threadid
from cpython.bytes cimport PyBytes_FromStringAndSize

from fastconv._runners.queue cimport fc_fill_queue, fc_queue, fc_take_task


cdef extern from "environment.h" nogil:
    ctypedef unsigned long fc_environment
    fc_environment fc_get_environment() noexcept
    void fc_set_environment(fc_environment) noexcept
    fc_environment fc_default_environment() noexcept

cdef extern from "forks.h" nogil:
    int fc_was_forked
    int fc_watch_forks() noexcept

cdef extern from * nogil:
    """
    #if defined _OPENMP
    #include <omp.h>
    static int fc_thread_limit(void) { return omp_get_max_threads(); }
    static void fc_set_thread_limit(int threads) { omp_set_num_threads(threads); }
    static int fc_max_threads(void) { return omp_get_thread_limit(); }
    #else
    static int fc_thread_limit(void) { return 1; }
    static void fc_set_thread_limit(int threads) { }
    static int fc_max_threads(void) { return 1; }
    #endif

    #if defined _OPENMP && _OPENMP >= 201511
    static int fc_place_count(void) { return omp_get_proc_bind() == omp_proc_bind_false ? 0 : omp_get_num_places(); }
    static int fc_place_size(int place) { return omp_get_place_num_procs(place); }
    static void fc_place_cpus(int place, int *cpus) { omp_get_place_proc_ids(place, cpus); }
    #else
    static int fc_place_count(void) { return 0; }
    static int fc_place_size(int place) { return 0; }
    static void fc_place_cpus(int place, int *cpus) { }
    #endif

    #ifdef __linux__
    #include <sys/syscall.h>
    #include <unistd.h>
    static long fc_read_affinity(char *mask, long room) { return syscall(SYS_sched_getaffinity, 0, room, mask); }
    #else
    static long fc_read_affinity(char *mask, long room) { return 0; }
    #endif
    """
    int fc_thread_limit() noexcept
    void fc_set_thread_limit(int threads) noexcept
    int fc_max_threads() noexcept
    int fc_place_count() noexcept
    int fc_place_size(int place) noexcept
    void fc_place_cpus(int place, int *cpus) noexcept
    long fc_read_affinity(char *mask, long room) noexcept

cdef enum:
    TURNS = 8  # of a thread, about: enough for an even load
    MASK_BYTES = 1024  # for 8192 CPUs
    PLACE_CPUS = 8192


cdef void run_team(Team team, Work work, void *job) noexcept nogil:
    """Let each thread of a team, whose numbers begin with the caller's 0, do `work`; fewer than asked for may come."""
    cdef fc_environment environment
    if team.size == 1 or fc_was_forked:  # a parallel region costs time even for one thread
        work(job, 0)
        return
    environment = fc_get_environment()
    with parallel(num_threads=team.opened):
        _work_in(environment, team, work, job, threadid())


cdef void _work_in(fc_environment environment, Team team, Work work, void *job, int thread) noexcept nogil:
    cdef fc_environment own
    if thread == 0:  # the caller, whose environment it is
        work(job, thread)
    elif thread < team.size:
        own = fc_get_environment()
        fc_set_environment(environment)
        work(job, thread)
        fc_set_environment(own)


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


cdef void _take_tasks(void *job, int thread) noexcept nogil:
    cdef Loop *all = <Loop *>job
    cdef ptrdiff_t turn = fc_take_task(&all.queue, thread), task
    while turn >= 0:
        for task in range(turn * all.together, min((turn + 1) * all.together, all.count)):
            all.work(all.job, task)
        turn = fc_take_task(&all.queue, thread)


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


def was_forked():
    """Whether the calling thread went through a fork."""
    return bool(fc_was_forked)


def thread_limit():
    """The most threads that OpenMP gives the calling thread by default: its variable nthreads-var, which
    `omp_set_num_threads` sets, and so threadpoolctl.
    """
    return fc_thread_limit()


def max_threads():
    """The most threads that there can be in a team: OMP_THREAD_LIMIT, or very many; 1 in a build without OpenMP."""
    return fc_max_threads()


def affinity():
    """The CPUs on which the calling thread may run, as a mask in bytes; empty where the system does not tell."""
    cdef char[MASK_BYTES] mask
    cdef long length = fc_read_affinity(mask, MASK_BYTES)
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


if fc_watch_forks():
    raise OSError("forks cannot be watched: pthread_atfork failed")
