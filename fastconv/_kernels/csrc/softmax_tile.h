/* The softmax of x[0], x[1], ..., and its logarithm: those of the channels of each pixel, or along the pixels of each
 * channel. With m = max x and d[i] = x[i] - m
 *
 *     softmax:      e[i] = exp(d[i]),  out[i] = e[i] (1 / sum e)
 *     log_softmax:  s = sum of exp(d[i]) where d[i] is not 0, + how many others there are - 1,
 *                   out[i] = d[i] - log(1 + s)
 *
 * The second is right relatively next to 0 too: what is beside the largest is never added to 1. Of channels the sum is
 * by lanes, then by halves of these; along pixels, and of few channels, where pixels are the lanes and the quotient is
 * e[c] / sum e, it is in order. The bits depend on the x alone. Nothing is read or written beyond them, and out may be
 * x.
 */
#include <math.h>

/* From here down a power beside 1 is 0 in a softmax of scores: less than 2^-115, or 2^-1009 in double. So the results
 * are no subnormal numbers, which a product takes a hundred times as long for, of up to 2^10 channels. */
#define LEAST_SCORE BROADCAST(IS_SINGLE ? -80 : -700)

/* log(1 + s) for s >= 0, where 1 + s is rounded: what that loses is a first term of log's series. */
INLINE VECTOR NAMED(log_of_one_and)(VECTOR s)
{
    const VECTOR whole = 1 + s;
    return NAMED(log)(whole) + (s - (whole - 1)) / whole;
}

/* Sums of powers that are beside the largest, and how many are the largest; a NaN is none of these. */
struct NAMED(beside) {
    VECTOR powers, largest;
};

INLINE void NAMED(add_beside)(struct NAMED(beside) * sums, VECTOR d, ptrdiff_t count)
{
    const NAMED(mask) is_largest = d == 0;
    VECTOR power = NAMED(select)(is_largest, BROADCAST(0), NAMED(exp)(d));
    VECTOR one = NAMED(select)(is_largest, BROADCAST(1), BROADCAST(0));
    sums->powers += NAMED(load_tail)((const char *)&power, count); /* 0 in lanes to spare */
    sums->largest += NAMED(load_tail)((const char *)&one, count);
}

/* max x but for NaN. The last vector overlaps the one before it. */
INLINE T NAMED(max_of_channels)(const char *x, ptrdiff_t bytes)
{
    const ptrdiff_t vector = LANES * sizeof(T);
    VECTOR lanes = BROADCAST(-INFINITY);
    if (bytes < vector) {
        T max = -INFINITY;
        for (ptrdiff_t at = 0; at < bytes; at += sizeof(T))
            max = *(const T *)(x + at) > max ? *(const T *)(x + at) : max;
        return max;
    }
    for (ptrdiff_t at = 0; at < bytes; at += vector) {
        const VECTOR v = *(const VECTOR *)(x + (at + vector > bytes ? bytes - vector : at));
        lanes = NAMED(select)(v > lanes, v, lanes);
    }
    return NAMED(max_of_lanes)(lanes);
}

INLINE void NAMED(softmax_pixel)(const char *x, char *out, ptrdiff_t channels, VECTOR least)
{
    const ptrdiff_t vector = LANES * sizeof(T), bytes = channels * sizeof(T), whole = bytes - bytes % vector;
    const ptrdiff_t count = (bytes - whole) / (ptrdiff_t)sizeof(T);
    const T max = NAMED(max_of_channels)(x, bytes);
    VECTOR sums = {0};
    for (ptrdiff_t at = 0; at < whole; at += vector) {
        const VECTOR power = NAMED(large_exp)(*(const VECTOR *)(x + at) - max, least) * (T)(1 / SPARE_POWER);
        *(VECTOR *)(out + at) = power;
        sums += power;
    }
    if (count > 0) {
        const VECTOR power = NAMED(large_exp)(NAMED(load_tail)(x + whole, count) - max, least) * (T)(1 / SPARE_POWER);
        NAMED(store_tail)(out + whole, power, count);
        sums += NAMED(load_tail)(out + whole, count); /* 0 in lanes to spare */
    }
    const T share = 1 / NAMED(sum_of_lanes)(sums);
    for (ptrdiff_t at = 0; at < whole; at += vector) *(VECTOR *)(out + at) *= share;
    if (count > 0) NAMED(store_tail)(out + whole, NAMED(load_tail)(out + whole, count) * share, count);
}

INLINE void NAMED(softmax_tile)(const int is_of_scores, const struct fc_map_args *t)
{
    for (ptrdiff_t i = 0; i < t->pixels; i++) {
        NAMED(softmax_pixel)(t->x + i * t->x_stride, t->out + i * t->out_stride, t->channels,
                             is_of_scores ? LEAST_SCORE : MIN_POWER);
    }
}

KERNEL(map_softmax, fc_map_args, softmax_tile, 0)
KERNEL(map_softmax_of_scores, fc_map_args, softmax_tile, 1)

