"""The slices of buffers that a step of a chain reads or writes."""

from typing import NamedTuple

ARENA = -1


class BufferSlice(NamedTuple):
    """Where an array begins, and the bytes from an image of it to the next, from a pixel to the next.

    `end` is the number of an input or a result, the inputs first, or ARENA; `offset` counts the bytes from where that
    begins. In a result the call says how far an image and a pixel are from the next.
    """

    end: int
    offset: int = 0
    image: int = 0
    pixel: int = 0
