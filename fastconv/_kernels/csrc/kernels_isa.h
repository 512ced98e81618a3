/* All micro-kernels of one instruction set. The file that includes this one defines
 *   ISA           the instruction set's name
 *   VECTOR_BYTES  bytes in one of its vector registers
 *   MAX_PIXELS    pixels in the largest tile: MAX_PIXELS x 2 accumulators, 2 vectors of weights and a broadcast value
 *                 must fit the vector registers; a pointer for each pixel, one for the weights, an index and its end
 *                 the general ones
 */
#include "kernels.h"
#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

_Static_assert(VECTOR_BYTES <= FC_MAX_VECTOR_BYTES && MAX_PIXELS <= FC_MAX_PIXELS, "beyond sizes.h");

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized" /* it does not see that the first chunk of a sum sets it */
#endif

#define INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif
/* Without it the compiler gives an index several induction variables, and the pixels' pointers lose their registers. */
#define KEEP_IN_ONE_REGISTER(index) __asm__("" : "+r"(index))

/* Terms of a sum in one chain of the direct convolution: fewer would cost more than a hundredth of the time. */
enum { SUM_TERMS = 256 };

/* The same for the products of Winograd, whose output transform magnifies their rounding. */
enum { PRODUCT_TERMS = 16 };

/* Outputs of a tile of Winograd's that are computed directly together: so many chains hide the latency. */
enum { DIRECT_PIXELS = 8 };

/* What the output transform of Winograd stores of a vector of columns: some values, in some pixels; all, in all pixels;
 * the same past the caches. */
enum fc_extent { FC_SOME, FC_WHOLE, FC_STREAMED };

/* Vectors of channels that go through a window together in pooling: so many chains hide the latency. */
enum { POOL_VECTORS = 8 };

/* Vectors of pixels that go together in the tile of few columns, so that each weight is loaded once for all. */
enum { FEW_SETS = VECTOR_BYTES == 64 ? 2 : 1 };

/* Input channels whose weights are transformed together. */
enum { WEIGHT_CHANNELS = 4 };

#define FOR_PIXELS_4(F, vectors) F(1, vectors) F(2, vectors) F(3, vectors) F(4, vectors)
#define FOR_PIXELS_6(F, vectors) FOR_PIXELS_4(F, vectors) F(5, vectors) F(6, vectors)
#define FOR_8(F, vectors) FOR_PIXELS_6(F, vectors) F(7, vectors) F(8, vectors)
#define FOR_PIXELS_12(F, vectors) \
    FOR_PIXELS_6(F, vectors) F(7, vectors) F(8, vectors) F(9, vectors) F(10, vectors) F(11, vectors) F(12, vectors)
#define FOR_PIXELS__(n) FOR_PIXELS_##n
#define FOR_PIXELS_(n) FOR_PIXELS__(n)
#define FOR_PIXELS FOR_PIXELS_(MAX_PIXELS)

#include "rows16.h"

#if VECTOR_BYTES == 32
/* A vector that begins so many lanes before the middle is a mask of its first so many lanes. */
static const int first_lanes[2 * VECTOR_BYTES / sizeof(int)] = {-1, -1, -1, -1, -1, -1, -1, -1};
#endif

#define T float
#define TYPE f32
#define MULTIPLY_ADD "vfmadd231ps"
#define SPREAD_FOUR "vpermilps"
#define SUFFIX ps
#include "kernels_type.h"
#undef SUFFIX
#undef SPREAD_FOUR
#undef MULTIPLY_ADD
#undef TYPE
#undef T

#define T double
#define TYPE f64
#define MULTIPLY_ADD "vfmadd231pd"
#define SPREAD_FOUR "vpermpd"
#define SUFFIX pd
#include "kernels_type.h"
#undef SUFFIX
#undef SPREAD_FOUR
#undef MULTIPLY_ADD
#undef TYPE
#undef T

#include "peak.h"
