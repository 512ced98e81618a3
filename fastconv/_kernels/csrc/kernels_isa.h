/* All micro-kernels of one instruction set, of which isa_<name>.h states, before this one is included,
 *   ISA           its name
 *   VECTOR_BYTES  bytes in one of its vector registers
 *   MAX_PIXELS    pixels in the largest tile: MAX_PIXELS x 2 accumulators, 2 vectors of weights and a broadcast value
 *                 must fit the vector registers; a pointer for each pixel, one for the weights, an index and its end
 *                 the general ones
 *   FIP_PIXELS    the same of fast inner products, with FIP_PIXELS x 2 accumulators, 4 vectors of weights and 4 of
 *                 what is multiplied
 *   FIP_TURN      steps of fast inner products in a turn of their loop, 1 or 2
 *   FEW_SETS(columns)  vectors of pixels that go together in the tile of so few, so that each weight is loaded once
 *   FOR_SPLIT(FAMILY, F)  the tiles of split rows: 1 to FC_MAX_SPLIT columns, each with such vectors of pixels
 *   PREFETCHES_VALUES  whether the products of Winograd prefetch the values that come next, where that was measured
 *   LOAD_FIRST(from, count)  a vector of the first `count` values, fewer than all; nothing is read beyond them
 *   STORE_FIRST(to, v, count) the store of the first `count` values of a vector, fewer than all
 *   STORE_NONTEMPORAL(to, v) the store of a whole vector, past the caches if it is one of their lines
 * and where it has instructions for them
 *   LARGER(max, v)           max > v or max is NaN ? max : v
 *   RSQRT(v)                 1 / sqrt(v) of float32 values but for a share of 2^-11 or less
 *   PREFETCH_STORE(at)       prefetches a line for a store; then a tile prefetches what the next one stores and adds
 *   KEEPS_SUMS               tiles that keep their sums, where that was measured
 *   BROADCAST_FOUR(y, x, lanes) y is x with lanes of each four chosen by two bits each
 *   ROWS16, MM(operation)    x86: the vector type, the intrinsic of this name; with rows16_join and rows16_split of
 *                            rows of 16 bytes, and rows16_zip_16, which puts the rows of two vectors by turns
 *   NARROW_SUMS              vectors of sums in the tiles of narrow 1×1s, which need rows16_repeat, a row in all rows
 */
#include "kernels.h"
#include <stdint.h>
#include <string.h>

_Static_assert(VECTOR_BYTES <= FC_MAX_VECTOR_BYTES && MAX_PIXELS <= FC_MAX_PIXELS, "beyond sizes.h");

/* Terms of a sum in one chain of the direct convolution. */
enum { SUM_TERMS = FC_SUM_TERMS };

/* Outputs of a tile of Winograd's that are computed directly together: this number of chains hides the latency. */
enum { DIRECT_PIXELS = 8 };

/* What the output transform of Winograd stores of a vector of columns: some values, in some pixels; all, in all pixels;
 * the same past the caches. */
enum fc_extent { FC_TAIL, FC_WHOLE, FC_NONTEMPORAL };

/* Vectors of channels that go through a window together in pooling: this number of chains hides the latency. */
enum { POOL_VECTORS = 8 };

/* Input channels whose weights are transformed together. */
enum { WEIGHT_CHANNELS = 4 };

/* A line of points of F(4×4, 3×3), whose weights are transformed by the tasks, and which one it is. */
enum { LINE_TAPS = 3, LINE_POINTS = 6 };
enum line_kind { LINE_OF_ZERO, LINE_OF_NODE, LINE_OF_INFINITY };

enum { MAX_SPLIT_SETS = 6 };

#define FOR_PIXELS_4(FAMILY, F, vectors) \
    FAMILY(F, 1, vectors) FAMILY(F, 2, vectors) FAMILY(F, 3, vectors) FAMILY(F, 4, vectors)
#define FOR_PIXELS_6(FAMILY, F, vectors) FOR_PIXELS_4(FAMILY, F, vectors) FAMILY(F, 5, vectors) FAMILY(F, 6, vectors)
#define FOR_8(FAMILY, F, vectors) FOR_PIXELS_6(FAMILY, F, vectors) FAMILY(F, 7, vectors) FAMILY(F, 8, vectors)
#define FOR_PIXELS_11(FAMILY, F, vectors) \
    FOR_8(FAMILY, F, vectors) FAMILY(F, 9, vectors) FAMILY(F, 10, vectors) FAMILY(F, 11, vectors)
#define FOR_PIXELS_12(FAMILY, F, vectors) FOR_PIXELS_11(FAMILY, F, vectors) FAMILY(F, 12, vectors)
#define FOR_PIXELS__(n) FOR_PIXELS_##n
#define FOR_PIXELS_(n) FOR_PIXELS__(n)
#define FOR_PIXELS FOR_PIXELS_(MAX_PIXELS)
#define FOR_FIP_PIXELS FOR_PIXELS_(FIP_PIXELS)

#include "rows16.h"

#define T float
#define TYPE f32
#define FMA "vfmadd231ps"
#define PERMUTE "vpermilps"
#define SUFFIX ps
#define BITS uint32_t
#define MANTISSA 23
#define SQUARES_RANGE 80
#include "kernels_type.h"

#define T double
#define TYPE f64
#define FMA "vfmadd231pd"
#define PERMUTE "vpermpd"
#define SUFFIX pd
#define BITS uint64_t
#define MANTISSA 52
#define SQUARES_RANGE 640
#include "kernels_type.h"

#include "peak.h"
