"""How the channels of fast inner products are divided into chunks, as the packed weights have it."""

from fastconv._kernels.cpu cimport FC_FIP_BLOCK


cdef enum:
    SPARE = 2 * FC_FIP_BLOCK  # equalizers beyond the last, since whole vectors are read


cdef ptrdiff_t chunks_of(ptrdiff_t channels) noexcept nogil
cdef ptrdiff_t first_step(ptrdiff_t chunk, ptrdiff_t channels) noexcept nogil
