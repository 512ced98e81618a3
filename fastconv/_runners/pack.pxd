cdef bint is_grouped(ptrdiff_t group_in, ptrdiff_t group_out, ptrdiff_t groups, ptrdiff_t lanes) noexcept nogil
