/* Vectors as rows of 16 bytes, which are transposed inside themselves: for transpose.h and few_tile.h. */
#ifdef __SSE2__
#if VECTOR_BYTES == 64
#define ROWS16 __m512
#define ROWS16_(operation) _mm512_##operation
#elif VECTOR_BYTES == 32
#define ROWS16 __m256
#define ROWS16_(operation) _mm256_##operation
#else
#define ROWS16 __m128
#define ROWS16_(operation) _mm_##operation
#endif
enum { ROWS_IN_VECTOR = VECTOR_BYTES / 16 };

INLINE ROWS16 rows16_join(const __m128 *row)
{
#if VECTOR_BYTES == 64
    const __m512 first = _mm512_insertf32x4(_mm512_castps128_ps512(row[0]), row[1], 1);
    return _mm512_insertf32x4(_mm512_insertf32x4(first, row[2], 2), row[3], 3);
#elif VECTOR_BYTES == 32
    return _mm256_insertf128_ps(_mm256_castps128_ps256(row[0]), row[1], 1);
#else
    return row[0];
#endif
}

/* 16 bytes from each of as many places as a vector holds, `step` bytes apart. */
INLINE ROWS16 rows16_load(const char *x, ptrdiff_t step)
{
    __m128 row[ROWS_IN_VECTOR];
    UNROLL
    for (int i = 0; i < ROWS_IN_VECTOR; i++) row[i] = _mm_loadu_ps((const float *)(x + i * step));
    return rows16_join(row);
}

/* The first `bytes`, a literal: 4, 8, 12 or 16. */
INLINE ROWS16 rows16_load_some(const char *x, ptrdiff_t step, const int bytes)
{
    __m128 row[ROWS_IN_VECTOR];
    UNROLL
    for (int i = 0; i < ROWS_IN_VECTOR; i++, x += step) {
        if (bytes == 4)
            row[i] = _mm_load_ss((const float *)x);
        else if (bytes == 16)
            row[i] = _mm_loadu_ps((const float *)x);
        else
            row[i] = _mm_loadl_pi(_mm_setzero_ps(), (const __m64 *)x);
        if (bytes == 12) row[i] = _mm_movelh_ps(row[i], _mm_load_ss((const float *)(x + 8)));
    }
    return rows16_join(row);
}

INLINE void rows16_store_some(char *to, ptrdiff_t step, ROWS16 v, const int bytes)
{
    __m128 row[ROWS_IN_VECTOR];
#if VECTOR_BYTES == 64
    row[0] = _mm512_castps512_ps128(v);
    row[1] = _mm512_extractf32x4_ps(v, 1);
    row[2] = _mm512_extractf32x4_ps(v, 2);
    row[3] = _mm512_extractf32x4_ps(v, 3);
#elif VECTOR_BYTES == 32
    row[0] = _mm256_castps256_ps128(v);
    row[1] = _mm256_extractf128_ps(v, 1);
#else
    row[0] = v;
#endif
    UNROLL
    for (int i = 0; i < ROWS_IN_VECTOR; i++, to += step) {
        if (bytes == 4)
            _mm_store_ss((float *)to, row[i]);
        else if (bytes == 16)
            _mm_storeu_ps((float *)to, row[i]);
        else
            _mm_storel_pi((__m64 *)to, row[i]);
        if (bytes == 12) _mm_store_ss((float *)(to + 8), _mm_movehl_ps(row[i], row[i]));
    }
}

/* In each row the values of a and b by turns: first those of the lower halves, then those of the upper. */
INLINE void rows16_zip_4(ROWS16 *a, ROWS16 *b)
{
    const ROWS16 lower = ROWS16_(unpacklo_ps)(*a, *b);
    *b = ROWS16_(unpackhi_ps)(*a, *b);
    *a = lower;
}

/* The same for values of 8 bytes. */
INLINE void rows16_zip_8(ROWS16 *a, ROWS16 *b)
{
    const ROWS16 lower = ROWS16_(castpd_ps)(ROWS16_(unpacklo_pd)(ROWS16_(castps_pd)(*a), ROWS16_(castps_pd)(*b)));
    *b = ROWS16_(castpd_ps)(ROWS16_(unpackhi_pd)(ROWS16_(castps_pd)(*a), ROWS16_(castps_pd)(*b)));
    *a = lower;
}

/* The rows themselves by turns. */
INLINE void rows16_zip_16(ROWS16 *a, ROWS16 *b)
{
#if VECTOR_BYTES == 64
    const __m512i lower = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0),
                  upper = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
    const __m512d x = _mm512_castps_pd(*a), y = _mm512_castps_pd(*b);
    *a = _mm512_castpd_ps(_mm512_permutex2var_pd(x, lower, y));
    *b = _mm512_castpd_ps(_mm512_permutex2var_pd(x, upper, y));
#elif VECTOR_BYTES == 32
    const __m256 lower = _mm256_permute2f128_ps(*a, *b, 0x20);
    *b = _mm256_permute2f128_ps(*a, *b, 0x31);
    *a = lower;
#else
    (void)a, (void)b; /* there is one in each */
#endif
}
#endif
