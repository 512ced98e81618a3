/* The register tile of the direct convolution: one body for every type, instruction set and size of tile.
 *
 * Arithmetic contract, for each pixel i and column k:
 *
 *     acc = bias[k]
 *     for each segment s, for each value c of it:
 *         after every SUM_TERMS terms: sum = acc + sum (at first sum = acc), acc = 0
 *         acc = fma(x[i][s][c], w[s][c][k], acc)
 *     out[i][k] = min(max(acc + sum + residual[i][k], lo), hi), or with slopes as epilogue.h says
 *
 * Neither the number of pixels in a tile nor the columns beside a value take part in it: any partition of the work into
 * tiles gives the same bits. The chunks of SUM_TERMS keep the error from growing with the terms.
 *
 * One call does several blocks of columns, one after the other, or one block that is not full: `columns` is a multiple
 * of the tile's columns or less than them. A keeping tile does one block for some segments of many terms, between which
 * other tiles have their turns; where it stops, the terms so far are whole chunks, so that sum is all it has to keep.
 *
 * May read: `length` bytes at pixels[i] + segments[s], whole vectors of weights and bias, `columns` values of residual.
 */

/* One step of the reduction: the value at `at` of every pixel times a row of the weights. */
INLINE void NAMED(conv_step)(const int pixels, const int vectors, VECTOR acc[][FC_MAX_VECTORS], const char *const *x,
                             ptrdiff_t at, const T *w)
{
    VECTOR wv[FC_MAX_VECTORS];
    UNROLLED(j, vectors) wv[j] = NAMED(load_once)(w + j * LANES);
    UNROLLED(i, pixels) {
        const VECTOR xi = *(const T *)(x[i] + at) - (VECTOR){0};
        UNROLLED(j, vectors) NAMED(fma)(&acc[i][j], xi, wv[j]);
    }
}

/* acc += sums */
INLINE void NAMED(conv_add)(const int pixels, const int vectors, VECTOR acc[][FC_MAX_VECTORS],
                            VECTOR sums[][FC_MAX_VECTORS])
{
    UNROLLED(i, pixels)
        UNROLLED(j, vectors) acc[i][j] += sums[i][j];
}

/* A new chunk: what acc has goes to the sums, in memory, and acc begins from zero. */
INLINE void NAMED(conv_next_chunk)(const int pixels, const int vectors, VECTOR acc[][FC_MAX_VECTORS],
                                   VECTOR sums[][FC_MAX_VECTORS], int is_first)
{
    if (!is_first) NAMED(conv_add)(pixels, vectors, acc, sums);
    UNROLLED(i, pixels) {
        UNROLLED(j, vectors) {
            sums[i][j] = acc[i][j];
            acc[i][j] = (VECTOR){0};
        }
    }
}

INLINE void NAMED(conv_store)(const int pixels, const int vectors, const int adds, const enum fc_activation applied,
                              VECTOR acc[][FC_MAX_VECTORS], const struct fc_epilogue *e, ptrdiff_t at)
{
    /* Read once: for all the compiler knows, what is stored may change them. */
    const ptrdiff_t out_stride = e->out_stride, residual_stride = e->residual_stride;
    const struct NAMED(bounds) bounds = NAMED(bounds)(e);
    const VECTOR *slopes = applied == FC_SLOPES ? (const VECTOR *)((const char *)e->slopes + at) : NULL;
    const char *residual = e->residual;
    char *out = e->out + at;
    UNROLLED(i, pixels) {
        if (i > 0) out += out_stride;
        UNROLLED(j, vectors) {
            VECTOR v = acc[i][j];
            if (adds) v += ((const VECTOR *)(residual + i * residual_stride + at))[j];
            if (applied == FC_SLOPES) v = NAMED(sloped)(v, slopes[j]);
            ((VECTOR *)out)[j] = NAMED(clip)(applied, v, bounds);
        }
    }
}

/* Prefetch the weights that lie `ahead`, a tile's share of what a turn reads, into L2: what L1 has is still needed. */
INLINE void NAMED(conv_prefetch)(const T *w, ptrdiff_t ahead)
{
    KEEP_IN_ONE_REGISTER(ahead);
    UNROLL
    for (int i = 0; i < FC_STEPS * FC_MAX_VECTORS * VECTOR_BYTES / FC_PREFETCHING; i += CACHE_LINE)
        __builtin_prefetch((const char *)w + ahead + i, 0, 2);
}

