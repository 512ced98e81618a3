"""Where a step of a chain reads or writes."""

from typing import NamedTuple


class Place(NamedTuple):
    """Where an array begins: so many bytes after "x", "out" or the "arena"; bytes from image to image, pixel to pixel.

    In "out" an image and a pixel are as far from the next as a call has it.
    """

    array: str
    offset: int = 0
    image: int = 0
    pixel: int = 0
