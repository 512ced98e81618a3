/* Winograd's transforms along one axis of a patch or a tile.
 *
 * The points are 0, ±node[0], ±node[1], …, ∞, in this order. Around P(t) = Π (t² − node[i]²) and P(t) / (t² −
 * node[i]²), whose coefficients are `ends` and `pairs`, the row of the input transform Bᵀ for 0 is P(t), for ∞ is
 * t·P(t), for ±node[i] is (t² ± node[i]·t)·P(t) / (t² − node[i]²), and the row of the output transform Aᵀ for the value
 * at k is pointᵏ, to which ∞ adds 1 in the last: two rows of a ± pair share an even and an odd part. A tile at the edge
 * of the map may leave out the last pair, along either axis. _runners/transforms.py derives all this, and the weights'
 * side.
 *
 * Arithmetic contract, with n nodes; a sum with a product is rounded once where the instruction set fuses the two:
 *
 *     v = Bᵀ d:  v[0] = d[2n], v[2n+1] = d[2n+1]
 *                for k < n: v[0] += ends[k] · d[2k], v[2n+1] += ends[k] · d[2k+1]
 *                for each node i: even = d[2n], odd = d[2n-1]
 *                    for k < n-1: even += pairs[i][k] · d[2k+2], odd += pairs[i][k] · d[2k+1]
 *                    v[2i+1] = even + node[i] · odd, v[2i+2] = even - node[i] · odd
 *                if n = 1: v[0] *= scales[0], v[1] *= scales[1], v[2] *= scales[1]
 *     y = Aᵀ m:  for each node i: part[0][i] = m[2i+1] + m[2i+2] (even), part[1][i] = m[2i+1] - m[2i+2] (odd)
 *                y[0] = m[0] + part[0][0] + … + part[0][n-1]
 *                for each other k: y[k] = node[0]ᵏ · part[k mod 2][0] + … + node[n-1]ᵏ · part[k mod 2][n-1]
 *                y[last] += m[2n+1]
 */

#include <stdint.h>

/* The constants of struct fc_winograd, each in all lanes. */
struct NAMED(winograd_constants) {
    VECTOR powers[FC_MAX_OUTPUTS][FC_MAX_NODES], pairs[FC_MAX_NODES][FC_MAX_NODES - 1], ends[FC_MAX_NODES];
    VECTOR scales[FC_MAX_NODES + 1];
};

INLINE struct NAMED(winograd_constants)
    NAMED(winograd_broadcast)(const int nodes, const int outputs, const struct fc_winograd *t)
{
    struct NAMED(winograd_constants) c;
    UNROLLED(i, nodes) {
        UNROLLED_FROM(k, 1, outputs) c.powers[k][i] = (T)t->powers[k][i] - (VECTOR){0};
        UNROLLED(k, nodes - 1) c.pairs[i][k] = (T)t->pairs[i][k] - (VECTOR){0};
        c.ends[i] = (T)t->ends[i] - (VECTOR){0};
    }
    UNROLL
    for (int i = 0; i <= nodes; i++) c.scales[i] = (T)t->scales[i] - (VECTOR){0};
    return c;
}

/* v = Bᵀ d along one axis; n = 2·nodes + 2 values and results. */
INLINE void NAMED(winograd_points)(const int nodes, const struct NAMED(winograd_constants) * c, const VECTOR *d,
                                   VECTOR *v)
{
    const int last = 2 * nodes + 1;
    v[0] = d[2 * nodes];
    v[last] = d[last];
    UNROLLED(k, nodes) {
        v[0] += c->ends[k] * d[2 * k];
        v[last] += c->ends[k] * d[2 * k + 1];
    }
    UNROLLED(i, nodes) {
        VECTOR even = d[2 * nodes], odd = d[2 * nodes - 1];
        UNROLLED(k, nodes - 1) {
            even += c->pairs[i][k] * d[2 * k + 2];
            odd += c->pairs[i][k] * d[2 * k + 1];
        }
        v[2 * i + 1] = even + c->powers[1][i] * odd;
        v[2 * i + 2] = even - c->powers[1][i] * odd;
    }
    if (nodes == 1) { /* it may go with a transform of more points */
        v[0] *= c->scales[0];
        v[1] *= c->scales[1];
        v[2] *= c->scales[1];
    }
}

/* The number of a line, of `own` that a tile has, among `all` points of the full transform: ∞ is the last. */
INLINE int NAMED(winograd_line)(int i, int own, int all)
{
    return i == own - 1 ? all - 1 : i;
}

/* y = Aᵀ m along one axis: `outputs` results. */
INLINE void NAMED(winograd_values)(const int nodes, const int outputs, const struct NAMED(winograd_constants) * c,
                                   const VECTOR *m, VECTOR *y)
{
    VECTOR part[2][FC_MAX_NODES]; /* even, odd */
    UNROLLED(i, nodes) {
        part[0][i] = m[2 * i + 1] + m[2 * i + 2];
        part[1][i] = m[2 * i + 1] - m[2 * i + 2];
    }
    y[0] = m[0] + part[0][0];
    UNROLLED_FROM(i, 1, nodes) y[0] += part[0][i];
    UNROLLED_FROM(k, 1, outputs) {
        y[k] = c->powers[k][0] * part[k & 1][0];
        UNROLLED_FROM(i, 1, nodes) y[k] += c->powers[k][i] * part[k & 1][i];
    }
    y[outputs - 1] += m[2 * nodes + 1];
}

/* Points of the full transform of an axis: a literal where one of the axes has the most that there are. */
INLINE ptrdiff_t NAMED(winograd_full_points)(const int row_nodes, const int col_nodes, ptrdiff_t points)
{
    return row_nodes == FC_MAX_NODES || col_nodes == FC_MAX_NODES ? FC_MAX_POINTS : points;
}