#ifdef PREFETCH_STORE
/* Prefetch what the next tile writes to, and adds, in the columns from `at` on: its pixels follow these. Large maps are
 * in L2 no more, and stores that wait for their lines hold up the multiply-adds. */
INLINE void NAMED(conv_prefetch_results)(const int pixels, const int vectors, const struct fc_epilogue *e, ptrdiff_t at)
{
    const int lines = vectors * VECTOR_BYTES <= CACHE_LINE ? 1 : vectors * VECTOR_BYTES / CACHE_LINE;
    const char *out = e->out + pixels * e->out_stride + at;
    UNROLLED(i, pixels)
        UNROLLED(j, lines) PREFETCH_STORE(out + i * e->out_stride + j * CACHE_LINE);
    if (e->residual && e->residual != e->out) {
        const char *residual = e->residual + pixels * e->residual_stride + at;
        UNROLLED(i, pixels)
            UNROLLED(j, lines) __builtin_prefetch(residual + i * e->residual_stride + j * CACHE_LINE);
    }
}
#endif

INLINE void NAMED(conv_store_activated)(const int pixels, const int vectors, const int adds,
                                        VECTOR acc[][FC_MAX_VECTORS], const struct fc_epilogue *e, ptrdiff_t at)
{
    const enum fc_activation applied = fc_activation(e);
    if (!adds && applied == FC_SLOPES)
        NAMED(conv_store)(pixels, vectors, adds, FC_SLOPES, acc, e, at);
    else if (applied == FC_LOW)
        NAMED(conv_store)(pixels, vectors, adds, FC_LOW, acc, e, at);
    else if (applied == FC_UNBOUNDED)
        NAMED(conv_store)(pixels, vectors, adds, FC_UNBOUNDED, acc, e, at);
    else
        NAMED(conv_store)(pixels, vectors, adds, FC_BOTH, acc, e, at);
}

#ifdef KEEPS_SUMS
/* The sums that a keeping tile goes on from, in memory. */
INLINE void NAMED(conv_resume)(const int pixels, const int vectors, VECTOR acc[][FC_MAX_VECTORS],
                               VECTOR sums[][FC_MAX_VECTORS], const struct fc_conv_args *t)
{
    UNROLLED(i, pixels) {
        UNROLLED(j, vectors) {
            sums[i][j] = ((const VECTOR *)t->kept)[i * vectors + j];
            acc[i][j] = (VECTOR){0};
        }
    }
}

INLINE void NAMED(conv_keep)(const int pixels, const int vectors, VECTOR acc[][FC_MAX_VECTORS],
                             const struct fc_conv_args *t)
{
    UNROLLED(i, pixels)
        UNROLLED(j, vectors) ((VECTOR *)t->kept)[i * vectors + j] = acc[i][j];
}
#endif

/* The store of whole vectors, without a question at every pixel. */
INLINE void NAMED(conv_finish)(const int pixels, const int vectors, VECTOR acc[][FC_MAX_VECTORS],
                               const struct fc_epilogue *e, ptrdiff_t at)
{
    if (e->residual)
        NAMED(conv_store_activated)(pixels, vectors, 1, acc, e, at);
    else
        NAMED(conv_store_activated)(pixels, vectors, 0, acc, e, at);
}

/* The last channels, fewer than a block has: whole vectors would overrun the arrays. */
static void NAMED(conv_store_columns)(int pixels, int vectors, const VECTOR acc[][FC_MAX_VECTORS],
                                      const struct fc_epilogue *e, ptrdiff_t columns)
{
    const struct NAMED(bounds) bounds = NAMED(bounds)(e);
    for (int i = 0; i < pixels; i++) {
        for (int j = 0; j < vectors; j++) {
            const ptrdiff_t at = j * VECTOR_BYTES, count = columns - j * LANES;
            VECTOR v = acc[i][j];
            if (e->residual) v += NAMED(load_tail)(e->residual + i * e->residual_stride + at, count);
            if (e->slopes) v = NAMED(sloped)(v, ((const VECTOR *)e->slopes)[j]);
            NAMED(store_tail)(e->out + i * e->out_stride + at, NAMED(clip)(FC_BOTH, v, bounds), count);
        }
    }
}

/* The same of a tile. Where pixels follow each other without a gap, whole vectors of one run over into the next, whose
 * own values come after them: only those of the last are stored in parts, which takes longer than few channels. Not of
 * two pixels: clang keeps in memory what a loop of one turn reads. */
