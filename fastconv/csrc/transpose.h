/* The transposition of a block of LANES x LANES values, in registers where the instruction set can: rows of 16 bytes
 * are loaded side by side, so many in a vector as fit, and transposed inside those 16 bytes; each vector then is a
 * column.
 */
INLINE void NAMED(transpose)(const int streams, const char *source, ptrdiff_t source_stride, char *target,
                             ptrdiff_t target_stride)
{
#ifdef ROWS16
    enum { SIDE = 16 / (int)sizeof(T) };
    for (int column = 0; column < LANES; column += SIDE, source += 16) {
        ROWS16 v[SIDE];
        UNROLL
        for (int row = 0; row < SIDE; row++) v[row] = rows16_load(source + row * source_stride, SIDE * source_stride);
        if (SIDE == 2) {
            rows16_zip_8(&v[0], &v[1]);
        } else {
            rows16_zip_4(&v[0], &v[1]);
            rows16_zip_4(&v[2], &v[3]);
            rows16_zip_8(&v[0], &v[2]);
            rows16_zip_8(&v[1], &v[3]);
        }
        UNROLL
        for (int i = 0; i < SIDE; i++, target += target_stride) {
            const VECTOR column_values = (VECTOR)v[SIDE == 2 ? i : i / 2 + i % 2 * 2];
            if (streams)
                NAMED(stream)(target, column_values);
            else
                *(VECTOR *)target = column_values;
        }
    }
#else
    for (int column = 0; column < LANES; column++, target += target_stride) {
        UNROLL
        for (int row = 0; row < LANES; row++) ((T *)target)[row] = ((const T *)(source + row * source_stride))[column];
    }
#endif
}

static void NAMED(transpose_cached)(const char *source, ptrdiff_t source_stride, char *target, ptrdiff_t target_stride)
{
    NAMED(transpose)(0, source, source_stride, target, target_stride);
}

static void NAMED(transpose_streamed)(const char *source, ptrdiff_t source_stride, char *target,
                                      ptrdiff_t target_stride)
{
    NAMED(transpose)(1, source, source_stride, target, target_stride);
}
