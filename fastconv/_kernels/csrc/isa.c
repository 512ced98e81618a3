/* Which instruction sets this machine runs, among those that the build has kernels for. */
#include "kernels.h"

#define DECLARE(isa)                                                       \
    extern const struct fc_kernels f32_kernels__##isa, f64_kernels__##isa; \
    int f32_peak__##isa(long rounds)
#define KERNELS(isa) {&f32_kernels__##isa, &f64_kernels__##isa}, f32_peak__##isa

DECLARE(scalar);
DECLARE(avx2);
DECLARE(avx512);

static int never(void)
{
    return 0;
}

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

/* AMD's Zen 4 and Zen 5: families 19h, of which the older ones have no AVX-512, and 1Ah. They do two additions beside
 * two multiply-adds; Intel's issue both through the same ports. AVX2's 16 registers hold too few sums to gain. */
static int is_zen4_or_later(void)
{
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(0, &eax, &ebx, &ecx, &edx) || ebx != signature_AMD_ebx || ecx != signature_AMD_ecx) return 0;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx)) return 0;
    const unsigned family = (eax >> 8 & 0xf) + (eax >> 20 & 0xff);
    return has_avx512() && (family == 0x19 || family == 0x1a);
}
#endif

const struct fc_isa fc_isas[] = {
    {"scalar", always, KERNELS(scalar), never},
#ifdef FASTCONV_HAVE_AVX2
    {"avx2", has_avx2, KERNELS(avx2), never},
#endif
#ifdef FASTCONV_HAVE_AVX512
    {"avx512", has_avx512, KERNELS(avx512), is_zen4_or_later},
#endif
    {0},
};
