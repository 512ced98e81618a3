/* The floating-point environment of a thread: how it rounds, and whether it flushes denormals to zero. A team works in
 * its caller's. Set it in one function and compute in another: compilers move arithmetic across the setting. */
#ifndef FASTCONV_ENVIRONMENT_H
#define FASTCONV_ENVIRONMENT_H

#if defined __SSE__
#include <immintrin.h>
typedef unsigned fc_environment;
enum { FC_MXCSR_DEFAULT = 0x1f80 }; /* to nearest, denormals kept, no exception trapped */

static inline fc_environment fc_get_environment(void)
{
    return _mm_getcsr();
}

static inline void fc_set_environment(fc_environment environment)
{
    _mm_setcsr(environment);
}

static inline fc_environment fc_default_environment(void)
{
    return FC_MXCSR_DEFAULT;
}

#elif defined __aarch64__
#include <stdint.h>
typedef uint64_t fc_environment; /* FPCR */

static inline fc_environment fc_get_environment(void)
{
    fc_environment environment;
    __asm__ volatile("mrs %0, fpcr" : "=r"(environment));
    return environment;
}

static inline void fc_set_environment(fc_environment environment)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(environment));
}

static inline fc_environment fc_default_environment(void)
{
    return 0;
}

#else
#include <fenv.h>
typedef int fc_environment; /* elsewhere C knows how it rounds alone */

static inline fc_environment fc_get_environment(void)
{
    return fegetround();
}

static inline void fc_set_environment(fc_environment environment)
{
    fesetround(environment);
}

static inline fc_environment fc_default_environment(void)
{
    return FE_TONEAREST;
}
#endif

#endif
