/* The tiles of narrow 1×1s: whole vectors of output channels, one or two, or 16 bytes of them, and sums of one chunk.
 * A call goes along a run of pixels, since such sums take less time than a call for each tile of them.
 *
 * Arithmetic contract: that of conv_tile.h, whose packed weights they take; all give a value the same bits.
 *
 *     for each pixel i and column k: acc[i][k] = bias[k]
 *         for each value c of the pixel: acc[i][k] = fma(x[i][c], w[c][k], acc[i][k])
 *         out[i][k] = min(max(acc[i][k] + residual[i][k], lo), hi), or with slopes as epilogue.h says
 *
 * 16 bytes of columns leave most of a vector to other pixels: it has ROWS_IN_VECTOR of them, whose input is loaded 16
 * bytes at a time, SIDE values, each of which is then put into all lanes of its pixel.
 *
 * Eight sums hide the latency, and the fewer the better: the stores at the end of a tile hold up the next one less.
 *
 * `count` pixels, FC_NARROW_PIXELS at least, are `step` bytes apart from pixels[0] on, each of FC_NARROW_TERMS values
 * at most, in one segment at 0, and of 16 bytes at least. The last tile begins so much earlier that it is full, and
 * what it shares with the one before is stored twice.
 *
 * May read: the values of the pixels, whole vectors of weights and bias, `columns` values of residual.
 */
#ifdef NARROW_SUMS
_Static_assert((int)FC_NARROW_TERMS <= (int)SUM_TERMS, "more than a chunk");

/* A tile. `vectors`, `adds` and `applied` are literals at every call. */
INLINE void NAMED(narrow_pixels)(const int vectors, const int adds, const enum fc_activation applied,
                                 const struct fc_conv_args *t, const struct fc_epilogue *e, const char *from,
                                 ptrdiff_t step)
{
    const int pixels = NARROW_SUMS / vectors;
    VECTOR acc[NARROW_SUMS][FC_MAX_VECTORS];
    const char *x[NARROW_SUMS];
    const T *w = t->weights;
    UNROLLED(i, pixels) {
        x[i] = from + i * step;
        UNROLLED(j, vectors) acc[i][j] = ((const VECTOR *)e->bias)[j];
    }
    ptrdiff_t at = 0;
    for (; at + FC_STEPS * (ptrdiff_t)sizeof(T) <= t->length;
         at += FC_STEPS * sizeof(T), w += FC_STEPS * vectors * LANES) {
        KEEP_IN_ONE_REGISTER(at);
        UNROLLED(i, FC_STEPS) NAMED(conv_step)(pixels, vectors, acc, x, at + i * sizeof(T), w + i * vectors * LANES);
    }
    for (; at < t->length; at += sizeof(T), w += vectors * LANES) NAMED(conv_step)(pixels, vectors, acc, x, at, w);
    NAMED(conv_store)(pixels, vectors, adds, applied, acc, e, 0);
}

enum { NAMED(narrow_rows) = NARROW_SUMS / ROWS_IN_VECTOR }; /* vectors, of all pixels of a tile */

/* The values of 16 bytes of each pixel, from the one `skipped` on, a literal, times their rows of the weights. */
INLINE void NAMED(narrow_rows_step)(VECTOR *acc, const char *x, ptrdiff_t step, const T *w, const int skipped)
{
    VECTOR wv[SIDE];
    UNROLLED_FROM(c, skipped, SIDE) wv[c] = (VECTOR)rows16_repeat(w + (c - skipped) * LANES);
    UNROLL
    for (int i = 0; i < NAMED(narrow_rows); i++, x += ROWS_IN_VECTOR * step) {
        KEEP_IN_ONE_REGISTER(x);
        const VECTOR v = (VECTOR)rows16_load(x, step);
        UNROLLED_FROM(c, skipped, SIDE) NAMED(fma)(&acc[i], NAMED(broadcast_four)(v, c), wv[c]);
    }
}

