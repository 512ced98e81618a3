#!/usr/bin/env bash
# Expected: SIMDe's portable form of _mm_rsqrt_ps is an approximate reciprocal root as Intel describes it: relative error
#   up to 1.5 · 2^-12, NaN of negative numbers, 0 of infinity, infinity of 0.
# What happens: it is the trick with the magic number and one step of Newton's. The error is up to 8.9e-4, more than
#   twice the bound; infinity gives -infinity, zero 1.98e19, a negative number sometimes NaN and sometimes infinity of
#   either sign. _mm_rcp_ps beside it is right, as it divides; so is _mm_max_ps with NaN.
# Why it matters: layer norms and vector lengths are x * rsqrt(sum), with one Newton step of the caller's for 22 bits:
#   here 19 are left, zero vectors give a finite length and infinite ones turn the sign. It is what code for SSE computes
#   where there is no SIMD, and what a test with SIMDE_NO_NATIVE runs.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
(cd "$dir" && apt-get download -qq libsimde-dev=0.7.4~rc2-2 2> /dev/null && dpkg-deb -x libsimde-dev_*.deb .)
cat > "$dir/probe.c" <<'EOF'
#include <math.h>
#include <stdio.h>
#include <simde/x86/sse.h>

static float rsqrt(float x) { return simde_mm_cvtss_f32(simde_mm_rsqrt_ps(simde_mm_set1_ps(x))); }
static float rcp(float x) { return simde_mm_cvtss_f32(simde_mm_rcp_ps(simde_mm_set1_ps(x))); }

int main(void) {
    double worst_root = 0, worst_reciprocal = 0;
    for (volatile float x = 1; x < 4; x += 1.0f / 4096) {
        worst_root = fmax(worst_root, fabs(rsqrt(x) * sqrt(x) - 1));
        worst_reciprocal = fmax(worst_reciprocal, fabs(rcp(x) * x - 1));
    }
    volatile float infinite = INFINITY, zero = 0;
    int infinities = 0, others = 0;
    for (volatile float x = -1e-30f; x > -1e30f; x *= 3) {
        infinities += isinf(rsqrt(x)) != 0;
        others += !isinf(rsqrt(x)) && !isnan(rsqrt(x));
    }
    printf("rsqrt: error %.2e, of infinity %g, of zero %.3g, ", worst_root, rsqrt(infinite), rsqrt(zero));
    printf("infinities %d and finite %d of negatives; ", infinities, others);
    printf("rcp: error %.0e, of infinity %g, of zero %g\n", worst_reciprocal, rcp(infinite), rcp(zero));
    return 0;
}
EOF
gcc -O2 -w -DSIMDE_NO_NATIVE -I"$dir/usr/include" "$dir/probe.c" -o "$dir/probe" -lm
got=$("$dir/probe")
echo "SIMDe 0.7.4-rc2, gcc $(gcc -dumpfullversion): $got"
[[ $got == "rsqrt: error 8.91e-04, of infinity -inf, of zero 1.98e+19, infinities 63 and finite 62 of negatives; rcp: "* ]]
[[ $got == *"rcp: error 6e-08, of infinity 0, of zero inf" ]]
echo "Intel's bound: $(python3 -c 'print(f"{1.5 * 2 ** -12:.2e}")')"
