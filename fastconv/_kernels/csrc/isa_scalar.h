/* The baseline: every one has 16-byte vectors (SSE2, NEON), or the compiler makes do without. */
#include "compiler.h"

#define ISA scalar
#define VECTOR_BYTES 16
#define MAX_PIXELS 4
#define FIP_PIXELS 4
#define FIP_TURN 1
#define FEW_SETS(columns) 1
#define FOR_SPLIT(FAMILY, F) \
    FAMILY(F, 1, 1)          \
    FAMILY(F, 2, 1)          \
    FAMILY(F, 3, 1)          \
    FAMILY(F, 4, 1)          \
    FAMILY(F, 5, 1)          \
    FAMILY(F, 6, 1) FAMILY(F, 7, 1) FAMILY(F, 8, 1) FAMILY(F, 9, 1) FAMILY(F, 10, 1) FAMILY(F, 11, 1) FAMILY(F, 12, 1)
#define PREFETCHES_VALUES 0

#define LOAD_FIRST(from, count) NAMED(load_copied)(from, count)
#define STORE_FIRST(to, v, count) NAMED(copy_tail)(to, (const char *)&(v), count)
#define STORE_NONTEMPORAL(to, v) (*(VECTOR *)(to) = (v))

#ifdef __SSE2__
#include <immintrin.h>

/* Of the portable form gcc would make a choice for each lane. */
#define LARGER(max, v)                                                      \
    OF_TYPE(_mm_or)(OF_TYPE(_mm_and)(OF_TYPE(_mm_cmpunord)(max, max), max), \
                    OF_TYPE(_mm_andnot)(OF_TYPE(_mm_cmpunord)(max, max), OF_TYPE(_mm_max)(max, v)))

#define ROWS16 __m128
#define MM(operation) _mm_##operation

INLINE ROWS16 rows16_join(const __m128 *row)
{
    return row[0];
}

INLINE void rows16_split(ROWS16 v, __m128 *row)
{
    row[0] = v;
}

INLINE void rows16_zip_16(ROWS16 *a, ROWS16 *b)
{
    (void)a, (void)b; /* there is one in each */
}
#endif
