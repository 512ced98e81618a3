#!/usr/bin/env bash
# Expected: gcc computes _Float16 arithmetic in one way on x86-64, in C and in C++ and for every CPU: each operation is
#   rounded to float16, or a whole expression once.
# What happens: in C gcc 12 computes an expression in float32 and rounds it at its end, so 2048 + 1 - 2048 is 1 and
#   300 * 300 / 300 is 300. In C++ it rounds each operation, so they are 0 and infinity. C does so too with
#   -mavx512fp16, which -march=native means on newer Xeons.
# Why it matters: kernels that convert or add halves move between .c and .cc files, their tests compare bits, and one
#   source gives two networks on two machines. -fexcess-precision=16 makes C round each operation everywhere. The
#   script reads constants out of the assembly: nothing of AVX-512 is run.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
cat > "$dir/probe.c" <<'EOF'
typedef _Float16 half;
int small = (int)((half)2048 + (half)1 - (half)2048);
int large = (half)300 * (half)300 / (half)300 == (half)300;
EOF
cp "$dir/probe.c" "$dir/probe.cc"

# The values of small and large, as the compiler puts them into its data section.
values() {
    "$@" -O2 -S -o "$dir/probe.s" && awk '/^(small|large):/ { getline; print substr($1, 2) " " $2 }' "$dir/probe.s" \
        | sed 's/^zero 4$/0/; s/^long //' | paste -sd ' '
}

echo "gcc $(gcc -dumpfullversion)"
for flags in "" -std=c11 -march=haswell -mavx512fp16 -fexcess-precision=16; do
    in_c=$(values gcc $flags "$dir/probe.c")
    in_cxx=$(values g++ ${flags/c11/c++17} "$dir/probe.cc")
    echo "${flags:-no flags}: small and large are $in_c in C, $in_cxx in C++"
    case $flags in
        -mavx512fp16 | -fexcess-precision=16) expected="0 0" ;;
        *) expected="1 1" ;;
    esac
    [[ $in_c == "$expected" && $in_cxx == "0 0" ]]
done
