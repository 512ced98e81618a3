"""Runners one after the other: a graph as one runner, whose steps follow each other with no Python between them."""

from libc.stdint cimport int64_t
from libc.stdlib cimport calloc, free

from fastconv._runners.cut cimport Arrays, Progress, Runner
from fastconv._runners.shares cimport fc_nanoseconds

cdef enum:
    ARENA = -1  # as in place.py
    NONE = -2


cdef struct Place:
    ptrdiff_t end, offset, image, pixel


cdef struct Step:
    void *runner  # which the chain's list keeps
    Place x, residual, out
    ptrdiff_t workspace


cdef Place place(where):
    """The C form of a `fastconv._runners.place.Place`, or of None."""
    return Place(NONE, 0, 0, 0) if where is None else Place(where.end, where.offset, where.image, where.pixel)


cdef char *find(const Place *where, const Arrays *arrays, char *arena) noexcept nogil:
    if where.end >= 0:
        return arrays.ends[where.end].at + where.offset
    return arena + where.offset if where.end == ARENA else NULL


cdef class Chain(Runner):
    """Runners one after the other, each with its team, as (runner, where x is, a residual or None, the result, and
    where its workspace begins).

    What lies between them, and the workspaces, are in an arena of so many bytes. Nothing of it is cut, it has no units
    of its own.
    """

    cdef Step *steps
    cdef ptrdiff_t count
    cdef list runners
    cdef readonly ptrdiff_t arena_bytes

    def __init__(self, list steps, ptrdiff_t arena_bytes):
        cdef Runner runner
        free(self.steps)
        self.steps = <Step *>calloc(max(len(steps), 1), sizeof(Step))
        if self.steps == NULL:
            raise MemoryError
        self.runners, self.count, self.arena_bytes = [runner for runner, *_ in steps], len(steps), arena_bytes
        for i, (runner, x, residual, out, workspace) in enumerate(steps):
            self.steps[i].runner, self.steps[i].workspace = <void *>runner, workspace
            self.steps[i].x, self.steps[i].residual, self.steps[i].out = place(x), place(residual), place(out)
            self.team.size = max(self.team.size, runner.team.size)
            self.most_pixel = min(self.most_pixel, runner.most_pixel)

    def __dealloc__(self):
        free(self.steps)

    def set_team(self, int size, int opened):
        """The largest team of a step; each has its own already."""
        self.memory = self.arena_bytes

    cdef bint run_on(self, const Arrays *arrays, char *work, Progress *progress) noexcept nogil:
        cdef Arrays own
        cdef Step *step
        cdef bint is_done
        cdef int64_t now
        while progress.parts_done < self.count:
            step = &self.steps[progress.parts_done]
            own.x, own.residual = find(&step.x, arrays, work), find(&step.residual, arrays, work)
            own.out, own.out_image, own.out_stride = find(&step.out, arrays, work), step.out.image, step.out.pixel
            if step.out.end >= 0:
                own.out_image, own.out_stride = arrays.ends[step.out.end].image, arrays.ends[step.out.end].pixel
            is_done = (<Runner>step.runner).run_on(&own, work + step.workspace, progress)
            if progress.times != NULL:
                now = fc_nanoseconds()
                progress.times[progress.parts_done] += now - progress.since
                progress.since = now
            if not is_done:
                return False
            progress.parts_done += 1
            progress.begun = False
        return True
