/* Winograd's transform of the patches of input, V = B' d B, over rows first, and which outputs of their tiles it is
 * right for.
 *
 * A value of the first row or column of a patch reaches the first outputs of that axis alone, by the point 0, and one
 * of the last the last, by ∞; any other is multiplied for all outputs, whether they see it or not, and cancels but for
 * its rounding. So two outputs of an axis have nothing but what they see, their window, in their error; of four, each
 * has most of the patch. Its error is a share of what it sees only where that has no less than 1/FC_RANGE of the norm
 * of what reaches it: other outputs are computed directly (winograd_direct.h). So are all of a patch from which
 * something could overflow.
 *
 * The pass that transforms a patch cannot afford the norm of every window. It sums the squares of the whole and of the
 * inner 2×2 parts into which rows and columns 1, 2 | 3, 4 divide the patch: every window of a 3×3 kernel holds one of
 * them. Where the least of them is large enough, so are the windows; elsewhere winograd_windows looks again. What is
 * decided depends on nothing but the patch.
 *
 * Arithmetic contract, for each patch d and channel, with Bᵀ along an axis as in winograd_axis.h:
 *
 *     for each column j: lines[j] = Bᵀ d[·][j]
 *     for each row i: V[i] = Bᵀ lines[·][i]
 *     for each column j: squares[j] += (d[0][j]² + d[last][j]²) + Σ (d[i][j]² + d[i+1][j]²), i odd, for vectors in turn
 *     all = squares[0] + squares[1] + …, then its lanes; inner = the least of the inner parts, in each lane, its lanes
 *     computed directly are
 *         all outputs, unless all <= max_squares, which keeps a NaN out
 *         no output, if the tile has two a side, or all >= MIN_SQUARES and inner >= 2 · all / FC_RANGE²
 *         else those for which Σ d² over the window < Σ d² over what reaches them / FC_RANGE², row by row
 */

/* Of sums of squares: 1/FC_RANGE². The least one, in the range of T, that is not too much off for squares that
 * underflow; where the sum is smaller, values are scaled by RESCALE before they are squared.
 */
#define MIN_RATIO ((T)1 / (FC_RANGE * FC_RANGE))
#define MIN_SQUARES (sizeof(T) == sizeof(float) ? (T)0x1p-103 : (T)0x1p-970)
#define RESCALE (sizeof(T) == sizeof(float) ? (T)0x1p100 : (T)0x1p600)

#define VECTOR_16 NAMED(vector_16)
typedef T VECTOR_16 __attribute__((vector_size(16), aligned(sizeof(T)), may_alias));
typedef __typeof__((VECTOR_16){0} < (VECTOR_16){0}) NAMED(winograd_few_mask);

/* A vector's lanes, summed by halves until they are few. */
INLINE VECTOR_16 NAMED(winograd_few_sums)(VECTOR v)
{
    VECTOR_16 part[VECTOR_BYTES / 16];
    memcpy(part, &v, sizeof v);
    UNROLL
    for (int n = VECTOR_BYTES / 32; n > 0; n /= 2) {
        UNROLLED(i, n) part[i] += part[i + n];
    }
    return part[0];
}

INLINE T NAMED(winograd_sum)(VECTOR_16 v)
{
    const int last = 16 / sizeof(T) - 1;
    return last == 1 ? v[0] + v[1] : (v[0] + v[last - 1]) + (v[1] + v[last]);
}

/* The sum of the squares of a pixel's channels, each times `scale`. */
INLINE T NAMED(winograd_squares)(const char *pixel, ptrdiff_t channels, T scale)
{
    VECTOR sum = {0};
    for (ptrdiff_t first = 0; first < channels; first += LANES) {
        const VECTOR d = NAMED(load_tail)(pixel + first * sizeof(T), channels - first) * scale;
        sum += d * d;
    }
    return NAMED(winograd_sum)(NAMED(winograd_few_sums)(sum));
}

/* Which outputs of a tile see too little of the patch, pixel by pixel; `scale` keeps its squares in range. */
static __attribute__((noinline)) struct fc_direct
NAMED(winograd_windows)(const struct fc_axes *axes, const char *const *pixels, ptrdiff_t channels, T scale)
{
    const int rows = axes->rows->points, cols = axes->cols->points, kernel = rows + 1 - axes->rows->outputs;
    const int last_row = axes->rows->outputs - 1, last_col = axes->cols->outputs - 1;
    T squares[FC_MAX_POINTS][FC_MAX_POINTS];
    int is_zero[FC_MAX_POINTS][FC_MAX_POINTS];
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < cols; j++) {
            const char *pixel = pixels[j * axes->points + i];
            const T sum = squares[i][j] = NAMED(winograd_squares)(pixel, channels, scale);
            is_zero[i][j] = sum == 0 && (scale != 1 || NAMED(winograd_squares)(pixel, channels, RESCALE) == 0);
        }
    }
    struct fc_direct direct = {0, 0};
    for (int i = 0; i < axes->rows->outputs * axes->cols->outputs; i++) {
        const int first_row = i / axes->cols->outputs, first_col = i % axes->cols->outputs;
        const int bit = 1 << (first_row * FC_MAX_OUTPUTS + first_col);
        T sum = 0, reaches = 0;
        int zeros = 0;
        for (int row = first_row; row < first_row + kernel; row++) {
            for (int col = first_col; col < first_col + kernel; col++) {
                sum += squares[row][col];
                zeros += is_zero[row][col];
            }
        }
        for (int row = first_row > 0; row < rows - (first_row < last_row); row++)
            for (int col = first_col > 0; col < cols - (first_col < last_col); col++) reaches += squares[row][col];
        /* Beside larger values, squares that underflow tell nothing: then it sees too little. */
        if (sum < reaches * MIN_RATIO || (scale == 1 && sum < MIN_SQUARES)) direct.outputs |= bit;
        if (zeros == kernel * kernel) direct.zeros |= bit;
    }
    return direct;
}

