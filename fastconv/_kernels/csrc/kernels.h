/* What the framework knows of the micro-kernels: one tile of work, and the kernels of each instruction set. */
#pragma once
#include "epilogue.h"
#include "fip.h"
#include "sizes.h"
#include "nontemporal.h"
#include "winograd.h"
#include <stddef.h>

enum { FC_MAX_ROW_TAPS = 5 }; /* the row tiles are for kernels 3 and 5 wide */

/* Some output pixels times some output channels (columns). Lengths, strides and offsets are in bytes. */
struct fc_conv_args {
    const char *const *pixels; /* where each pixel's input begins */
    const ptrdiff_t *segments; /* where, from there, each contiguous run of its input values begins */
    ptrdiff_t n_segments;
    ptrdiff_t length;    /* of a segment */
    ptrdiff_t tap;       /* from a tap to the next in a segment of the grouped tiles, a channel's in split rows */
    const void *weights; /* packed [block][segment][value][column], whole vectors of columns */
    ptrdiff_t gap;       /* of the weights after each segment: those of columns of the kernel that are left out */
    ptrdiff_t ahead;     /* how far beyond the weights in use those lie that a prefetching tile prefetches */
    ptrdiff_t skipped;   /* of the weights after each block: those of segments that are left out */
    ptrdiff_t columns;   /* to compute and store: some full blocks of the tile, or less than one */
    struct fc_epilogue epilogue;
    char *kept;          /* of a keeping tile, whole vectors for each pixel: sums of the segments before */
    int resumes, pauses; /* it begins with what is kept instead of the bias; it keeps its sums and stores nothing */
};

/* Terms in one chain of the direct convolution: fewer would cost more than a hundredth of the time. */
enum { FC_SUM_TERMS = 256 };

enum {
    FC_STEPS = 4,      /* terms in one turn of the reduction's loop: the processor foresees where few turns end */
    FC_PREFETCHING = 4 /* tiles that share in prefetching weights ahead, each as even a part of every turn's */
};

typedef void (*fc_conv_kernel)(const struct fc_conv_args *);

enum {
    FC_MAX_FEW = 8,   /* columns that are few */
    FC_FEW_BYTES = 16 /* of a pixel, that their tile reads at once */
};

/* The same for few columns and a run of pixels: pixels[0] is the first, the next is `step` bytes on. There must be
 * `lanes` of them, and segments of FC_FEW_BYTES, unless there is but one. */
typedef void (*fc_few_kernel)(const struct fc_conv_args *, ptrdiff_t step, ptrdiff_t count);

enum { FC_MAX_SPLIT = 12 }; /* columns of the tile that reads split rows */

enum {
    FC_NARROW_TERMS = 256, /* of a sum of a narrow 1×1, at most */
    FC_NARROW_PIXELS = 8   /* of a run that its tiles take, at least */
};

enum { FC_MAX_TAIL = 4 };

/* Some output channels (rows) times some output pixels (columns) of a 1×1 convolution in layout NCHW. */
struct fc_plane_args {
    const void *weights; /* packed [channel][row] */
    ptrdiff_t rows;
    ptrdiff_t columns; /* full panels, or at most FC_MAX_TAIL */
    ptrdiff_t channels;
    const char *x;               /* the pixels of the first channel */
    ptrdiff_t plane_stride;      /* to those of the next channel */
    ptrdiff_t panel_stride;      /* to the next panel */
    char *copy;                  /* where to copy the panels, [panel][channel][pixel], or NULL */
    struct fc_epilogue epilogue; /* of which a pixel is a row here; without slopes */
};

typedef void (*fc_planes_kernel)(const struct fc_plane_args *);

/* Writes a block of `lanes` rows and columns, transposed, to the target. Rows are `…_stride` bytes apart. */
typedef void (*fc_transpose_kernel)(const char *source, ptrdiff_t source_stride, char *target, ptrdiff_t target_stride);

/* The channels of `count` pixels, `step` bytes apart, to planes; from planes to pixels side by side. */
typedef void (*fc_split_kernel)(const char *x, ptrdiff_t step, ptrdiff_t count, ptrdiff_t channels, char *out,
                                ptrdiff_t plane);
typedef void (*fc_join_kernel)(const char *x, ptrdiff_t plane, ptrdiff_t count, ptrdiff_t channels, char *out);

/* Output pixels side by side of a pooling, whose windows are clipped alike. Strides are in bytes. */
struct fc_pool_args {
    const char *x;           /* the first value of the first window */
    ptrdiff_t rows, columns; /* of a window */
    ptrdiff_t row_stride;    /* of x */
    ptrdiff_t column_stride; /* of x */
    ptrdiff_t step;          /* from a window to the next */
    ptrdiff_t pixels;
    ptrdiff_t channels;
    double count; /* that the sums of averages are divided by */
    char *out;
    ptrdiff_t out_stride;
};

typedef void (*fc_pool_kernel)(const struct fc_pool_args *);

/* Pixels side by side, each a sum of two others. */
struct fc_blend_args {
    const char *x;
    const ptrdiff_t *places; /* from there, in bytes, of both */
    const char *shares;      /* the values that they are multiplied by */
    char *out;
    ptrdiff_t out_stride, pixels, channels;
};

typedef void (*fc_blend_kernel)(const struct fc_blend_args *);

