"""Scratch memory for the kernels: one pool for the whole process, so that each layer of a network finds it in cache."""

import os

import numpy as np

from fastconv._checks.arrays import aligned

_MAX_KEPT = 2**20 * max(64, 2 * (os.cpu_count() or 1))  # bytes, in all: of each thread the largest layers need 2 MiB

_BYTE = np.dtype(np.uint8)
_free: list[np.ndarray] = []  # the last one given back at the end


def borrow(nbytes: int) -> np.ndarray | None:
    """A buffer of at least `nbytes` bytes, or None for 0; `give_back` it after use."""
    if not nbytes:
        return None
    try:
        buffer = _free.pop()  # atomic: two threads never get the same one
    except IndexError:
        return aligned((nbytes,), _BYTE)
    return buffer if buffer.nbytes >= nbytes else aligned((nbytes,), _BYTE)


def give_back(buffer: np.ndarray | None) -> None:
    """Return what `borrow` gave; the oldest ones go where more would be kept than _MAX_KEPT."""
    if buffer is None or buffer.nbytes > _MAX_KEPT:
        return
    _free.append(buffer)
    if len(_free) > 1:
        while sum(kept.nbytes for kept in tuple(_free)) > _MAX_KEPT:
            try:
                del _free[0]
            except IndexError:  # another thread borrowed the last one
                break


def release() -> None:
    """Free the scratch memory that calls of all plans left for the next ones: at most 64 MiB, or 2 MiB for each CPU
    where that is more.

    Plans keep their packed weights, and calls that are under way theirs. It is taken anew where it is needed.

    Examples
    --------
    >>> import fastconv
    >>> fastconv.release()
    """
    _free.clear()
