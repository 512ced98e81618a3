/* What is computed of the pixels of groups of channels, each by itself, in double and rounded once. With n = pixels
 * times the channels of a group, `before` of them:
 *
 *     group_norm:  m = sum x / n, v = sum (x - m)^2 / n, the sums of each channel pixel by pixel, then of the channels,
 *                  out = (x - m) (1 / sqrt(v + epsilon)) y + z
 *
 * A group's bits depend on it alone. out may be x. There are whole groups; t->work has two doubles for each channel and
 * each lane of two vectors. */

/* A pass over some vectors of channels from channel c on, `count` of them in each: their sums, the squares of what is
 * left without means, or the result. `pass` and `vectors` are literals at every call, and so is `count` where it is
 * all. */
INLINE void NAMED(instance_block)(const int pass, const int vectors, ptrdiff_t count, const struct fc_map_args *t,
                                  ptrdiff_t c, double *means, double *others)
{
    const ptrdiff_t vector = SUM_LANES * sizeof(T), at = c * sizeof(T);
    const char *const end = t->x + at + t->pixels * t->x_stride;
    char *out = t->out + at;
    SUMS sums[4] = {{0}}, mean[4] = {{0}}, inverse[4], y[4], z[4];
    if (pass != FC_SUMS)
        UNROLLED(i, vectors) mean[i] = ((const SUMS *)(means + c))[i];
    if (pass == FC_NORMAL) {
        UNROLLED(i, vectors) {
            inverse[i] = ((const SUMS *)(others + c))[i];
            y[i] = NAMED(load_summands)(t->y + at + i * vector, count);
            z[i] = NAMED(load_summands)(t->z + at + i * vector, count);
        }
    }
    for (const char *x = t->x + at; x < end; x += t->x_stride, out += t->out_stride) {
        UNROLLED(i, vectors) {
            const SUMS d = NAMED(load_summands)(x + i * vector, count) - mean[i];
            if (pass == FC_NORMAL)
                NAMED(store_average)(out + i * vector, d * inverse[i] * y[i] + z[i], count);
            else
                sums[i] += pass == FC_SUMS ? d : d * d;
        }
    }
    if (pass != FC_NORMAL)
        UNROLLED(i, vectors) ((SUMS *)((pass == FC_SUMS ? means : others) + c))[i] = sums[i];
}

INLINE void NAMED(instance_blocks)(const int pass, const struct fc_map_args *t, double *means, double *others)
{
    ptrdiff_t c = 0;
    for (; c + 4 * SUM_LANES <= t->channels; c += 4 * SUM_LANES)
        NAMED(instance_block)(pass, 4, SUM_LANES, t, c, means, others);
    for (; c + 2 * SUM_LANES <= t->channels; c += 2 * SUM_LANES)
        NAMED(instance_block)(pass, 2, SUM_LANES, t, c, means, others);
    for (; c + SUM_LANES <= t->channels; c += SUM_LANES) NAMED(instance_block)(pass, 1, SUM_LANES, t, c, means, others);
    if (c < t->channels) NAMED(instance_block)(pass, 1, t->channels - c, t, c, means, others);
}

static void NAMED(map_group_norm)(const struct fc_map_args *t)
{
    const ptrdiff_t group = t->before;
    const double n = (double)t->pixels * group;
    double *const means = (double *)t->work, *const inverses = means + (t->channels / SUM_LANES + 1) * SUM_LANES;
    NAMED(instance_blocks)(FC_SUMS, t, means, NULL);
    for (ptrdiff_t c = 0; c < t->channels; c += group) {
        double sum = 0;
        for (ptrdiff_t i = c; i < c + group; i++) sum += means[i];
        for (ptrdiff_t i = c; i < c + group; i++) means[i] = sum / n;
    }
    NAMED(instance_blocks)(FC_SQUARES, t, means, inverses);
    for (ptrdiff_t c = 0; c < t->channels; c += group) {
        double squares = 0;
        for (ptrdiff_t i = c; i < c + group; i++) squares += inverses[i];
        for (ptrdiff_t i = c; i < c + group; i++) inverses[i] = 1 / sqrt(squares / n + t->numbers[0]);
    }
    NAMED(instance_blocks)(FC_NORMAL, t, means, inverses);
}
