/* What becomes of a sum: where it begins, what is added at its end, its activation, its place. */
#pragma once
#include <stddef.h>

/* out = min(max(bias + sum + residual, lo), hi): a comparison with a NaN is false, which keeps it, and so it keeps -0.
 * Strides are in bytes, from a pixel to the next. */
struct fc_epilogue {
    const void *bias;     /* a value for each column, padded to whole vectors */
    const char *residual; /* added to the sum, or NULL */
    ptrdiff_t residual_stride;
    char *out;
    ptrdiff_t out_stride;
    double lo, hi; /* of the activation, values of the element type: ReLU is 0, inf; none is -inf, inf */
};

/* Which of them the epilogue must apply. */
enum fc_bounds { FC_UNBOUNDED, FC_LOW, FC_BOTH };

static inline enum fc_bounds fc_bounds(const struct fc_epilogue *e)
{
    if (e->hi < __builtin_inf()) return FC_BOTH;
    return e->lo > -__builtin_inf() ? FC_LOW : FC_UNBOUNDED;
}

/* Moves all but the bias on, by `pixels` and by `bytes` of a pixel. */
static inline void fc_advance(struct fc_epilogue *e, ptrdiff_t pixels, ptrdiff_t bytes)
{
    e->out += pixels * e->out_stride + bytes;
    if (e->residual) e->residual += pixels * e->residual_stride + bytes;
}