/* The functions of maps: f of each value, those of all channels of a pixel, and of all pixels of a channel. */
#define FC_LINEAR(F) F(copy) F(fill) F(add) F(mul) F(scale) F(leaky_relu) F(prelu) F(hard_sigmoid) F(hard_swish)
#define FC_ARITHMETIC(F) F(sub) F(rsub) F(div) F(rdiv) F(maximum) F(minimum) F(abs) F(sqrt)
#define FC_EXPONENTIAL(F) F(sigmoid) F(swish) F(tanh) F(elu) F(softplus) F(mish) F(gelu_tanh)
#define FC_TRANSCENDENTAL(F) F(exp) F(log) F(erf) F(gelu) F(celu)
#define FC_ELEMENTWISE(F) FC_LINEAR(F) FC_ARITHMETIC(F) FC_EXPONENTIAL(F) FC_TRANSCENDENTAL(F)
#define FC_OF_POWERS(F) F(softmax) F(softmax_few) F(softmax_of_scores) F(softmax_along)
#define FC_SOFTMAX(F) FC_OF_POWERS(F) F(log_softmax) F(log_softmax_few) F(log_softmax_along)
#define FC_CHANNELS(F) FC_SOFTMAX(F) F(lrn) F(layer_norm) F(channel_mean) F(channel_max) F(spread)
#define FC_PLACES(F) F(arg_max) F(arg_min)
#define FC_FUNCTIONS(F) FC_ELEMENTWISE(F) FC_CHANNELS(F) FC_PLACES(F) F(group_norm)
#define FC_ENUMERATOR(name) FC_##name,
enum { FC_FUNCTIONS(FC_ENUMERATOR) FC_FUNCTION_COUNT };
enum { FC_SUMS, FC_SQUARES, FC_NORMAL }; /* the passes of a norm of groups */
enum { FC_FEW_CHANNELS = 8 };            /* of the softmax, at most, that has pixels as lanes */

/* Pixels side by side, of which a function is computed. Strides are in bytes. */
struct fc_map_args {
    const char *x;
    const char *y, *z;                        /* a second map, or values for each channel; any place where unused */
    char *out;                                /* may be x where f is of each value */
    ptrdiff_t x_stride, y_stride, out_stride; /* from a pixel to the next */
    ptrdiff_t pixels, channels;
    double numbers[3];       /* slope; slope, offset; alpha, gain; alpha, beta, k; epsilon; divisor */
    double lo, hi;           /* what f of each value is clipped to */
    ptrdiff_t before, after; /* channels in a sum of the local response normalisation; in a group */
    char *work; /* the former: as many values, those of a pixel and two vectors; the latter: see its head */
};

typedef void (*fc_map_kernel)(const struct fc_map_args *);

struct fc_function {
    const char *name;
    fc_map_kernel kernel;
};

/* The kernels for one element type, and the sizes that the loops around them need. */
struct fc_kernels {
    int lanes;                                              /* columns in one vector */
    int max_pixels;                                         /* in a tile */
    fc_conv_kernel conv[FC_MAX_VECTORS][FC_MAX_PIXELS];     /* [vectors - 1][pixels - 1] */
    fc_conv_kernel conv_prefetching[FC_MAX_PIXELS];         /* [pixels - 1], of FC_MAX_VECTORS vectors */
    fc_conv_kernel conv_keeping[FC_MAX_PIXELS];             /* the same, which prefetch too; NULL: none */
    fc_conv_kernel grouped[2][FC_MAX_PIXELS];               /* [groups of four][pixels - 1] */
    fc_conv_kernel row[2][2][FC_MAX_PIXELS];                /* [3 or 5 taps][step - 1][pixels - 1] */
    fc_few_kernel few[FC_MAX_FEW];                          /* [columns - 1]; NULL where they fill a vector */
    fc_few_kernel split_tile[FC_MAX_SPLIT];                 /* the same over split rows; NULL: none */
    fc_few_kernel narrow[3];                                /* 1×1s to half a vector, one, two of columns; NULL: none */
    fc_planes_kernel planes[FC_MAX_VECTORS][FC_MAX_PIXELS]; /* [vectors - 1][rows - 1] */
    fc_planes_kernel planes_tail[FC_MAX_TAIL];              /* [pixels - 1] */
    fc_transpose_kernel transpose[2];                       /* [whether past the caches, to whole lines] */
    fc_split_kernel split;
    fc_join_kernel join;
    fc_pool_kernel pool_max, pool_average;
    fc_blend_kernel blend;
    struct fc_function functions[FC_FUNCTION_COUNT];
    const struct fc_winograd_kernels *winograd;
    const struct fc_fip_kernels *fip;
};

/* Multiply-adds at full speed; returns the float32 operations in one round. */
typedef int (*fc_peak_kernel)(long rounds);

struct fc_isa {
    const char *name;                    /* what FASTCONV_ISA takes */
    int (*is_available)(void);           /* CPU and operating system both support it */
    const struct fc_kernels *kernels[2]; /* float32, float64 */
    fc_peak_kernel peak;
    int (*has_adders)(void); /* beside the multiply-add units, so that fast inner products are faster than direct */
};

/* Slowest first; the first is portable and always available. Ends with a name of NULL. */
extern const struct fc_isa fc_isas[];
