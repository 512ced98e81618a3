"""Scratch memory for the kernels: one pool for the whole process, so that each layer of a network finds it in cache."""

import numpy as np

from fastconv._pack import aligned

_LARGEST_KEPT = 64 * 2**20
_MOST_KEPT = 16

_BYTE = np.dtype(np.uint8)
_free: list[np.ndarray] = []


def borrow(nbytes):
    """A buffer of at least `nbytes` bytes, or None for 0; `give_back` it after use."""
    if not nbytes:
        return None
    try:
        buffer = _free.pop()  # atomic: two threads never get the same one
    except IndexError:
        return aligned((nbytes,), _BYTE)
    return buffer if buffer.nbytes >= nbytes else aligned((nbytes,), _BYTE)


def give_back(buffer):
    """Return what `borrow` gave."""
    if buffer is not None and buffer.nbytes <= _LARGEST_KEPT and len(_free) < _MOST_KEPT:
        _free.append(buffer)
