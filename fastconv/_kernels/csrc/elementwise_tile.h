/* Functions of each value of a map's pixels, of two maps', or with parameters for each channel:
 *
 *     out[pixel][c] = min(max(f(x[pixel][c], y[pixel][c], z[c]), lo), hi)
 *
 * A vector is loaded, computed and stored by the same instructions wherever it lies, the last one of a pixel with lanes
 * to spare: a value's bits depend on it alone. out may be x. Nothing is read or written beyond the pixels. NaN stays.
 *
 * exp(x) = 2^n (1 + p(r)) for x <= 0, where n is x / ln 2, rounded, r = x - n ln 2, in two parts whose first times n is
 * exact, and p Taylor's series of exp(r) - 1: |r| <= 0.347, so the terms left out are below a tenth of a unit in the
 * last place. To nearest, with u the unit roundoff, r is off by 0.4 u, 1 + p by 2.5 u of its value, and so is exp where
 * it is not subnormal; the functions on top of it are off by less than 8 u.
 */

#define IS_SINGLE (sizeof(T) == sizeof(float))
#define MANTISSA_BITS (IS_SINGLE ? 23 : 52)
#define SIGN_BIT ((NAMED(mask))BROADCAST((T) - 0.0))
#define BROADCAST(value) ((T)(value) - (VECTOR){0})
/* Added to a small whole number, this shows it in the lowest bits. */
#define WHOLE BROADCAST(IS_SINGLE ? 0x1.8p23 : 0x1.8p52)
#define LOG2_E BROADCAST(0x1.71547652b82fep0)
#define LN2_HIGH BROADCAST(IS_SINGLE ? 0x1.63p-1 : 0x1.62e4p-1)
#define LN2_LOW BROADCAST(IS_SINGLE ? -0x1.bd0105c610ca8p-13 : 0x1.7f7d1cf79abcap-20)
#define MIN_POWER BROADCAST(IS_SINGLE ? -104 : -746) /* which rounds to 0 */
#define NO_POWER BROADCAST(-64)                      /* beside 1 */
#define SPARE_POWER (IS_SINGLE ? 0x1p64 : 0x1p128)   /* times which no power is subnormal */
#define TERMS (IS_SINGLE ? 7 : 13)

/* p(r) and 2^n SPARE_POWER, for x <= 0 or NaN; of least for x below it. */
INLINE VECTOR NAMED(power)(VECTOR x, VECTOR least, VECTOR *scale)
{
    static const T factorials[] = {1,     2,      6,       24,       120,       720,       5040,
                                   40320, 362880, 3628800, 39916800, 479001600, 6227020800};
    x = NAMED(clip)(FC_LOW, x, (struct NAMED(bounds)){least, least});
    const VECTOR shifted = x * LOG2_E + WHOLE, n = shifted - WHOLE;
    const VECTOR r = (x - n * LN2_HIGH) - n * LN2_LOW;
    VECTOR q = BROADCAST(1 / factorials[TERMS - 1]);
    UNROLL
    for (int k = TERMS - 2; k > 0; k--) q = q * r + BROADCAST(1 / factorials[k]);
    *scale = (VECTOR)(((NAMED(mask))shifted << MANTISSA_BITS) + (NAMED(mask))BROADCAST(SPARE_POWER));
    return r * r * q + r;
}

/* (1 + p) 2^n SPARE_POWER, or 0 from `least` down: a product that rounds to 0 takes a processor as long as a hundred
 * others. */
INLINE VECTOR NAMED(large_exp)(VECTOR x, VECTOR least)
{
    VECTOR scale, p = NAMED(power)(x, least, &scale);
    return (1 + p) * NAMED(select)(x > least, scale, BROADCAST(0));
}

INLINE VECTOR NAMED(exp)(VECTOR x)
{
    return NAMED(large_exp)(x, MIN_POWER) * (T)(1 / SPARE_POWER);
}

INLINE VECTOR NAMED(sigmoid)(VECTOR x)
{
    const VECTOR power = NAMED(exp)((VECTOR)((NAMED(mask))x | SIGN_BIT));
    return NAMED(select)(x < 0, power, BROADCAST(1)) / (1 + power);
}

/* -m / (2 + m) with the sign of x, where m = exp(-2 |x|) - 1. */
INLINE VECTOR NAMED(tanh)(VECTOR x)
{
    VECTOR scale, p = NAMED(power)((VECTOR)((NAMED(mask))(x + x) | SIGN_BIT), NO_POWER, &scale);
    scale *= (T)(1 / SPARE_POWER);
    const VECTOR m = p * scale + (scale - 1), y = m / (2 + m);
    return (VECTOR)(((NAMED(mask))y & ~SIGN_BIT) | ((NAMED(mask))x & SIGN_BIT));
}

/* gain x, or alpha (exp(x) - 1) for x < 0. */
INLINE VECTOR NAMED(elu)(VECTOR x, T alpha, T gain)
{
    VECTOR scale, p = NAMED(power)((VECTOR)((NAMED(mask))x | SIGN_BIT), NO_POWER, &scale);
    scale *= (T)(1 / SPARE_POWER);
    return NAMED(select)(x < 0, alpha * (p * scale + (scale - 1)), gain * x);
}

/* v^2, or 0 where that is nothing beside 1 and might underflow. */
INLINE VECTOR NAMED(square_beside_one)(VECTOR v)
{
    const VECTOR seen = NAMED(select)(v > BROADCAST(IS_SINGLE ? 0x1p-30 : 0x1p-60), v, BROADCAST(0));
    return seen * seen;
}

