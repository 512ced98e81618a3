/* All micro-kernels of one instruction set for one element type: T, called TYPE; see kernels_isa.h for the rest. Macros
 * here and in the headers of the tiles say the same for every type, and so may be defined again. */
#define PASTE5_(a, b, c, d, e) a##b##c##d##e
#define PASTE5(a, b, c, d, e) PASTE5_(a, b, c, d, e)
#define NAMED(name) PASTE5(TYPE, _, name, __, ISA)

/* The function `name`, a `tile` whose first arguments are these literals. */
#define KERNEL(name, args, tile, ...)             \
    static void NAMED(name)(const struct args *t) \
    {                                             \
        NAMED(tile)(__VA_ARGS__, t);              \
    }

/* An intrinsic for T, by its name without the suffix. */
#define OF_TYPE(intrinsic) PASTE5(intrinsic, _, SUFFIX, , )

#define LANES ((int)(VECTOR_BYTES / sizeof(T)))
#define SIDE (16 / (int)sizeof(T)) /* values in 16 bytes */
#define VECTOR NAMED(vector)

/* Aligned as one element only: the compiler then emits unaligned moves, which cost nothing on aligned data. */
typedef T VECTOR __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(T)), may_alias));
typedef __typeof__((VECTOR){0} < (VECTOR){0}) NAMED(mask);

/* acc += x * w, rounded once where the instruction set can, in the register where acc is: left to itself, gcc moves
 * accumulators about and spills one. */
INLINE void NAMED(fma)(VECTOR *acc, VECTOR x, VECTOR w)
{
#ifdef __FMA__
    __asm__(FMA " %2, %1, %0" : "+v"(*acc) : "v"(x), "v"(w));
#else
    *acc += x * w;
#endif
}

/* A vector that is loaded once for several uses: left to itself, gcc loads it again for some of them. */
INLINE VECTOR NAMED(load_once)(const void *from)
{
    VECTOR v = *(const VECTOR *)from;
#ifdef __FMA__
    __asm__("" : "+v"(v));
#endif
    return v;
}

/* The bounds of an activation in all lanes. */
struct NAMED(bounds) {
    VECTOR lo, hi;
};

INLINE struct NAMED(bounds) NAMED(bounds)(const struct fc_epilogue *e)
{
    return (struct NAMED(bounds)){(T)e->lo - (VECTOR){0}, (T)e->hi - (VECTOR){0}};
}

/* The activation. The instructions of x86 give their second operand where the first is not above, or below, it. */
INLINE VECTOR NAMED(clip)(const enum fc_bounds applied, VECTOR v, struct NAMED(bounds) b)
{
#ifdef MM
    if (applied >= FC_LOW) v = OF_TYPE(MM(max))(b.lo, v);
    if (applied == FC_BOTH) v = OF_TYPE(MM(min))(b.hi, v);
#else
    NAMED(mask) beyond = v < b.lo;
    if (applied >= FC_LOW) v = (VECTOR)(((NAMED(mask))b.lo & beyond) | ((NAMED(mask))v & ~beyond));
    beyond = b.hi < v;
    if (applied == FC_BOTH) v = (VECTOR)(((NAMED(mask))b.hi & beyond) | ((NAMED(mask))v & ~beyond));
#endif
    return v;
}

/* The same for one value. */
INLINE T NAMED(clip_value)(T v, const struct fc_epilogue *e)
{
    const T lo = (T)e->lo, hi = (T)e->hi;
    v = v < lo ? lo : v;
    return v > hi ? hi : v;
}

/* The first `count` values of a vector, fewer than all, in moves of a half, a quarter, …: a loop, or a call of memcpy,
 * takes longer than the sums of a layer of few channels. */
INLINE void NAMED(copy_tail)(char *to, const char *from, ptrdiff_t count)
{
    UNROLL
    for (int n = LANES / 2; n > 0; n /= 2) {
        if (count & n) {
            memcpy(to, from, n * sizeof(T));
            to += n * sizeof(T);
            from += n * sizeof(T);
        }
    }
}

/* The first `count` values; the other lanes are 0. */
INLINE VECTOR NAMED(load_copied)(const char *from, ptrdiff_t count)
{
    VECTOR v = {0};
    NAMED(copy_tail)((char *)&v, from, count);
    return v;
}

/* Whole vectors, or the first `count` values of one: nothing is read or written beyond them. */
INLINE VECTOR NAMED(load_tail)(const char *from, ptrdiff_t count)
{
    if (count < LANES) return LOAD_FIRST(from, count);
    return *(const VECTOR *)from;
}

INLINE void NAMED(store_tail)(char *to, VECTOR v, ptrdiff_t count)
{
    if (count >= LANES)
        *(VECTOR *)to = v;
    else
        NAMED(copy_tail)(to, (const char *)&v, count);
}

#include "conv_tile.h"
#include "grouped_tile.h"
#include "plane_tile.h"
#include "pool_tile.h"
#include "elementwise_tile.h"
#include "normalize_tile.h"
#include "transpose.h"
#include "few_tile.h"
#include "narrow_tile.h"
#include "winograd_axis.h"
#include "winograd_weights.h"
#include "winograd_input.h"
#include "winograd_direct.h"
#include "winograd_tile.h"

