/* What the framework knows of Winograd's kernels. Lengths, strides and offsets in memory are in bytes. */
#ifndef FASTCONV_WINOGRAD_H
#define FASTCONV_WINOGRAD_H
#include <stddef.h>

enum { FC_MAX_NODES = 2, FC_MAX_POINTS = 2 * FC_MAX_NODES + 2, FC_MAX_OUTPUTS = 4 };

/* A transform with the points 0, ±node[0], …, ∞; winograd_tile.h says what the constants are. */
struct fc_winograd {
    int nodes, points, outputs; /* points = 2·nodes + 2 of an axis; values of an axis of a tile */
    double powers[FC_MAX_OUTPUTS][FC_MAX_NODES], pairs[FC_MAX_NODES][FC_MAX_NODES - 1], ends[FC_MAX_NODES];
};

/* A patch of points × points pixels to transform. */
struct fc_patch {
    const struct fc_winograd *transform;
    const char *const *pixels; /* row by row, where each pixel's channels begin */
    ptrdiff_t channels;
    char *out; /* [point], whole vectors of channels */
    ptrdiff_t point_stride;
    double most; /* the largest sum of squares for which nothing overflows */
};

/* Rows of channels, one of each tile, times the weights of one point. */
struct fc_product {
    const char *rows;
    ptrdiff_t row_stride;
    ptrdiff_t length;    /* of a row */
    const void *weights; /* packed [channel][column], whole vectors of columns */
    ptrdiff_t ahead;     /* how far behind them the weights lie that are needed next; 0: those are in cache */
    char *out;
    ptrdiff_t out_stride;
};

/* A tile of output to make from its sums or, with the patch and the weights, directly. */
struct fc_result {
    const struct fc_winograd *transform;
    const char *sums; /* [point][column], FC_MAX_VECTORS vectors of columns */
    const void *bias; /* padded to whole vectors */
    const char *residual;
    ptrdiff_t residual_stride, residual_row; /* from a pixel to the next, from a row of pixels to the next */
    char *out;
    ptrdiff_t out_stride, out_row;
    ptrdiff_t columns;
    int rows, cols; /* of the tile inside the map */
    int relu;
    const char *weights;     /* HWIO, from the first column on */
    ptrdiff_t weight_stride; /* from an input channel to the next */
};

struct fc_winograd_kernels {
    int (*input[FC_MAX_NODES])(const struct fc_patch *); /* [nodes - 1]; whether nothing can overflow */
    void (*product[2][12])(const struct fc_product *);   /* [vectors - 1][tiles - 1] */
    void (*output[FC_MAX_NODES][FC_MAX_OUTPUTS / 2])(const struct fc_result *); /* [nodes - 1][outputs / 2 - 1] */
    void (*direct)(const struct fc_patch *, const struct fc_result *);
};

#endif
