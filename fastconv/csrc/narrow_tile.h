/* The tile of a convolution in narrow groups: of one channel each (depthwise), or of four (ResNeXt's 32x4d), in and
 * out. A vector of output channels then needs a vector of input channels of the same numbers, and no other.
 *
 * The struct is that of conv_tile.h, with these differences: a segment is one tap, under which the pixels' channels lie
 * side by side, so that `length`, `gap` and `ahead` are not read; the weights are packed [vector of
 * channels][tap][input channel of the group][channel]; `columns` are all channels, and one call goes through all of
 * them. Each sum is one chain: bias, then taps in order and under a tap the group's channels in order; then residual,
 * activation.
 *
 * The last channels of a pixel that fill no vector go one by one: nothing is read beyond the arrays.
 */

/* Value c of each group of four, in all lanes of the group. */
INLINE VECTOR NAMED(spread)(VECTOR x, const int c)
{
    VECTOR y;
#if defined __FMA__ && VECTOR_BYTES >= 32
    switch (c) {
    case 0:
        __asm__(SPREAD_FOUR " $0x00, %1, %0" : "=v"(y) : "v"(x));
        break;
    case 1:
        __asm__(SPREAD_FOUR " $0x55, %1, %0" : "=v"(y) : "v"(x));
        break;
    case 2:
        __asm__(SPREAD_FOUR " $0xaa, %1, %0" : "=v"(y) : "v"(x));
        break;
    default:
        __asm__(SPREAD_FOUR " $0xff, %1, %0" : "=v"(y) : "v"(x));
    }
#else
    UNROLL
    for (int lane = 0; lane < LANES; lane++) y[lane] = x[lane / 4 * 4 % LANES + c % LANES];
#endif
    return y;
}

/* One channel of a pixel whose input begins at `input`. */
static T NAMED(narrow_value)(const int width, const struct fc_tile *t, const char *input, int pixel, ptrdiff_t channel)
{
    const ptrdiff_t steps = t->n_segments * width, first = channel / width * width;
    const char *vector = (const char *)t->weights + channel / LANES * (steps * VECTOR_BYTES + t->skipped);
    const T *w = (const T *)vector + channel % LANES;
    T sum = ((const T *)t->bias)[channel];
    for (ptrdiff_t s = 0; s < t->n_segments; s++) {
        KEEP_IN_ONE_REGISTER(s); /* and so unvectorised: gcc would round products and sums apart */
        const T *x = (const T *)(input + t->segments[s]) + first;
        for (int c = 0; c < width; c++, w += LANES) sum += x[c] * *w;
    }
    if (t->residual) sum += ((const T *)(t->residual + pixel * t->residual_stride))[channel];
    return t->relu && sum < 0 ? 0 : sum;
}

/* `pixels` and `width` are literals at every call. */
INLINE void NAMED(narrow_tile)(const int pixels, const int width, const struct fc_tile *t)
{
    const T *w = t->weights, *bias = t->bias;
    const char *x[MAX_PIXELS];
    UNROLL
    for (int i = 0; i < pixels; i++) x[i] = t->pixels[i];
    ptrdiff_t channel = 0;
    for (; channel + LANES <= t->columns; channel += LANES) {
        const ptrdiff_t at = channel * sizeof(T);
        VECTOR acc[MAX_PIXELS][FC_MAX_VECTORS]; /* of which the first is used */
        UNROLL
        for (int i = 0; i < pixels; i++) acc[i][0] = *(const VECTOR *)(bias + channel);
        for (ptrdiff_t s = 0; s < t->n_segments; s++) {
            const ptrdiff_t tap = t->segments[s] + at;
            VECTOR xv[MAX_PIXELS];
            UNROLL
            for (int i = 0; i < pixels; i++) xv[i] = *(const VECTOR *)(x[i] + tap);
            UNROLL
            for (int c = 0; c < width; c++, w += LANES) {
                const VECTOR wv = *(const VECTOR *)w;
                UNROLL
                for (int i = 0; i < pixels; i++)
                    NAMED(multiply_add)(&acc[i][0], width == 1 ? xv[i] : NAMED(spread)(xv[i], c), wv);
            }
        }
        w = (const T *)((const char *)w + t->skipped);
        NAMED(conv_finish)(pixels, 1, acc, t, at);
    }
    for (; channel < t->columns; channel++)
        for (int i = 0; i < pixels; i++)
            ((T *)(t->out + i * t->out_stride))[channel] = NAMED(narrow_value)(width, t, x[i], i, channel);
}

/* The tile of groups of one channel for pixels side by side, `step` columns apart, under a kernel FC_ROW_TAPS wide
 * whose taps are neighbours: under a row of the kernel each column of the input is loaded once. Of `pixels` it reads
 * the first alone. */
INLINE void NAMED(row_tile)(const int pixels, const int step, const struct fc_tile *t)
{
    const T *w = t->weights, *bias = t->bias;
    const char *first = t->pixels[0];
    const ptrdiff_t column = t->segments[1] - t->segments[0];
    ptrdiff_t channel = 0;
    for (; channel + LANES <= t->columns; channel += LANES) {
        const ptrdiff_t at = channel * sizeof(T);
        VECTOR acc[MAX_PIXELS][FC_MAX_VECTORS]; /* of which the first is used */
        UNROLL
        for (int i = 0; i < pixels; i++) acc[i][0] = *(const VECTOR *)(bias + channel);
        for (ptrdiff_t s = 0; s < t->n_segments; s += FC_ROW_TAPS, w += FC_ROW_TAPS * LANES) {
            const char *x = first + t->segments[s] + at;
            VECTOR wv[FC_ROW_TAPS];
            UNROLL
            for (int k = 0; k < FC_ROW_TAPS; k++) wv[k] = *(const VECTOR *)(w + k * LANES);
            UNROLL
            for (int j = 0; j < (pixels - 1) * step + FC_ROW_TAPS; j++) {
                if (j > 0) x += column;
                const VECTOR xv = *(const VECTOR *)x;
                UNROLL
                for (int k = 0; k < FC_ROW_TAPS; k++)
                    if (j >= k && (j - k) % step == 0 && (j - k) / step < pixels)
                        NAMED(multiply_add)(&acc[(j - k) / step][0], xv, wv[k]);
            }
        }
        w = (const T *)((const char *)w + t->skipped);
        NAMED(conv_finish)(pixels, 1, acc, t, at);
    }
    for (; channel < t->columns; channel++)
        for (int i = 0; i < pixels; i++)
            ((T *)(t->out + i * t->out_stride))[channel] =
                NAMED(narrow_value)(1, t, first + i * step * column, i, channel);
}
