/* The tile of a convolution in small groups: of one channel each (depthwise), or of four (ResNeXt's 32x4d), in and
 * out. A vector of output channels then needs a vector of input channels of the same numbers, and no other.
 *
 * Arithmetic contract, for each pixel i and channel k, whose group has `width` channels of input:
 *
 *     acc = bias[k]
 *     for each segment s, for each tap t of it, for each channel c of the group:
 *         acc = fma(x[i][s][t][c], w[s][t][c][k], acc)
 *     out[i][k] = min(max(acc + residual[i][k], lo), hi), or with slopes as epilogue.h says
 *
 * The struct is that of conv_tile.h, with these differences: a segment is a row of taps, each `tap` from the next,
 * under which the pixels' channels lie side by side, and `length` is the taps' number times `tap`; `ahead` is not read;
 * the weights are packed [vector of channels][tap][input channel of the group][channel]; `columns` are all channels,
 * and one call goes through all of them.
 *
 * Where the channels fill no whole number of vectors, the last vector overlaps the one before, and the channels of both
 * are stored twice. Fewer channels than a vector has are its first lanes. So nothing is read beyond the arrays.
 */

/* Value c of each group of four, in all lanes of the group. */
INLINE VECTOR NAMED(broadcast_four)(VECTOR x, const int c)
{
    VECTOR y;
#ifdef BROADCAST_FOUR
    switch (c) {
    case 0:
        BROADCAST_FOUR(y, x, 0x00);
        break;
    case 1:
        BROADCAST_FOUR(y, x, 0x55);
        break;
    case 2:
        BROADCAST_FOUR(y, x, 0xaa);
        break;
    default:
        BROADCAST_FOUR(y, x, 0xff);
    }
#else
    UNROLLED(lane, LANES) y[lane] = x[lane / 4 * 4 % LANES + c % LANES];
#endif
    return y;
}

/* All channels of some pixels, where they fill no vector: its first lanes. `pixels` and `width` are literals at every
 * call. */
INLINE void NAMED(grouped_few)(const int pixels, const int width, const struct fc_conv_args *t, const char *const *x,
                               const struct fc_epilogue *e)
{
    const T *w = t->weights;
    const ptrdiff_t columns = t->columns;
    VECTOR acc[MAX_PIXELS][FC_MAX_VECTORS]; /* of which the first is used */
    UNROLLED(i, pixels) acc[i][0] = *(const VECTOR *)e->bias;
    for (ptrdiff_t s = 0; s < t->n_segments; s++) {
        const ptrdiff_t end = t->segments[s] + t->length;
        for (ptrdiff_t tap = t->segments[s]; tap < end; tap += t->tap) {
            VECTOR xv[MAX_PIXELS];
            UNROLLED(i, pixels) xv[i] = NAMED(load_tail)(x[i] + tap, columns);
            UNROLL
            for (int c = 0; c < width; c++, w += LANES) {
                const VECTOR wv = *(const VECTOR *)w;
                UNROLLED(i, pixels) NAMED(fma)(&acc[i][0], width == 1 ? xv[i] : NAMED(broadcast_four)(xv[i], c), wv);
            }
        }
        w = (const T *)((const char *)w + t->gap);
    }
    NAMED(conv_finish_columns)(pixels, 1, acc, e, columns * (ptrdiff_t)sizeof(T));
}

/* The same of the pixels of a tile, some after others. */
INLINE void NAMED(grouped_columns)(const int width, const struct fc_conv_args *t, int pixels)
{
    enum { TOGETHER = MAX_PIXELS < 6 ? MAX_PIXELS : 6 };
    struct fc_epilogue e = t->epilogue;
    const char *const *x = t->pixels, *const *end = x + pixels;
    for (; end - x >= TOGETHER; x += TOGETHER) {
        NAMED(grouped_few)(TOGETHER, width, t, x, &e);
        fc_advance(&e, TOGETHER, 0);
    }
    for (; x < end; x++) {
        NAMED(grouped_few)(1, width, t, x, &e);
        fc_advance(&e, 1, 0);
    }
}

/* `pixels` and `width` are literals at every call. */
INLINE void NAMED(grouped_tile)(const int pixels, const int width, const struct fc_conv_args *t)
{
    const T *w = t->weights, *bias = t->epilogue.bias;
    const char *x[MAX_PIXELS];
    UNROLLED(i, pixels) x[i] = t->pixels[i];
    if (t->columns < LANES) {
        NAMED(grouped_columns)(width, t, pixels);
        return;
    }
    for (ptrdiff_t channel = 0; channel < t->columns; channel += LANES) {
        if (channel > t->columns - LANES) channel = t->columns - LANES;
        const ptrdiff_t at = channel * sizeof(T);
        VECTOR acc[MAX_PIXELS][FC_MAX_VECTORS]; /* of which the first is used */
        UNROLLED(i, pixels) acc[i][0] = *(const VECTOR *)(bias + channel);
        for (ptrdiff_t s = 0; s < t->n_segments; s++) {
            const ptrdiff_t end = t->segments[s] + at + t->length;
            for (ptrdiff_t tap = end - t->length; tap < end; tap += t->tap) {
                VECTOR xv[MAX_PIXELS];
                UNROLLED(i, pixels) xv[i] = *(const VECTOR *)(x[i] + tap);
                UNROLL
                for (int c = 0; c < width; c++, w += LANES) {
                    const VECTOR wv = *(const VECTOR *)w;
                    UNROLLED(i, pixels)
                        NAMED(fma)(&acc[i][0], width == 1 ? xv[i] : NAMED(broadcast_four)(xv[i], c), wv);
                }
            }
            w = (const T *)((const char *)w + t->gap);
        }
        w = (const T *)((const char *)w + t->skipped);
        NAMED(conv_finish)(pixels, 1, acc, &t->epilogue, at);
    }
}

/* The tile of groups of one channel for pixels side by side, `step` columns apart. A row of the kernel has `taps`
 * neighbours: under it each column of the input is loaded once. */
INLINE void NAMED(row_tile)(const int pixels, const int taps, const int step, const struct fc_conv_args *t)
{
    const T *w = t->weights, *bias = t->epilogue.bias;
    const char *first = t->pixels[0];
    const ptrdiff_t column = t->tap;
    if (t->columns < LANES) {
        NAMED(grouped_columns)(1, t, pixels);
        return;
    }
    for (ptrdiff_t channel = 0; channel < t->columns; channel += LANES) {
        if (channel > t->columns - LANES) channel = t->columns - LANES;
        const ptrdiff_t at = channel * sizeof(T);
        VECTOR acc[MAX_PIXELS][FC_MAX_VECTORS]; /* of which the first is used */
        UNROLLED(i, pixels) acc[i][0] = *(const VECTOR *)(bias + channel);
        for (ptrdiff_t s = 0; s < t->n_segments; s++, w += taps * LANES) {
            const char *x = first + t->segments[s] + at;
            VECTOR wv[FC_MAX_ROW_TAPS];
            UNROLLED(k, taps) wv[k] = NAMED(load_once)(w + k * LANES);
            UNROLLED(j, (pixels - 1) * step + taps) {
                if (j > 0) x += column;
                const VECTOR xv = *(const VECTOR *)x;
                UNROLLED(k, taps)
                    if (j >= k && (j - k) % step == 0 && (j - k) / step < pixels)
                        NAMED(fma)(&acc[(j - k) / step][0], xv, wv[k]);
            }
        }
        w = (const T *)((const char *)w + t->skipped);
        NAMED(conv_finish)(pixels, 1, acc, &t->epilogue, at);
    }
}
