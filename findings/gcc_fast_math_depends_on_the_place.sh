#!/usr/bin/env bash
# Expected: -ffast-math may change the last bits of a sigmoid, but a loop over an array computes each value alike: equal
#   inputs have equal results, wherever they stand.
# What happens: from -O3 on gcc computes whole vectors by glibc's vector library, which allows an error of 4 units, and
#   what is left over by the scalar function. In an array of 1003 equal numbers the last differs from the first for a
#   sixth (log), half (exp) or three quarters (1 / (1 + exp(-x))) of 1000 numbers. -O2 has neither, nor -fno-math-errno
#   alone. clang 14 calls no such library, but its vectors take an approximate reciprocal where the rest divides, so
#   that its sigmoid differs as well.
# Why it matters: the answer for a pixel depends on the size of the image, on the crop and on how threads share the
#   rows. Tests with one value or with whole vectors only do not see it. Write the function in intrinsics with a masked
#   rest, or compute the rest in a padded vector by the same code.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
cat > "$dir/probe.c" <<'EOF'
#include <math.h>
#include <stdio.h>

enum { size = 1003 };
static float x[size], y[size];

__attribute__((noinline)) static void compute(int function, int n) {
    if (function == 0)
        for (int i = 0; i < n; i++) y[i] = expf(x[i]);
    else if (function == 1)
        for (int i = 0; i < n; i++) y[i] = logf(x[i]);
    else if (function == 2)
        for (int i = 0; i < n; i++) y[i] = 1 / (1 + expf(-x[i]));
    else
        for (int i = 0; i < n; i++) y[i] = x[i] * 0.7f + 0.1f;
}

int main(void) {
    for (int function = 0; function < 4; function++) {
        int differ = 0;
        for (int k = 1; k <= 1000; k++) {
            for (int i = 0; i < size; i++) x[i] = k * 0.02f;
            compute(function, size);
            differ += y[0] != y[size - 1];
        }
        printf("%d ", differ);
    }
    puts("");
    return 0;
}
EOF
echo "gcc $(gcc -dumpfullversion), clang $(clang -dumpversion); so many of 1000 differ: exp, log, sigmoid, product"
for case in "gcc -O2 -ffast-math=000" "gcc -O3 -fno-math-errno=000" "gcc -O3 -ffast-math=111" \
        "gcc -O3 -ffast-math -mavx2 -mfma=111" "clang -O3 -ffast-math=001"; do
    command=${case%=*} known=${case##*=}
    $command "$dir/probe.c" -o "$dir/probe" -lm
    if [[ $command == *avx2* ]] && ! grep -qw avx2 /proc/cpuinfo; then continue; fi
    read -r exp log sigmoid product <<< "$("$dir/probe")"
    echo "$command: $exp, $log, $sigmoid, $product"
    [[ $((exp > 100))$((log > 100))$((sigmoid > 100)) == "$known" && $product == 0 ]]
done
