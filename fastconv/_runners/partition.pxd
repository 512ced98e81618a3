"""What runs a convolution, partitioned into tasks for a team."""

from libc.stdint cimport int64_t
from numpy cimport ndarray

from fastconv._runners.queue cimport fc_queue
from fastconv._runners.team cimport Team


cdef struct Partition:
    ptrdiff_t team
    ptrdiff_t pixel_blocks
    ptrdiff_t ranges  # ranges of blocks of output channels
    ptrdiff_t tasks


cdef struct End:  # an array of a call
    char *at
    ptrdiff_t image, pixel  # bytes from an image of it to the next, from a pixel to the next


cdef struct Arrays:  # of a step
    const char *x
    const char *residual  # or NULL
    char *out
    ptrdiff_t out_image, out_stride  # bytes from an image of it to the next, from a pixel to the next
    const End *ends  # of the call: its inputs, then its results


cdef struct Progress:  # of a run, which stops now and then to let Python look for signals
    int64_t deadline  # when it does next
    ptrdiff_t steps_done  # of a chain
    bint begun  # the queue is filled
    int64_t *times  # nanoseconds of each step of a chain, to add to; or NULL
    int64_t since  # where the time of the next step begins
    fc_queue queue


cdef inline ptrdiff_t start_of(ptrdiff_t i, ptrdiff_t count, ptrdiff_t total) noexcept nogil:
    """Where the i-th of `count` even ranges of a total begins."""
    return total * i // count


cdef class Runner:
    cdef readonly str tile
    cdef readonly ptrdiff_t workspace_bytes  # for each thread
    cdef readonly ptrdiff_t repeats  # of every pixel block and channel range: for each group, say
    # At least `pixel_blocks` times one range of channels; where these are the most, there is one partition.
    cdef readonly ptrdiff_t pixel_blocks, max_pixel_blocks, max_ranges
    cdef readonly ptrdiff_t memory  # bytes that a run of the team takes
    cdef ptrdiff_t max_pixel_bytes  # bytes from a pixel of a result to the next that it can count
    cdef Team team
    cdef Partition partition
    cpdef run(self, list inputs, list outputs, ndarray work, ndarray times=*)
    cdef bint run_on(self, const Arrays *arrays, char *work, Progress *progress) noexcept nogil
    cdef Partition best_partition(self, ptrdiff_t team) noexcept
    cdef double _time_of(self, Partition partition) noexcept
    cdef double pixel_block_time(self, ptrdiff_t pixel_blocks) noexcept
    cdef double task_time(self, Partition partition) noexcept
    cdef void run_tasks(
        self, fc_queue *queue, int thread, Partition partition, const Arrays *arrays, char *work
    ) noexcept nogil