/* What is known of a tile from the sums of squares of its patch's columns and of the inner parts, by two columns. */
INLINE void NAMED(winograd_judge)(const int kernel, const int rows, const int cols, const struct fc_input_args *t,
                                  int tile, const VECTOR *squares, VECTOR parts[][2])
{
    VECTOR sum = squares[0];
    UNROLLED_FROM(j, 1, cols) sum += squares[j];
    VECTOR_16 least = NAMED(winograd_few_sums)(parts[0][0]);
    UNROLLED_FROM(i, 1, (rows - 2) / 2 * ((cols - 2) / 2)) {
        const VECTOR_16 part = NAMED(winograd_few_sums)(rows > 4 ? parts[i / 2][i % 2] : parts[i][0]);
        const NAMED(winograd_few_mask) is_less = part < least;
        /* Of each lane: in sum it is no more than the sum of any part. */
        least = (VECTOR_16)(((NAMED(winograd_few_mask))part & is_less) | ((NAMED(winograd_few_mask))least & ~is_less));
    }
    const T all = NAMED(winograd_sum)(NAMED(winograd_few_sums)(sum)), inner = NAMED(winograd_sum)(least);
    if (!(all <= t->max_squares)) /* nor if it is NaN */
        t->direct[tile] = (struct fc_direct){FC_ALL_OUTPUTS, 0};
    else if (rows == kernel + 1 && cols == kernel + 1)
        t->direct[tile] = (struct fc_direct){0, 0};
    else if (all >= MIN_SQUARES && inner >= all * (2 * MIN_RATIO)) /* 2: for all rounding */
        t->direct[tile] = (struct fc_direct){0, 0};
    else
        t->direct[tile] = NAMED(winograd_windows)(&t->axes, t->pixels + tile * (cols + 1 - kernel) * t->axes.points,
                                                  t->channels, all >= MIN_SQUARES ? 1 : RESCALE);
}

/* Transforms the patches of a run of tiles side by side, whose columns they share, and tells of each tile which outputs
 * are to be computed directly. */
INLINE void NAMED(winograd_input)(const int kernel, const int row_nodes, const int col_nodes,
                                  const struct fc_input_args *t)
{
    const int rows = 2 * row_nodes + 2, cols = 2 * col_nodes + 2, outputs = cols + 1 - kernel;
    const struct NAMED(winograd_constants) over_rows = NAMED(winograd_broadcast)(row_nodes, 2, t->axes.rows);
    const struct NAMED(winograd_constants) over_cols = NAMED(winograd_broadcast)(col_nodes, 2, t->axes.cols);
    const ptrdiff_t channels = t->channels, point_stride = t->point_stride, ahead = t->ahead;
    const ptrdiff_t points = NAMED(winograd_full_points)(row_nodes, col_nodes, t->axes.points);
    const int columns = cols + outputs * (t->tiles - 1);
    VECTOR squares[FC_MAX_COLUMNS], parts[FC_MAX_COLUMNS / 2 + 1][2]; /* of columns 2k - 1 and 2k */
    for (int j = 0; j < columns; j++) squares[j] = (VECTOR){0};
    for (int k = 0; k <= columns / 2; k++) parts[k][0] = parts[k][1] = (VECTOR){0};
    for (ptrdiff_t first = 0; first < channels; first += LANES) {
        const ptrdiff_t at = first * sizeof(T), rest = channels - first;
        _Alignas(VECTOR_BYTES) VECTOR lines[FC_MAX_COLUMNS][FC_MAX_POINTS];
        VECTOR d[FC_MAX_POINTS], v[FC_MAX_POINTS];
        const char *const *pixels = t->pixels;
        for (int j = 0; j < columns; j++, pixels += points) {
            UNROLLED(i, rows) d[i] = NAMED(load_tail)(pixels[i] + at, rest);
            if (ahead) {
                UNROLLED(i, rows) __builtin_prefetch(pixels[i] + at + ahead, 0, 2);
            }
            VECTOR sum = d[0] * d[0] + d[rows - 1] * d[rows - 1]; /* of short chains, which take the least time */
            UNROLL
            for (int i = 1; i < rows - 1; i += 2) {
                const VECTOR two = d[i] * d[i] + d[i + 1] * d[i + 1];
                if (rows > kernel + 1 || cols > kernel + 1) parts[(j + 1) / 2][i / 2] += two;
                sum += two;
            }
            squares[j] += sum;
            NAMED(winograd_points)(row_nodes, &over_rows, d, v);
            UNROLLED(i, rows) lines[j][i] = v[i];
        }
        char *tile_out = t->out + first / FC_CHUNK * t->chunk_stride + first % FC_CHUNK * sizeof(T);
        for (int tile = 0; tile < t->tiles; tile++, tile_out += FC_CHUNK * sizeof(T)) {
            for (int i = 0; i < rows; i++) {
                UNROLLED(j, cols) d[j] = lines[tile * outputs + j][i];
                NAMED(winograd_points)(col_nodes, &over_cols, d, v);
                char *out = tile_out + NAMED(winograd_line)(i, rows, points) * points * point_stride;
                UNROLL
                for (int j = 0; j < cols - 1; j++, out += point_stride) *(VECTOR *)out = v[j];
                *(VECTOR *)(out + (points - cols) * point_stride) = v[cols - 1];
            }
        }
    }
    for (int tile = 0; tile < t->tiles; tile++)
        NAMED(winograd_judge)(kernel, rows, cols, t, tile, squares + tile * outputs, parts + tile * outputs / 2 + 1);
}
