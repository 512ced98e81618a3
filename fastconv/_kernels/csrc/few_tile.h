/* The tile of a convolution with few output channels, which would leave most lanes of a vector empty: here the lanes
 * are pixels, and each value of the weights is in all lanes of a vector.
 *
 * Arithmetic contract: that of conv_tile.h, whose packed weights it takes; both give a value the same bits.
 *
 *     for each pixel i and column k: acc[k][i] = bias[k]
 *         for each segment s, for each value c of it: acc[k][i] = fma(x[i][s][c], w[s][c][k], acc[k][i])
 *         out[i][k] = min(max(acc[k][i] + sum[k][i] + residual[i][k], lo), hi), or with slopes as epilogue.h says
 *
 * x comes in 16 bytes of each pixel at a time, SIDE values, which are transposed in registers. The sums are transposed
 * back before they are stored.
 *
 * A call takes `count` pixels, LANES at least, of which pixels[0] is the first and the next is `step` bytes on. The
 * last tile is full: it overlaps the one before, and the pixels of both are stored twice. `columns` are fewer than
 * LANES, in one block. Segments shorter than 16 bytes are one, at 0.
 *
 * May read: the bytes from the beginning of the first pixel's segments to the end of the last one's, single values of
 * weights and bias, `columns` values of residual.
 */
#ifdef ROWS16
/* 16 bytes of each pixel, turned: vector c has value c of every pixel. */
INLINE void NAMED(few_load)(VECTOR *v, const char *x, ptrdiff_t step)
{
    ROWS16 rows[SIDE];
    if (step == FC_FEW_BYTES) {
        UNROLLED(i, SIDE) rows[i] = (ROWS16)((const VECTOR *)x)[i];
    } else {
        UNROLL
        for (int i = 0; i < SIDE; i++, x += ROWS_IN_VECTOR * step) {
            KEEP_IN_ONE_REGISTER(x); /* not an index for each pixel: they would not fit */
            rows[i] = rows16_load(x, step);
        }
    }
    NAMED(turn)(rows);
    UNROLLED(c, SIDE) v[c] = (VECTOR)rows[c];
}

/* Value c of all pixels times a row of the weights. */
INLINE void NAMED(few_step)(const int columns, const int sets, VECTOR *acc, VECTOR v[][SIDE], const int c, const T *w)
{
    UNROLLED(k, columns) {
        const VECTOR wk = w[k] - (VECTOR){0};
        UNROLLED(j, sets) NAMED(fma)(&acc[j * columns + k], v[j][c], wk);
    }
}

/* The values from `at` to `end`, inside a segment; returns the weights behind theirs. Fewer than SIDE are some of the
 * 16 bytes from `last` on, if they lie beyond it. */
INLINE const T *NAMED(few_chunk)(const int columns, const int sets, VECTOR *acc, const char *x, ptrdiff_t step,
                                 ptrdiff_t at, ptrdiff_t end, ptrdiff_t last, const T *w)
{
    const ptrdiff_t set_step = LANES * step;
    VECTOR v[FC_MAX_VECTORS][SIDE];
    for (; at + FC_FEW_BYTES <= end; at += FC_FEW_BYTES, w += SIDE * LANES) {
        UNROLLED(j, sets) NAMED(few_load)(v[j], x + at + j * set_step, step);
        const char *next = x + sets * set_step + sets * LANES * at;
        UNROLL
        for (int i = 0; i < sets * LANES * FC_FEW_BYTES; i += CACHE_LINE) __builtin_prefetch(next + i);
        UNROLLED(c, SIDE) NAMED(few_step)(columns, sets, acc, v, c, w + c * LANES);
    }
    if (at < end) {
        const ptrdiff_t from = at < last ? at : last;
        UNROLLED(j, sets) NAMED(few_load)(v[j], x + from + j * set_step, step);
        UNROLLED(c, SIDE) {
            const ptrdiff_t value = from + c * (ptrdiff_t)sizeof(T);
            if (at <= value && value < end) {
                NAMED(few_step)(columns, sets, acc, v, c, w);
                w += LANES;
            }
        }
    }
    return w;
}

