/* The exponential and its logarithm of any x, the error function and Gelu: small values are right relatively, to 12 u,
 * where they are not subnormal. On top of elementwise_tile.h, in the middle of which this is included. */

/* exp(x), for x > 0 as 2^s / (exp(-x) 2^s), of which nothing is subnormal. */
INLINE VECTOR NAMED(exp_of_any)(VECTOR x)
{
    const VECTOR power = NAMED(large_exp)((VECTOR)((NAMED(mask))x | SIGN_BIT), MIN_POWER);
    return NAMED(select)(x < 0, power * (T)(1 / SPARE_POWER), (T)SPARE_POWER / power);
}

/* With x = 2^n (1 + f), where 1 + f is between the square roots of 1/2 and 2, and s = f / (2 + f), |s| <= 0.172:
 * n ln 2 + 2 (s + s^3/3 + s^5/5 + ...), whose terms left out are below a tenth of a unit in the last place. n ln 2, in
 * two parts, is larger than twice the rest where it is not 0: the result is off by less than 8 u. */
INLINE VECTOR NAMED(log)(VECTOR x)
{
    const VECTOR limit = BROADCAST(IS_SINGLE ? 0x1p-126 : 0x1p-1022), lift = BROADCAST(IS_SINGLE ? 0x1p24 : 0x1p53);
    const NAMED(mask) is_small = x < limit;
    const NAMED(mask) bits = (NAMED(mask))NAMED(select)(is_small, x * lift, x);
    const NAMED(mask) half = (NAMED(mask))BROADCAST(0.7071067811865476);
    const NAMED(mask) above = bits - half, exponent = above >> MANTISSA_BITS;
    const NAMED(mask) fraction = bits - (exponent << MANTISSA_BITS);
    VECTOR n = (VECTOR)((NAMED(mask))WHOLE + exponent) - WHOLE;
    n -= NAMED(select)(is_small, BROADCAST(IS_SINGLE ? 24 : 53), BROADCAST(0));
    const VECTOR f = (VECTOR)fraction - 1, s = f / (2 + f), square = s * s;
    const int last = IS_SINGLE ? 5 : 11;
    VECTOR q = BROADCAST((T)1 / (2 * last + 1));
    UNROLL
    for (int k = last - 1; k > 0; k--) q = q * square + BROADCAST((T)1 / (2 * k + 1));
    VECTOR y = n * LN2_HIGH + (n * LN2_LOW + ((s + s) * (q * square) + (s + s)));
    y = NAMED(select)(x == __builtin_inf(), x, y);
    y = NAMED(select)(x == 0, BROADCAST(-__builtin_inf()), y);
    return NAMED(select)(x >= 0, y, (x - x) / BROADCAST(0));
}

#define FAR BROADCAST(IS_SINGLE ? 16 : 40) /* exp(-FAR^2 / 2) rounds to 0 */

/* exp(-a^2 half), half 1/2 or 1, for a from 0 to FAR, off by less than 4 u however large a is: a^2 is its rounded
 * value, or the exact square of the upper half of a's bits, and a rest. What one instruction finds of that is below
 * 1e-5, and two terms of its Taylor series are right; else it is below 1/4, and five are. */
INLINE VECTOR NAMED(exp_of_square)(VECTOR a, const double half)
{
#ifdef __FMA__
    const VECTOR square = a * a, rest = OF_TYPE(MM(fmsub))(a, a, square) * (T)-half, series = rest + 1;
#else
    const int lower = IS_SINGLE ? 12 : 27;
    const VECTOR high = (VECTOR)((NAMED(mask))a >> lower << lower), square = high * high;
    const VECTOR rest = (high - a) * (high + a) * (T)half;
    const VECTOR series = rest * (rest * (rest * (rest * (T)(1 / 24.0) + (T)(1 / 6.0)) + (T)0.5) + 1) + 1;
#endif
    return NAMED(exp)(square * (T)-half) * series;
}

/* Phi(-a) exp(a^2 / 2), where Phi is the normal distribution's integral, for a from 0 to FAR: 1 / (1 + 5/4 a) times a
 * polynomial in t = (a - K + 2 K / A a) / (a + K), which is from -1 to 1 for a from 0 to A. Chebyshev's interpolation
 * in 11 points, K = 4, A = 15, is off by 0.06 u; in 24, K = 5, A = 39, for double, by 0.03 u. */
