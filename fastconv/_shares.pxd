"""Units of work shared by a team; csrc/shares.h says how."""

cdef extern from "shares.h" nogil:
    struct fc_shares:
        pass

    void fc_share_out(fc_shares *, ptrdiff_t units, int team) noexcept
    ptrdiff_t fc_take_unit(fc_shares *, int thread) noexcept
