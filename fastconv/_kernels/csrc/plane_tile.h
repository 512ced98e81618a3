/* The register tile of the 1×1 convolution in layout NCHW, where a *plane* holds the pixels of one channel: rows, which
 * are output channels, times vectors of pixels.
 *
 * Arithmetic contract, for each row k and pixel i of a whole vector, with `sum` as in conv_tile.h:
 *
 *     acc = bias[k]
 *     for each channel c: acc = fma(w[c][k], x[c][i], acc), in chunks of SUM_TERMS
 *     out[k][i] = min(max(acc + sum + residual[k][i], lo), hi)
 *
 * and for one of the last pixels of a plane, fewer than a vector, for which n chains run side by side:
 *
 *     sum = 0
 *     for each chunk of SUM_TERMS channels: chain[j] = the chain of fma over its channels j, j + n, …
 *         sum = sum + (chain[0] + chain[1] + …)
 *     for the channels that are left, fewer than n: sum = fma(w[c][k], x[c][i], sum)
 *     out[k][i] = min(max(sum + bias[k] + residual[k][i], lo), hi)
 *
 * Which pixels are the last depends on the plane alone, and rows do not take part in it: any partition of the work into
 * tiles gives the same bits.
 *
 * One call does several panels (the pixels of one tile), one after the other. The tile that reads a panel from the
 * planes, where each channel is on another page, can copy it on its way for the tiles of other rows.
 *
 * May read: of each plane as many pixels as it computes; in the last pixels' kernel, up to two vectors of weights from
 * the last channel's on.
 */

/* Some channels of one panel; with `copies` they are written to `copy`, and the panel beside is prefetched. So are the
 * weights ahead, which come from L2 or beyond: the processor's own prefetch begins anew with every page. */
INLINE void NAMED(plane_channels)(const int rows, const int vectors, const int copies, VECTOR acc[][FC_MAX_VECTORS],
                                  ptrdiff_t channels, const char *x, ptrdiff_t x_step, const T *w, char *copy)
{
    enum { AHEAD = 16 };
    for (; channels > 0; channels--) {
        VECTOR xv[FC_MAX_VECTORS];
        UNROLLED(j, vectors) {
            xv[j] = rows > 1 ? NAMED(load_once)((const VECTOR *)x + j) : ((const VECTOR *)x)[j];
            if (copies) {
                ((VECTOR *)copy)[j] = xv[j];
                __builtin_prefetch(x + (vectors + j) * VECTOR_BYTES);
            }
        }
        UNROLLED(i, rows) {
            const VECTOR wi = w[i] - (VECTOR){0};
            UNROLLED(j, vectors) NAMED(fma)(&acc[i][j], wi, xv[j]);
        }
        __builtin_prefetch(w + AHEAD * rows);
        x += x_step;
        w += rows;
        if (copies) copy += vectors * VECTOR_BYTES;
    }
}

INLINE void NAMED(plane_tile)(const int rows, const int vectors, const struct fc_plane_args *t)
{
    const struct fc_epilogue *e = &t->epilogue;
    const ptrdiff_t panel_bytes = vectors * VECTOR_BYTES, bytes = t->columns * sizeof(T);
    const char *x = t->x;
    char *copy = t->copy;
    for (ptrdiff_t done = 0; done < bytes; done += panel_bytes, x += t->panel_stride) {
        VECTOR acc[MAX_PIXELS][FC_MAX_VECTORS], sums[MAX_PIXELS][FC_MAX_VECTORS];
        UNROLLED(i, rows)
            UNROLLED(j, vectors) acc[i][j] = ((const T *)e->bias)[i] - (VECTOR){0};
        for (ptrdiff_t c = 0; c < t->channels; c += SUM_TERMS) {
            const ptrdiff_t channels = t->channels - c < SUM_TERMS ? t->channels - c : SUM_TERMS;
            const char *from = x + c * t->plane_stride;
            const T *w = (const T *)t->weights + c * rows;
            if (c) NAMED(conv_next_chunk)(rows, vectors, acc, sums, c == SUM_TERMS);
            if (copy) {
                NAMED(plane_channels)(rows, vectors, 1, acc, channels, from, t->plane_stride, w, copy);
                copy += channels * panel_bytes;
            } else {
                NAMED(plane_channels)(rows, vectors, 0, acc, channels, from, t->plane_stride, w, NULL);
            }
        }
        if (t->channels > SUM_TERMS) NAMED(conv_add)(rows, vectors, acc, sums);
        NAMED(conv_finish)(rows, vectors, acc, e, done);
    }
}

/* One channel of a few pixels: here the rows are the lanes of a vector, of two where a tile has more. */
INLINE void NAMED(plane_tail_step)(const int pixels, const int vectors, VECTOR acc[][2], const char *x, const T *w)
{
    UNROLLED(j, vectors) {
        const VECTOR wv = ((const VECTOR *)w)[j];
        UNROLLED(i, pixels) NAMED(fma)(&acc[i][j], ((const T *)x)[i] - (VECTOR){0}, wv);
    }
}

/* A few pixels. */
INLINE void NAMED(plane_tail)(const int pixels, const struct fc_plane_args *t)
{
    enum { VECTORS = (MAX_PIXELS + LANES - 1) / LANES, SUMS = 8, MAX_CHAINS = SUMS / VECTORS };
    const int chains = SUMS / (pixels * VECTORS); /* SUMS sums hide the multiply-adds' latency */
    const struct fc_epilogue *e = &t->epilogue;
    VECTOR acc[MAX_CHAINS][FC_MAX_TAIL][2], sums[FC_MAX_TAIL][2] = {0};
    const char *x = t->x;
    const T *w = t->weights;
    const ptrdiff_t x_step = t->plane_stride, w_step = t->rows;
    for (ptrdiff_t rounds = t->channels / chains; rounds > 0; rounds -= SUM_TERMS / chains) {
        UNROLLED(chain, chains) {
            UNROLLED(i, pixels)
                UNROLLED(j, VECTORS) acc[chain][i][j] = (VECTOR){0};
        }
        ptrdiff_t n = rounds < SUM_TERMS / chains ? rounds : SUM_TERMS / chains;
        for (; n > 0; n--) {
            UNROLL
            for (int chain = 0; chain < chains; chain++, x += x_step, w += w_step)
                NAMED(plane_tail_step)(pixels, VECTORS, acc[chain], x, w);
        }
        UNROLLED_FROM(chain, 1, chains) NAMED(conv_add)(pixels, VECTORS, acc[0], acc[chain]);
        NAMED(conv_add)(pixels, VECTORS, sums, acc[0]);
    }
    for (ptrdiff_t c = t->channels % chains; c > 0; c--, x += x_step, w += w_step)
        NAMED(plane_tail_step)(pixels, VECTORS, sums, x, w);
    UNROLLED(i, pixels) {
        for (ptrdiff_t row = 0; row < t->rows; row++) {
            T v = ((const T *)sums[i])[row] + ((const T *)e->bias)[row];
            if (e->residual) v += ((const T *)(e->residual + row * e->residual_stride))[i];
            ((T *)(e->out + row * e->out_stride))[i] = NAMED(clip_value)(v, e);
        }
    }
}
