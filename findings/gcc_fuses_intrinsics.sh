#!/usr/bin/env bash
# Expected: _mm256_add_ps(_mm256_mul_ps(a, b), c) is a multiplication and an addition, each rounded, since both were
#   asked for by name; for plain a * b + c, `#pragma STDC FP_CONTRACT OFF` or a statement of its own for the product
#   sees to it.
# What happens: with -mfma gcc makes one fused operation of each of them, the intrinsics too: its headers write them as
#   * and +, it fuses across statements, and it ignores the pragma (a warning with -Wall alone). -std=c11 stops all of
#   it in C, -std=c++17 nothing in C++. clang 14 fuses within one expression only and obeys the pragma.
# Why it matters: kernels for one instruction set are compared with a reference bit by bit, and an error bound may rest
#   on two roundings: the same source has other bits by compiler, language and -std. Say -ffp-contract=off, and write
#   fmadd where it is meant. The script reads the assembly: nothing of AVX2 is run.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
cat > "$dir/probe.c" <<'EOF'
#include <immintrin.h>
#ifdef __cplusplus
extern "C" {
#endif
__m256 intrinsics(__m256 a, __m256 b, __m256 c) { return _mm256_add_ps(_mm256_mul_ps(a, b), c); }
float statements(float a, float b, float c) { float product = a * b; return product + c; }
float expression(float a, float b, float c) { return a * b + c; }
float pragma_off(float a, float b, float c) {
#pragma STDC FP_CONTRACT OFF
    return a * b + c;
}
#ifdef __cplusplus
}
#endif
EOF
cp "$dir/probe.c" "$dir/probe.cc"

# The functions in whose assembly a fused multiplication stands.
fused() {
    "$@" -O2 -mavx2 -mfma -S -o - 2>> "$dir/log" | awk '/^[a-z_]+:/ { name = $1 } /vfmadd/ { printf "%s", name }'
}

all=intrinsics:statements:expression:pragma_off:
echo "gcc $(gcc -dumpfullversion), clang $(clang -dumpversion)"
for case in "gcc probe.c=$all" "g++ probe.cc=$all" "gcc -std=c11 probe.c=" "g++ -std=c++17 probe.cc=$all" \
        "gcc -ffp-contract=off probe.c=" "g++ -ffp-contract=off probe.cc=" "clang probe.c=expression:" \
        "clang++ probe.cc=expression:"; do
    command=${case%=*}
    got=$(cd "$dir" && fused $command)
    echo "$command fuses ${got:-nothing}"
    [[ $got == "${case##*=}" ]]
done
