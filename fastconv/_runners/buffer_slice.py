"""The slices of buffers that a step of a chain reads or writes."""

from typing import NamedTuple

ARENA = -1


class BufferSlice(NamedTuple):
    """Where an array begins, and the bytes from an image of it to the next, from a pixel to the next.

    It lies so many bytes after the end of this number, of all inputs and then all results, or in the ARENA. In a result
    an image and a pixel are as far from the next as a call has it.
    """

    end: int
    offset: int = 0
    image: int = 0
    pixel: int = 0
