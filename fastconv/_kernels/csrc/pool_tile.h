/* Max and average pooling of output pixels side by side whose windows are clipped alike: one body for every type and
 * instruction set. The channels go by in blocks of vectors, each block once through its window, row by row.
 *
 * Arithmetic contract, for each pixel and channel, over the values v of its window, row by row:
 *
 *     max:      max = the first; for each v: max = max > v or max is NaN ? max : v; out = max
 *     average:  sum = 0 in double; for each v: sum = sum + v; out = sum / count, rounded to T
 *
 * So a maximum keeps the first NaN, and the last of 0 and -0. Vectors and blocks take no part in it: every instruction
 * set and every partition of the work gives the same bits.
 *
 * Where the channels fill no whole number of vectors, the last vector overlaps the one before, and the channels of both
 * are stored twice. Fewer channels than a vector has are the tail of one. So nothing is read beyond the arrays.
 */

#define SUMS NAMED(sums)
#define SUMMANDS NAMED(summands)
#define SUM_LANES ((int)(VECTOR_BYTES / sizeof(double)))

typedef double SUMS __attribute__((vector_size(VECTOR_BYTES)));
typedef T SUMMANDS __attribute__((vector_size(SUM_LANES * sizeof(T)), aligned(sizeof(T)), may_alias));

/* max > v or max is NaN ? max : v */
INLINE VECTOR NAMED(larger)(VECTOR max, VECTOR v)
{
#ifdef LARGER
    return LARGER(max, v);
#else
    const NAMED(mask) stays = (max > v) | (max != max);
    return (VECTOR)(((NAMED(mask))max & stays) | ((NAMED(mask))v & ~stays));
#endif
}

INLINE SUMS NAMED(load_summands)(const char *x, ptrdiff_t count)
{
    if (count < SUM_LANES) {
        const VECTOR v = NAMED(load_tail)(x, count);
        return __builtin_convertvector(*(const SUMMANDS *)&v, SUMS);
    }
    return __builtin_convertvector(*(const SUMMANDS *)x, SUMS);
}

INLINE void NAMED(store_average)(char *out, SUMS average, ptrdiff_t count)
{
    VECTOR v = {0};
    *(SUMMANDS *)&v = __builtin_convertvector(average, SUMMANDS);
    if (count < SUM_LANES)
        NAMED(store_tail)(out, v, count);
    else
        *(SUMMANDS *)out = *(const SUMMANDS *)&v;
}

/* How many channels a vector takes. */
INLINE ptrdiff_t NAMED(pool_lanes)(const int is_max)
{
    return is_max ? LANES : SUM_LANES;
}

/* Some vectors of channels of a pixel, `count` channels in each. `is_max` and `vectors` are literals at every call, and
 * so is `count` where it is all. */
INLINE void NAMED(pool_block)(const int is_max, const int vectors, ptrdiff_t count, const struct fc_pool_args *t,
                              const char *x, char *out)
{
    const ptrdiff_t row_stride = t->row_stride, column_stride = t->column_stride, length = t->columns * column_stride;
    const ptrdiff_t vector = NAMED(pool_lanes)(is_max) * sizeof(T);
    const char *const end = x + t->rows * row_stride;
    VECTOR max[POOL_VECTORS];
    SUMS sums[POOL_VECTORS];
    UNROLLED(i, vectors) {
        if (is_max)
            max[i] = NAMED(load_tail)(x + i * vector, count);
        else
            sums[i] = (SUMS){0};
    }
    ptrdiff_t at = is_max ? column_stride : 0; /* the first pixel begins the maximum */
    for (; x < end; x += row_stride, at = 0) {
        for (; at < length; at += column_stride) {
            UNROLLED(i, vectors) {
                if (is_max)
                    max[i] = NAMED(larger)(max[i], NAMED(load_tail)(x + at + i * vector, count));
                else
                    sums[i] += NAMED(load_summands)(x + at + i * vector, count);
            }
        }
    }
    UNROLLED(i, vectors) {
        if (is_max)
            NAMED(store_tail)(out + i * vector, max[i], count);
        else
            NAMED(store_average)(out + i * vector, sums[i] / t->count, count);
    }
}

/* Whole blocks of `vectors`, from byte `at` of the channels on; returns where they end. */
INLINE ptrdiff_t NAMED(pool_blocks)(const int is_max, const int vectors, const struct fc_pool_args *t, const char *x,
                                    char *out, ptrdiff_t at)
{
    const ptrdiff_t block = vectors * NAMED(pool_lanes)(is_max) * sizeof(T);
    const ptrdiff_t last = t->channels * (ptrdiff_t)sizeof(T) - block;
    for (; at <= last; at += block) NAMED(pool_block)(is_max, vectors, LANES, t, x + at, out + at);
    return at;
}

INLINE void NAMED(pool_tile)(const int is_max, const struct fc_pool_args *t)
{
    const ptrdiff_t bytes = t->channels * sizeof(T), vector = NAMED(pool_lanes)(is_max) * sizeof(T);
    const char *x = t->x;
    char *out = t->out;
    for (ptrdiff_t pixel = 0; pixel < t->pixels; pixel++, x += t->step, out += t->out_stride) {
        if (bytes < vector) {
            NAMED(pool_block)(is_max, 1, t->channels, t, x, out);
            continue;
        }
        ptrdiff_t at = NAMED(pool_blocks)(is_max, POOL_VECTORS, t, x, out, 0);
        at = NAMED(pool_blocks)(is_max, POOL_VECTORS / 2, t, x, out, at);
        at = NAMED(pool_blocks)(is_max, 1, t, x, out, at);
        if (at < bytes) NAMED(pool_blocks)(is_max, 1, t, x, out, bytes - vector);
    }
}

KERNEL(pool_max, fc_pool_args, pool_tile, 1)
KERNEL(pool_average, fc_pool_args, pool_tile, 0)
