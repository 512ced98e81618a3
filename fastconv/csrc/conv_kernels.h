/* What the framework knows of the direct kernels: one tile of work, and a table for each type and instruction set. */
#ifndef FASTCONV_CONV_KERNELS_H
#define FASTCONV_CONV_KERNELS_H
#include <stddef.h>

enum { FC_MAX_PIXELS = 12, FC_MAX_VECTORS = 2 };

/* Some output pixels times some output channels (columns). Lengths, strides and offsets are in bytes. */
struct fc_tile {
    const char *const *pixels; /* where each pixel's input begins */
    const ptrdiff_t *segments; /* where, from there, each contiguous run of its input values begins */
    ptrdiff_t n_segments;
    ptrdiff_t length;          /* of a segment */
    const void *weights;       /* packed [segment][value][column], whole vectors of columns */
    const void *bias;          /* a value for each column, padded to whole vectors */
    const char *residual;      /* added before the activation, or NULL */
    ptrdiff_t residual_stride; /* from a pixel to the next */
    char *out;
    ptrdiff_t out_stride;
    ptrdiff_t columns; /* columns to store */
    int relu;
};

typedef void (*fc_tile_kernel)(const struct fc_tile *);

struct fc_conv_kernels {
    int lanes; /* columns in one vector */
    int max_pixels;
    fc_tile_kernel kernel[FC_MAX_VECTORS][FC_MAX_PIXELS]; /* [vectors - 1][pixels - 1] */
};

#endif