/* max(x, 0) + log(1 + e), where e = exp(-|x|): with s = e / (2 + e) <= 1/3 the logarithm is 2 (s + s^3/3 + s^5/5 +
 * ...), whose terms left out are below a half of a unit in the last place. */
INLINE VECTOR NAMED(softplus)(VECTOR x)
{
    const VECTOR e = NAMED(exp)((VECTOR)((NAMED(mask))x | SIGN_BIT));
    const VECTOR s = e / (2 + e), square = NAMED(square_beside_one)(s);
    const int last = IS_SINGLE ? 7 : 16;
    VECTOR q = BROADCAST((T)1 / (2 * last + 1));
    UNROLL
    for (int k = last - 1; k > 0; k--) q = q * square + BROADCAST((T)1 / (2 * k + 1));
    const VECTOR positive = NAMED(clip)(FC_LOW, x, (struct NAMED(bounds)){BROADCAST(0), BROADCAST(0)});
    return positive + (s + s) * (q * square + 1);
}

/* x tanh(log(1 + exp(x))) = x n / (n + 2) with n = e (e + 2), e = exp(x); for x >= 0, where e might overflow, n and 2
 * times exp(-2 x). */
INLINE VECTOR NAMED(mish)(VECTOR x)
{
    const VECTOR e = NAMED(exp)((VECTOR)((NAMED(mask))x | SIGN_BIT));
    const VECTOR n = NAMED(select)(x < 0, e * (e + 2), 1 + 2 * e);
    return x * (n / (n + NAMED(select)(x < 0, BROADCAST(2), 2 * NAMED(square_beside_one)(e))));
}

#include "normal_tile.h"

/* f of the vector x at byte `at` of the channels, of `count` values or more than a vector has. */
INLINE VECTOR NAMED(function)(const int f, const struct fc_map_args *t, VECTOR x, const char *y, ptrdiff_t at,
                              ptrdiff_t count)
{
    const T first = (T)t->numbers[0], second = (T)t->numbers[1];
    switch (f) {
    case FC_fill:
        return NAMED(load_tail)(y + at, count);
    case FC_add:
        return x + NAMED(load_tail)(y + at, count);
    case FC_mul:
        return x * NAMED(load_tail)(y + at, count);
    case FC_scale:
        return x * NAMED(load_tail)(y + at, count) + NAMED(load_tail)(t->z + at, count);
    case FC_leaky_relu:
        return NAMED(sloped)(x, BROADCAST(first));
    case FC_prelu:
        return NAMED(sloped)(x, NAMED(load_tail)(y + at, count));
    case FC_sigmoid:
        return NAMED(sigmoid)(x);
    case FC_swish:
        return x * NAMED(sigmoid)(x);
    case FC_tanh:
        return NAMED(tanh)(x);
    case FC_elu:
        return NAMED(elu)(x, first, second);
    case FC_softplus:
        return NAMED(softplus)(x);
    case FC_mish:
        return NAMED(mish)(x);
    case FC_gelu_tanh:
        return x * NAMED(sigmoid)(x * BROADCAST(2 * 0.7978845608028654) * (1 + BROADCAST(0.044715) * x * x));
    case FC_hard_sigmoid:
        return x * first + second;
    case FC_hard_swish:
        return x * (NAMED(clip)(FC_BOTH, x + 3, (struct NAMED(bounds)){BROADCAST(0), BROADCAST(6)}) * (T)(1 / 6.0));
    case FC_sub:
        return x - NAMED(load_tail)(y + at, count);
    case FC_rsub:
        return NAMED(load_tail)(y + at, count) - x;
    case FC_div:
        return x / NAMED(load_tail)(y + at, count);
    case FC_rdiv:
        return NAMED(load_tail)(y + at, count) / x;
    case FC_maximum:
        return NAMED(larger)(x, NAMED(load_tail)(y + at, count));
    case FC_minimum:
        return -NAMED(larger)(-x, -NAMED(load_tail)(y + at, count));
    case FC_abs:
        return NAMED(absolute)(x);
    case FC_sqrt:
        return NAMED(sqrt)(x);
    case FC_exp:
        return NAMED(exp_of_any)(x);
    case FC_log:
        return NAMED(log)(x);
    case FC_erf:
        return NAMED(erf)(x);
    case FC_gelu:
        return NAMED(gelu)(x);
    case FC_celu:
        return NAMED(select)(x < 0, NAMED(elu)(x / first, first, first), x);
    default:
        return x;
    }
}

INLINE void NAMED(elementwise_tile)(const int f, const struct fc_map_args *t)
{
    const ptrdiff_t vector = LANES * sizeof(T), bytes = t->channels * sizeof(T);
    const struct NAMED(bounds) bounds = {BROADCAST(t->lo), BROADCAST(t->hi)};
    const int only_copies = f == FC_copy && t->lo == -__builtin_inf() && t->hi == __builtin_inf();
    for (ptrdiff_t i = 0; i < t->pixels; i++) {
        const char *const x = t->x + i * t->x_stride, *const y = t->y + i * t->y_stride;
        char *const out = t->out + i * t->out_stride;
        if (only_copies) {
            memmove(out, x, bytes);
            continue;
        }
        for (ptrdiff_t at = 0; at < bytes; at += vector) {
            const ptrdiff_t count = (bytes - at) / (ptrdiff_t)sizeof(T);
            const VECTOR v = NAMED(function)(f, t, NAMED(load_tail)(x + at, count), y, at, count);
            NAMED(store_tail)(out + at, NAMED(clip)(FC_BOTH, v, bounds), count);
        }
    }
}

#define ELEMENTWISE(name) KERNEL(map_##name, fc_map_args, elementwise_tile, FC_##name)
FC_ELEMENTWISE(ELEMENTWISE)
