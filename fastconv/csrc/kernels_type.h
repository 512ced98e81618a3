/* All micro-kernels of one instruction set for one element type: T, called TYPE; see kernels_isa.h for the rest. */
#define PASTE5_(a, b, c, d, e) a##b##c##d##e
#define PASTE5(a, b, c, d, e) PASTE5_(a, b, c, d, e)
#define NAMED(name) PASTE5(TYPE, _, name, __, ISA)

#define LANES ((int)(VECTOR_BYTES / sizeof(T)))
#define VECTOR NAMED(vector)

/* Aligned as one element only: the compiler then emits unaligned moves, which cost nothing on aligned data. */
typedef T VECTOR __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(T)), may_alias));
typedef __typeof__((VECTOR){0} < (VECTOR){0}) NAMED(mask);

/* acc += x * w, rounded once where the instruction set can, in the register where acc is: left to itself, gcc moves
 * accumulators about and spills one. */
INLINE void NAMED(multiply_add)(VECTOR *acc, VECTOR x, VECTOR w)
{
#ifdef __FMA__
    __asm__(MULTIPLY_ADD " %2, %1, %0" : "+v"(*acc) : "v"(x), "v"(w));
#else
    *acc += x * w;
#endif
}

/* The ReLU; a NaN is not below zero, so it stays. */
INLINE VECTOR NAMED(positive)(VECTOR v)
{
    return (VECTOR)((NAMED(mask))v & ~(v < (VECTOR){0}));
}

#include "conv_tile.h"
#include "channelwise_tile.h"

/* One function for each size of tile, named by pixels x vectors, and the table of them. */
#define CONV(pixels, vectors)                                                \
    static void NAMED(conv_##pixels##x##vectors##v)(const struct fc_tile *t) \
    {                                                                        \
        NAMED(conv_tile)(pixels, vectors, t);                                \
    }
#define CHANNELWISE(pixels, _)                                       \
    static void NAMED(channelwise_##pixels)(const struct fc_tile *t) \
    {                                                                \
        NAMED(channelwise_tile)(pixels, t);                          \
    }
#define CONV_ENTRY(pixels, vectors) NAMED(conv_##pixels##x##vectors##v),
#define CHANNELWISE_ENTRY(pixels, _) NAMED(channelwise_##pixels),

FOR_PIXELS(CONV, 1)
FOR_PIXELS(CONV, 2)
FOR_PIXELS(CHANNELWISE, )

const struct fc_kernels NAMED(kernels) = {
    .lanes = LANES,
    .max_pixels = MAX_PIXELS,
    .conv = {{FOR_PIXELS(CONV_ENTRY, 1)}, {FOR_PIXELS(CONV_ENTRY, 2)}},
    .channelwise = {FOR_PIXELS(CHANNELWISE_ENTRY, )},
};

#undef CHANNELWISE_ENTRY
#undef CONV_ENTRY
#undef CHANNELWISE
#undef CONV
#undef VECTOR
#undef LANES
#undef NAMED
#undef PASTE5
#undef PASTE5_
