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

/* Few channels, less than a block has: pixels are `step` bytes apart, and the values of a channel lie in a plane. SIDE
 * channels of LANES pixels are turned in registers; channels that are fewer, or pixels, go one by one where a turn
 * would read beyond them. */
#ifdef ROWS16
INLINE void NAMED(split_turned)(const char *x, ptrdiff_t step, ptrdiff_t channels, char *out, ptrdiff_t plane)
{
    ROWS16 v[SIDE];
    UNROLLED(i, SIDE) v[i] = rows16_load(x + i * step, SIDE * step);
    NAMED(turn)(v);
    UNROLLED(c, SIDE) {
        if (c < channels) *(VECTOR *)(out + c * plane) = (VECTOR)v[c];
    }
}

INLINE void NAMED(join_turned)(const char *x, ptrdiff_t plane, char *out, ptrdiff_t step)
{
    ROWS16 v[SIDE];
    UNROLLED(c, SIDE) v[c] = (ROWS16) * (const VECTOR *)(x + c * plane);
    NAMED(turn)(v);
    UNROLLED(i, SIDE) rows16_store_tail(out + i * step, SIDE * step, v[i], 16);
}
#endif

/* Pixels to planes. */
static void NAMED(split)(const char *x, ptrdiff_t step, ptrdiff_t count, ptrdiff_t channels, char *out, ptrdiff_t plane)
{
    ptrdiff_t pixel = 0;
#ifdef ROWS16
    const ptrdiff_t behind = channels < SIDE ? 16 - channels * (ptrdiff_t)sizeof(T) : 0; /* a pixel, that is read too */
    for (; pixel + LANES <= count && behind <= (count - LANES - pixel) * step; pixel += LANES) {
        for (ptrdiff_t c = 0; c < channels; c += SIDE) {
            const ptrdiff_t first = c + SIDE <= channels || channels < SIDE ? c : channels - SIDE;
            NAMED(split_turned)(x + first * sizeof(T), step, channels - first, out + first * plane, plane);
        }
        x += LANES * step;
        out += VECTOR_BYTES;
    }
#endif
    for (; pixel < count; pixel++, x += step, out += sizeof(T))
        for (ptrdiff_t c = 0; c < channels; c++) *(T *)(out + c * plane) = ((const T *)x)[c];
}

/* Planes to pixels of a literal number of channels: the compiler finds moves of whole vectors. */
INLINE void NAMED(join_few)(const char *x, ptrdiff_t plane, ptrdiff_t count, const int channels, T *out)
{
    for (ptrdiff_t i = 0; i < count; i++)
        UNROLLED(c, channels) out[i * channels + c] = *(const T *)(x + c * plane + i * (ptrdiff_t)sizeof(T));
}

/* Planes to pixels, which lie side by side. */
static void NAMED(join)(const char *x, ptrdiff_t plane, ptrdiff_t count, ptrdiff_t channels, char *out)
{
    switch (channels) {
    case 1:
        NAMED(join_few)(x, plane, count, 1, (T *)out);
        return;
    case 2:
        NAMED(join_few)(x, plane, count, 2, (T *)out);
        return;
    case 3:
        NAMED(join_few)(x, plane, count, 3, (T *)out);
        return;
    case 4:
        NAMED(join_few)(x, plane, count, 4, (T *)out);
        return;
    }
    const ptrdiff_t step = channels * sizeof(T);
    ptrdiff_t pixel = 0;
#ifdef ROWS16
    for (; pixel + LANES <= count; pixel += LANES, x += VECTOR_BYTES, out += LANES * step) {
        for (ptrdiff_t c = 0; c < channels; c += SIDE) {
            const ptrdiff_t first = c + SIDE <= channels ? c : channels - SIDE;
            NAMED(join_turned)(x + first * plane, plane, out + first * sizeof(T), step);
        }
    }
#endif
    for (; pixel < count; pixel++, x += sizeof(T), out += step)
        for (ptrdiff_t c = 0; c < channels; c++) ((T *)out)[c] = *(const T *)(x + c * plane);
}
