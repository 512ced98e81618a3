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
/* The same for a tile that goes along a run of `count` pixels, from each to the next of which there are `step` bytes.
 */
#define KERNEL_OF_RUNS(name, tile, literal)                                                \
    static void NAMED(name)(const struct fc_conv_args *t, ptrdiff_t step, ptrdiff_t count) \
    {                                                                                      \
        NAMED(tile)(literal, t, step, count);                                              \
    }
/* And in a table of functions. */
#define ENTRY(name, ...) NAMED(name),

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

/* The families of kernels, each with its name, pixels x vectors, pixels x width of the groups or pixels x taps by step:
 * F is KERNEL or KERNEL_OF_RUNS for the functions, or the ENTRY of one in the table. */
#define CONV(F, pixels, vectors) F(conv_##pixels##x##vectors##v, fc_conv_args, conv_tile, pixels, vectors, 0)
#define CONV_PREFETCHING(F, pixels, vectors) \
    F(conv_prefetching_##pixels##x##vectors##v, fc_conv_args, conv_tile, pixels, vectors, 1)
#define GROUPED(F, pixels, width) F(grouped_##pixels##x##width, fc_conv_args, grouped_tile, pixels, width)
#define ROW_3(F, pixels, step) F(row_##pixels##x3by##step, fc_conv_args, row_tile, pixels, 3, step)
#define ROW_5(F, pixels, step) F(row_##pixels##x5by##step, fc_conv_args, row_tile, pixels, 5, step)
#define PLANES(F, rows, vectors) F(planes_##rows##x##vectors##v, fc_plane_args, plane_tile, rows, vectors)
#define PLANES_TAIL(F, pixels, _) F(planes_tail_##pixels, fc_plane_args, plane_tail, pixels)
#define FEW(F, columns, _) F(few_##columns, few_tile, columns)
#define NARROW(F, pixels, columns, vectors) F(narrow_##pixels##x##columns, narrow_tile, vectors)
#define FEW_ENTRY(name, tile, columns) columns < LANES ? NAMED(name) : NULL,
#define FUNCTION_ENTRY(name) {#name, NAMED(map_##name)},

FOR_PIXELS(CONV, KERNEL, 1)
FOR_PIXELS(CONV, KERNEL, 2)
FOR_PIXELS(CONV_PREFETCHING, KERNEL, 2)
FOR_PIXELS(GROUPED, KERNEL, 1)
FOR_PIXELS(GROUPED, KERNEL, 4)
FOR_PIXELS(ROW_3, KERNEL, 1)
FOR_PIXELS(ROW_3, KERNEL, 2)
FOR_PIXELS(ROW_5, KERNEL, 1)
FOR_PIXELS(ROW_5, KERNEL, 2)
FOR_PIXELS(PLANES, KERNEL, 1)
FOR_PIXELS(PLANES, KERNEL, 2)
FOR_PIXELS_4(PLANES_TAIL, KERNEL, )
#ifdef ROWS16
FOR_8(FEW, KERNEL_OF_RUNS, )
#endif
#ifdef NARROW_SUMS
NARROW(KERNEL_OF_RUNS, 8, 4, 0)
NARROW(KERNEL_OF_RUNS, 8, 1v, 1)
NARROW(KERNEL_OF_RUNS, 4, 2v, 2)
#endif

const struct fc_kernels NAMED(kernels) = {
    .lanes = LANES,
    .max_pixels = MAX_PIXELS,
    .conv = {{FOR_PIXELS(CONV, ENTRY, 1)}, {FOR_PIXELS(CONV, ENTRY, 2)}},
    .conv_prefetching = {FOR_PIXELS(CONV_PREFETCHING, ENTRY, 2)},
    .grouped = {{FOR_PIXELS(GROUPED, ENTRY, 1)}, {FOR_PIXELS(GROUPED, ENTRY, 4)}},
    .row = {{{FOR_PIXELS(ROW_3, ENTRY, 1)}, {FOR_PIXELS(ROW_3, ENTRY, 2)}},
            {{FOR_PIXELS(ROW_5, ENTRY, 1)}, {FOR_PIXELS(ROW_5, ENTRY, 2)}}},
    .planes = {{FOR_PIXELS(PLANES, ENTRY, 1)}, {FOR_PIXELS(PLANES, ENTRY, 2)}},
    .planes_tail = {FOR_PIXELS_4(PLANES_TAIL, ENTRY, )},
#ifdef ROWS16
    .few = {FOR_8(FEW, FEW_ENTRY, )},
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

#undef SUFFIX
#undef PERMUTE
#undef FMA
#undef TYPE
#undef T