static void NAMED(map_log_softmax)(const struct fc_map_args *t)
{
    const ptrdiff_t vector = LANES * sizeof(T), bytes = t->channels * sizeof(T);
    for (ptrdiff_t i = 0; i < t->pixels; i++) {
        const char *const x = t->x + i * t->x_stride;
        char *const out = t->out + i * t->out_stride;
        const T max = NAMED(max_of_channels)(x, bytes);
        struct NAMED(beside) sums = {{0}, {0}};
        for (ptrdiff_t at = 0; at < bytes; at += vector) {
            const ptrdiff_t count = (bytes - at) / (ptrdiff_t)sizeof(T);
            NAMED(add_beside)(&sums, NAMED(load_tail)(x + at, count) - max, count);
        }
        const T beside = NAMED(sum_of_lanes)(sums.powers) + (NAMED(sum_of_lanes)(sums.largest) - 1);
        const VECTOR log = NAMED(log_of_one_and)(BROADCAST(beside));
        for (ptrdiff_t at = 0; at < bytes; at += vector) {
            const ptrdiff_t count = (bytes - at) / (ptrdiff_t)sizeof(T);
            NAMED(store_tail)(out + at, NAMED(load_tail)(x + at, count) - max - log, count);
        }
    }
}

/* Of few channels: a vector has one channel of LANES pixels. */
INLINE void NAMED(softmax_few_tile)(const int is_log, const struct fc_map_args *t)
{
    for (ptrdiff_t i = 0; i < t->pixels; i += LANES) {
        const ptrdiff_t left = t->pixels - i, count = left < LANES ? left : LANES;
        const char *const x = t->x + i * t->x_stride;
        char *const out = t->out + i * t->out_stride;
        VECTOR values[FC_FEW_CHANNELS], max = BROADCAST(-INFINITY), sum = {0};
        struct NAMED(beside) sums = {{0}, {0}};
        for (ptrdiff_t c = 0; c < t->channels; c++) {
            VECTOR v = {0};
            for (ptrdiff_t p = 0; p < count; p++) ((T *)&v)[p] = ((const T *)(x + p * t->x_stride))[c];
            max = NAMED(select)(v > max, v, max);
            values[c] = v;
        }
        for (ptrdiff_t c = 0; c < t->channels; c++) {
            values[c] -= max;
            if (is_log) {
                NAMED(add_beside)(&sums, values[c], LANES);
            } else {
                values[c] = NAMED(exp)(values[c]);
                sum += values[c];
            }
        }
        if (is_log) sum = NAMED(log_of_one_and)(sums.powers + (sums.largest - 1));
        for (ptrdiff_t c = 0; c < t->channels; c++) {
            VECTOR v = values[c];
            v = is_log ? v - sum : v / sum;
            for (ptrdiff_t p = 0; p < count; p++) ((T *)(out + p * t->out_stride))[c] = ((const T *)&v)[p];
        }
    }
}

KERNEL(map_softmax_few, fc_map_args, softmax_few_tile, 0)
KERNEL(map_log_softmax_few, fc_map_args, softmax_few_tile, 1)

/* Along the pixels: channels are the lanes. */
INLINE void NAMED(softmax_along_tile)(const int is_log, const struct fc_map_args *t)
{
    const ptrdiff_t vector = LANES * sizeof(T), bytes = t->channels * sizeof(T);
    for (ptrdiff_t at = 0; at < bytes; at += vector) {
        const ptrdiff_t count = (bytes - at) / (ptrdiff_t)sizeof(T);
        const char *const x = t->x + at;
        char *const out = t->out + at;
        VECTOR max = BROADCAST(-INFINITY), sum = {0};
        struct NAMED(beside) sums = {{0}, {0}};
        for (ptrdiff_t i = 0; i < t->pixels; i++) {
            const VECTOR v = NAMED(load_tail)(x + i * t->x_stride, count);
            max = NAMED(select)(v > max, v, max);
        }
        for (ptrdiff_t i = 0; i < t->pixels; i++) {
            const VECTOR d = NAMED(load_tail)(x + i * t->x_stride, count) - max;
            if (is_log) {
                NAMED(add_beside)(&sums, d, LANES);
            } else {
                const VECTOR power = NAMED(exp)(d);
                NAMED(store_tail)(out + i * t->out_stride, power, count);
                sum += power;
            }
        }
        const VECTOR log = NAMED(log_of_one_and)(sums.powers + (sums.largest - 1)), share = 1 / sum;
        for (ptrdiff_t i = 0; i < t->pixels; i++) {
            char *const to = out + i * t->out_stride;
            if (is_log)
                NAMED(store_tail)(to, NAMED(load_tail)(x + i * t->x_stride, count) - max - log, count);
            else
                NAMED(store_tail)(to, NAMED(load_tail)(to, count) * share, count);
        }
    }
}

KERNEL(map_softmax_along, fc_map_args, softmax_along_tile, 0)
KERNEL(map_log_softmax_along, fc_map_args, softmax_along_tile, 1)
