"""What runs a step, partitioned into tasks for a team."""

from fastconv._runners.queue cimport fc_queue
from fastconv._runners.runner cimport Arrays, Runner


cdef struct Partition:
    ptrdiff_t team
    ptrdiff_t pixel_blocks
    ptrdiff_t ranges  # ranges of blocks of output channels
    ptrdiff_t tasks


cdef inline ptrdiff_t start_of(ptrdiff_t i, ptrdiff_t count, ptrdiff_t total) noexcept nogil:
    """Where the i-th of `count` even ranges of a total begins."""
    return total * i // count


cdef class LoopNest(Runner):
    cdef readonly str tile
    cdef readonly ptrdiff_t workspace_bytes  # for each thread
    cdef readonly ptrdiff_t repeats  # of every pixel block and channel range: for each group, say
    # At least `pixel_blocks` times one range of channels; where these are the most, there is one partition.
    cdef readonly ptrdiff_t pixel_blocks, max_pixel_blocks, max_ranges
    cdef Partition partition
    cdef Partition best_partition(self, ptrdiff_t team) noexcept
    cdef double _time_of(self, Partition partition) noexcept
    cdef double pixel_block_time(self, ptrdiff_t pixel_blocks) noexcept
    cdef double task_time(self, Partition partition) noexcept
    cdef void run_tasks(
        self, fc_queue *queue, int thread, Partition partition, const Arrays *arrays, char *work
    ) noexcept nogil
