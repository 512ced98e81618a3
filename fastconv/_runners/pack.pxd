from fastconv._kernels.cpu cimport fc_epilogue


cdef bint is_grouped(ptrdiff_t group_in, ptrdiff_t group_out, ptrdiff_t groups, ptrdiff_t lanes) noexcept nogil
cdef object keep_activation(fc_epilogue *epilogue, activation, groups, out_channels, dtype)
