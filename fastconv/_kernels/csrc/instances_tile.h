/* What is computed of the pixels of each channel by itself, in double and rounded once:
 *
 *     instance_norm:  m = sum x / pixels, v = sum (x - m)^2 / pixels, the sums pixel by pixel,
 *                     out = (x - m) (1 / sqrt(v + epsilon)) y + z
 *
 * A channel's bits depend on it alone. out may be x. */

/* Some vectors of channels from byte `at` of a pixel on, `count` channels in each. `vectors` is a literal at every
 * call, and so is `count` where it is all. */
INLINE void NAMED(instance_block)(const int vectors, ptrdiff_t count, const struct fc_map_args *t, ptrdiff_t at)
{
    const ptrdiff_t vector = SUM_LANES * sizeof(T);
    const char *const end = t->x + at + t->pixels * t->x_stride;
    char *out = t->out + at;
    SUMS mean[4] = {{0}}, squares[4] = {{0}}, inverse[4];
    for (const char *x = t->x + at; x < end; x += t->x_stride)
        UNROLLED(i, vectors) mean[i] += NAMED(load_summands)(x + i * vector, count);
    UNROLLED(i, vectors) mean[i] /= (double)t->pixels;
    for (const char *x = t->x + at; x < end; x += t->x_stride) {
        UNROLLED(i, vectors) {
            const SUMS d = NAMED(load_summands)(x + i * vector, count) - mean[i];
            squares[i] += d * d;
        }
    }
    UNROLLED(i, vectors) {
        for (int lane = 0; lane < SUM_LANES; lane++)
            inverse[i][lane] = 1 / sqrt(squares[i][lane] / t->pixels + t->numbers[0]);
    }
    for (const char *x = t->x + at; x < end; x += t->x_stride, out += t->out_stride) {
        UNROLLED(i, vectors) {
            const SUMS normal = (NAMED(load_summands)(x + i * vector, count) - mean[i]) * inverse[i];
            const SUMS y = NAMED(load_summands)(t->y + at + i * vector, count);
            const SUMS z = NAMED(load_summands)(t->z + at + i * vector, count);
            NAMED(store_average)(out + i * vector, normal * y + z, count);
        }
    }
}

static void NAMED(map_instance_norm)(const struct fc_map_args *t)
{
    const ptrdiff_t vector = SUM_LANES * sizeof(T), bytes = t->channels * sizeof(T);
    ptrdiff_t at = 0;
    for (; at + 4 * vector <= bytes; at += 4 * vector) NAMED(instance_block)(4, SUM_LANES, t, at);
    for (; at + 2 * vector <= bytes; at += 2 * vector) NAMED(instance_block)(2, SUM_LANES, t, at);
    for (; at + vector <= bytes; at += vector) NAMED(instance_block)(1, SUM_LANES, t, at);
    if (at < bytes) NAMED(instance_block)(1, (bytes - at) / (ptrdiff_t)sizeof(T), t, at);
}
