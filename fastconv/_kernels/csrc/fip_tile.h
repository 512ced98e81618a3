/* Fast inner products, for 1×1 convolutions (Winograd, "A new algorithm for inner product", 1968): of two products one,
 *
 *     x0·w0 + x1·w1 = (x0 + w1)·(x1 + w0) − x0·x1 − w0·w1
 *
 * whose last term is one number for a column, known when the weights are packed, and the one before it one for a pixel.
 * A core with adders beside its multiply-add units is kept busiest where two channels of three go this way and the
 * third directly: then there are as many additions as multiply-adds.
 *
 * Arithmetic contract, for each pixel i and column k, with x and w scaled as below:
 *
 *     for each chunk, of at most FC_FIP_STEPS steps:
 *         acc = −Σ w0·w1 [k] + −Σ x0·x1 [i], over the chunk
 *         for each step, three channels:
 *             acc = fma(x2, w2, acc)
 *             acc = fma(x0 + w1, x1 + w0, acc)
 *         sum = sum + acc (at first sum = acc)
 *     out[i][k] = min(max(fma(sum · scale[i], scale[k], bias[k]) + residual[i][k], lo), hi),
 *                 or with slopes as epilogue.h says
 *
 * Which three channels make a step follows from their number alone: of a block of 48 they are l, 16 + l and 32 + l, of
 * the last block, if it has fewer, a third of it apart. So every tile gives the same bits.
 *
 * What is added must be of like size, or the larger hides the smaller. So all is scaled by powers of two, exactly:
 * channel c of x by the equalizer r[c], from the weights' rows, and that row by 1/r[c]; then each pixel and each column
 * to a norm in [1, 2). scale[i] and scale[k] undo the last two. A pixel of zeros has scale 0, and so the bias; one
 * whose sum of squares is beyond 2^±SQUARES_RANGE, or not finite, is computed directly, from x and the weights as they
 * are.
 *
 * May read: whole vectors of what is packed; of x, the weights as they are and residual nothing but what is named.
 */

/* A value in all lanes, loaded once for several uses. */
INLINE VECTOR NAMED(broadcast)(const T *from)
{
    VECTOR v = *from - (VECTOR){0};
#ifdef __FMA__
    __asm__("" : "+v"(v));
#endif
    return v;
}

/* One step: the direct channel, then the pair. In two turns, which 16 registers hold without a spill: 8 sums, 4 vectors
 * of weights and 4 of what is multiplied. */
INLINE void NAMED(fip_step)(const int pixels, VECTOR acc[][FC_MAX_VECTORS], const T *x, const T *w)
{
    VECTOR w0[FC_MAX_VECTORS], w1[FC_MAX_VECTORS], w2[FC_MAX_VECTORS];
    UNROLLED(j, FC_MAX_VECTORS) w2[j] = NAMED(load_once)(w + (2 * FC_MAX_VECTORS + j) * LANES);
    UNROLLED(i, pixels) {
        const VECTOR x2 = x[i * FC_FIP_ROW + 2 * FC_FIP_STEPS] - (VECTOR){0};
        UNROLLED(j, FC_MAX_VECTORS) NAMED(fma)(&acc[i][j], x2, w2[j]);
    }
    UNROLLED(j, FC_MAX_VECTORS) {
        w1[j] = NAMED(load_once)(w + j * LANES);
        w0[j] = NAMED(load_once)(w + (FC_MAX_VECTORS + j) * LANES);
    }
    UNROLLED(i, pixels) {
        const VECTOR x0 = NAMED(broadcast)(x + i * FC_FIP_ROW),
                     x1 = NAMED(broadcast)(x + i * FC_FIP_ROW + FC_FIP_STEPS);
        UNROLLED(j, FC_MAX_VECTORS) NAMED(fma)(&acc[i][j], x0 + w1[j], x1 + w0[j]);
    }
}

/* The store of one pixel. `count` is that of the columns, two vectors or less. */
INLINE void NAMED(fip_store)(VECTOR *v, const struct fc_epilogue *e, struct NAMED(bounds) bounds, ptrdiff_t pixel,
                             ptrdiff_t count)
{
    const char *residual = e->residual ? e->residual + pixel * e->residual_stride : NULL;
    char *out = e->out + pixel * e->out_stride;
    UNROLLED(j, FC_MAX_VECTORS) {
        const ptrdiff_t at = j * VECTOR_BYTES, left = count - j * LANES;
        if (left <= 0) break;
        if (residual) v[j] += NAMED(load_tail)(residual + at, left);
        if (e->slopes) v[j] = NAMED(sloped)(v[j], ((const VECTOR *)e->slopes)[j]);
        NAMED(store_tail)(out + at, NAMED(clip)(FC_BOTH, v[j], bounds), left);
    }
}

