/* The tile of a k×k convolution with few output channels: lanes are pixels, as in few_tile.h, and x comes from copied
 * rows whose channels are split, so that a vector of pixels is one load at every tap.
 *
 * Arithmetic contract: that of conv_tile.h, whose packed weights it takes; both give a value the same bits.
 *
 * A segment is a tap: its first channel's values lie from pixels[0] + segments[s] on, pixel after pixel; those of the
 * next channel begin `tap` bytes on, and `length` tells how many channels there are. A call takes `count` pixels, LANES
 * at least. The last tile is full: it overlaps the one before, and the pixels of both are stored twice.
 *
 * May read: `count` values of each channel at each tap, single values of weights and bias, `columns` of residual.
 */
#ifdef ROWS16
/* One step of the reduction: a channel at a tap, of all pixels, times a row of the weights. */
INLINE void NAMED(split_step)(const int columns, const int sets, VECTOR *acc, const char *x, const T *w)
{
    VECTOR v[MAX_SPLIT_SETS];
    UNROLLED(j, sets) v[j] = NAMED(load_once)(x + j * VECTOR_BYTES);
    UNROLLED(k, columns) {
        const VECTOR wk = w[k] - (VECTOR){0};
        UNROLLED(j, sets) NAMED(fma)(&acc[j * columns + k], v[j], wk);
    }
}

/* `sets` times LANES pixels: the run's `pixel`, whose input begins at x, and the next. */
INLINE void NAMED(split_pixels)(const int columns, const int sets, const struct fc_conv_args *t, const char *x,
                                ptrdiff_t pixel)
{
    VECTOR acc[FC_MAX_SPLIT * MAX_SPLIT_SETS], sums[FC_MAX_SPLIT * MAX_SPLIT_SETS];
    const ptrdiff_t plane = t->tap, row = columns <= LANES ? LANES : 2 * LANES; /* of the packed weights */
    const T *w = t->weights;
    UNROLLED(k, columns)
        UNROLLED(j, sets) acc[j * columns + k] = ((const T *)t->epilogue.bias)[k] - (VECTOR){0};
    ptrdiff_t room = SUM_TERMS; /* of the chunk */
    int is_first = 1;
    for (ptrdiff_t s = 0; s < t->n_segments; s++) {
        const char *at = x + t->segments[s];
        ptrdiff_t left = t->length / (ptrdiff_t)sizeof(T);
        while (left) {
            if (!room) {
                NAMED(few_next_chunk)(columns * sets, acc, sums, is_first);
                room = SUM_TERMS;
                is_first = 0;
            }
            const ptrdiff_t n = left < room ? left : room;
            room -= n;
            left -= n;
            for (const T *const end = w + n * row; w < end; w += row, at += plane)
                NAMED(split_step)(columns, sets, acc, at, w);
        }
    }
    UNROLLED(j, sets) {
        VECTOR *const set = acc + j * columns;
        NAMED(few_finish)(columns, set, sums + j * columns, is_first, t->epilogue.slopes);
        UNROLL
        for (int k = 0; k < columns; k += SIDE)
            NAMED(few_store)(columns, k, set, &t->epilogue, pixel + j * LANES, 1, SIDE);
    }
}

/* `columns` and `sets` are literals at every call: so many vectors of pixels go together that their sums hide the
 * latency, and each weight is loaded once for all. */
INLINE void NAMED(split_tile)(const int columns, const int sets, const struct fc_conv_args *t, ptrdiff_t step,
                              ptrdiff_t count)
{
    const int fewer = sets > 2 ? 2 : 1;
    ptrdiff_t pixel = 0;
    while (pixel < count) {
        const ptrdiff_t left = count - pixel;
        if (sets > 1 && left > fewer * LANES && count >= sets * LANES) {
            if (pixel > count - sets * LANES) pixel = count - sets * LANES;
            NAMED(split_pixels)(columns, sets, t, t->pixels[0] + pixel * step, pixel);
            pixel += sets * LANES;
        } else if (fewer > 1 && left > LANES && count >= fewer * LANES) {
            if (pixel > count - fewer * LANES) pixel = count - fewer * LANES;
            NAMED(split_pixels)(columns, fewer, t, t->pixels[0] + pixel * step, pixel);
            pixel += fewer * LANES;
        } else {
            if (pixel > count - LANES) pixel = count - LANES;
            NAMED(split_pixels)(columns, 1, t, t->pixels[0] + pixel * step, pixel);
            pixel += LANES;
        }
    }
}
#endif
