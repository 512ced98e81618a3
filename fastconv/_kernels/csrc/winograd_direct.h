/* The direct way for outputs of a tile that cannot go Winograd's, from the patch and the weights as they are.
 *
 * Arithmetic contract, for each output i and column k: that of conv_tile.h, over the taps in the output's window.
 *
 *     acc = bias[k]
 *     for each tap of the window, row by row, for each channel c:
 *         after every SUM_TERMS terms: sum = acc + sum (at first sum = acc), acc = 0
 *         acc = fma(x[i][tap][c], w[tap][c][k], acc)
 *     out[i][k] = min(max(acc + sum + residual[i][k], lo), hi), or with slopes as epilogue.h says
 */

/* Outputs that see the same taps, one column of the kernel for a vector of columns after the other. */
INLINE void NAMED(winograd_pixels)(const int pixels, const struct fc_input_args *patch, const struct fc_output_args *t,
                                   const int *outputs, struct fc_window window)
{
    const struct fc_epilogue *e = &t->epilogue;
    const struct NAMED(bounds) bounds = NAMED(bounds)(e);
    const int n = t->axes.points, kernel = t->axes.rows->points + 1 - t->axes.rows->outputs;
    for (ptrdiff_t first = 0; first < t->columns; first += LANES) {
        const ptrdiff_t at = first * sizeof(T), count = t->columns - first;
        VECTOR acc[DIRECT_PIXELS], sums[DIRECT_PIXELS];
        int terms = 0, is_first = 1;
        UNROLLED(i, pixels) acc[i] = *(const VECTOR *)((const char *)e->bias + at);
        for (int tap = window.first_row * kernel; tap < window.end_row * kernel; tap++) {
            const int row = tap / kernel, col = tap % kernel;
            if (col < window.first_col || col >= window.end_col) continue;
            const char *w = t->weights + tap * patch->channels * t->weight_stride + at;
            const T *x[DIRECT_PIXELS];
            UNROLLED(i, pixels) {
                const int y = outputs[i] / FC_MAX_OUTPUTS + row;
                x[i] = (const T *)patch->pixels[(outputs[i] % FC_MAX_OUTPUTS + col) * n + y];
            }
            for (ptrdiff_t c = 0; c < patch->channels;) {
                if (terms == SUM_TERMS) {
                    UNROLLED(i, pixels) {
                        if (!is_first) acc[i] += sums[i];
                        sums[i] = acc[i];
                        acc[i] = (VECTOR){0};
                    }
                    terms = is_first = 0;
                }
                const ptrdiff_t rest = patch->channels - c, begun = c;
                const ptrdiff_t end = c + (rest < SUM_TERMS - terms ? rest : SUM_TERMS - terms);
                for (; c < end; c++, w += t->weight_stride) {
                    const VECTOR wv = NAMED(load_tail)(w, count);
                    UNROLLED(i, pixels) NAMED(fma)(&acc[i], x[i][c] - (VECTOR){0}, wv);
                }
                terms += c - begun;
            }
        }
        UNROLLED(i, pixels) {
            const int y = outputs[i] / FC_MAX_OUTPUTS, x = outputs[i] % FC_MAX_OUTPUTS;
            VECTOR sum = acc[i];
            if (!is_first) sum += sums[i];
            if (e->residual)
                sum += NAMED(load_tail)(e->residual + y * t->residual_row + x * e->residual_stride + at, count);
            if (e->slopes) sum = NAMED(sloped)(sum, *(const VECTOR *)((const char *)e->slopes + at));
            NAMED(store_tail)(e->out + y * t->out_row + x * e->out_stride + at, NAMED(clip)(FC_BOTH, sum, bounds),
                              count);
        }
    }
}

/* The outputs inside the map that `patch->direct` names; those that see zeros alone have no terms. */
static void NAMED(winograd_direct)(const struct fc_input_args *patch, const struct fc_output_args *t)
{
    struct fc_window windows[FC_MAX_OUTPUTS * FC_MAX_OUTPUTS];
    int outputs[FC_MAX_OUTPUTS * FC_MAX_OUTPUTS], count = 0;
    for (int i = 0; i < FC_MAX_OUTPUTS * FC_MAX_OUTPUTS; i++) {
        const int y = i / FC_MAX_OUTPUTS, x = i % FC_MAX_OUTPUTS;
        if (y >= t->rows || x >= t->cols || !(patch->direct->outputs >> i & 1)) continue;
        windows[count] = patch->direct->zeros >> i & 1 ? (struct fc_window){0, 0, 0, 0} : patch->windows[y][x];
        outputs[count++] = i;
    }
    for (int first = 0, n; first < count; first += n) {
        const struct fc_window *w = windows + first;
        n = 1;
        while (n < DIRECT_PIXELS && first + n < count && memcmp(w, w + n, sizeof *w) == 0) n++;
        if (n == DIRECT_PIXELS) {
            NAMED(winograd_pixels)(DIRECT_PIXELS, patch, t, outputs + first, *w);
        } else if (n >= DIRECT_PIXELS / 2) {
            n = DIRECT_PIXELS / 2;
            NAMED(winograd_pixels)(DIRECT_PIXELS / 2, patch, t, outputs + first, *w);
        } else {
            n = 1;
            NAMED(winograd_pixels)(1, patch, t, outputs + first, *w);
        }
    }
}