/* The results of a tile, but for the pixels that are computed directly. */
INLINE void NAMED(fip_end)(const int pixels, const int is_whole, VECTOR acc[][FC_MAX_VECTORS],
                           const struct fc_fip_args *t)
{
    const struct NAMED(bounds) bounds = NAMED(bounds)(&t->epilogue);
    const VECTOR *bias = t->epilogue.bias, *column_scales = t->column_scales;
    const T *scales = t->scales;
    UNROLLED(i, pixels) {
        if (scales[i] == FC_FIP_DIRECT) continue;
        VECTOR v[FC_MAX_VECTORS];
        UNROLLED(j, FC_MAX_VECTORS) {
            v[j] = bias[j];
            NAMED(fma)(&v[j], acc[i][j] * scales[i], column_scales[j]);
        }
        NAMED(fip_store)(v, &t->epilogue, bounds, i, is_whole ? FC_MAX_VECTORS * LANES : t->columns);
    }
}

/* The last columns, fewer than two vectors. */
static void NAMED(fip_end_columns)(int pixels, VECTOR acc[][FC_MAX_VECTORS], const struct fc_fip_args *t)
{
    for (int i = 0; i < pixels; i++) {
        struct fc_fip_args one = *t;
        one.scales = (const T *)t->scales + i;
        fc_advance(&one.epilogue, i, 0);
        NAMED(fip_end)(1, 0, acc + i, &one);
    }
}

/* `pixels` is a literal at every call. */
INLINE void NAMED(fip_tile)(const int pixels, const struct fc_fip_args *t)
{
    VECTOR acc[MAX_PIXELS][FC_MAX_VECTORS];
    const T *x = (const T *)t->rows, *w = t->weights;
    const T *row_sums = (const T *)t->row_sums;
    const char *ahead = t->ahead;
    const ptrdiff_t ahead_step = t->ahead_step;
    UNROLLED(i, pixels) {
        UNROLLED(j, FC_MAX_VECTORS) acc[i][j] = ((const VECTOR *)t->weight_sums)[j] + row_sums[i];
    }
    ptrdiff_t steps = t->steps;
    for (; steps >= FIP_TURN; steps -= FIP_TURN, x += FIP_TURN, w += FIP_TURN * FC_FIP_WEIGHTS * LANES) {
        KEEP_IN_ONE_REGISTER(x);
        UNROLLED(s, FIP_TURN) {
            NAMED(fip_step)(pixels, acc, x + s, w + s * FC_FIP_WEIGHTS * LANES);
            __builtin_prefetch(ahead);
            ahead += ahead_step;
        }
    }
    if (FIP_TURN > 1 && steps) NAMED(fip_step)(pixels, acc, x, w);
    VECTOR *sums = (VECTOR *)t->sums;
    if (!t->is_first) {
        UNROLLED(i, pixels) {
            UNROLLED(j, FC_MAX_VECTORS) acc[i][j] += sums[i * FC_MAX_VECTORS + j];
        }
    }
    if (t->is_last && t->columns == FC_MAX_VECTORS * LANES) {
        NAMED(fip_end)(pixels, 1, acc, t);
    } else {
        UNROLLED(i, pixels) {
            UNROLLED(j, FC_MAX_VECTORS) sums[i * FC_MAX_VECTORS + j] = acc[i][j];
        }
        if (t->is_last) NAMED(fip_end_columns)(pixels, (VECTOR(*)[FC_MAX_VECTORS])sums, t);
    }
}

/* A vector of columns of one pixel from the bias on, four chains of their sum at a time. */
INLINE VECTOR NAMED(fip_direct_columns)(const struct fc_fip_direct_args *t, ptrdiff_t at, ptrdiff_t count)
{
    enum { CHAINS = 4 };
    const T *x = (const T *)t->x;
    const char *w = t->weights + at;
    VECTOR sum = *(const VECTOR *)((const char *)t->epilogue.bias + at), chain[CHAINS];
    for (ptrdiff_t c = 0; c < t->channels;) {
        const ptrdiff_t left = t->channels - c, end = c + (left < CHAINS * SUM_TERMS ? left : CHAINS * SUM_TERMS);
        UNROLLED(i, CHAINS) chain[i] = (VECTOR){0};
        for (; c + CHAINS <= end; c += CHAINS) {
            UNROLL
            for (int i = 0; i < CHAINS; i++, w += t->weight_stride)
                NAMED(fma)(&chain[i], x[c + i] - (VECTOR){0}, NAMED(load_tail)(w, count));
        }
        for (; c < end; c++, w += t->weight_stride)
            NAMED(fma)(&chain[0], x[c] - (VECTOR){0}, NAMED(load_tail)(w, count));
        UNROLLED(i, CHAINS) sum += chain[i];
    }
    return sum;
}

