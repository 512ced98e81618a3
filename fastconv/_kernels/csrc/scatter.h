/* Tiles of the direct convolution whose pixels are no neighbours in the output. */
#pragma once
#include "kernels.h"
#include "sizes.h"
#include <string.h>

/* Bytes of a tile's values in a block of columns, at most. */
enum { FC_SCATTERED = FC_MAX_PIXELS * FC_MAX_VECTORS * FC_MAX_VECTOR_BYTES };

/* Runs the kernel, for one block of columns, `nbytes` of a pixel, on n pixels of a run after its `done` first, by way
 * of arrays in which they are neighbours. The run has `cols` pixels of each row of the output, which are followed by
 * `others`. The arguments are changed for that and put back, not copied: a processor hands on a number that was just
 * written, but not two as one, which it reads only when all that was written before, another tile's output, is in a
 * cache. */
static inline void fc_scatter(fc_conv_kernel kernel, struct fc_conv_args *tile, ptrdiff_t n, ptrdiff_t done,
                              ptrdiff_t cols, ptrdiff_t others, ptrdiff_t nbytes)
{
    char values[FC_SCATTERED], added[FC_SCATTERED];
    ptrdiff_t offsets[FC_MAX_PIXELS], at = done / cols * (cols + others) + done % cols, left = cols - done % cols;
    struct fc_epilogue *e = &tile->epilogue;
    char *const out = e->out;
    const char *const residual = e->residual;
    const ptrdiff_t out_stride = e->out_stride, residual_stride = e->residual_stride;
    for (ptrdiff_t i = 0; i < n; i++) {
        offsets[i] = at++;
        if (--left == 0) {
            at += others;
            left = cols;
        }
    }
    e->out = values;
    e->out_stride = nbytes;
    if (residual) {
        for (ptrdiff_t i = 0; i < n; i++) memcpy(added + i * nbytes, residual + offsets[i] * residual_stride, nbytes);
        e->residual = added;
        e->residual_stride = nbytes;
    }
    kernel(tile);
    for (ptrdiff_t i = 0; i < n; i++) memcpy(out + offsets[i] * out_stride, values + i * nbytes, nbytes);
    e->out = out;
    e->out_stride = out_stride;
    e->residual = residual;
    e->residual_stride = residual_stride;
}
