/* All micro-kernels of one instruction set for one element type: T, called TYPE; see kernels_isa.h for the rest. Macros
 * here and in the headers of the tiles say the same for every type, and so may be defined again. */
#include "vector.h"

/* The function `name`, a `tile` whose first arguments are these literals. */
#define KERNEL(name, args, tile, ...)             \
    static void NAMED(name)(const struct args *t) \
    {                                             \
        NAMED(tile)(__VA_ARGS__, t);              \
    }
/* The same for a tile that goes along a run of `count` pixels, from each to the next of which there are `step` bytes.
 */
#define KERNEL_OF_RUNS(name, tile, ...)                                                    \
    static void NAMED(name)(const struct fc_conv_args *t, ptrdiff_t step, ptrdiff_t count) \
    {                                                                                      \
        NAMED(tile)(__VA_ARGS__, t, step, count);                                          \
    }
/* And in a table of functions. */
#define ENTRY(name, ...) NAMED(name),

#include "conv_tile.h"
#include "grouped_tile.h"
#include "plane_tile.h"
#include "pool_tile.h"
#include "blend_tile.h"
#include "elementwise_tile.h"
#include "normalize_tile.h"
#include "softmax_tile.h"
#include "channels_tile.h"
#include "place_tile.h"
#include "instances_tile.h"
#include "transpose.h"
#include "few_tile.h"
#include "split_tile.h"
#include "narrow_tile.h"
#include "winograd_axis.h"
#include "winograd_weights.h"
#include "winograd_line.h"
#include "winograd_input.h"
#include "winograd_direct.h"
#include "winograd_tile.h"
#include "fip_tile.h"

/* The families of kernels, each with its name, pixels x vectors, pixels x width of the groups or pixels x taps by step:
 * F is KERNEL or KERNEL_OF_RUNS for the functions, or the ENTRY of one in the table. */
