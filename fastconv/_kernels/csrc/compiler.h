/* What the kernels ask of the compiler, gcc or clang. */
#pragma once

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized" /* it does not see that the first chunk of a sum sets it */
#endif

#define INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif
/* What is indexed by i stays in registers. */
#define UNROLLED_FROM(i, first, end) \
    UNROLL                           \
    for (int i = (first); i < (end); i++)
#define UNROLLED(i, count) UNROLLED_FROM(i, 0, count)
/* No load or prefetch moves over it: left to itself, a compiler puts those of many steps first, and registers run out.
 */
#define IN_ORDER() __asm__ volatile("" : : : "memory")
/* Without it the compiler gives an index several induction variables, and the pixels' pointers lose their registers. */
#define KEEP_IN_ONE_REGISTER(index) __asm__("" : "+r"(index))
