/* Linear interpolation along one axis: each pixel is a sum of two,
 *
 *     out[pixel][c] = x[first[pixel]][c] * shares[pixel][0] + x[second[pixel]][c] * shares[pixel][1]
 *
 * A vector is loaded, computed and stored by the same instructions wherever it lies, the last one of a pixel with lanes
 * to spare. Nothing is read or written beyond the pixels. */
static void NAMED(blend)(const struct fc_blend_args *t)
{
    const ptrdiff_t vector = LANES * sizeof(T), bytes = t->channels * sizeof(T);
    for (ptrdiff_t i = 0; i < t->pixels; i++) {
        const char *const first = t->x + t->places[2 * i], *const second = t->x + t->places[2 * i + 1];
        const T *const shares = (const T *)t->shares + 2 * i;
        const VECTOR a = shares[0] - (VECTOR){0}, b = shares[1] - (VECTOR){0};
        char *const out = t->out + i * t->out_stride;
        for (ptrdiff_t at = 0; at < bytes; at += vector) {
            const ptrdiff_t count = (bytes - at) / (ptrdiff_t)sizeof(T);
            VECTOR sum = NAMED(load_tail)(first + at, count) * a;
            NAMED(fma)(&sum, NAMED(load_tail)(second + at, count), b);
            NAMED(store_tail)(out + at, sum, count);
        }
    }
}