/* A new chunk, as in conv_tile.h. */
INLINE void NAMED(few_next_chunk)(const int n, VECTOR *acc, VECTOR *sums, int is_first)
{
    UNROLLED(i, n) {
        if (!is_first) acc[i] += sums[i];
        sums[i] = acc[i];
        acc[i] = (VECTOR){0};
    }
}

/* The end of the sums of a set: those of the chunks before are added, and there may be slopes. */
INLINE void NAMED(few_finish)(const int columns, VECTOR *acc, const VECTOR *sums, int is_first, const T *slopes)
{
    if (!is_first) {
        UNROLLED(k, columns) acc[k] += sums[k];
    }
    if (slopes) {
        UNROLLED(k, columns) acc[k] = NAMED(sloped)(acc[k], slopes[k] - (VECTOR){0});
    }
}

/* The sums of SIDE columns from k on, or fewer, transposed back: 16 bytes of each pixel. */
INLINE void NAMED(few_sums)(const int columns, const int k, const VECTOR *acc, ROWS16 *rows)
{
    UNROLLED(i, SIDE) rows[i] = (ROWS16)(k + i < columns ? acc[k + i] : (VECTOR){0});
    NAMED(turn)(rows);
}

/* A vector of results, which lies whole at `at` of the map. */
INLINE void NAMED(few_store_whole)(const struct fc_epilogue *e, ptrdiff_t at, VECTOR v)
{
    if (e->residual) v += *(const VECTOR *)(e->residual + at);
    *(VECTOR *)(e->out + at) = NAMED(clip)(FC_BOTH, v, NAMED(bounds)(e));
}

/* The results of SIDE columns from k on, or fewer. The rows of a vector are pixels `apart`, those of the next begin
 * `next` pixels on. */
INLINE void NAMED(few_store)(const int columns, const int k, const VECTOR *acc, const struct fc_epilogue *e,
                             ptrdiff_t pixel, const int next, const int apart)
{
    const ptrdiff_t out_stride = e->out_stride, residual_stride = e->residual_stride, at = k * sizeof(T);
    const struct NAMED(bounds) bounds = NAMED(bounds)(e);
    const int bytes = (columns - k < SIDE ? columns - k : SIDE) * sizeof(T);
    ROWS16 rows[SIDE];
    NAMED(few_sums)(columns, k, acc, rows);
    UNROLL
    for (int i = 0; i < SIDE; i++, pixel += next) {
        VECTOR v = (VECTOR)rows[i];
        if (e->residual)
            v += (VECTOR)rows16_load_tail(e->residual + pixel * residual_stride + at, apart * residual_stride, bytes);
        v = NAMED(clip)(FC_BOTH, v, bounds);
        rows16_store_tail(e->out + pixel * out_stride + at, apart * out_stride, (ROWS16)v, bytes);
    }
}

/* All results of LANES pixels: whole vectors where 16 or 32 bytes are all of a pixel, in the residual too. */
INLINE void NAMED(few_store_all)(const int columns, const VECTOR *acc, const struct fc_epilogue *e, ptrdiff_t pixel)
{
    const ptrdiff_t bytes = columns * sizeof(T), at = pixel * bytes;
    const int is_dense = e->out_stride == bytes && (!e->residual || e->residual_stride == bytes);
    ROWS16 rows[2][SIDE];
    if (columns == SIDE && is_dense) {
        NAMED(few_sums)(columns, 0, acc, rows[0]);
        UNROLLED(i, SIDE) NAMED(few_store_whole)(e, at + i * VECTOR_BYTES, (VECTOR)rows[0][i]);
    } else if (columns == 2 * SIDE && is_dense) {
        NAMED(few_sums)(columns, 0, acc, rows[0]);
        NAMED(few_sums)(columns, SIDE, acc, rows[1]);
        UNROLLED(i, SIDE) {
            rows16_zip_16(&rows[0][i], &rows[1][i]);
            NAMED(few_store_whole)(e, at + 2 * i * VECTOR_BYTES, (VECTOR)rows[0][i]);
            NAMED(few_store_whole)(e, at + (2 * i + 1) * VECTOR_BYTES, (VECTOR)rows[1][i]);
        }
    } else {
        UNROLL
        for (int k = 0; k < columns; k += SIDE) NAMED(few_store)(columns, k, acc, e, pixel, ROWS_IN_VECTOR, 1);
    }
}

