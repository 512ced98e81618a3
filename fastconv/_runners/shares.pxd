"""Units of work shared by a team; csrc/shares.h says how."""

from libc.stdint cimport int64_t


cdef extern from "shares.h" nogil:
    struct fc_shares:
        int stopped

    int64_t fc_now() noexcept
    int64_t fc_nanoseconds() noexcept
    void fc_share_out(fc_shares *, ptrdiff_t units, int team) noexcept
    void fc_set_deadline(fc_shares *, int64_t deadline) noexcept
    ptrdiff_t fc_take_unit(fc_shares *, int thread) noexcept
