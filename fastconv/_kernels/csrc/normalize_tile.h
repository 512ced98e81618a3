/* The local response normalisation, which is computed of all channels of a pixel
 *
 *     d = k + alpha sum x[c - before]^2 .. x[c + after]^2,  out[c] = x[c] d^-beta;  the sum in this order
 *
 * A pixel's bits depend on it alone. Powers of 0.75 are computed in T, where all d of a pixel are far from its limits;
 * other pixels, and other powers, in double, value by value.
 */
#include <math.h>

/* Whether some d is not between 2^-80 and 2^80, a mask by lanes. The squares are written to t->work, between zeros.
 * `others` channels beside its own are in a sum: a literal where they are the published four, which unrolls its loop.
 */
INLINE NAMED(mask) NAMED(lrn_pixel)(const struct fc_map_args *t, const char *x, char *out, const ptrdiff_t others)
{
    const ptrdiff_t vector = LANES * sizeof(T), bytes = t->channels * sizeof(T);
    char *const squares = t->work + t->before * sizeof(T);
    NAMED(mask) beyond = (VECTOR){0} != (VECTOR){0};
    for (ptrdiff_t at = 0; at < bytes; at += vector) {
        const VECTOR v = NAMED(load_tail)(x + at, (bytes - at) / (ptrdiff_t)sizeof(T));
        *(VECTOR *)(squares + at) = v * v;
    }
    for (ptrdiff_t at = 0; at < bytes; at += vector) {
        const ptrdiff_t count = (bytes - at) / (ptrdiff_t)sizeof(T);
        VECTOR sum = {0};
        for (ptrdiff_t i = 0; i <= others; i++) sum += *(const VECTOR *)(t->work + at + i * sizeof(T));
        const VECTOR d = sum * (T)t->numbers[0] + (T)t->numbers[2];
        beyond |= ~((d >= (T)0x1p-80) & (d <= (T)0x1p80));
        NAMED(store_tail)(out + at, NAMED(load_tail)(x + at, count) * NAMED(power_of_three_quarters)(d), count);
    }
    return beyond;
}

static void NAMED(lrn_exact_pixel)(const struct fc_map_args *t, const T *x, T *out)
{
    for (ptrdiff_t c = 0; c < t->channels; c++) {
        const ptrdiff_t first = c < t->before ? 0 : c - t->before;
        const ptrdiff_t end = t->channels - c <= t->after ? t->channels : c + t->after + 1;
        double sum = 0;
        for (ptrdiff_t i = first; i < end; i++) sum += (double)x[i] * x[i];
        out[c] = (T)(x[c] / pow(sum * t->numbers[0] + t->numbers[2], t->numbers[1]));
    }
}

INLINE int NAMED(any)(NAMED(mask) lanes)
{
    int is_any = 0;
    for (int i = 0; i < LANES; i++) is_any |= lanes[i] != 0;
    return is_any;
}

static void NAMED(map_lrn)(const struct fc_map_args *t)
{
    const ptrdiff_t others = t->before + t->after;
    const int is_three_quarters = t->numbers[1] == 0.75 && 0 <= t->numbers[0] && t->numbers[0] <= 1;
    NAMED(mask) beyond = (VECTOR){0} != (VECTOR){0};
    if (is_three_quarters) {
        memset(t->work, 0, t->before * sizeof(T));
        memset(t->work + (t->before + t->channels) * sizeof(T), 0, (t->after + 2 * LANES) * sizeof(T));
        for (ptrdiff_t i = 0; i < t->pixels; i++) {
            const char *const x = t->x + i * t->x_stride;
            char *const out = t->out + i * t->out_stride;
            beyond |= others == 4 ? NAMED(lrn_pixel)(t, x, out, 4) : NAMED(lrn_pixel)(t, x, out, others);
        }
        if (!NAMED(any)(beyond)) return;
    }
    for (ptrdiff_t i = 0; i < t->pixels; i++) {
        const char *const x = t->x + i * t->x_stride;
        char *const out = t->out + i * t->out_stride;
        if (!is_three_quarters || NAMED(any)(NAMED(lrn_pixel)(t, x, out, others)))
            NAMED(lrn_exact_pixel)(t, (const T *)x, (T *)out);
    }
}
