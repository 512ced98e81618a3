"""Arrays that lie against pages of memory that may not be touched."""

import ctypes
import mmap

import numpy as np

_mprotect = ctypes.CDLL(None, use_errno=True).mprotect
_mprotect.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
_PROT_NONE = 0
kept = []  # the mappings: unmapped, their addresses could be used for something else


def guarded(shape, dtype, at_end=True):
    """An uninitialised array with a page that may not be touched on either side, adjacent to one of them."""
    nbytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
    room = -(-nbytes // mmap.PAGESIZE) * mmap.PAGESIZE
    memory = mmap.mmap(-1, room + 2 * mmap.PAGESIZE)
    kept.append(memory)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for page in (start, start + mmap.PAGESIZE + room):
        if _mprotect(page, mmap.PAGESIZE, _PROT_NONE):
            raise OSError(ctypes.get_errno(), "mprotect failed")
    offset = mmap.PAGESIZE + (room - nbytes if at_end else 0)
    return np.frombuffer(memory, np.uint8, nbytes, offset).view(dtype).reshape(shape)


def moved(array, at_end):
    copy = guarded(array.shape, array.dtype, at_end)
    copy[...] = array
    return copy
