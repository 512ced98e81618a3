/* Vectors as rows of 16 bytes, which are transposed inside themselves: for transpose.h and few_tile.h. */
#ifdef ROWS16
enum { ROWS_IN_VECTOR = VECTOR_BYTES / 16 };

/* 16 bytes from each of as many places as a vector holds, `step` bytes apart. */
INLINE ROWS16 rows16_load(const char *x, ptrdiff_t step)
{
    __m128 row[ROWS_IN_VECTOR];
    UNROLLED(i, ROWS_IN_VECTOR) row[i] = _mm_loadu_ps((const float *)(x + i * step));
    return rows16_join(row);
}

/* The first `bytes`, a literal: 4, 8, 12 or 16. */
INLINE ROWS16 rows16_load_tail(const char *x, ptrdiff_t step, const int bytes)
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

INLINE void rows16_store_tail(char *to, ptrdiff_t step, ROWS16 v, const int bytes)
{
    __m128 row[ROWS_IN_VECTOR];
    rows16_split(v, row);
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
    const ROWS16 lower = MM(unpacklo_ps)(*a, *b);
    *b = MM(unpackhi_ps)(*a, *b);
    *a = lower;
}

/* The same for values of 8 bytes. */
INLINE void rows16_zip_8(ROWS16 *a, ROWS16 *b)
{
    const ROWS16 lower = MM(castpd_ps)(MM(unpacklo_pd)(MM(castps_pd)(*a), MM(castps_pd)(*b)));
    *b = MM(castpd_ps)(MM(unpackhi_pd)(MM(castps_pd)(*a), MM(castps_pd)(*b)));
    *a = lower;
}
#endif
