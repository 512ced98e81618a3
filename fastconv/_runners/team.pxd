"""Teams of threads, from the process's own pool or from OpenMP."""

from libc.stdint cimport int64_t

# What a thread of the team does; whether it leaves tasks behind.
ctypedef bint (*Work)(void *job, int thread) noexcept nogil
ctypedef void (*Task)(void *job, ptrdiff_t task) noexcept nogil

cdef struct Team:
    int size  # threads that work
    int opened  # threads of OpenMP's parallel region, a few of which may have nothing to do
    bint is_worth_waking  # for which the pool wakes threads that sleep


cdef Team team_of(int threads, ptrdiff_t useful) noexcept nogil
cdef void run_team(Team team, Work work, void *job) noexcept nogil
cdef int64_t tick_of(Team team) noexcept nogil
# What OpenMP gives the calling thread by default, for a BLAS that is built with OpenMP and sets it.
cdef int own_thread_limit() noexcept nogil
cdef void set_own_thread_limit(int threads) noexcept nogil

cdef void parallel_for(Team team, ptrdiff_t tasks, Task work, void *job) noexcept nogil