INLINE void NAMED(conv_finish_columns)(const int pixels, const int vectors, VECTOR acc[][FC_MAX_VECTORS],
                                       const struct fc_epilogue *e, ptrdiff_t bytes)
{
    const ptrdiff_t columns = bytes / (ptrdiff_t)sizeof(T);
    VECTOR rest[MAX_PIXELS][FC_MAX_VECTORS];
    if (pixels > 2 && !e->residual && e->out_stride == bytes && vectors * VECTOR_BYTES <= 2 * bytes) {
        struct fc_epilogue last = *e;
        NAMED(conv_store_activated)(pixels - 1, vectors, 0, acc, e, 0);
        fc_advance(&last, pixels - 1, 0);
        UNROLLED(j, vectors) rest[0][j] = acc[pixels - 1][j];
        NAMED(conv_store_columns)(1, vectors, rest, &last, columns);
    } else {
        UNROLLED(i, pixels)
            UNROLLED(j, vectors) rest[i][j] = acc[i][j];
        NAMED(conv_store_columns)(pixels, vectors, rest, e, columns);
    }
}

/* `pixels`, `vectors` and `how`, 1 where it prefetches, 2 where it keeps too, are literals at every call: the loops
 * unroll and `acc` lives in registers. */
INLINE void NAMED(conv_tile)(const int pixels, const int vectors, const int how, const struct fc_conv_args *t)
{
    VECTOR acc[MAX_PIXELS][FC_MAX_VECTORS], sums[MAX_PIXELS][FC_MAX_VECTORS];
    const char *x[MAX_PIXELS];
    UNROLLED(i, pixels) x[i] = t->pixels[i];

    const T *w = t->weights;
    const ptrdiff_t block_bytes = vectors * VECTOR_BYTES, bytes = t->columns * sizeof(T);
    for (ptrdiff_t done = 0; done < bytes; done += block_bytes) {
#ifdef PREFETCH_STORE
        if (how < 2 || !t->pauses) NAMED(conv_prefetch_results)(pixels, vectors, &t->epilogue, done);
#endif
        const VECTOR *bias = (const VECTOR *)((const char *)t->epilogue.bias + done);
        UNROLLED(i, pixels)
            UNROLLED(j, vectors) acc[i][j] = bias[j];
        ptrdiff_t room = SUM_TERMS * sizeof(T); /* of the chunk */
        int is_first = 1;
#ifdef KEEPS_SUMS
        if (how == 2 && t->resumes) {
            NAMED(conv_resume)(pixels, vectors, acc, sums, t);
            is_first = 0;
        }
#endif
        for (ptrdiff_t s = 0; s < t->n_segments; s++) {
            /* One index serves all pixels, so that nothing but it changes from segment to segment. */
            ptrdiff_t at = t->segments[s];
            const ptrdiff_t end_of_segment = at + t->length;
            while (at < end_of_segment) {
                if (!room) {
                    NAMED(conv_next_chunk)(pixels, vectors, acc, sums, is_first);
                    room = SUM_TERMS * sizeof(T);
                    is_first = 0;
                }
                const ptrdiff_t end = end_of_segment - at < room ? end_of_segment : at + room;
                room -= end - at;
                for (; at + FC_STEPS * (ptrdiff_t)sizeof(T) <= end;
                     at += FC_STEPS * sizeof(T), w += FC_STEPS * vectors * LANES) {
                    KEEP_IN_ONE_REGISTER(at);
                    UNROLLED(i, FC_STEPS)
                        NAMED(conv_step)(pixels, vectors, acc, x, at + i * sizeof(T), w + i * vectors * LANES);
                    if (how) NAMED(conv_prefetch)(w, t->ahead);
                }
                for (; at < end; at += sizeof(T), w += vectors * LANES) {
                    KEEP_IN_ONE_REGISTER(at);
                    NAMED(conv_step)(pixels, vectors, acc, x, at, w);
                }
            }
            w = (const T *)((const char *)w + t->gap);
        }
        w = (const T *)((const char *)w + t->skipped);
        if (!is_first) NAMED(conv_add)(pixels, vectors, acc, sums);
#ifdef KEEPS_SUMS
        if (how == 2 && t->pauses) {
            NAMED(conv_keep)(pixels, vectors, acc, t);
            return;
        }
#endif
        if (bytes < block_bytes) {
            NAMED(conv_finish_columns)(pixels, vectors, acc, &t->epilogue, bytes);
        } else {
            NAMED(conv_finish)(pixels, vectors, acc, &t->epilogue, done);
        }
    }
}
