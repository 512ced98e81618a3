/* What the framework knows of Winograd's kernels. Lengths, strides and offsets in memory are in bytes. */
#pragma once
#include "epilogue.h"
#include "sizes.h"
#include <stddef.h>

enum { FC_MAX_NODES = 2, FC_MAX_POINTS = 2 * FC_MAX_NODES + 2, FC_MAX_OUTPUTS = 4, FC_MAX_TAPS = 5 };

/* Tiles side by side that are transformed together, and the columns of pixels that they see: more columns would be
 * shared by more tiles, whose points would be stored faster than L2 takes them, one line in four cycles. */
enum { FC_MAX_RUN = 3, FC_MAX_COLUMNS = FC_MAX_POINTS + (FC_MAX_RUN - 1) * FC_MAX_OUTPUTS };

/* A transform of an axis with the points 0, ±node[0], …, ∞; winograd_axis.h says what the constants are. */
struct fc_winograd {
    int nodes, points, outputs; /* points = 2·nodes + 2; values of a tile */
    double powers[FC_MAX_OUTPUTS][FC_MAX_NODES], pairs[FC_MAX_NODES][FC_MAX_NODES - 1], ends[FC_MAX_NODES];
    double scales[FC_MAX_NODES + 1]; /* of the rows for 0 and each pair; read where nodes is 1 */
};

/* A tile's transforms along its columns (over rows) and along its rows (over columns); a short one, which goes with a
 * full one of more points, leaves out the last pair of those: lines of `points` stay numbered as in the full one. */
struct fc_axes {
    const struct fc_winograd *rows, *cols;
    int points; /* of the full transform of an axis */
};

/* The taps of a kernel that are multiplied for a value: the others lie in the padding. */
struct fc_window {
    int first_row, end_row, first_col, end_col;
};

/* Channels whose products are one chain of a sum, short because the output transform magnifies its rounding; their
 * values of a tile lie together. */
enum { FC_CHUNK = 16 };

/* How far the norm of what an output sees may lie below that of what reaches it through the transforms. */
enum { FC_RANGE = 16 };

/* Outputs of a tile that are computed directly, a bit for each of FC_MAX_OUTPUTS × FC_MAX_OUTPUTS, row by row; and
 * those that see zeros alone, where all weights are finite. */
enum { FC_ALL_OUTPUTS = 0xffff };
struct fc_direct {
    unsigned short outputs, zeros;
};

/* Patches of pixels to transform: those of tiles side by side. */
struct fc_input_args {
    struct fc_axes axes;
    const char *const *pixels; /* column by column, where each pixel's channels begin */
    int tiles;
    ptrdiff_t channels;
    ptrdiff_t ahead; /* how far behind the pixels those of the next run lie, if they are to be prefetched; 0 */
    char *out;       /* [point][chunk][tile][FC_CHUNK channels] */
    ptrdiff_t point_stride, chunk_stride;
    double max_squares;       /* the largest sum of squares of a patch for which nothing overflows */
    struct fc_direct *direct; /* for each tile */
    struct fc_window windows[FC_MAX_OUTPUTS][FC_MAX_OUTPUTS]; /* of the values of a tile that is computed directly */
};

/* Weights of some input channels and a block of columns, to be transformed and packed. */
struct fc_weights_args {
    double rows[FC_MAX_NODES + 1][FC_MAX_TAPS]; /* of G, for 0 and each node */
    const char *taps;                           /* HWIO, from the first channel and column on */
    ptrdiff_t tap_stride, channel_stride;       /* from a tap of the kernel to the next, from a channel to the next */
    ptrdiff_t channels, columns;
    char *out; /* [point][channel][column], whole vectors of columns, zeros in the missing ones */
    ptrdiff_t point_stride;
    double *sums; /* of absolute weights, for each column of whole vectors */
};

typedef void (*fc_weights_kernel)(const struct fc_weights_args *);

/* Weights of some channels and a block of columns, to be transformed at one line of points. */
struct fc_line_args {
    double rows[FC_MAX_NODES + 1][FC_MAX_TAPS]; /* as in fc_weights_args */
    const char *taps;                           /* [channel][tap][column], whole vectors of columns */
    ptrdiff_t channels;
    ptrdiff_t ahead; /* how far behind the taps those lie that are prefetched, a share of them with each line */
    int vectors, line;
    char *out; /* [point of the line][channel][column] */
    ptrdiff_t point_stride;
};

/* The channels of some tiles times the weights of one point, or of some points in a line. */
struct fc_product_args {
    const char *values; /* [chunk][tile][FC_CHUNK channels] */
    ptrdiff_t chunk_stride, channels;
    const char *weights; /* packed [channel][column], whole vectors of columns */
    int points;
    ptrdiff_t point_stride, weight_stride; /* of values and weights, from a point to the next */
    const char *next;                      /* weights that are needed next */
    ptrdiff_t values_ahead;                /* how far from the last point's values those lie that are needed next */
    int prefetched;                        /* vectors of those to prefetch with each channel: 0, 1 or 2 */
    int adds;                              /* whether the products are added to what `out` has */
    char *out;                             /* [tile][point][column], FC_MAX_VECTORS vectors of columns */
    ptrdiff_t out_stride;
};

/* A tile of output to make from its sums or, with the patch and the weights, directly. */
struct fc_output_args {
    struct fc_axes axes;
    const char *sums; /* [point][column], FC_MAX_VECTORS vectors of columns */
    struct fc_epilogue epilogue;
    ptrdiff_t residual_row, out_row; /* from a row of pixels to the next */
    ptrdiff_t columns;
    int rows, cols;          /* of the tile inside the map */
    int nontemporal;         /* whether whole vectors go past the caches, where they are whole cache lines */
    const char *weights;     /* HWIO, from the first column on */
    ptrdiff_t weight_stride; /* from an input channel to the next */
};

struct fc_winograd_kernels {
    fc_weights_kernel weights[2][FC_MAX_NODES]; /* [kernel is 5×5][nodes - 1] */
    void (*line)(const struct fc_line_args *);  /* of F(4×4, 3×3) */
    /* [kernel is 5×5][nodes of rows - 1][nodes of cols - 1] */
    void (*input[2][FC_MAX_NODES][FC_MAX_NODES])(const struct fc_input_args *);
    void (*output[2][FC_MAX_NODES][FC_MAX_NODES])(const struct fc_output_args *);
    void (*product[FC_MAX_VECTORS][FC_MAX_PIXELS])(const struct fc_product_args *); /* [vectors - 1][tiles - 1] */
    void (*direct)(const struct fc_input_args *, const struct fc_output_args *);
};