/* `sets` times LANES pixels: the run's `pixel`, whose input begins at x, and the next. */
INLINE void NAMED(few_pixels)(const int columns, const int sets, const struct fc_conv_args *t, const char *x,
                              ptrdiff_t step, ptrdiff_t pixel)
{
    VECTOR acc[FC_MAX_FEW * FC_MAX_VECTORS], sums[FC_MAX_FEW * FC_MAX_VECTORS];
    const T *w = t->weights;
    UNROLLED(k, columns)
        UNROLLED(j, sets) acc[j * columns + k] = ((const T *)t->epilogue.bias)[k] - (VECTOR){0};
    ptrdiff_t room = SUM_TERMS * sizeof(T); /* of the chunk */
    int is_first = 1;
    for (ptrdiff_t s = 0; s < t->n_segments; s++) {
        ptrdiff_t at = t->segments[s];
        const ptrdiff_t end_of_segment = at + t->length,
                        last = t->length < FC_FEW_BYTES ? at : end_of_segment - FC_FEW_BYTES;
        while (at < end_of_segment) {
            if (!room) {
                NAMED(few_next_chunk)(columns * sets, acc, sums, is_first);
                room = SUM_TERMS * sizeof(T);
                is_first = 0;
            }
            const ptrdiff_t end = end_of_segment - at < room ? end_of_segment : at + room;
            w = NAMED(few_chunk)(columns, sets, acc, x, step, at, end, last, w);
            room -= end - at;
            at = end;
        }
        w = (const T *)((const char *)w + t->gap);
    }
    UNROLLED(j, sets) {
        VECTOR *const set = acc + j * columns;
        NAMED(few_finish)(columns, set, sums + j * columns, is_first, t->epilogue.slopes);
        NAMED(few_store_all)(columns, set, &t->epilogue, pixel + j * LANES);
    }
}

/* `columns` is a literal at every call. */
INLINE void NAMED(few_tile)(const int columns, const struct fc_conv_args *t, ptrdiff_t step, ptrdiff_t count)
{
    char copy[LANES * FC_FEW_BYTES];
    ptrdiff_t pixel = 0;
    const int sets = FEW_SETS(columns);
    if (sets > 1) {
        /* Of pixels of less than 16 bytes the other loop reads the last, beyond which there may be nothing. */
        const ptrdiff_t end = t->length < FC_FEW_BYTES ? count - LANES : count;
        for (; pixel + sets * LANES <= end; pixel += sets * LANES)
            NAMED(few_pixels)(columns, sets, t, t->pixels[0] + pixel * step, step, pixel);
    }
    for (; pixel < count; pixel += LANES) {
        if (pixel > count - LANES) pixel = count - LANES;
        const char *x = t->pixels[0] + pixel * step;
        ptrdiff_t to_next = step;
        if (t->length < FC_FEW_BYTES && (count - LANES - pixel) * step + t->length < FC_FEW_BYTES) {
            for (ptrdiff_t i = 0; i < LANES; i++)
                for (ptrdiff_t at = 0; at < t->length; at += sizeof(T))
                    memcpy(copy + FC_FEW_BYTES * i + at, x + i * step + at, sizeof(T));
            x = copy;
            to_next = FC_FEW_BYTES;
        }
        NAMED(few_pixels)(columns, 1, t, x, to_next, pixel);
    }
}
#endif
