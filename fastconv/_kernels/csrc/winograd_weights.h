/* Winograd's transform of the weights, U = G w Gᵀ, into the order in which the products read them.
 *
 * The rows of G for ±node[i] share an even and an odd part, as those of Bᵀ do; those for 0 and ∞ have one coefficient,
 * which is 1 for ∞.
 *
 * Arithmetic contract, for each channel and column k, all in double, with products fused as in winograd_axis.h:
 *
 *     u = G w:  u[0] = G[0][0] · w[0], u[last] = w[kernel-1]
 *               for each node i, from 1: even = G[i][0] · w[0] + G[i][2] · w[2] + …, odd = G[i][1] · w[1] + …
 *                   u[2i-1] = even + odd, u[2i] = even - odd
 *     for each column j of the kernel: lines[·][j] = G w[·][j]
 *     for each line i: U[i] = G lines[i], rounded once to T
 *     sums[k] += |w|, channel by channel, column by column of the kernel
 *
 * Each weight is read once and each line of U is written once. Lines that are neighbours, a point's for some channels
 * in turn, are written together, one row of points after the other: those of all points may fall on one set of the
 * cache.
 */

#define WIDE NAMED(winograd_wide)
#define PART NAMED(winograd_part)
typedef double WIDE __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(double)), may_alias));
typedef __typeof__((WIDE){0} < (WIDE){0}) NAMED(winograd_bits);

#define WIDE_LANES ((int)(VECTOR_BYTES / sizeof(double)))
#define PARTS (LANES / WIDE_LANES) /* of a vector, each as many elements as one of doubles */
typedef T PART __attribute__((vector_size(VECTOR_BYTES / PARTS), aligned(sizeof(T)), may_alias));

/* A part in double; zeros from `count` on, beyond which nothing is read. */
INLINE WIDE NAMED(winograd_widened)(const char *from, ptrdiff_t count)
{
    PART part = {0};
    if (count >= WIDE_LANES)
        part = *(const PART *)from;
    else if (count > 0)
        NAMED(copy_tail)((char *)&part, from, count);
    return __builtin_convertvector(part, WIDE);
}

/* u = G w along one axis, of `kernel` weights. */
INLINE void NAMED(winograd_taps)(const int kernel, const int nodes, WIDE g[][FC_MAX_TAPS], const WIDE *w, WIDE *u)
{
    u[0] = g[0][0] * w[0];
    u[2 * nodes + 1] = w[kernel - 1];
    UNROLL
    for (int i = 1; i <= nodes; i++) {
        WIDE even = g[i][0] * w[0], odd = g[i][1] * w[1];
        UNROLL
        for (int k = 2; k < kernel; k += 2) even += g[i][k] * w[k];
        UNROLL
        for (int k = 3; k < kernel; k += 2) odd += g[i][k] * w[k];
        u[2 * i - 1] = even + odd;
        u[2 * i] = even - odd;
    }
}

/* The transform along the columns of the kernel of a part with `count` columns; adds the absolute weights to `sum`, and
 * prefetches those that lie `ahead`. */
INLINE void NAMED(winograd_tap_lines)(const int kernel, const int nodes, WIDE g[][FC_MAX_TAPS], const char *taps,
                                      ptrdiff_t tap_stride, ptrdiff_t ahead, ptrdiff_t count, WIDE lines[][FC_MAX_TAPS],
                                      WIDE *sum)
{
    WIDE w[FC_MAX_TAPS], u[FC_MAX_POINTS];
    for (int col = 0; col < kernel; col++) {
        UNROLLED(row, kernel) {
            const char *from = taps + (row * kernel + col) * tap_stride;
            __builtin_prefetch(from + ahead);
            w[row] = NAMED(winograd_widened)(from, count);
            *sum += (WIDE)((NAMED(winograd_bits))w[row] & INT64_MAX);
        }
        NAMED(winograd_taps)(kernel, nodes, g, w, u);
        UNROLLED(i, 2 * nodes + 2) lines[i][col] = u[i];
    }
}

INLINE void NAMED(winograd_weights)(const int kernel, const int nodes, const struct fc_weights_args *t)
{
    const int points = 2 * nodes + 2, parts = (t->columns + LANES - 1) / LANES * PARTS;
    const ptrdiff_t part_bytes = WIDE_LANES * sizeof(T), point_stride = t->point_stride;
    WIDE lines[WEIGHT_CHANNELS][FC_MAX_VECTORS * PARTS][FC_MAX_POINTS][FC_MAX_TAPS], u[FC_MAX_POINTS];
    WIDE g[FC_MAX_NODES + 1][FC_MAX_TAPS], sums[FC_MAX_VECTORS * PARTS] = {{0}};
    for (int i = 0; i <= nodes; i++)
        for (int k = 0; k < kernel; k++) g[i][k] = t->rows[i][k] - (WIDE){0};
    for (ptrdiff_t first = 0; first < t->channels; first += WEIGHT_CHANNELS) {
        const ptrdiff_t rest = t->channels - first, channels = rest < WEIGHT_CHANNELS ? rest : WEIGHT_CHANNELS;
        const char *taps = t->taps + first * t->channel_stride;
        for (int c = 0; c < channels; c++, taps += t->channel_stride)
            for (int part = 0; part < parts; part++)
                NAMED(winograd_tap_lines)(kernel, nodes, g, taps + part * part_bytes, t->tap_stride,
                                          WEIGHT_CHANNELS * t->channel_stride, t->columns - part * WIDE_LANES,
                                          lines[c][part], &sums[part]);
        for (int i = 0; i < points; i++) {
            char *out = t->out + i * points * point_stride + first * parts * part_bytes;
            for (int c = 0; c < channels; c++) {
                for (int part = 0; part < parts; part++, out += part_bytes) {
                    NAMED(winograd_taps)(kernel, nodes, g, lines[c][part][i], u);
                    UNROLLED(j, points) *(PART *)(out + j * point_stride) = __builtin_convertvector(u[j], PART);
                }
            }
        }
    }
    memcpy(t->sums, sums, parts * sizeof(WIDE));
}
