/* Winograd's convolution for stride 1: the products between the transforms of patches of input (winograd_input.h) and
 * of the weights (winograd_weights.h), and the transform of their sums to a tile of output. And the table of all.
 *
 * Arithmetic contract, for each tile, point p and column k, with the transforms' sums in the order of winograd_axis.h:
 *
 *     M[p][k] = 0
 *     for each chunk of PRODUCT_TERMS channels: acc = 0
 *         for each channel c of it: acc = fma(V[p][c], U[p][c][k], acc)
 *         M[p][k] = acc + M[p][k]
 *     Y[k] = A' M[k] A, over rows first
 *     out[i][k] = min(max(Y[i][k] + bias[k] + residual[i][k], lo), hi)
 *
 * No value depends on the tiles, columns or channels beside it.
 */

/* The products of one chunk of channels, from `at` to `end` in bytes; returns the weights after it. With each channel
 * it prefetches some vectors of the weights that are `next`, and, where that pays, as much of the rows from x[tiles] on
 * as a turn reads of these: those of the next tiles, in L2 till now. */
INLINE const T *NAMED(winograd_chunk)(const int tiles, const int vectors, const int prefetched,
                                      VECTOR acc[][FC_MAX_VECTORS], const char *const *x, ptrdiff_t at, ptrdiff_t end,
                                      const T *w, const char *next)
{
    const ptrdiff_t of_line = CACHE_LINE / VECTOR_BYTES * sizeof(T); /* of a row, while a line comes in */
    for (; at + FC_STEPS * (ptrdiff_t)sizeof(T) <= end; at += FC_STEPS * sizeof(T), w += FC_STEPS * vectors * LANES) {
        KEEP_IN_ONE_REGISTER(at);
        UNROLLED(i, FC_STEPS) NAMED(conv_step)(tiles, vectors, acc, x, at + i * sizeof(T), w + i * vectors * LANES);
        UNROLLED(i, FC_STEPS / (CACHE_LINE / VECTOR_BYTES) * prefetched)
            __builtin_prefetch(next + (at / of_line * prefetched + i) * CACHE_LINE);
        if (PREFETCHES_ROWS) __builtin_prefetch(x[tiles] + at * tiles);
    }
    for (; at < end; at += sizeof(T), w += vectors * LANES) {
        KEEP_IN_ONE_REGISTER(at);
        NAMED(conv_step)(tiles, vectors, acc, x, at, w);
    }
    return w;
}

/* The products of one point for some tiles. */
INLINE void NAMED(winograd_sums)(const int tiles, const int vectors, const int prefetched,
                                 const struct fc_product_args *t)
{
    VECTOR acc[MAX_PIXELS][FC_MAX_VECTORS], sums[MAX_PIXELS][FC_MAX_VECTORS];
    const char *x[MAX_PIXELS + PREFETCHES_ROWS];
    const T *w = (const T *)t->weights;
    const ptrdiff_t length = t->length;
    UNROLLED(i, tiles + PREFETCHES_ROWS) x[i] = t->rows + i * t->row_stride;
    for (ptrdiff_t at = 0; at < length; at += PRODUCT_TERMS * sizeof(T)) {
        UNROLLED(i, tiles)
            UNROLLED(j, vectors) acc[i][j] = (VECTOR){0};
        ptrdiff_t end = at + PRODUCT_TERMS * (ptrdiff_t)sizeof(T);
        if (end > length) end = length;
        w = NAMED(winograd_chunk)(tiles, vectors, prefetched, acc, x, at, end, w, t->next);
        UNROLLED(i, tiles) {
            UNROLLED(j, vectors) {
                if (at) acc[i][j] += sums[i][j];
                if (end < length) sums[i][j] = acc[i][j];
            }
        }
    }
    char *out = t->out;
    const ptrdiff_t out_stride = t->out_stride;
    UNROLLED(i, tiles)
        UNROLLED(j, vectors) ((VECTOR *)(out + i * out_stride))[j] = acc[i][j];
}