/* One function for each size of tile, named by pixels x vectors, pixels x width of the groups, or pixels x taps by
 * step, and the table of them. */
#define CONV(pixels, vectors) KERNEL(conv_##pixels##x##vectors##v, fc_conv_args, conv_tile, pixels, vectors, 0)
#define CONV_PREFETCHING(pixels, vectors) \
    KERNEL(conv_prefetching_##pixels##x##vectors##v, fc_conv_args, conv_tile, pixels, vectors, 1)
#define GROUPED(pixels, width) KERNEL(grouped_##pixels##x##width, fc_conv_args, grouped_tile, pixels, width)
#define ROW_3(pixels, step) KERNEL(row_##pixels##x3by##step, fc_conv_args, row_tile, pixels, 3, step)
#define ROW_5(pixels, step) KERNEL(row_##pixels##x5by##step, fc_conv_args, row_tile, pixels, 5, step)
#define PLANES(rows, vectors) KERNEL(planes_##rows##x##vectors##v, fc_plane_args, plane_tile, rows, vectors)
#define PLANES_TAIL(pixels, _) KERNEL(planes_tail_##pixels, fc_plane_args, plane_tail, pixels)
#define FEW(columns, _)                                                                             \
    static void NAMED(few_##columns)(const struct fc_conv_args *t, ptrdiff_t step, ptrdiff_t count) \
    {                                                                                               \
        NAMED(few_tile)(columns, t, step, count);                                                   \
    }
#define NARROW(pixels, columns, vectors)                                                                          \
    static void NAMED(narrow_##pixels##x##columns)(const struct fc_conv_args *t, ptrdiff_t step, ptrdiff_t count) \
    {                                                                                                             \
        NAMED(narrow_tile)(vectors, t, step, count);                                                              \
    }
#define CONV_ENTRY(pixels, vectors) NAMED(conv_##pixels##x##vectors##v),
#define CONV_PREFETCHING_ENTRY(pixels, vectors) NAMED(conv_prefetching_##pixels##x##vectors##v),
#define GROUPED_ENTRY(pixels, width) NAMED(grouped_##pixels##x##width),
#define ROW_3_ENTRY(pixels, step) NAMED(row_##pixels##x3by##step),
#define ROW_5_ENTRY(pixels, step) NAMED(row_##pixels##x5by##step),
#define PLANES_ENTRY(rows, vectors) NAMED(planes_##rows##x##vectors##v),
#define PLANES_TAIL_ENTRY(pixels, _) NAMED(planes_tail_##pixels),
#define FUNCTION_ENTRY(name) {#name, NAMED(map_##name)},
#define FEW_ENTRY(columns, _) columns < LANES ? NAMED(few_##columns) : NULL,

FOR_PIXELS(CONV, 1)
FOR_PIXELS(CONV, 2)
FOR_PIXELS(CONV_PREFETCHING, 2)
FOR_PIXELS(GROUPED, 1)
FOR_PIXELS(GROUPED, 4)
FOR_PIXELS(ROW_3, 1)
FOR_PIXELS(ROW_3, 2)
FOR_PIXELS(ROW_5, 1)
FOR_PIXELS(ROW_5, 2)
FOR_PIXELS(PLANES, 1)
FOR_PIXELS(PLANES, 2)
FOR_PIXELS_4(PLANES_TAIL, )
#ifdef ROWS16
FOR_8(FEW, )
#endif
#ifdef NARROW_SUMS
NARROW(8, 4, 0)
NARROW(8, 1v, 1)
NARROW(4, 2v, 2)
#endif

const struct fc_kernels NAMED(kernels) = {
    .lanes = LANES,
    .max_pixels = MAX_PIXELS,
    .conv = {{FOR_PIXELS(CONV_ENTRY, 1)}, {FOR_PIXELS(CONV_ENTRY, 2)}},
    .conv_prefetching = {FOR_PIXELS(CONV_PREFETCHING_ENTRY, 2)},
    .grouped = {{FOR_PIXELS(GROUPED_ENTRY, 1)}, {FOR_PIXELS(GROUPED_ENTRY, 4)}},
    .row = {{{FOR_PIXELS(ROW_3_ENTRY, 1)}, {FOR_PIXELS(ROW_3_ENTRY, 2)}},
            {{FOR_PIXELS(ROW_5_ENTRY, 1)}, {FOR_PIXELS(ROW_5_ENTRY, 2)}}},
    .planes = {{FOR_PIXELS(PLANES_ENTRY, 1)}, {FOR_PIXELS(PLANES_ENTRY, 2)}},
    .planes_tail = {FOR_PIXELS_4(PLANES_TAIL_ENTRY, )},
#ifdef ROWS16
    .few = {FOR_8(FEW_ENTRY, )},
#endif
#ifdef NARROW_SUMS
    .narrow = {SIDE == 4 ? NAMED(narrow_8x4) : NULL, NAMED(narrow_8x1v), NAMED(narrow_4x2v)},
#endif
    .transpose = {NAMED(transpose_cached), NAMED(transpose_nontemporal)},
    .pool_max = NAMED(pool_max),
    .pool_average = NAMED(pool_average),
    .functions = {FC_FUNCTIONS(FUNCTION_ENTRY)},
    .winograd = &NAMED(winograd),
};
