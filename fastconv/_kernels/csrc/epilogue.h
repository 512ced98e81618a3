/* What becomes of a sum: where it begins, what is added at its end, its activation, its place. */
#pragma once
#include <stddef.h>

/* out = min(max(bias + sum + residual, lo), hi), or with slopes v < 0 ? v slope : v, where v = bias + sum: a comparison
 * with a NaN is false, which keeps it, and so it keeps -0. Strides are in bytes, from a pixel to the next. */
struct fc_epilogue {
    const void *bias;     /* a value for each column, padded to whole vectors */
    const void *slopes;   /* the same, or NULL; with them there are no residual and no bounds */
    const char *residual; /* added to the sum, or NULL */
    ptrdiff_t residual_stride;
    char *out;
    ptrdiff_t out_stride;
    double lo, hi; /* of the activation, values of the element type: ReLU is 0, inf; none is -inf, inf */
};

/* What of it the epilogue must apply. */
enum fc_activation { FC_UNBOUNDED, FC_LOW, FC_BOTH, FC_SLOPES };

static inline enum fc_activation fc_activation(const struct fc_epilogue *e)
{
    if (e->slopes) return FC_SLOPES;
    if (e->hi < __builtin_inf()) return FC_BOTH;
    return e->lo > -__builtin_inf() ? FC_LOW : FC_UNBOUNDED;
}

/* The slopes `bytes` on, if there are any. */
static inline const void *fc_slopes_at(const struct fc_epilogue *e, ptrdiff_t bytes)
{
    return e->slopes ? (const char *)e->slopes + bytes : NULL;
}

/* Moves all but the bias and the slopes on, by `pixels` and by `bytes` of a pixel. */
static inline void fc_advance(struct fc_epilogue *e, ptrdiff_t pixels, ptrdiff_t bytes)
{
    e->out += pixels * e->out_stride + bytes;
    if (e->residual) e->residual += pixels * e->residual_stride + bytes;
}
