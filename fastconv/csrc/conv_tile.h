/* The register tile of the direct convolution: one body for every type, instruction set and size of tile.
 *
 * Arithmetic contract: each output value is one chain of multiply-adds, over the segments in order and inside a segment
 * over its values in order, starting from the bias; then residual, then activation. Neither the number of pixels
 * in a tile nor the columns beside a value take part in it: any cut of the work into tiles gives the same bits.
 *
 * May read: `length` bytes at pixels[i] + segments[s], whole vectors of weights and bias, `columns` values of residual.
 *
 * The file that includes this one, through kernels_isa.h, defines
 *   ISA           the instruction set's name
 *   VECTOR_BYTES  bytes in one of its vector registers
 *   MAX_PIXELS    pixels in the largest tile: MAX_PIXELS x 2 accumulators, 2 vectors of weights and a broadcast value
 *                 must fit the vector registers; a pointer for each pixel, one for the weights, an index and its end
 *                 the general ones
 * and kernels_isa.h defines T, the element type, and TYPE, its name.
 */
#define PASTE5_(a, b, c, d, e) a##b##c##d##e
#define PASTE5(a, b, c, d, e) PASTE5_(a, b, c, d, e)
#define NAMED(name) PASTE5(TYPE, _conv_, name, __, ISA)

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

/* One step of the reduction: the value at `at` of every pixel times a row of the weights. */
INLINE void NAMED(step)(const int pixels, const int vectors, VECTOR acc[][FC_MAX_VECTORS], const char *const *x,
                        ptrdiff_t at, const T *w)
{
    VECTOR wv[FC_MAX_VECTORS];
    UNROLL
    for (int j = 0; j < vectors; j++) wv[j] = *(const VECTOR *)(w + j * LANES);
    UNROLL
    for (int i = 0; i < pixels; i++) {
        const VECTOR xi = *(const T *)(x[i] + at) - (VECTOR){0};
        UNROLL
        for (int j = 0; j < vectors; j++) NAMED(multiply_add)(&acc[i][j], xi, wv[j]);
    }
}

INLINE void NAMED(store)(const int pixels, const int vectors, const int add_residual, const int relu,
                         VECTOR acc[][FC_MAX_VECTORS], const struct fc_tile *t)
{
    UNROLL
    for (int i = 0; i < pixels; i++) {
        UNROLL
        for (int j = 0; j < vectors; j++) {
            VECTOR v = acc[i][j];
            if (add_residual) v += ((const VECTOR *)(t->residual + i * t->residual_stride))[j];
            /* A NaN is not below zero, so it stays. */
            if (relu) v = (VECTOR)((NAMED(mask))v & ~(v < (VECTOR){0}));
            ((VECTOR *)(t->out + i * t->out_stride))[j] = v;
        }
    }
}

/* The last channels of a pixel, value by value: whole vectors would overrun the arrays. */
static void NAMED(store_columns)(int pixels, const VECTOR acc[][FC_MAX_VECTORS], const struct fc_tile *t)
{
    for (int i = 0; i < pixels; i++) {
        const T *values = (const T *)acc[i],
                *residual = (const T *)(t->residual + (t->residual ? i * t->residual_stride : 0));
        T *out = (T *)(t->out + i * t->out_stride);
        for (ptrdiff_t k = 0; k < t->columns; k++) {
            const T v = residual ? values[k] + residual[k] : values[k];
            out[k] = t->relu && v < 0 ? 0 : v;
        }
    }
}

/* `pixels` and `vectors` are literals at every call: the loops over them unroll and `acc` lives in registers. */
INLINE void NAMED(tile)(const int pixels, const int vectors, const struct fc_tile *t)
{
    VECTOR acc[MAX_PIXELS][FC_MAX_VECTORS];
    const char *x[MAX_PIXELS];
    const T *w = t->weights, *bias = t->bias;
    UNROLL
    for (int i = 0; i < pixels; i++) {
        x[i] = t->pixels[i];
        UNROLL
        for (int j = 0; j < vectors; j++) acc[i][j] = *(const VECTOR *)(bias + j * LANES);
    }
    for (ptrdiff_t s = 0; s < t->n_segments; s++) {
        /* One index serves all pixels, so that nothing but it changes from segment to segment. */
        ptrdiff_t at = t->segments[s];
        const ptrdiff_t end = at + t->length;
        for (; at + STEPS * (ptrdiff_t)sizeof(T) <= end; at += STEPS * sizeof(T), w += STEPS * vectors * LANES) {
            KEEP_IN_ONE_REGISTER(at);
            UNROLL
            for (int i = 0; i < STEPS; i++) {
                NAMED(step)(pixels, vectors, acc, x, at + i * sizeof(T), w + i * vectors * LANES);
            }
        }
        for (; at < end; at += sizeof(T), w += vectors * LANES) {
            KEEP_IN_ONE_REGISTER(at);
            NAMED(step)(pixels, vectors, acc, x, at, w);
        }
    }
    if (t->columns < vectors * LANES) {
        VECTOR rest[MAX_PIXELS][FC_MAX_VECTORS];
        UNROLL
        for (int i = 0; i < pixels; i++) {
            UNROLL
            for (int j = 0; j < vectors; j++) rest[i][j] = acc[i][j];
        }
        NAMED(store_columns)(pixels, rest, t);
    } else if (t->residual) {
        if (t->relu)
            NAMED(store)(pixels, vectors, 1, 1, acc, t);
        else
            NAMED(store)(pixels, vectors, 1, 0, acc, t);
    } else {
        if (t->relu)
            NAMED(store)(pixels, vectors, 0, 1, acc, t);
        else
            NAMED(store)(pixels, vectors, 0, 0, acc, t);
    }
}

/* One function for each size of tile, named by pixels x vectors, and the table of them. */
#define KERNEL(pixels, vectors)                                          \
    static void NAMED(pixels##x##vectors##v)(const struct fc_tile *tile) \
    {                                                                    \
        NAMED(tile)(pixels, vectors, tile);                              \
    }
#define ENTRY(pixels, vectors) NAMED(pixels##x##vectors##v),

FOR_PIXELS(KERNEL, 1)
FOR_PIXELS(KERNEL, 2)

const struct fc_kernels NAMED(kernels) = {
    .lanes = LANES,
    .max_pixels = MAX_PIXELS,
    .tile = {{FOR_PIXELS(ENTRY, 1)}, {FOR_PIXELS(ENTRY, 2)}},
};

#undef ENTRY
#undef KERNEL
#undef VECTOR
#undef LANES
#undef NAMED
#undef PASTE5
#undef PASTE5_
