/* What the framework knows of the kernels of fast inner products, which fip_tile.h has. */
#pragma once
#include "epilogue.h"
#include "sizes.h"

enum {
    FC_FIP_LANES = 16,               /* of a block: that many pairs, and as many channels by themselves */
    FC_FIP_BLOCK = 3 * FC_FIP_LANES, /* channels; the last block of all may have fewer */
    FC_FIP_STEPS = 5 * FC_FIP_LANES, /* of a chunk, at most, three channels each */
    FC_FIP_ROW = 3 * FC_FIP_STEPS,   /* values of a pixel in a chunk: the first of each pair, the second, the others */
    FC_FIP_WEIGHTS = 3 *
        FC_MAX_VECTORS /* vectors in a step: beside the first of a pair, beside the second, the others */
};

/* The input of one pixel, to be packed. Strides and offsets are in bytes. */
struct fc_fip_pack_args {
    const char *x; /* its channels */
    ptrdiff_t channels, chunks;
    const void *equalizers; /* a power of two, or 0, for each channel */
    char *rows;             /* that of the first chunk */
    ptrdiff_t row_stride;   /* to that of the next chunk */
    char *sums;             /* of the first chunk: −Σ of the products of its pairs */
    ptrdiff_t sum_stride;
    void *scale; /* what its sums are to be multiplied by; 0: it has zeros alone; FC_FIP_DIRECT: compute it directly */
};

enum { FC_FIP_DIRECT = -1 }; /* a scale that is none */

/* One chunk of some pixels times two vectors of columns; after the last chunk the results are stored. */
struct fc_fip_args {
    const char *rows;     /* of the first pixel, FC_FIP_ROW values each */
    const char *row_sums; /* a value for each pixel */
    const void *weights;  /* [step][FC_FIP_WEIGHTS][column] */
    const void *weight_sums;
    ptrdiff_t steps;
    const char *ahead;    /* a cache line is prefetched in every step: the first, */
    ptrdiff_t ahead_step; /* and how far the next one is from it */
    char *sums;           /* [pixel][column] of the chunks before */
    int is_first, is_last;
    const void *scales; /* of the pixels, */
    const void *column_scales;
    ptrdiff_t columns; /* to store: two vectors, or less */
    struct fc_epilogue epilogue;
};

/* One pixel by itself, directly: some columns, two vectors at most. */
struct fc_fip_direct_args {
    const char *x;
    ptrdiff_t channels;
    const char *weights; /* as they are, [channel][column] */
    ptrdiff_t weight_stride, columns;
    struct fc_epilogue epilogue;
};

typedef int (*fc_fip_pack_kernel)(const struct fc_fip_pack_args *); /* whether the pixel is to be computed directly */
typedef void (*fc_fip_kernel)(const struct fc_fip_args *);
typedef void (*fc_fip_direct_kernel)(const struct fc_fip_direct_args *);

struct fc_fip_kernels {
    int max_pixels; /* in a tile */
    fc_fip_pack_kernel pack;
    fc_fip_kernel tile[FC_MAX_PIXELS]; /* [pixels - 1] */
    fc_fip_direct_kernel direct;
};

/* Where a chunk begins, in blocks of channels; they are as even as can be. */
static inline ptrdiff_t fc_fip_first_block(ptrdiff_t chunk, ptrdiff_t chunks, ptrdiff_t channels)
{
    return (channels + FC_FIP_BLOCK - 1) / FC_FIP_BLOCK * chunk / chunks;
}

/* From a channel of a step to the next of its three, in a block that begins at this channel. */
static inline ptrdiff_t fc_fip_distance(ptrdiff_t first, ptrdiff_t channels)
{
    const ptrdiff_t left = channels - first;
    return left < FC_FIP_BLOCK ? (left + 2) / 3 : FC_FIP_LANES;
}