static void NAMED(fip_direct)(const struct fc_fip_direct_args *t)
{
    VECTOR v[FC_MAX_VECTORS];
    for (int j = 0; j < FC_MAX_VECTORS && j * LANES < t->columns; j++)
        v[j] = NAMED(fip_direct_columns)(t, j * VECTOR_BYTES, t->columns - j * LANES);
    NAMED(fip_store)(v, &t->epilogue, NAMED(bounds)(&t->epilogue), 0, t->columns);
}

#define EXPONENT_BIAS ((1 << (8 * (int)sizeof(T) - MANTISSA - 2)) - 1)

/* floor(log2 v) of a positive normal number, and 2 to a power. */
INLINE int NAMED(exponent_of)(T v)
{
    BITS bits;
    memcpy(&bits, &v, sizeof v);
    return (int)(bits >> MANTISSA) - EXPONENT_BIAS;
}

INLINE T NAMED(power_of_two)(int exponent)
{
    const BITS bits = (BITS)(exponent + EXPONENT_BIAS) << MANTISSA;
    T v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* The square of the norm of a pixel, equalized. */
INLINE T NAMED(fip_squares)(const struct fc_fip_pack_args *t)
{
    enum { CHAINS = 4 };
    VECTOR squares[CHAINS] = {{0}};
    const T *x = (const T *)t->x, *r = t->equalizers;
    ptrdiff_t c = 0;
    for (; c + CHAINS * LANES <= t->channels; c += CHAINS * LANES) {
        UNROLLED(i, CHAINS) {
            const VECTOR v = *(const VECTOR *)(x + c + i * LANES) * *(const VECTOR *)(r + c + i * LANES);
            NAMED(fma)(&squares[i], v, v);
        }
    }
    for (; c < t->channels; c += LANES) {
        const VECTOR v = NAMED(load_tail)((const char *)(x + c), t->channels - c) * *(const VECTOR *)(r + c);
        NAMED(fma)(&squares[0], v, v);
    }
    return NAMED(sum_of_lanes)((squares[0] + squares[1]) + (squares[2] + squares[3]));
}

/* A vector of the `count` channels from c on, none where that is not positive, equalized and scaled. */
INLINE VECTOR NAMED(fip_load)(const struct fc_fip_pack_args *t, ptrdiff_t c, ptrdiff_t count, T scale)
{
    if (count <= 0) return (VECTOR){0};
    const VECTOR r = *(const VECTOR *)((const T *)t->equalizers + c) * scale;
    return NAMED(load_tail)(t->x + c * sizeof(T), count) * r;
}

static int NAMED(fip_pack)(const struct fc_fip_pack_args *t)
{
    const T squares = NAMED(fip_squares)(t);
    const T limit = NAMED(power_of_two)(SQUARES_RANGE);
    T up = 0, *scale = t->scale;
    if (squares >= 1 / limit && squares <= limit) {
        const int half = NAMED(exponent_of)(squares) >> 1; /* rounded down: the norm is then in [1, 2) */
        up = NAMED(power_of_two)(-half);
        *scale = NAMED(power_of_two)(half);
    } else {
        *scale = squares == 0 ? 0 : FC_FIP_DIRECT;
        for (ptrdiff_t c = 0; c < t->channels && *scale == 0; c++) {
            if (((const T *)t->x)[c] != 0) *scale = FC_FIP_DIRECT;
        }
    }
    for (ptrdiff_t chunk = 0; chunk < t->chunks; chunk++) {
        T *row = (T *)(t->rows + chunk * t->row_stride), *sum = (T *)(t->sums + chunk * t->sum_stride);
        ptrdiff_t c = fc_fip_first_block(chunk, t->chunks, t->channels) * FC_FIP_BLOCK;
        ptrdiff_t end = fc_fip_first_block(chunk + 1, t->chunks, t->channels) * FC_FIP_BLOCK;
        if (end > t->channels) end = t->channels;
        if (up == 0) {
            memset(row, 0, FC_FIP_ROW * sizeof(T)); /* where x is not finite its products are not either */
            *sum = 0;
            continue;
        }
        VECTOR pairs = {0};
        for (; c < end; c += FC_FIP_BLOCK, row += FC_FIP_LANES) {
            const ptrdiff_t apart = fc_fip_distance(c, end);
            for (ptrdiff_t i = 0; i < apart; i += LANES) {
                VECTOR v[3];
                UNROLLED(j, 3) {
                    const ptrdiff_t at = c + j * apart + i, left = end - at;
                    v[j] = NAMED(fip_load)(t, at, left < apart - i ? left : apart - i, up);
                    *(VECTOR *)(row + j * FC_FIP_STEPS + i) = v[j];
                }
                pairs -= v[0] * v[1];
            }
        }
        *sum = NAMED(sum_of_lanes)(pairs);
    }
    return *scale == FC_FIP_DIRECT;
}