INLINE void NAMED(winograd_product)(const int tiles, const int vectors, const struct fc_product_args *t)
{
    if (t->prefetched == 0)
        NAMED(winograd_sums)(tiles, vectors, 0, t);
    else if (t->prefetched == 1)
        NAMED(winograd_sums)(tiles, vectors, 1, t);
    else
        NAMED(winograd_sums)(tiles, vectors, 2, t);
}

/* One vector of columns of a tile: all of it for a tile wholly inside the map, or the first `count` for the values
 * inside. The first five arguments are literals at every call. */
INLINE void NAMED(winograd_columns)(const int kernel, const int row_nodes, const int col_nodes, const int adds,
                                    const enum fc_extent extent, const struct NAMED(winograd_constants) * c,
                                    const struct fc_output_args *t, ptrdiff_t at, ptrdiff_t count)
{
    const struct fc_epilogue *e = &t->epilogue;
    const int whole = extent != FC_TAIL, clips = fc_activation(e) != FC_UNBOUNDED;
    const int row_points = 2 * row_nodes + 2, col_points = 2 * col_nodes + 2;
    const int row_outputs = row_points + 1 - kernel, col_outputs = col_points + 1 - kernel;
    const int rows = whole ? row_outputs : t->rows, cols = whole ? col_outputs : t->cols;
    const ptrdiff_t points = NAMED(winograd_full_points)(row_nodes, col_nodes, t->axes.points);
    const VECTOR bias = *(const VECTOR *)((const char *)e->bias + at);
    const struct NAMED(bounds) bounds = NAMED(bounds)(e);
    _Alignas(VECTOR_BYTES) VECTOR columns[FC_MAX_OUTPUTS][FC_MAX_POINTS];
    VECTOR m[FC_MAX_POINTS], y[FC_MAX_OUTPUTS];
    for (int j = 0; j < col_points; j++) {
        const VECTOR *in =
            (const VECTOR *)(t->sums + at) + NAMED(winograd_line)(j, col_points, points) * FC_MAX_VECTORS;
        UNROLLED(i, row_points) m[i] = in[NAMED(winograd_line)(i, row_points, points) * points * FC_MAX_VECTORS];
        NAMED(winograd_values)(row_nodes, row_outputs, c, m, y);
        UNROLLED(i, row_outputs) columns[i][j] = y[i];
    }
    /* Read once: for all the compiler knows, what is stored may change them. */
    const ptrdiff_t out_stride = e->out_stride, residual_stride = e->residual_stride;
    const char *residual = adds ? e->residual + at : NULL, *const slopes = e->slopes;
    char *out = e->out + at;
    for (int i = 0; i < row_outputs; i++, out += t->out_row) {
        if (i == rows) break;
        UNROLLED(j, col_points) m[j] = columns[i][j];
        NAMED(winograd_values)(col_nodes, col_outputs, c, m, y);
        UNROLLED(j, col_outputs) {
            if (j == cols) break;
            VECTOR v = y[j] + bias;
            if (adds)
                v += NAMED(load_tail)(residual + i * t->residual_row + j * residual_stride, whole ? LANES : count);
            if (slopes)
                v = NAMED(sloped)(v, *(const VECTOR *)(slopes + at));
            else if (clips)
                v = NAMED(clip)(FC_BOTH, v, bounds);
            if (extent == FC_NONTEMPORAL)
                STORE_NONTEMPORAL(out + j * out_stride, v);
            else
                NAMED(store_tail)(out + j * out_stride, v, whole ? LANES : count);
        }
    }
}

/* The same, with or without a residual. */
INLINE void NAMED(winograd_finish)(const int kernel, const int row_nodes, const int col_nodes,
                                   const enum fc_extent extent, const struct NAMED(winograd_constants) * c,
                                   const struct fc_output_args *t, ptrdiff_t at, ptrdiff_t count)
{
    if (t->epilogue.residual)
        NAMED(winograd_columns)(kernel, row_nodes, col_nodes, 1, extent, c, t, at, count);
    else
        NAMED(winograd_columns)(kernel, row_nodes, col_nodes, 0, extent, c, t, at, count);
}

