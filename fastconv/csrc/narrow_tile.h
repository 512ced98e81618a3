/* The tile of a convolution in narrow groups: of one channel each (depthwise), or of four (ResNeXt's 32x4d), in and
 * out. A vector of output channels then needs a vector of input channels of the same numbers, and no other.
 *
 * The struct is that of conv_tile.h, with these differences: a segment is one tap, under which the pixels' channels lie
 * side by side; the weights are packed [vector of channels][tap][input channel of the group][channel]; `columns` are
 * all channels, and one call goes through all of them. The order of each sum is the same: bias, then taps in order and
 * under a tap the group's channels in order, residual, activation.
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

static T NAMED(narrow_value)(const int width, const struct fc_tile *t, int pixel, ptrdiff_t channel)
{
    const ptrdiff_t steps = t->n_segments * width, first = channel / width * width;
    const T *w = (const T *)t->weights + channel / LANES * steps * LANES + channel % LANES;
    T sum = ((const T *)t->bias)[channel];
    for (ptrdiff_t s = 0; s < t->n_segments; s++) {
        KEEP_IN_ONE_REGISTER(s); /* and so unvectorised: gcc would round products and sums apart */
        const T *x = (const T *)(t->pixels[pixel] + t->segments[s]) + first;
        for (int c = 0; c < width; c++, w += LANES) sum += x[c] * *w;
    }
    if (t->residual) sum += ((const T *)(t->residual + pixel * t->residual_stride))[channel];
    return t->relu && sum < 0 ? 0 : sum;
}

/* `pixels` and `width` are literals at every call. The struct is copied: for all the compiler knows, `out` is in it. */
INLINE void NAMED(narrow_tile)(const int pixels, const int width, const struct fc_tile *t)
{
    const struct fc_tile tile = *t;
    const T *w = tile.weights, *bias = tile.bias;
    const char *x[MAX_PIXELS];
    UNROLL
    for (int i = 0; i < pixels; i++) x[i] = tile.pixels[i];
    ptrdiff_t channel = 0;
    for (; channel + LANES <= tile.columns; channel += LANES) {
        const ptrdiff_t at = channel * sizeof(T);
        VECTOR acc[MAX_PIXELS];
        UNROLL
        for (int i = 0; i < pixels; i++) acc[i] = *(const VECTOR *)(bias + channel);
        for (ptrdiff_t s = 0; s < tile.n_segments; s++) {
            const ptrdiff_t tap = tile.segments[s] + at;
            VECTOR xv[MAX_PIXELS];
            UNROLL
            for (int i = 0; i < pixels; i++) xv[i] = *(const VECTOR *)(x[i] + tap);
            UNROLL
            for (int c = 0; c < width; c++, w += LANES) {
                const VECTOR wv = *(const VECTOR *)w;
                UNROLL
                for (int i = 0; i < pixels; i++)
                    NAMED(multiply_add)(&acc[i], width == 1 ? xv[i] : NAMED(spread)(xv[i], c), wv);
            }
        }
        UNROLL
        for (int i = 0; i < pixels; i++) {
            if (tile.residual) acc[i] += *(const VECTOR *)(tile.residual + i * tile.residual_stride + at);
            *(VECTOR *)(tile.out + i * tile.out_stride + at) = tile.relu ? NAMED(positive)(acc[i]) : acc[i];
        }
    }
    for (; channel < tile.columns; channel++)
        for (int i = 0; i < pixels; i++)
            ((T *)(tile.out + i * tile.out_stride))[channel] = NAMED(narrow_value)(width, &tile, i, channel);
}