INLINE void NAMED(narrow_rows_pixels)(const int adds, const enum fc_activation applied, const struct fc_conv_args *t,
                                      const struct fc_epilogue *e, const char *x, ptrdiff_t step)
{
    VECTOR acc[NAMED(narrow_rows)];
    const T *w = t->weights;
    UNROLLED(i, NAMED(narrow_rows)) acc[i] = (VECTOR)rows16_repeat(e->bias);
    ptrdiff_t at = 0;
    for (; at + 16 <= t->length; at += 16, w += SIDE * LANES) NAMED(narrow_rows_step)(acc, x + at, step, w, 0);
    const char *last = x + t->length - 16;
    const ptrdiff_t left = (t->length - at) / (ptrdiff_t)sizeof(T);
    if (left == 1) NAMED(narrow_rows_step)(acc, last, step, w, SIDE - 1);
    if (left == 2) NAMED(narrow_rows_step)(acc, last, step, w, SIDE - 2);
    if (left == 3) NAMED(narrow_rows_step)(acc, last, step, w, SIDE - 3);
    const ptrdiff_t out_step = ROWS_IN_VECTOR * e->out_stride, residual_step = ROWS_IN_VECTOR * e->residual_stride;
    UNROLLED(i, NAMED(narrow_rows)) {
        VECTOR v = acc[i];
        if (adds) v += (VECTOR)rows16_load(e->residual + i * residual_step, e->residual_stride);
        if (applied == FC_SLOPES) v = NAMED(sloped)(v, (VECTOR)rows16_repeat(e->slopes));
        v = NAMED(clip)(applied, v, NAMED(bounds)(e));
        rows16_store_tail(e->out + i * out_step, e->out_stride, (ROWS16)v, 16);
    }
}

/* All tiles. */
INLINE void NAMED(narrow_run)(const int vectors, const int adds, const enum fc_activation applied,
                              const struct fc_conv_args *t, ptrdiff_t step, ptrdiff_t count)
{
    const int pixels = vectors ? NARROW_SUMS / vectors : NARROW_SUMS;
    const struct fc_conv_args own = *t; /* for all the compiler knows, what is stored may change t */
    struct fc_epilogue e = own.epilogue;
    const char *x = t->pixels[0];
    for (ptrdiff_t left = count; left > 0; left -= pixels) {
        KEEP_IN_ONE_REGISTER(left); /* else gcc makes a second copy of all, for the last tile */
        if (left < pixels) {
            x += (left - pixels) * step;
            fc_advance(&e, left - pixels, 0);
        }
        if (vectors)
            NAMED(narrow_pixels)(vectors, adds, applied, &own, &e, x, step);
        else
            NAMED(narrow_rows_pixels)(adds, applied, &own, &e, x, step);
        x += pixels * step;
        fc_advance(&e, pixels, 0);
    }
}

INLINE void NAMED(narrow_activated)(const int vectors, const int adds, const struct fc_conv_args *t, ptrdiff_t step,
                                    ptrdiff_t count)
{
    const enum fc_activation applied = fc_activation(&t->epilogue);
    if (!adds && applied == FC_SLOPES)
        NAMED(narrow_run)(vectors, adds, FC_SLOPES, t, step, count);
    else if (applied == FC_LOW)
        NAMED(narrow_run)(vectors, adds, FC_LOW, t, step, count);
    else if (applied == FC_UNBOUNDED)
        NAMED(narrow_run)(vectors, adds, FC_UNBOUNDED, t, step, count);
    else
        NAMED(narrow_run)(vectors, adds, FC_BOTH, t, step, count);
}

/* `vectors` of columns, or 0: 16 bytes of them. What the epilogue does is asked once, and not for each tile. */
INLINE void NAMED(narrow_tile)(const int vectors, const struct fc_conv_args *t, ptrdiff_t step, ptrdiff_t count)
{
    if (t->epilogue.residual)
        NAMED(narrow_activated)(vectors, 1, t, step, count);
    else
        NAMED(narrow_activated)(vectors, 0, t, step, count);
}
#endif
