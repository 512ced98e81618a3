"""Runners one after the other: a block as one runner, whose parts follow each other with no Python between them."""

from fastconv._cpu cimport CACHE_LINE
from fastconv._cut cimport Arrays, Progress, Runner


cdef enum Of:
    OF_X
    OF_OUT
    OF_MEMORY  # of the chain


cdef class Place:
    """Where an array begins that a part of a chain reads or writes: so many bytes after x, out or the chain's memory.

    In out an image and a pixel are as far from the next as a call has it.
    """

    cdef Of of
    cdef ptrdiff_t offset, image, pixel

    cdef char *find(self, const Arrays *arrays, char *memory) noexcept nogil:
        if self.of == OF_X:
            return <char *>arrays.x + self.offset
        if self.of == OF_OUT:
            return arrays.out + self.offset
        return memory + self.offset


cdef class Part:
    cdef Runner runner
    cdef Place x, residual, out
    cdef Part next

    cdef bint run(self, const Arrays *arrays, char *memory, char *work, Progress *progress) noexcept nogil:
        """Run this part on the arrays of the whole chain; whether it is done."""
        cdef Arrays own
        own.x = self.x.find(arrays, memory)
        own.residual = NULL if self.residual is None else self.residual.find(arrays, memory)
        own.out = self.out.find(arrays, memory)
        own.out_image, own.out_stride = self.out.image, self.out.pixel
        if self.out.of == OF_OUT:
            own.out_image, own.out_stride = arrays.out_image, arrays.out_stride
        return self.runner.run_on(&own, work, progress)

    cdef bint run_from(
        self, ptrdiff_t place, const Arrays *arrays, char *memory, char *work, Progress *progress
    ) noexcept nogil:
        """Run this part, which has so many before it, and those after it, but for the ones that are done already."""
        if place == progress.parts_done:
            if not self.run(arrays, memory, work, progress):
                return False
            progress.parts_done += 1
            progress.begun = False
        return True if self.next is None else self.next.run_from(place + 1, arrays, memory, work, progress)


cdef class Chain(Runner):
    """Runners one after the other, each with its team; what lies between them is in memory of the chain's.

    Nothing of it is cut, it has no units of its own.
    """

    cdef Part first, last
    cdef readonly ptrdiff_t kept_bytes  # between the parts

    def set_team(self, int size, int opened):
        """The largest team of a part; each has its own already. A run takes what is kept, and the workspace of one part
        after the other.
        """
        self.memory = self.kept_bytes + self.workspace_bytes

    def x(self):
        """The place of x."""
        return Place.__new__(Place)

    def out(self, offset):
        """The place in every pixel of out that is so many bytes after its beginning."""
        cdef Place place = Place.__new__(Place)
        place.of, place.offset = OF_OUT, offset
        return place

    def keep(self, images, pixels, pixel_bytes):
        """A new place for so many images, of so many pixels, between the parts."""
        cdef Place place = Place.__new__(Place)
        place.of, place.offset, place.image, place.pixel = OF_MEMORY, self.kept_bytes, pixels * pixel_bytes, pixel_bytes
        self.kept_bytes += -(-images * place.image // CACHE_LINE) * CACHE_LINE
        return place

    def add(self, Runner runner, Place x not None, Place residual, Place out not None):
        """Let a runner that has its team follow, which reads x, and a residual if it is not None, and writes out."""
        cdef Part part = Part.__new__(Part)
        part.runner, part.x, part.residual, part.out = runner, x, residual, out
        if self.last is None:
            self.first = part
        else:
            self.last.next = part
        self.last = part
        self.team.size = max(self.team.size, runner.team.size)
        self.workspace_bytes = max(self.workspace_bytes, runner.memory)

    cdef bint run_on(self, const Arrays *arrays, char *work, Progress *progress) noexcept nogil:
        return True if self.first is None else self.first.run_from(0, arrays, work, work + self.kept_bytes, progress)
