/* AVX-512 (F, VL, DQ, BW). 24 of the 32 registers accumulate, with 14 loads for 24 multiply-adds; a thirteenth pointer
 * would not fit the general registers. Vectors are whole cache lines: they can be stored past the caches. */
#include "compiler.h"
#include <immintrin.h>

#define ISA avx512
#define VECTOR_BYTES 64
#define MAX_PIXELS 12
#define FIP_PIXELS 11
#define FIP_TURN 2
#define FEW_SETS(columns) 2
#define FOR_SPLIT(FAMILY, F) \
    FAMILY(F, 1, 6)          \
    FAMILY(F, 2, 4)          \
    FAMILY(F, 3, 4)          \
    FAMILY(F, 4, 4)          \
    FAMILY(F, 5, 2)          \
    FAMILY(F, 6, 2) FAMILY(F, 7, 2) FAMILY(F, 8, 2) FAMILY(F, 9, 2) FAMILY(F, 10, 2) FAMILY(F, 11, 2) FAMILY(F, 12, 2)
#define PREFETCHES_VALUES 0
#define KEEPS_SUMS

#define LOAD_FIRST(from, count) OF_TYPE(_mm512_maskz_loadu)((1 << (count)) - 1, from)
#define STORE_FIRST(to, v, count) OF_TYPE(_mm512_mask_storeu)(to, (1 << (count)) - 1, v)
#define STORE_NONTEMPORAL(to, v) OF_TYPE(_mm512_stream)((void *)(to), v)
#define PREFETCH_STORE(at) __asm__ volatile("prefetchw %0" : : "m"(*(const char *)(at)))
#define RSQRT(v) ((VECTOR)_mm512_rsqrt14_ps((__m512)(v)))
#define LARGER(max, v) \
    OF_TYPE(_mm512_mask_max)(max, PASTE5(_mm512_cmp_, SUFFIX, _mask, , )(max, max, _CMP_ORD_Q), max, v)
#define BROADCAST_FOUR(y, x, lanes) __asm__(PERMUTE " $" #lanes ", %1, %0" : "=v"(y) : "v"(x))

#define ROWS16 __m512
#define MM(operation) _mm512_##operation

INLINE ROWS16 rows16_join(const __m128 *row)
{
    const __m512 first = _mm512_insertf32x4(_mm512_castps128_ps512(row[0]), row[1], 1);
    return _mm512_insertf32x4(_mm512_insertf32x4(first, row[2], 2), row[3], 3);
}

INLINE void rows16_split(ROWS16 v, __m128 *row)
{
    row[0] = _mm512_castps512_ps128(v);
    row[1] = _mm512_extractf32x4_ps(v, 1);
    row[2] = _mm512_extractf32x4_ps(v, 2);
    row[3] = _mm512_extractf32x4_ps(v, 3);
}

INLINE void rows16_zip_16(ROWS16 *a, ROWS16 *b)
{
    const __m512i lower = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0),
                  upper = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
    const __m512d x = _mm512_castps_pd(*a), y = _mm512_castps_pd(*b);
    *a = _mm512_castpd_ps(_mm512_permutex2var_pd(x, lower, y));
    *b = _mm512_castpd_ps(_mm512_permutex2var_pd(x, upper, y));
}
