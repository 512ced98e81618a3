/* The softmax of few channels: pixels are the lanes, so that a vector has one channel of LANES pixels.
 *
 *     e[c] = exp(x[c] - max x),  out[c] = e[c] / sum e;  the sum in this order
 *
 * A pixel's bits depend on it alone. out may be x. Nothing is read or written beyond the pixels. */
static void NAMED(map_softmax_few)(const struct fc_map_args *t)
{
    for (ptrdiff_t i = 0; i < t->pixels; i += LANES) {
        const ptrdiff_t left = t->pixels - i, count = left < LANES ? left : LANES;
        const char *const x = t->x + i * t->x_stride;
        char *const out = t->out + i * t->out_stride;
        VECTOR powers[FC_FEW_CHANNELS], max = BROADCAST(-INFINITY), sum = {0};
        for (ptrdiff_t c = 0; c < t->channels; c++) {
            VECTOR v = {0};
            for (ptrdiff_t p = 0; p < count; p++) ((T *)&v)[p] = ((const T *)(x + p * t->x_stride))[c];
            max = NAMED(select)(v > max, v, max);
            powers[c] = v;
        }
        for (ptrdiff_t c = 0; c < t->channels; c++) {
            powers[c] = NAMED(exp)(powers[c] - max);
            sum += powers[c];
        }
        for (ptrdiff_t c = 0; c < t->channels; c++) {
            const VECTOR v = powers[c] / sum;
            for (ptrdiff_t p = 0; p < count; p++) ((T *)(out + p * t->out_stride))[c] = ((const T *)&v)[p];
        }
    }
}
