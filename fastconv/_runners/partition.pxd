"""What runs a step, partitioned into tasks for a team."""

from fastconv._runners.finish cimport Finish
from fastconv._runners.queue cimport fc_queue, fc_take_task
from fastconv._runners.runner cimport Arrays, Runner


cdef struct Partition:
    ptrdiff_t team
    ptrdiff_t pixel_blocks
    ptrdiff_t ranges  # ranges of blocks of output channels
    ptrdiff_t tasks


cdef struct Range:
    ptrdiff_t first, end


cdef inline Range range_of(ptrdiff_t i, ptrdiff_t count, ptrdiff_t total) noexcept nogil:
    """The i-th of `count` even ranges of a total."""
    return Range(total * i // count, total * (i + 1) // count)


cdef struct Work:  # of a thread
    fc_queue *queue
    int thread
    Partition partition
    Arrays arrays
    char *workspace  # the thread's own


cdef inline ptrdiff_t take_task(const Work *work) noexcept nogil:
    """The number of the thread's next task, negative where there is none."""
    return fc_take_task(work.queue, work.thread)


cdef class LoopNest(Runner):
    cdef readonly str tile
    cdef readonly ptrdiff_t workspace_bytes  # for each thread
    cdef readonly ptrdiff_t repeats  # of every pixel block and channel range: for each group, say
    # At least `pixel_blocks` times one range of channels; where these are the most, there is one partition.
    cdef readonly ptrdiff_t pixel_blocks, max_pixel_blocks, max_ranges
    cdef Partition partition
    cdef Finish finish  # of what a task has written, or None
    cdef Partition best_partition(self, ptrdiff_t team) noexcept
    cdef double _time_of(self, Partition partition) noexcept
    cdef double pixel_block_time(self, ptrdiff_t pixel_blocks) noexcept
    cdef double task_time(self, Partition partition) noexcept
    cdef void run_tasks(self, const Work *work) noexcept nogil
    cdef void run_task(self, ptrdiff_t task, const Work *work) noexcept nogil
