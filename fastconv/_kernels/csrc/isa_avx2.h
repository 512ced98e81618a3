/* AVX2 and FMA. 12 of the 16 registers accumulate: with two FMA units and a latency of 4, 8 chains keep both busy. */
#include "compiler.h"
#include <immintrin.h>

#define ISA avx2
#define VECTOR_BYTES 32
#define MAX_PIXELS 6
#define FIP_PIXELS 4
#define FIP_TURN 1
#define FEW_SETS(columns) ((columns) <= 2 ? 2 : 1) /* more would not fit the registers */
#define FOR_SPLIT(FAMILY, F) \
    FAMILY(F, 1, 6)          \
    FAMILY(F, 2, 3)          \
    FAMILY(F, 3, 3)          \
    FAMILY(F, 4, 2)          \
    FAMILY(F, 5, 2)          \
    FAMILY(F, 6, 2) FAMILY(F, 7, 1) FAMILY(F, 8, 1) FAMILY(F, 9, 1) FAMILY(F, 10, 1) FAMILY(F, 11, 1) FAMILY(F, 12, 1)
#define PREFETCHES_VALUES 1
#define NARROW_SUMS 8
#define KEEPS_SUMS

/* A vector that begins n lanes before the middle is a mask of its first n lanes. */
static const int first_lanes[2 * VECTOR_BYTES / sizeof(int)] = {-1, -1, -1, -1, -1, -1, -1, -1};

#define LOAD_FIRST(from, count)                 \
    OF_TYPE(_mm256_maskload)((const T *)(from), \
                             _mm256_loadu_si256((const __m256i *)((const T *)first_lanes + LANES - (count))))
#define STORE_FIRST(to, v, count) NAMED(copy_tail)(to, (const char *)&(v), count) /* masked stores are slow on AMD */
#define STORE_NONTEMPORAL(to, v) (*(VECTOR *)(to) = (v))
#define RSQRT(v) ((VECTOR)_mm256_rsqrt_ps((__m256)(v)))
#define LARGER(max, v) \
    OF_TYPE(_mm256_blendv)(OF_TYPE(_mm256_max)(max, v), max, OF_TYPE(_mm256_cmp)(max, max, _CMP_UNORD_Q))
#define PREFETCH_STORE(at) __asm__ volatile("prefetchw %0" : : "m"(*(const char *)(at)))
#define BROADCAST_FOUR(y, x, lanes) __asm__(PERMUTE " $" #lanes ", %1, %0" : "=v"(y) : "v"(x))

#define ROWS16 __m256
#define MM(operation) _mm256_##operation

INLINE ROWS16 rows16_join(const __m128 *row)
{
    return _mm256_insertf128_ps(_mm256_castps128_ps256(row[0]), row[1], 1);
}

INLINE ROWS16 rows16_repeat(const void *row)
{
    return _mm256_broadcast_ps(row);
}

INLINE void rows16_split(ROWS16 v, __m128 *row)
{
    row[0] = _mm256_castps256_ps128(v);
    row[1] = _mm256_extractf128_ps(v, 1);
}

INLINE void rows16_zip_16(ROWS16 *a, ROWS16 *b)
{
    const __m256 lower = _mm256_permute2f128_ps(*a, *b, 0x20);
    *b = _mm256_permute2f128_ps(*a, *b, 0x31);
    *a = lower;
}
