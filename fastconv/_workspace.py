"""Scratch memory for the kernels: one pool for the whole process, so that each layer of a network finds it in cache."""

import numpy as np

from fastconv._pack import aligned

_MOST_KEPT = 64 * 2**20  # bytes, in all

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
    """Return what `borrow` gave; the oldest ones go where more would be kept than _MOST_KEPT."""
    if buffer is None:
        return
    _free.append(buffer)
    if len(_free) > 1 or buffer.nbytes > _MOST_KEPT:
        while sum(kept.nbytes for kept in tuple(_free)) > _MOST_KEPT:
            try:
                del _free[0]
            except IndexError:  # another thread borrowed the last one
                break


def release() -> None:
    """Give the scratch memory back to the system that calls of all plans left for the next ones, at most 64 MiB.

    Plans keep their packed weights, and calls that are under way theirs. It is taken anew where it is needed.

    Examples
    --------
    >>> import fastconv
    >>> fastconv.release()
    """
    _free.clear()
