/* A vector of one instruction set and element type, T, called TYPE, and what all tiles do with one. kernels_isa.h tells
 * which macros it needs. */
#define PASTE5_(a, b, c, d, e) a##b##c##d##e
#define PASTE5(a, b, c, d, e) PASTE5_(a, b, c, d, e)
#define NAMED(name) PASTE5(TYPE, _, name, __, ISA)

/* An intrinsic for T, by its name without the suffix. */
#define OF_TYPE(intrinsic) PASTE5(intrinsic, _, SUFFIX, , )

#define LANES ((int)(VECTOR_BYTES / sizeof(T)))
#define SIDE (16 / (int)sizeof(T)) /* values in 16 bytes */
#define VECTOR NAMED(vector)

/* Aligned as one element only: the compiler then emits unaligned moves, which cost nothing on aligned data. */
typedef T VECTOR __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(T)), may_alias));
typedef __typeof__((VECTOR){0} < (VECTOR){0}) NAMED(mask);

/* acc += x * w, rounded once where the instruction set can, in the register where acc is: left to itself, gcc moves
 * accumulators about and spills one. */
INLINE void NAMED(fma)(VECTOR *acc, VECTOR x, VECTOR w)
{
#ifdef __FMA__
    __asm__(FMA " %2, %1, %0" : "+v"(*acc) : "v"(x), "v"(w));
#else
    *acc += x * w;
#endif
}

/* A vector that is loaded once for several uses: left to itself, gcc loads it again for some of them. */
INLINE VECTOR NAMED(load_once)(const void *from)
{
    VECTOR v = *(const VECTOR *)from;
#ifdef __FMA__
    __asm__("" : "+v"(v));
#endif
    return v;
}

/* The bounds of an activation in all lanes. */
struct NAMED(bounds) {
    VECTOR lo, hi;
};

INLINE struct NAMED(bounds) NAMED(bounds)(const struct fc_epilogue *e)
{
    return (struct NAMED(bounds)){(T)e->lo - (VECTOR){0}, (T)e->hi - (VECTOR){0}};
}

/* where ? a : b */
INLINE VECTOR NAMED(select)(NAMED(mask) where, VECTOR a, VECTOR b)
{
    return (VECTOR)(((NAMED(mask))a & where) | ((NAMED(mask))b & ~where));
}

/* The bounds. The instructions of x86 give their second operand where the first is not above, or below, it. */
INLINE VECTOR NAMED(clip)(const enum fc_activation applied, VECTOR v, struct NAMED(bounds) b)
{
#ifdef MM
    if (applied == FC_LOW || applied == FC_BOTH) v = OF_TYPE(MM(max))(b.lo, v);
    if (applied == FC_BOTH) v = OF_TYPE(MM(min))(b.hi, v);
#else
    NAMED(mask) beyond = v < b.lo;
    if (applied == FC_LOW || applied == FC_BOTH) v = NAMED(select)(beyond, b.lo, v);
    beyond = b.hi < v;
    if (applied == FC_BOTH) v = NAMED(select)(beyond, b.hi, v);
#endif
    return v;
}

/* PReLU. */
INLINE VECTOR NAMED(sloped)(VECTOR v, VECTOR slopes)
{
    return NAMED(select)(v < 0, v * slopes, v);
}

/* The bounds for one value. */
INLINE T NAMED(clip_value)(T v, const struct fc_epilogue *e)
{
    const T lo = (T)e->lo, hi = (T)e->hi;
    v = v < lo ? lo : v;
    return v > hi ? hi : v;
}

/* The first `count` values of a vector, fewer than all, in moves of a half, a quarter, …: a loop, or a call of memcpy,
 * takes longer than the sums of a layer of few channels. */
INLINE void NAMED(copy_tail)(char *to, const char *from, ptrdiff_t count)
{
    UNROLL
    for (int n = LANES / 2; n > 0; n /= 2) {
        if (count & n) {
            memcpy(to, from, n * sizeof(T));
            to += n * sizeof(T);
            from += n * sizeof(T);
        }
    }
}

/* The first `count` values; the other lanes are 0. */
INLINE VECTOR NAMED(load_copied)(const char *from, ptrdiff_t count)
{
    VECTOR v = {0};
    NAMED(copy_tail)((char *)&v, from, count);
    return v;
}

/* Whole vectors, or the first `count` values of one: nothing is read or written beyond them. */
INLINE VECTOR NAMED(load_tail)(const char *from, ptrdiff_t count)
{
    if (count < LANES) return LOAD_FIRST(from, count);
    return *(const VECTOR *)from;
}

INLINE void NAMED(store_tail)(char *to, VECTOR v, ptrdiff_t count)
{
    if (count >= LANES)
        *(VECTOR *)to = v;
    else
        STORE_FIRST(to, v, count);
}

/* The sum of the lanes, halves first. */
INLINE T NAMED(sum_of_lanes)(VECTOR v)
{
    T lanes[LANES];
    memcpy(lanes, &v, sizeof v);
    UNROLL
    for (int n = LANES / 2; n > 0; n /= 2) {
        UNROLLED(i, n) lanes[i] += lanes[i + n];
    }
    return lanes[0];
}

/* The largest of the lanes. */
INLINE T NAMED(max_of_lanes)(VECTOR v)
{
    T lanes[LANES];
    memcpy(lanes, &v, sizeof v);
    UNROLL
    for (int n = LANES / 2; n > 0; n /= 2) {
        UNROLLED(i, n) lanes[i] = lanes[i + n] > lanes[i] ? lanes[i + n] : lanes[i];
    }
    return lanes[0];
}
