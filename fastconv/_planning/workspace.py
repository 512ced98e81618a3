"""Scratch memory for the kernels: one pool for the whole process, so that each layer of a network finds it in cache."""

import os

import numpy as np

from fastconv._checks.arrays import aligned

# Bytes that are kept of earlier calls, in all: of each thread the largest layers need 2 MiB.
_MAX_KEPT = 2**20 * max(64, 2 * (os.cpu_count() or 1))
_OF_A_CALL = 2  # buffers that a call takes at most: copies in another layout, and what its steps need

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
    """Return what `borrow` gave.

    What the last call took is kept, however large it is, so that the next one allocates nothing. Of the older ones the
    oldest go where more would be kept than _MAX_KEPT.
    """
    if buffer is None:
        return
    _free.append(buffer)
    while len(_free) > _OF_A_CALL and sum(kept.nbytes for kept in tuple(_free)[:-_OF_A_CALL]) > _MAX_KEPT:
        try:
            del _free[0]
        except IndexError:  # other threads borrowed them all
            break


def release() -> None:
    """Free the scratch memory that calls of all plans left for the next ones.

    That is what the last call took, and at most 64 MiB of earlier ones, or 2 MiB for each CPU where that is more. Plans
    keep their packed weights, and calls that are under way theirs. It is taken anew where it is needed.

    Examples
    --------
    >>> import fastconv
    >>> fastconv.release()
    """
    _free.clear()
