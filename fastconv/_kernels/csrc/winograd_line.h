/* Winograd's transform of weights by the task that multiplies with them, some channels and a line of points at a
 * time, which stay in L1: a map of few tiles waits for the transformed weights of winograd_weights.h, four times as
 * many as these, longer than it takes to make them.
 *
 * Arithmetic contract, for each channel and column of F(4×4, 3×3), with G in T and sums with products fused as in
 * winograd_axis.h; i is the node of the line, or of the point:
 *
 *     for each column j of the kernel, on line 0: lines[j] = G[0][0] · w[0][j], on the last: lines[j] = w[2][j]
 *         on another: even = G[i][0] · w[0][j] + G[i][2] · w[2][j], lines[j] = even ± G[i][1] · w[1][j]
 *     u[0] = G[0][0] · lines[0], u[last] = lines[2]
 *     for each node i: even = G[i][0] · lines[0] + G[i][2] · lines[2], u = even ± G[i][1] · lines[1]
 */

INLINE void NAMED(winograd_kind_of_line)(const enum line_kind kind, const int vectors, const struct fc_line_args *t)
{
    const int tap = vectors * LANES, node = (t->line + 1) / 2;
    const T *w = (const T *)t->taps;
    const ptrdiff_t point_stride = t->point_stride;
    const int shared = LINE_TAPS * LINE_TAPS * vectors * VECTOR_BYTES - t->line * LINE_TAPS * CACHE_LINE;
    const char *next = t->taps + t->ahead + t->line * LINE_TAPS * CACHE_LINE;
    char *out = t->out;
    VECTOR g[FC_MAX_NODES + 1][LINE_TAPS], of_line[LINE_TAPS];
    UNROLLED(i, FC_MAX_NODES + 1)
        UNROLLED(k, LINE_TAPS) g[i][k] = (T)t->rows[i][k] - (VECTOR){0};
    UNROLLED(k, LINE_TAPS) of_line[k] = (T)t->rows[node % (FC_MAX_NODES + 1)][k] - (VECTOR){0};
    if (t->line % 2 == 0) of_line[1] = -of_line[1];
    for (ptrdiff_t c = 0; c < t->channels; c++, w += LINE_TAPS * LINE_TAPS * tap) {
        UNROLLED(v, vectors) {
            VECTOR lines[LINE_TAPS];
            UNROLLED(j, LINE_TAPS) {
                const VECTOR *at = (const VECTOR *)(w + j * tap + v * LANES);
                if (kind == LINE_OF_ZERO)
                    lines[j] = g[0][0] * at[0];
                else if (kind == LINE_OF_INFINITY)
                    lines[j] = at[2 * LINE_TAPS * vectors];
                else
                    lines[j] = of_line[0] * at[0] + of_line[2] * at[2 * LINE_TAPS * vectors] +
                               of_line[1] * at[LINE_TAPS * vectors];
            }
            char *at = out + v * VECTOR_BYTES;
            *(VECTOR *)at = g[0][0] * lines[0];
            UNROLLED_FROM(i, 1, FC_MAX_NODES + 1) {
                const VECTOR even = g[i][0] * lines[0] + g[i][2] * lines[2];
                *(VECTOR *)(at += point_stride) = even + g[i][1] * lines[1];
                *(VECTOR *)(at += point_stride) = even - g[i][1] * lines[1];
            }
            *(VECTOR *)(at + point_stride) = lines[2];
        }
        if (shared > 0) {
            UNROLLED(i, LINE_TAPS) __builtin_prefetch(next + i * CACHE_LINE, 0, 2);
        }
        next += LINE_TAPS * LINE_TAPS * vectors * VECTOR_BYTES;
        out += vectors * VECTOR_BYTES;
    }
}

INLINE void NAMED(winograd_line_of_vectors)(const int vectors, const struct fc_line_args *t)
{
    if (t->line == 0)
        NAMED(winograd_kind_of_line)(LINE_OF_ZERO, vectors, t);
    else if (t->line == LINE_POINTS - 1)
        NAMED(winograd_kind_of_line)(LINE_OF_INFINITY, vectors, t);
    else
        NAMED(winograd_kind_of_line)(LINE_OF_NODE, vectors, t);
}

static void NAMED(winograd_line_of_weights)(const struct fc_line_args *t)
{
    if (t->vectors == 1)
        NAMED(winograd_line_of_vectors)(1, t);
    else
        NAMED(winograd_line_of_vectors)(FC_MAX_VECTORS, t);
}