/* The sums of a tile, [point][column], to its `rows` × `cols` values that lie inside the map. The powers are those of
 * the axis with more points, of which a short one uses the first. */
INLINE void NAMED(winograd_output)(const int kernel, const int row_nodes, const int col_nodes,
                                   const struct fc_output_args *t)
{
    const int nodes = row_nodes > col_nodes ? row_nodes : col_nodes;
    const int row_outputs = 2 * row_nodes + 3 - kernel, col_outputs = 2 * col_nodes + 3 - kernel;
    const struct NAMED(winograd_constants) c =
        NAMED(winograd_broadcast)(nodes, 2 * nodes + 3 - kernel, row_nodes > col_nodes ? t->axes.rows : t->axes.cols);
    const int inside = t->rows == row_outputs && t->cols == col_outputs;
    const int is_of_lines =
        VECTOR_BYTES == CACHE_LINE && ((uintptr_t)t->epilogue.out | t->epilogue.out_stride) % CACHE_LINE == 0;
    for (ptrdiff_t first = 0; first < t->columns; first += LANES) {
        const ptrdiff_t at = first * sizeof(T), count = t->columns - first;
        if (!inside || count < LANES)
            NAMED(winograd_finish)(kernel, row_nodes, col_nodes, FC_TAIL, &c, t, at, count);
        else if (is_of_lines && t->nontemporal)
            NAMED(winograd_finish)(kernel, row_nodes, col_nodes, FC_NONTEMPORAL, &c, t, at, count);
        else
            NAMED(winograd_finish)(kernel, row_nodes, col_nodes, FC_WHOLE, &c, t, at, count);
    }
}

/* The families, named by nodes, tiles x vectors or kernel and nodes, as in kernels_type.h, and the table of them. */
#define FOR_AXES(FAMILY, F) \
    FAMILY(F, 3, 1, 1) FAMILY(F, 3, 1, 2) FAMILY(F, 3, 2, 1) FAMILY(F, 3, 2, 2) FAMILY(F, 5, 2, 2)
#define WEIGHTS(F, kernel, nodes) \
    F(winograd_weights_##kernel##_##nodes, fc_weights_args, winograd_weights, kernel, nodes)
#define INPUT(F, kernel, rows, cols) \
    F(winograd_input_##kernel##_##rows##_##cols, fc_input_args, winograd_input, kernel, rows, cols)
#define PRODUCT(F, tiles, vectors) \
    F(winograd_product_##tiles##x##vectors##v, fc_product_args, winograd_product, tiles, vectors)
#define OUTPUT(F, kernel, rows, cols) \
    F(winograd_output_##kernel##_##rows##_##cols, fc_output_args, winograd_output, kernel, rows, cols)
#define AXES_ENTRY(name, args, tile, kernel, rows, cols) [kernel == 5][rows - 1][cols - 1] = NAMED(name),

WEIGHTS(KERNEL, 3, 1)
WEIGHTS(KERNEL, 3, 2)
WEIGHTS(KERNEL, 5, 2)
FOR_AXES(INPUT, KERNEL)
FOR_PIXELS(PRODUCT, KERNEL, 1)
FOR_PIXELS(PRODUCT, KERNEL, 2)
FOR_AXES(OUTPUT, KERNEL)

static const struct fc_winograd_kernels NAMED(winograd) = {
    .weights = {{NAMED(winograd_weights_3_1), NAMED(winograd_weights_3_2)}, {0, NAMED(winograd_weights_5_2)}},
    .input = {FOR_AXES(INPUT, AXES_ENTRY)},
    .product = {{FOR_PIXELS(PRODUCT, ENTRY, 1)}, {FOR_PIXELS(PRODUCT, ENTRY, 2)}},
    .output = {FOR_AXES(OUTPUT, AXES_ENTRY)},
    .direct = NAMED(winograd_direct),
};
