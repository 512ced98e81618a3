#!/usr/bin/env bash
# Expected: _mm_cvttps_epi32 is the instruction cvttps2dq: 0x80000000 for NaN and for what does not fit into an int, as
#   Intel documents it. Intrinsics are defined for all values, unlike C's (int)x.
# What happens: gcc writes the truncating conversions as C's own, and from -O1 on computes those of constants itself by
#   another rule: 3e9 becomes 2147483647 and NaN becomes 0, in vectors and in the scalar ones, of float and double. The
#   same function with the same number gives -2147483648 where gcc does not see the number. The rounding
#   _mm_cvtps_epi32 is left alone, and so are all of them at -O0 and in clang.
# Why it matters: code that knows the instruction takes 0x80000000 for "does not fit" (exp's exponent, quantisation, a
#   comparison behind it). A test with a literal, or a call that is inlined with one, goes another way than the kernel
#   does in use, in one compiler of two. Put such tests' numbers through volatile.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
cat > "$dir/probe.c" <<'EOF'
#include <immintrin.h>
#include <math.h>
#include <stdio.h>

static inline int vector(float x) { return _mm_cvtsi128_si32(_mm_cvttps_epi32(_mm_set1_ps(x))); }
static inline int rounded(float x) { return _mm_cvtsi128_si32(_mm_cvtps_epi32(_mm_set1_ps(x))); }
static inline int scalar(float x) { return _mm_cvttss_si32(_mm_set_ss(x)); }
static inline int doubles(double x) { return _mm_cvtsi128_si32(_mm_cvttpd_epi32(_mm_set1_pd(x))); }

int main(void) {
    volatile float large = 3e9f, nan = NAN;
    printf("%d %d %d %d %d ", vector(large), scalar(large), doubles(large), vector(nan), rounded(large));
    printf("%d %d %d %d %d\n", vector(3e9f), scalar(3e9f), doubles(3e9), vector(NAN), rounded(3e9f));
    return 0;
}
EOF
instruction="-2147483648 -2147483648 -2147483648 -2147483648 -2147483648"
folded="2147483647 2147483647 2147483647 0 -2147483648"

echo "gcc $(gcc -dumpfullversion), clang $(clang -dumpversion); 3e9 in vectors, scalars, doubles; NaN; rounded"
for case in "gcc -O0=$instruction" "gcc -O1=$folded" "gcc -O2=$folded" "gcc -O3 -std=c11=$folded" \
        "clang -O0=$instruction" "clang -O2=$instruction"; do
    command=${case%=*} literal=${case##*=}
    $command "$dir/probe.c" -o "$dir/probe" -lm
    got=$("$dir/probe")
    echo "$command: at run time ${got:0:${#instruction}}; as literals ${got:${#instruction}+1}"
    [[ $got == "$instruction $literal" ]]
done
