/* Vectors as rows of 16 bytes, for transpose.h; nothing where there is but one such row in a vector. */
#if VECTOR_BYTES > 16
#if VECTOR_BYTES == 64
#define ROWS16 __m512
#define ROWS16_(operation) _mm512_##operation
#else
#define ROWS16 __m256
#define ROWS16_(operation) _mm256_##operation
#endif

/* 16 bytes from each of as many places as a vector holds, `step` bytes apart. */
INLINE ROWS16 rows16_load(const char *x, ptrdiff_t step)
{
#define PART(i) _mm_loadu_ps((const float *)(x + (i) * step))
#if VECTOR_BYTES == 64
    const __m512 first = _mm512_insertf32x4(_mm512_castps128_ps512(PART(0)), PART(1), 1);
    return _mm512_insertf32x4(_mm512_insertf32x4(first, PART(2), 2), PART(3), 3);
#else
    return _mm256_insertf128_ps(_mm256_castps128_ps256(PART(0)), PART(1), 1);
#endif
#undef PART
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
#endif