INLINE VECTOR NAMED(mills)(VECTOR a)
{
    static const T of_single[] = {0.5817355063,    -0.05003042205,  -0.03909318441,  0.05219679051,
                                  -0.03020008966,  0.009698626632,  -0.001076573099, -0.0003955347864,
                                  0.0001282168785, 1.549459607e-05, -8.922858356e-06};
    static const T of_double[] = {
        0x1.2221c7646fddcp-1,   -0x1.1fa7ba32380b1p-4,  -0x1.1934df22eb17bp-8, 0x1.4e087013d12e1p-5,
        -0x1.6376dc1d0f619p-5,  0x1.dfd9d1cbe529ep-6,   -0x1.cbc332af858bep-7, 0x1.2bd64c590f247p-8,
        -0x1.89658feadfec7p-11, -0x1.e430b945d7160p-14, 0x1.859d7c70cab00p-14, -0x1.47cbe64655624p-17,
        -0x1.d947f245981a4p-18, 0x1.0172d590f6bf7p-19,  0x1.2259b1e937376p-21, -0x1.064dbca7ce1b3p-22,
        -0x1.b95779c65ca48p-25, 0x1.f224b590c7e68p-26,  0x1.b49736301a747p-28, -0x1.c6f55fd4d9e77p-29,
        -0x1.c3a500cbcdf6ap-31, 0x1.6be4903110818p-32,  0x1.2feef9e52c979p-34, -0x1.74d880e6958a6p-36};
    const T *const terms = IS_SINGLE ? of_single : of_double;
    const double k = IS_SINGLE ? 4 : 5, end = IS_SINGLE ? 15 : 39;
    const int last = (IS_SINGLE ? sizeof(of_single) : sizeof(of_double)) / sizeof(T) - 1;
    const VECTOR t = (a * (T)(1 + 2 * k / end) - (T)k) / (a + (T)k);
    VECTOR q = BROADCAST(terms[last]);
    UNROLL
    for (int i = last - 1; i >= 0; i--) q = q * t + BROADCAST(terms[i]);
    return q / (a * (T)1.25 + 1);
}

INLINE VECTOR NAMED(absolute)(VECTOR x)
{
    return (VECTOR)((NAMED(mask))x & ~SIGN_BIT);
}

/* min(|x|, end), or NaN. */
INLINE VECTOR NAMED(size_up_to)(VECTOR x, VECTOR end)
{
    return NAMED(clip)(FC_BOTH, NAMED(absolute)(x), (struct NAMED(bounds)){BROADCAST(0), end});
}

/* x Phi(x), where Phi(x) = 1 - Phi(-x) for x >= 0. */
INLINE VECTOR NAMED(gelu)(VECTOR x)
{
    const VECTOR a = NAMED(size_up_to)(x, FAR), below = NAMED(exp_of_square)(a, 0.5) * NAMED(mills)(a);
    return x * NAMED(select)(x < 0, below, 1 - below);
}

/* Taylor's series for |x| < 1, else 1 - 2 Phi(-sqrt(2) |x|) with the sign of x. */
INLINE VECTOR NAMED(erf)(VECTOR x)
{
    static const double factorials[] = {1,
                                        1,
                                        2,
                                        6,
                                        24,
                                        120,
                                        720,
                                        5040,
                                        40320,
                                        362880,
                                        3628800,
                                        39916800,
                                        479001600,
                                        6227020800,
                                        87178291200,
                                        1307674368000,
                                        20922789888000,
                                        355687428096000,
                                        6402373705728000};
    const int last = IS_SINGLE ? 10 : 18;
    const VECTOR a = NAMED(size_up_to)(x, FAR * (T)0.7071067811865476), square = a * a;
    VECTOR q = BROADCAST((last % 2 ? -1 : 1) / (factorials[last] * (2 * last + 1)));
    UNROLL
    for (int k = last - 1; k >= 0; k--) q = q * square + BROADCAST((k % 2 ? -1 : 1) / (factorials[k] * (2 * k + 1)));
    const VECTOR above = 1 - 2 * NAMED(exp_of_square)(a, 1) * NAMED(mills)(a * (T)1.4142135623730951);
    const VECTOR signed_above = (VECTOR)((NAMED(mask))above | ((NAMED(mask))x & SIGN_BIT));
    return NAMED(select)(a < 1, x * (q * (T)1.1283791670955126), signed_above);
}

INLINE VECTOR NAMED(sqrt)(VECTOR v)
{
#ifdef MM
    return OF_TYPE(MM(sqrt))(v);
#else
    for (int i = 0; i < LANES; i++) v[i] = IS_SINGLE ? __builtin_sqrtf(v[i]) : __builtin_sqrt(v[i]);
    return v;
#endif
}

/* d^-3/4 for 2^-80 <= d <= 2^80. With an estimate y and f = 1 - d^3 y^4 it is y (1 - f)^-1/4; the next term of the
 * series is less than half a unit in the last place. */
INLINE VECTOR NAMED(power_of_three_quarters)(VECTOR d)
{
#ifdef RSQRT
    if (IS_SINGLE) {
        const VECTOR root = RSQRT(d), y = root * root * RSQRT(root), square = d * y * y;
        const VECTOR f = 1 - d * (square * square);
        return y + y * f * ((T)0.25 + (T)0.15625 * f);
    }
#endif
    const VECTOR inverse = 1 / d;
    return NAMED(sqrt)(inverse * NAMED(sqrt)(inverse));
}
