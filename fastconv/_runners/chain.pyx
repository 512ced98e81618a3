"""Runners one after the other: a graph as one runner, whose steps follow each other with no Python between them."""

from libc.stdint cimport int64_t
from libc.stdlib cimport calloc, free

from fastconv._runners.queue cimport fc_nanoseconds
from fastconv._runners.runner cimport Arrays, Progress, Runner

cdef enum:
    ARENA = -1  # as in buffer_slice.py
    NONE = -2


cdef struct BufferSlice:
    ptrdiff_t end, offset, image, pixel


cdef struct Step:
    void *runner  # which the chain's list keeps
    BufferSlice x, residual, out
    ptrdiff_t workspace


cdef BufferSlice buffer_slice(where):
    """The C form of a `fastconv._runners.buffer_slice.BufferSlice`, or of None."""
    if where is None:
        return BufferSlice(NONE, 0, 0, 0)
    return BufferSlice(where.end, where.offset, where.image, where.pixel)


cdef char *find(const BufferSlice *where, const Arrays *arrays, char *arena) noexcept nogil:
    if where.end >= 0:
        return arrays.ends[where.end].at + where.offset
    return arena + where.offset if where.end == ARENA else NULL


cdef class Chain(Runner):
    """Runners one after the other, each with its team, as (runner, where x is, a residual or None, the result, and
    where its workspace begins).

    The arrays between them, and the workspaces, are in an arena of `memory` bytes.
    """

    cdef Step *steps
    cdef ptrdiff_t count
    cdef list runners

    def __init__(self, list steps, ptrdiff_t memory):
        cdef Runner runner
        free(self.steps)
        self.steps = <Step *>calloc(max(len(steps), 1), sizeof(Step))
        if self.steps == NULL:
            raise MemoryError
        self.runners, self.count, self.memory = [runner for runner, *_ in steps], len(steps), memory
        for i, (runner, x, residual, out, workspace) in enumerate(steps):
            self.steps[i].runner, self.steps[i].workspace = <void *>runner, workspace
            self.steps[i].x, self.steps[i].residual = buffer_slice(x), buffer_slice(residual)
            self.steps[i].out = buffer_slice(out)
            self.max_pixel_bytes = min(self.max_pixel_bytes, runner.max_pixel_bytes)

    def __dealloc__(self):
        free(self.steps)

    cdef bint run_on(self, const Arrays *arrays, char *work, Progress *progress) noexcept nogil:
        cdef Arrays own
        cdef Step *step
        cdef bint is_done
        cdef int64_t now
        while progress.steps_done < self.count:
            step = &self.steps[progress.steps_done]
            own.x, own.residual = find(&step.x, arrays, work), find(&step.residual, arrays, work)
            own.out, own.out_image, own.out_stride = find(&step.out, arrays, work), step.out.image, step.out.pixel
            if step.out.end >= 0:
                own.out_image, own.out_stride = arrays.ends[step.out.end].image, arrays.ends[step.out.end].pixel
            is_done = (<Runner>step.runner).run_on(&own, work + step.workspace, progress)
            if progress.times != NULL:
                now = fc_nanoseconds()
                progress.times[progress.steps_done] += now - progress.since
                progress.since = now
            if not is_done:
                return False
            progress.steps_done += 1
            progress.begun = False
        return True