#define CONV(F, pixels, vectors) F(conv_##pixels##x##vectors##v, fc_conv_args, conv_tile, pixels, vectors, 0)
#define CONV_PREFETCHING(F, pixels, vectors) \
    F(conv_prefetching_##pixels##x##vectors##v, fc_conv_args, conv_tile, pixels, vectors, 1)
#define CONV_KEEPING(F, pixels, vectors) \
    F(conv_keeping_##pixels##x##vectors##v, fc_conv_args, conv_tile, pixels, vectors, 2)
#define GROUPED(F, pixels, width) F(grouped_##pixels##x##width, fc_conv_args, grouped_tile, pixels, width)
#define ROW_3(F, pixels, step) F(row_##pixels##x3by##step, fc_conv_args, row_tile, pixels, 3, step)
#define ROW_5(F, pixels, step) F(row_##pixels##x5by##step, fc_conv_args, row_tile, pixels, 5, step)
#define PLANES(F, rows, vectors) F(planes_##rows##x##vectors##v, fc_plane_args, plane_tile, rows, vectors)
#define PLANES_TAIL(F, pixels, _) F(planes_tail_##pixels, fc_plane_args, plane_tail, pixels)
#define FIP(F, pixels, _) F(fip_##pixels##x2v, fc_fip_args, fip_tile, pixels)
#define FEW(F, columns, _) F(few_##columns, few_tile, columns)
#define SPLIT(F, columns, sets) F(split_##columns##x##sets##v, split_tile, columns, sets)
#define NARROW(F, pixels, columns, vectors) F(narrow_##pixels##x##columns, narrow_tile, vectors)
#define FEW_ENTRY(name, tile, columns) columns < LANES ? NAMED(name) : NULL,
/* Columns of one block of weights. */
#define SPLIT_ENTRY(name, tile, columns, sets) columns <= 2 * LANES ? NAMED(name) : NULL,
#define FUNCTION_ENTRY(name) {#name, NAMED(map_##name)},

FOR_PIXELS(CONV, KERNEL, 1)
FOR_PIXELS(CONV, KERNEL, 2)
FOR_PIXELS(CONV_PREFETCHING, KERNEL, 2)
#ifdef KEEPS_SUMS
FOR_PIXELS(CONV_KEEPING, KERNEL, 2)
#endif
FOR_PIXELS(GROUPED, KERNEL, 1)
FOR_PIXELS(GROUPED, KERNEL, 4)
FOR_PIXELS(ROW_3, KERNEL, 1)
FOR_PIXELS(ROW_3, KERNEL, 2)
FOR_PIXELS(ROW_5, KERNEL, 1)
FOR_PIXELS(ROW_5, KERNEL, 2)
FOR_PIXELS(PLANES, KERNEL, 1)
FOR_PIXELS(PLANES, KERNEL, 2)
FOR_PIXELS_4(PLANES_TAIL, KERNEL, )
FOR_FIP_PIXELS(FIP, KERNEL, )
#ifdef ROWS16
FOR_8(FEW, KERNEL_OF_RUNS, )
FOR_SPLIT(SPLIT, KERNEL_OF_RUNS)
#endif
#ifdef NARROW_SUMS
NARROW(KERNEL_OF_RUNS, 8, 4, 0)
NARROW(KERNEL_OF_RUNS, 8, 1v, 1)
NARROW(KERNEL_OF_RUNS, 4, 2v, 2)
#endif

static const struct fc_fip_kernels NAMED(fip) = {
    .max_pixels = FIP_PIXELS,
    .pack = NAMED(fip_pack),
    .tile = {FOR_FIP_PIXELS(FIP, ENTRY, )},
    .direct = NAMED(fip_direct),
};

const struct fc_kernels NAMED(kernels) = {
    .lanes = LANES,
    .max_pixels = MAX_PIXELS,
    .conv = {{FOR_PIXELS(CONV, ENTRY, 1)}, {FOR_PIXELS(CONV, ENTRY, 2)}},
    .conv_prefetching = {FOR_PIXELS(CONV_PREFETCHING, ENTRY, 2)},
#ifdef KEEPS_SUMS
    .conv_keeping = {FOR_PIXELS(CONV_KEEPING, ENTRY, 2)},
#endif
    .grouped = {{FOR_PIXELS(GROUPED, ENTRY, 1)}, {FOR_PIXELS(GROUPED, ENTRY, 4)}},
    .row = {{{FOR_PIXELS(ROW_3, ENTRY, 1)}, {FOR_PIXELS(ROW_3, ENTRY, 2)}},
            {{FOR_PIXELS(ROW_5, ENTRY, 1)}, {FOR_PIXELS(ROW_5, ENTRY, 2)}}},
    .planes = {{FOR_PIXELS(PLANES, ENTRY, 1)}, {FOR_PIXELS(PLANES, ENTRY, 2)}},
    .planes_tail = {FOR_PIXELS_4(PLANES_TAIL, ENTRY, )},
#ifdef ROWS16
    .few = {FOR_8(FEW, FEW_ENTRY, )},
    .split_tile = {FOR_SPLIT(SPLIT, SPLIT_ENTRY)},
#endif
#ifdef NARROW_SUMS
    .narrow = {SIDE == 4 ? NAMED(narrow_8x4) : NULL, NAMED(narrow_8x1v), NAMED(narrow_4x2v)},
#endif
    .transpose = {NAMED(transpose_cached), NAMED(transpose_nontemporal)},
    .split = NAMED(split),
    .join = NAMED(join),
    .pool_max = NAMED(pool_max),
    .pool_average = NAMED(pool_average),
    .blend = NAMED(blend),
    .functions = {FC_FUNCTIONS(FUNCTION_ENTRY)},
    .winograd = &NAMED(winograd),
    .fip = &NAMED(fip),
};

#undef SQUARES_RANGE
#undef MANTISSA
#undef BITS
#undef SUFFIX
#undef PERMUTE
#undef FMA
#undef TYPE
#undef T
