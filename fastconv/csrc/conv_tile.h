/* The register tile of the direct convolution: one body for every type, instruction set and size of tile.
 *
 * Arithmetic contract: each output value is one chain of multiply-adds, over the segments in order and inside a segment
 * over its values in order, starting from zero; then bias, then residual, then activation. Neither the number of pixels
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

INLINE VECTOR NAMED(activate)(VECTOR v, int relu)
{
    /* A NaN is not below zero, so it stays. */
    typedef __typeof__(v < v) mask;
    return relu ? (VECTOR)((mask)v & ~(v < (VECTOR){0})) : v;
}

/* `pixels` and `vectors` are literals at every call: the loops over them unroll and `acc` lives in registers. */
INLINE void NAMED(tile)(const int pixels, const int vectors, const struct fc_tile *t)
{
    VECTOR acc[MAX_PIXELS][FC_MAX_VECTORS];
    const char *x[MAX_PIXELS];
    UNROLL
    for (int i = 0; i < pixels; i++) {
        x[i] = t->pixels[i];
        UNROLL
        for (int j = 0; j < vectors; j++) acc[i][j] = (VECTOR){0};
    }

    const T *w = t->weights;
    for (ptrdiff_t s = 0; s < t->n_segments; s++) {
        /* One index serves all pixels, so that nothing but it changes from segment to segment. */
        ptrdiff_t at = t->segments[s];
        for (const ptrdiff_t end = at + t->length; at < end; at += sizeof(T), w += vectors * LANES) {
            KEEP_IN_ONE_REGISTER(at);
            VECTOR wv[FC_MAX_VECTORS];
            UNROLL
            for (int j = 0; j < vectors; j++) wv[j] = *(const VECTOR *)(w + j * LANES);
            UNROLL
            for (int i = 0; i < pixels; i++) {
                const T xi = *(const T *)(x[i] + at);
                UNROLL
                for (int j = 0; j < vectors; j++) acc[i][j] += xi * wv[j];
            }
        }
    }

    const T *bias = t->bias;
    if (t->columns == vectors * LANES) {
        UNROLL
        for (int i = 0; i < pixels; i++) {
            const char *residual = t->residual ? t->residual + i * t->residual_stride : NULL;
            T *out = (T *)(t->out + i * t->out_stride);
            UNROLL
            for (int j = 0; j < vectors; j++) {
                VECTOR v = acc[i][j] + *(const VECTOR *)(bias + j * LANES);
                if (residual) v += *(const VECTOR *)((const T *)residual + j * LANES);
                *(VECTOR *)(out + j * LANES) = NAMED(activate)(v, t->relu);
            }
        }
        return;
    }
    /* The last columns of the channels: whole vectors would overrun the arrays, so they go through a copy. */
    const size_t bytes = t->columns * sizeof(T);
    UNROLL
    for (int i = 0; i < pixels; i++) {
        VECTOR row[FC_MAX_VECTORS] = {0};
        if (t->residual) memcpy(row, t->residual + i * t->residual_stride, bytes);
        UNROLL
        for (int j = 0; j < vectors; j++) {
            VECTOR v = acc[i][j] + *(const VECTOR *)(bias + j * LANES);
            if (t->residual) v += row[j];
            row[j] = NAMED(activate)(v, t->relu);
        }
        memcpy(t->out + i * t->out_stride, row, bytes);
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
