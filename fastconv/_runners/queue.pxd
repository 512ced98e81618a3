"""The work-stealing queue of a team's tasks; csrc/queue.h says how."""

from libc.stdint cimport int64_t


cdef extern from "queue.h" nogil:
    const int64_t FC_NEVER
    struct fc_queue:
        int stopped

    int64_t fc_now() noexcept
    int64_t fc_nanoseconds() noexcept
    void fc_fill_queue(fc_queue *, ptrdiff_t tasks, int team) noexcept
    void fc_set_deadline(fc_queue *, int64_t deadline, int64_t tick) noexcept
    bint fc_is_unfinished(const fc_queue *) noexcept
    ptrdiff_t fc_take_task(fc_queue *, int thread) noexcept
