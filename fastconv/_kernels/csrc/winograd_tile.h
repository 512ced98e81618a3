/* Winograd's convolution for stride 1: the products between the transforms of patches of input (winograd_input.h) and
 * of the weights (winograd_weights.h), and the transform of their sums to a tile of output. And the table of all.
 *
 * Arithmetic contract, for each tile, point p and column k, with the transforms' sums in the order of winograd_axis.h:
 *
 *     M[p][k] = 0
 *     for each chunk of FC_CHUNK channels: acc = 0
 *         for each channel c of it: acc = fma(V[p][c], U[p][c][k], acc)
 *         M[p][k] = M[p][k] + acc
 *     Y[k] = A' M[k] A, over rows first
 *     out[i][k] = min(max(Y[i][k] + bias[k] + residual[i][k], lo), hi)
 *
 * No value depends on the tiles, columns or channels beside it.
 */

/* One step of the products: a channel of every tile times a row of the weights. */
INLINE void NAMED(winograd_step)(const int tiles, const int vectors, VECTOR acc[][FC_MAX_VECTORS], const T *values,
                                 const T *w)
{
    VECTOR wv[FC_MAX_VECTORS];
    UNROLLED(j, vectors) wv[j] = NAMED(load_once)(w + j * LANES);
    UNROLLED(i, tiles) {
        const VECTOR x = values[i * FC_CHUNK] - (VECTOR){0};
        UNROLLED(j, vectors) NAMED(fma)(&acc[i][j], x, wv[j]);
    }
}

/* A whole chunk. With each channel some vectors of the weights that are `next` are prefetched and, where that pays, the
 * values of the chunk that come next, in L2 till now. All steps stand one after the other: around a loop the compiler
 * moves the accumulators. */
INLINE void NAMED(winograd_chunk)(const int tiles, const int vectors, const int prefetched,
                                  VECTOR acc[][FC_MAX_VECTORS], const T *values, const T *next_values, const T *w,
                                  const char *next)
{
    const int lines = FC_STEPS * VECTOR_BYTES / CACHE_LINE * prefetched; /* in so many steps */
    UNROLLED(c, FC_CHUNK) {
        NAMED(winograd_step)(tiles, vectors, acc, values + c, w + c * vectors * LANES);
        if (c % FC_STEPS == 0) {
            UNROLLED(i, lines) __builtin_prefetch(next + (c / FC_STEPS * lines + i) * CACHE_LINE);
        }
        if (PREFETCHES_VALUES && c < tiles) __builtin_prefetch(next_values + c * FC_CHUNK);
        IN_ORDER();
    }
}

/* to = from + acc */
INLINE void NAMED(winograd_keep)(const int tiles, const int vectors, VECTOR acc[][FC_MAX_VECTORS], const char *from,
                                 ptrdiff_t from_stride, char *to, ptrdiff_t to_stride)
{
    UNROLLED(i, tiles) {
        if (i > 0) from += from_stride, to += to_stride;
        UNROLLED(j, vectors) ((VECTOR *)to)[j] = ((const VECTOR *)from)[j] + acc[i][j];
    }
}

/* The products of a point for some tiles; returns the weights to prefetch then. From chunk to chunk the sums wait on
 * the stack: where a map has many tiles, their lines of `out`, some points apart, are seldom in L1. */
INLINE const char *NAMED(winograd_point)(const int tiles, const int vectors, const int prefetched,
                                         const struct fc_product_args *t, const char *values, ptrdiff_t ahead,
                                         const T *w, char *out, const char *next)
{
    const ptrdiff_t chunk_stride = t->chunk_stride, out_stride = t->out_stride, row = FC_MAX_VECTORS * VECTOR_BYTES;
    ptrdiff_t rest = t->channels;
    _Alignas(VECTOR_BYTES) VECTOR kept[MAX_PIXELS][FC_MAX_VECTORS];
    VECTOR acc[MAX_PIXELS][FC_MAX_VECTORS];
    char *sums = (char *)kept;
    KEEP_IN_ONE_REGISTER(sums); /* and so apart from what the compiler puts on the stack */
    const char *from = t->adds ? out : sums;
    ptrdiff_t from_stride = t->adds ? out_stride : row;
    if (!t->adds) {
        UNROLLED(i, tiles)
            UNROLLED(j, vectors) ((VECTOR *)(sums + i * row))[j] = (VECTOR){0};
    }
    for (; rest >= FC_CHUNK; rest -= FC_CHUNK) {
        const int is_last = rest == FC_CHUNK;
        UNROLLED(i, tiles)
            UNROLLED(j, vectors) acc[i][j] = (VECTOR){0};
        NAMED(winograd_chunk)(tiles, vectors, prefetched, acc, (const T *)values, (const T *)(values + ahead), w, next);
        NAMED(winograd_keep)(tiles, vectors, acc, from, from_stride, is_last ? out : sums, is_last ? out_stride : row);
        from = sums, from_stride = row;
        values += chunk_stride;
        w += FC_CHUNK * vectors * LANES;
        next += FC_CHUNK * VECTOR_BYTES * prefetched;
    }
    if (rest > 0) {
        UNROLLED(i, tiles)
            UNROLLED(j, vectors) acc[i][j] = (VECTOR){0};
        for (ptrdiff_t c = 0; c < rest; c++)
            NAMED(winograd_step)(tiles, vectors, acc, (const T *)values + c, w + c * vectors * LANES);
        NAMED(winograd_keep)(tiles, vectors, acc, from, from_stride, out, out_stride);
    }
    return next;
}

INLINE void NAMED(winograd_products)(const int tiles, const int vectors, const int prefetched,
                                     const struct fc_product_args *t)
{
    const char *values = t->values, *weights = t->weights, *next = t->next;
    char *out = t->out;
    for (int point = 0; point < t->points; point++, out += FC_MAX_VECTORS * VECTOR_BYTES) {
        const ptrdiff_t ahead = point + 1 < t->points ? t->point_stride : t->values_ahead;
        next = NAMED(winograd_point)(tiles, vectors, prefetched, t, values, ahead, (const T *)weights, out, next);
        values += t->point_stride;
        weights += t->weight_stride;
    }
}

INLINE void NAMED(winograd_product)(const int tiles, const int vectors, const struct fc_product_args *t)
{
    if (t->prefetched == 0)
        NAMED(winograd_products)(tiles, vectors, 0, t);
    else if (t->prefetched == 1)
        NAMED(winograd_products)(tiles, vectors, 1, t);
    else
        NAMED(winograd_products)(tiles, vectors, 2, t);
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
    .line = NAMED(winograd_line_of_weights),
    .input = {FOR_AXES(INPUT, AXES_ENTRY)},
    .product = {{FOR_PIXELS(PRODUCT, ENTRY, 1)}, {FOR_PIXELS(PRODUCT, ENTRY, 2)}},
    .output = {FOR_AXES(OUTPUT, AXES_ENTRY)},
    .direct = NAMED(winograd_direct),
};
