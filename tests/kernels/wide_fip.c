/* Fast inner products with vectors of 64 bytes and tiles of 11 pixels, as for AVX-512, on any machine: the same source
 * in the compiler's generic vectors. Every tile's results have the bits of plain loops in the order of fip_tile.h, with
 * a multiplication and an addition for each multiply-add. Prints what is wrong; test_wide_fip.py compiles and runs it.
 */
#include "compiler.h"
#include "fip.h"
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ISA wide
#define VECTOR_BYTES 64
#define MAX_PIXELS 12
#define FIP_TURN 2
#define LOAD_FIRST(from, count) NAMED(load_copied)(from, count)
#define STORE_FIRST(to, v, count) NAMED(copy_tail)(to, (const char *)&(v), count)
#define TILE(pixels)                                             \
    static void NAMED(fip_##pixels)(const struct fc_fip_args *t) \
    {                                                            \
        NAMED(fip_tile)(pixels, t);                              \
    }
#define ENTRY(pixels) NAMED(fip_##pixels),
#define FOR_PIXELS(F) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11)
enum { SUM_TERMS = 256 };

#define T float
#define TYPE f32
#define BITS uint32_t
#define MANTISSA 23
#define SQUARES_RANGE 80
#include "vector.h"

#include "fip_tile.h"
FOR_PIXELS(TILE)
static const struct fc_fip_kernels f32_kernels = {11, f32_fip_pack__wide, {FOR_PIXELS(ENTRY)}, f32_fip_direct__wide};
#undef SQUARES_RANGE
#undef MANTISSA
#undef BITS
#undef TYPE
#undef T

#define T double
#define TYPE f64
#define BITS uint64_t
#define MANTISSA 52
#define SQUARES_RANGE 640
#include "vector.h"

#include "fip_tile.h"
FOR_PIXELS(TILE)
static const struct fc_fip_kernels f64_kernels = {11, f64_fip_pack__wide, {FOR_PIXELS(ENTRY)}, f64_fip_direct__wide};
#undef T

enum { PIXELS = 11, CHANNELS = 500, MAX_CHUNKS = 3, MAX_STEPS = 176, WIDTH = 32 };

static int failures;

static double random_value(void)
{
    return rand() / (RAND_MAX / 2.0) - 1;
}

/* Where a channel of a chunk lies in its row, and from a step of it to its three channels. */
static ptrdiff_t chunk_end(ptrdiff_t chunk, ptrdiff_t chunks, ptrdiff_t channels)
{
    const ptrdiff_t end = fc_fip_first_block(chunk, chunks, channels) * FC_FIP_BLOCK;
    return end < channels ? end : channels;
}

#define TEST(T, type, LANES_)                                                                                          \
    static void test_##type(ptrdiff_t channels, int pixels, int columns)                                               \
    {                                                                                                                  \
        const struct fc_fip_kernels *kernels = &type##_kernels;                                                        \
        const ptrdiff_t chunks = (channels + FC_FIP_ROW - 1) / FC_FIP_ROW, width = 2 * (LANES_);                       \
        static T x[PIXELS][CHANNELS], r[CHANNELS + 2 * FC_FIP_BLOCK], rows[MAX_CHUNKS][PIXELS][FC_FIP_ROW];            \
        static T row_sums[MAX_CHUNKS][PIXELS], w[MAX_STEPS][3][WIDTH], weight_sums[MAX_CHUNKS][WIDTH], bias[WIDTH];    \
        static T scales[PIXELS], column_scales[WIDTH], sums[PIXELS][WIDTH], out[PIXELS][WIDTH];                        \
        for (int i = 0; i < PIXELS; i++) {                                                                             \
            for (int c = 0; c < CHANNELS; c++) x[i][c] = random_value() * ldexp(1, i);                                 \
        }                                                                                                              \
        for (int c = 0; c < CHANNELS; c++) r[c] = ldexp(1, -(c % 5));                                                  \
        for (T *v = &w[0][0][0]; v < &w[0][0][0] + sizeof w / sizeof(T); v++) *v = random_value();                     \
        for (T *v = &weight_sums[0][0]; v < &weight_sums[0][0] + sizeof weight_sums / sizeof(T); v++)                  \
            *v = random_value();                                                                                       \
        for (int k = 0; k < WIDTH; k++) bias[k] = random_value(), column_scales[k] = ldexp(1, k % 7 - 3);              \
        memset(rows, 0, sizeof rows);                                                                                  \
        for (int i = 0; i < pixels; i++) {                                                                             \
            struct fc_fip_pack_args pack = {                                                                           \
                (const char *)x[i],      channels,           chunks,    r, (char *)rows[0][i], sizeof rows[0],         \
                (char *)&row_sums[0][i], sizeof row_sums[0], &scales[i]};                                              \
            if (kernels->pack(&pack)) failures++, printf(#type " pixel %d is out of range\n", i);                      \
            double squares = 0;                                                                                        \
            for (int c = 0; c < channels; c++) squares += pow((double)x[i][c] * r[c], 2);                              \
            const double norm = sqrt(squares) / scales[i];                                                             \
            if (!(norm >= 1 - 1e-6 && norm < 2 + 1e-6)) failures++, printf(#type " norm %g\n", norm);                  \
        }                                                                                                              \
        const T *weights = &w[0][0][0];                                                                                \
        static T want[PIXELS][WIDTH];                                                                                  \
        for (ptrdiff_t chunk = 0; chunk < chunks; chunk++) {                                                           \
            const ptrdiff_t first = chunk_end(chunk, chunks, channels), end = chunk_end(chunk + 1, chunks, channels);  \
            ptrdiff_t steps = 0;                                                                                       \
            for (ptrdiff_t c = first; c < end; c += FC_FIP_BLOCK) {                                                    \
                const ptrdiff_t apart = fc_fip_distance(c, end);                                                       \
                for (ptrdiff_t l = 0; l < apart; l++, steps++) {                                                       \
                    for (int j = 0; j < 3; j++) {                                                                      \
                        const ptrdiff_t at = c + j * apart + l;                                                        \
                        for (int i = 0; i < pixels; i++) {                                                             \
                            const T v = at < end ? x[i][at] * r[at] / scales[i] : 0;                                   \
                            if (rows[chunk][i][j * FC_FIP_STEPS + steps] != v)                                         \
                                failures++, printf(#type " channel %d of %d\n", (int)at, (int)channels);               \
                        }                                                                                              \
                    }                                                                                                  \
                }                                                                                                      \
            }                                                                                                          \
            for (int i = 0; i < pixels; i++) {                                                                         \
                double pairs = 0;                                                                                      \
                for (int s = 0; s < steps; s++) pairs -= (double)rows[chunk][i][s] * rows[chunk][i][FC_FIP_STEPS + s]; \
                if (fabs(pairs - row_sums[chunk][i]) > 1e-5) failures++, printf(#type " sum of pairs\n");              \
                for (int k = 0; k < width; k++) {                                                                      \
                    T acc = weight_sums[chunk][k] + row_sums[chunk][i];                                                \
                    for (int s = 0; s < steps; s++) {                                                                  \
                        const T *x0 = &rows[chunk][i][s], *w1 = weights + s * 3 * width + k;                           \
                        acc += x0[2 * FC_FIP_STEPS] * w1[2 * width];                                                   \
                        acc += (x0[0] + w1[0]) * (x0[FC_FIP_STEPS] + w1[width]);                                       \
                    }                                                                                                  \
                    want[i][k] = chunk ? acc + want[i][k] : acc;                                                       \
                }                                                                                                      \
            }                                                                                                          \
            struct fc_fip_args tile = {(char *)rows[chunk][0],                                                         \
                                       (char *)row_sums[chunk],                                                        \
                                       weights,                                                                        \
                                       weight_sums[chunk],                                                             \
                                       steps,                                                                          \
                                       (const char *)weights,                                                          \
                                       0,                                                                              \
                                       (char *)sums,                                                                   \
                                       chunk == 0,                                                                     \
                                       chunk == chunks - 1,                                                            \
                                       scales,                                                                         \
                                       column_scales,                                                                  \
                                       columns,                                                                        \
                                       {bias, NULL, NULL, 0, (char *)out, sizeof out[0], -0.5, INFINITY}};             \
            kernels->tile[pixels - 1](&tile);                                                                          \
            weights += steps * 3 * width;                                                                              \
        }                                                                                                              \
        for (int i = 0; i < pixels; i++) {                                                                             \
            for (int k = 0; k < columns; k++) {                                                                        \
                T v = bias[k] + want[i][k] * scales[i] * column_scales[k];                                             \
                v = v < -(T)0.5 ? -(T)0.5 : v;                                                                         \
                if (out[i][k] != v)                                                                                    \
                    failures++, printf(#type " %d channels, %d pixels: [%d][%d] %g, want %g\n", (int)channels, pixels, \
                                       i, k, (double)out[i][k], (double)v);                                            \
            }                                                                                                          \
        }                                                                                                              \
    }

TEST(float, f32, 16)
TEST(double, f64, 8)

int main(void)
{
    const ptrdiff_t channels[] = {1, 2, 47, 48, 64, 100, 241, CHANNELS};
    for (unsigned i = 0; i < sizeof channels / sizeof *channels; i++) {
        for (int pixels = 1; pixels <= PIXELS; pixels++) {
            test_f32(channels[i], pixels, pixels % 2 ? 32 : 21);
            test_f64(channels[i], pixels, pixels % 2 ? 16 : 9);
        }
    }
    return failures > 0;
}
