#!/usr/bin/env bash
# Expected: SIMDe computes _mm_fmadd_ps with one rounding, by C's fmaf where the target has no fused instruction, and
#   _mm_dp_ps in the instruction's order, (a0 + a1) + (a2 + a3): it is there to run code for x86 elsewhere.
# What happens: without the instruction fmadd is a product and a sum, each rounded, with every -O;
#   (1 + 2^-12)² - (1 + 2^-11) is 0 where the instruction gives 2^-24. The four products of dp are added from the first
#   to the last: of 1e8, 1, -1e8, 1 the sum is 1, with the instruction 0.
# Why it matters: compensated sums (two_prod by fmadd), exp and log with a split ln 2, error bounds and tests that compare
#   bits rest on them. Call fmaf, or build with the target's own fused instructions.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
(cd "$dir" && apt-get download -qq libsimde-dev=0.7.4~rc2-2 2> /dev/null && dpkg-deb -x libsimde-dev_*.deb .)
cat > "$dir/probe.c" <<'EOF'
#include <math.h>
#include <stdio.h>
#include <simde/x86/fma.h>
#include <simde/x86/sse4.1.h>

int main(void) {
    volatile float factor = 1 + ldexpf(1, -12), less = -(1 + ldexpf(1, -11)), values[] = {1e8f, 1, -1e8f, 1};
    simde__m128 a = simde_mm_set1_ps(factor), c = simde_mm_set1_ps(less), ones = simde_mm_set1_ps(1);
    simde__m128 v = simde_mm_set_ps(values[3], values[2], values[1], values[0]);
    printf("fmadd %g, fmaf %g; ", simde_mm_cvtss_f32(simde_mm_fmadd_ps(a, a, c)), fmaf(factor, factor, less));
    float pairs = (values[0] + values[1]) + (values[2] + values[3]);
    printf("dp %g, pairs %g\n", simde_mm_cvtss_f32(simde_mm_dp_ps(v, ones, 0xf1)), pairs);
    return 0;
}
EOF
for flags in "-O0" "-O2" "-O2 -msse4.1 -DSIMDE_NO_NATIVE"; do
    gcc $flags -w -ffp-contract=off -I"$dir/usr/include" "$dir/probe.c" -o "$dir/probe" -lm
    got=$("$dir/probe")
    echo "SIMDe 0.7.4-rc2, gcc $(gcc -dumpfullversion) $flags: $got"
    [[ $got == "fmadd 0, fmaf 5.96046e-08; dp 1, pairs 0" ]]
done
