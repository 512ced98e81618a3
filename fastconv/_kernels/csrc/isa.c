/* Which instruction sets this machine runs, among those that the build has kernels for. */
#include "kernels.h"

#define DECLARE(isa)                                                       \
    extern const struct fc_kernels f32_kernels__##isa, f64_kernels__##isa; \
    int f32_peak__##isa(long rounds)
#define KERNELS(isa) {&f32_kernels__##isa, &f64_kernels__##isa}, f32_peak__##isa

DECLARE(scalar);
DECLARE(avx2);
DECLARE(avx512);

static int always(void)
{
    return 1;
}

#if defined FASTCONV_HAVE_AVX2 || defined FASTCONV_HAVE_AVX512
#include <cpuid.h>

/* The state components that the operating system saves on a context switch: without them the registers are lost. */
static unsigned long long saved_state(void)
{
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_OSXSAVE)) return 0;
    __asm__("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
    return (unsigned long long)edx << 32 | eax;
}

enum { YMM_STATE = 0x06, ZMM_STATE = 0xe6 };

static int has_avx2(void)
{
    unsigned eax, ebx, ecx, edx;
    if ((saved_state() & YMM_STATE) != YMM_STATE) return 0;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_FMA)) return 0;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx & bit_AVX2);
}

static int has_avx512(void)
{
    unsigned eax, ebx, ecx, edx;
    const unsigned needed = bit_AVX512F | bit_AVX512DQ | bit_AVX512BW | bit_AVX512VL;
    if (!has_avx2() || (saved_state() & ZMM_STATE) != ZMM_STATE) return 0;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx & needed) == needed;
}
#endif

const struct fc_isa fc_isas[] = {
    {"scalar", always, KERNELS(scalar)},
#ifdef FASTCONV_HAVE_AVX2
    {"avx2", has_avx2, KERNELS(avx2)},
#endif
#ifdef FASTCONV_HAVE_AVX512
    {"avx512", has_avx512, KERNELS(avx512)},
#endif
    {0},
};
