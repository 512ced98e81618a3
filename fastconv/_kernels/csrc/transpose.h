/* The transposition of a block of LANES x LANES values, in registers where the instruction set can: rows of 16 bytes
 * are loaded side by side, as many as fit in a vector, and transposed inside those 16 bytes; each vector then is a
 * column.
 */
#ifdef ROWS16
/* Transposes the blocks of SIDE x SIDE values whose rows lie in the same 16 bytes of SIDE vectors. */
INLINE void NAMED(turn)(ROWS16 *v)
{
    if (SIDE == 2) {
        rows16_zip_8(&v[0], &v[1]);
    } else {
        rows16_zip_4(&v[0], &v[1]);
        rows16_zip_4(&v[2], &v[3]);
        rows16_zip_8(&v[0], &v[2]);
        rows16_zip_8(&v[1], &v[3]);
        const ROWS16 second = v[2];
        v[2] = v[1];
        v[1] = second;
    }
}
#endif

INLINE void NAMED(transpose)(const int nontemporal, const char *source, ptrdiff_t source_stride, char *target,
                             ptrdiff_t target_stride)
{
#ifdef ROWS16
    for (int column = 0; column < LANES; column += SIDE, source += 16) {
        ROWS16 v[SIDE];
        UNROLLED(row, SIDE) v[row] = rows16_load(source + row * source_stride, SIDE * source_stride);
        NAMED(turn)(v);
        UNROLL
        for (int i = 0; i < SIDE; i++, target += target_stride) {
            if (nontemporal)
                STORE_NONTEMPORAL(target, (VECTOR)v[i]);
            else
                *(VECTOR *)target = (VECTOR)v[i];
        }
    }
#else
    for (int column = 0; column < LANES; column++, target += target_stride) {
        UNROLLED(row, LANES) ((T *)target)[row] = ((const T *)(source + row * source_stride))[column];
    }
#endif
}

static void NAMED(transpose_cached)(const char *source, ptrdiff_t source_stride, char *target, ptrdiff_t target_stride)
{
    NAMED(transpose)(0, source, source_stride, target, target_stride);
}

static void NAMED(transpose_nontemporal)(const char *source, ptrdiff_t source_stride, char *target,
                                         ptrdiff_t target_stride)
{
    NAMED(transpose)(1, source, source_stride, target, target_stride);
}
