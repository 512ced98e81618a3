"""Scratch memory for the kernels: one pool for the whole process, so that each layer of a network finds it in cache."""

from fastconv._direct import aligned

_LARGEST_KEPT = 64 * 2**20

_free = []


def borrow(nbytes):
    """A buffer of at least `nbytes` bytes, or None for 0; `give_back` it after use."""
    if not nbytes:
        return None
    try:
        buffer = _free.pop()  # atomic: two threads never get the same one
    except IndexError:
        return aligned(nbytes, "u1")
    return buffer if buffer.nbytes >= nbytes else aligned(nbytes, "u1")


def give_back(buffer):
    """Return what `borrow` gave."""
    if buffer is not None and buffer.nbytes <= _LARGEST_KEPT:
        _free.append(buffer)
