/* The tile of a depthwise convolution, where each output channel sees the input channel of its own number only.
 *
 * The struct is that of conv_tile.h, with these differences: a segment is one tap, under which the pixels' channels lie
 * side by side; the weights are packed [vector of channels][tap][channel]; `columns` are all channels, and one call
 * goes through all of them. The order of each sum is the same: bias, then taps in order, residual, activation.
 *
 * The last channels of a pixel that fill no vector go one by one: nothing is read beyond the arrays.
 */

static T NAMED(channelwise_value)(const struct fc_tile *t, int pixel, ptrdiff_t channel)
{
    const ptrdiff_t vector = channel / LANES, lane = channel % LANES;
    const T *w = (const T *)t->weights + vector * t->n_segments * LANES + lane;
    T sum = ((const T *)t->bias)[channel];
    for (ptrdiff_t s = 0; s < t->n_segments; s++)
        sum += ((const T *)(t->pixels[pixel] + t->segments[s]))[channel] * w[s * LANES];
    if (t->residual) sum += ((const T *)(t->residual + pixel * t->residual_stride))[channel];
    return t->relu && sum < 0 ? 0 : sum;
}

/* `pixels` is a literal at every call. What the loop needs of `t` is read first: a store to `out` might change it. */
INLINE void NAMED(channelwise_tile)(const int pixels, const struct fc_tile *t)
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
        for (ptrdiff_t s = 0; s < tile.n_segments; s++, w += LANES) {
            const VECTOR wv = *(const VECTOR *)w;
            const ptrdiff_t tap = tile.segments[s] + at;
            UNROLL
            for (int i = 0; i < pixels; i++) NAMED(multiply_add)(&acc[i], *(const VECTOR *)(x[i] + tap), wv);
        }
        UNROLL
        for (int i = 0; i < pixels; i++) {
            if (tile.residual) acc[i] += *(const VECTOR *)(tile.residual + i * tile.residual_stride + at);
            *(VECTOR *)(tile.out + i * tile.out_stride + at) = tile.relu ? NAMED(positive)(acc[i]) : acc[i];
        }
    }
    for (; channel < tile.columns; channel++)
        for (int i = 0; i < pixels; i++)
            ((T *)(tile.out + i * tile.out_stride))[channel] = NAMED(channelwise_value)(&tile, i, channel);
}
