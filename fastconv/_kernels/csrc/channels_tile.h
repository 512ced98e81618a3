/* What is computed of all channels of a pixel in double, and what has the same value in all of them:
 *
 *     channel_mean:  sum x[c] / divisor, where the sum is by lanes of vectors, then lane by lane, then the tail
 *     channel_max:   the largest, or NaN where there is one
 *     layer_norm:    d[c] = x[c] - mean x,  n[c] = d[c] (1 / sqrt(mean d^2 + epsilon)) rounded to T, sums as above;
 *                    out[c] = n[c] y[c] + z[c] in T
 *     spread:        out[c] = x[0]
 *
 * A pixel's bits depend on it alone. out may be x where it has as many channels. */

INLINE double NAMED(sum_of_channels)(const T *x, ptrdiff_t channels)
{
    const ptrdiff_t whole = channels - channels % SUM_LANES;
    SUMS lanes = {0};
    double sum = 0;
    for (ptrdiff_t c = 0; c < whole; c += SUM_LANES) lanes += __builtin_convertvector(*(const SUMMANDS *)(x + c), SUMS);
    for (int i = 0; i < SUM_LANES; i++) sum += lanes[i];
    for (ptrdiff_t c = whole; c < channels; c++) sum += x[c];
    return sum;
}

INLINE double NAMED(sum_of_squares)(const T *x, ptrdiff_t channels, double mean)
{
    const ptrdiff_t whole = channels - channels % SUM_LANES;
    SUMS lanes = {0};
    double sum = 0;
    for (ptrdiff_t c = 0; c < whole; c += SUM_LANES) {
        const SUMS d = __builtin_convertvector(*(const SUMMANDS *)(x + c), SUMS) - mean;
        lanes += d * d;
    }
    for (int i = 0; i < SUM_LANES; i++) sum += lanes[i];
    for (ptrdiff_t c = whole; c < channels; c++) sum += (x[c] - mean) * (x[c] - mean);
    return sum;
}

static void NAMED(map_channel_mean)(const struct fc_map_args *t)
{
    for (ptrdiff_t i = 0; i < t->pixels; i++)
        *(T *)(t->out + i * t->out_stride) =
            (T)(NAMED(sum_of_channels)((const T *)(t->x + i * t->x_stride), t->channels) / t->numbers[0]);
}

static void NAMED(map_channel_max)(const struct fc_map_args *t)
{
    const ptrdiff_t whole = t->channels - t->channels % LANES;
    for (ptrdiff_t i = 0; i < t->pixels; i++) {
        const T *const x = (const T *)(t->x + i * t->x_stride);
        VECTOR lanes = BROADCAST(x[0]);
        for (ptrdiff_t c = 0; c < whole; c += LANES) lanes = NAMED(larger)(lanes, *(const VECTOR *)(x + c));
        T max = lanes[0];
        for (int lane = 1; lane < LANES; lane++) max = max > lanes[lane] || max != max ? max : lanes[lane];
        for (ptrdiff_t c = whole; c < t->channels; c++) max = max > x[c] || max != max ? max : x[c];
        *(T *)(t->out + i * t->out_stride) = max;
    }
}

static void NAMED(map_layer_norm)(const struct fc_map_args *t)
{
    const T *const y = (const T *)t->y, *const z = (const T *)t->z;
    const ptrdiff_t whole = t->channels - t->channels % SUM_LANES;
    for (ptrdiff_t i = 0; i < t->pixels; i++) {
        const T *const x = (const T *)(t->x + i * t->x_stride);
        T *const out = (T *)(t->out + i * t->out_stride);
        const double mean = NAMED(sum_of_channels)(x, t->channels) / t->channels;
        const double inverse = 1 / sqrt(NAMED(sum_of_squares)(x, t->channels, mean) / t->channels + t->numbers[0]);
        for (ptrdiff_t c = 0; c < whole; c += SUM_LANES) {
            const SUMS normal = (__builtin_convertvector(*(const SUMMANDS *)(x + c), SUMS) - mean) * inverse;
            *(SUMMANDS *)(out + c) =
                __builtin_convertvector(normal, SUMMANDS) * *(const SUMMANDS *)(y + c) + *(const SUMMANDS *)(z + c);
        }
        for (ptrdiff_t c = whole; c < t->channels; c++) out[c] = (T)((x[c] - mean) * inverse) * y[c] + z[c];
    }
}

static void NAMED(map_spread)(const struct fc_map_args *t)
{
    const ptrdiff_t vector = LANES * sizeof(T), bytes = t->channels * sizeof(T);
    for (ptrdiff_t i = 0; i < t->pixels; i++) {
        const VECTOR v = BROADCAST(*(const T *)(t->x + i * t->x_stride));
        char *const out = t->out + i * t->out_stride;
        for (ptrdiff_t at = 0; at < bytes; at += vector)
            NAMED(store_tail)(out + at, v, (bytes - at) / (ptrdiff_t)sizeof(T));
    }
}
