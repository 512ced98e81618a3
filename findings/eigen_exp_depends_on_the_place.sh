#!/usr/bin/env bash
# Expected: x.exp(), x.log() and x.sqrt() of an Eigen array give equal results for equal values, wherever they stand, and
#   exp(-inf) is 0; -ffast-math would be needed for anything else.
# What happens: whole vectors go through Eigen's own functions, what is left over through the C library. In an array of
#   seven equal values the first four and the last three differ: exp(-inf) is 2.9e-39 and 0, exp(-100) 2.9e-39 and
#   3.8e-44, log(1e-40) -87.3 and -92.1, sqrt(1e-40) 0 and 1e-20. exp(2) is the same.
# Why it matters: a softmax masks with -inf and expects an exact 0; exp never underflows in vectors, and its log is then
#   -87.3 for every masked class, except for the last ones. Results depend on the size and the crop. With
#   EIGEN_DONT_VECTORIZE all seven are right, with EIGEN_FAST_MATH=0 the roots are.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
(cd "$dir" && apt-get download -qq libeigen3-dev=3.4.0-4 2> /dev/null && dpkg-deb -x libeigen3-dev_*.deb .)
cat > "$dir/probe.cc" <<'EOF'
#include <cmath>
#include <cstdio>

#include <Eigen/Core>

static Eigen::ArrayXf seven(float value) { return Eigen::ArrayXf::Constant(7, value); }

static void show(const char *name, const Eigen::ArrayXf &x) { std::printf("%s %.3g %.3g; ", name, x[0], x[6]); }

int main() {
    volatile float infinite = -INFINITY, low = -100, tiny = 1e-40f, two = 2;
    show("exp(-inf)", seven(infinite).exp());
    show("exp(-100)", seven(low).exp());
    show("log(1e-40)", seven(tiny).log());
    show("sqrt(1e-40)", seven(tiny).sqrt());
    show("exp(2)", seven(two).exp());
    return 0;
}
EOF
for flags in "" "-DEIGEN_FAST_MATH=0" "-DEIGEN_DONT_VECTORIZE"; do
    g++ -O2 -w $flags -I"$dir/usr/include/eigen3" "$dir/probe.cc" -o "$dir/probe"
    got=$("$dir/probe")
    first=2.94e-39 low=2.94e-39 log=-87.3 root=0
    [[ $flags != *FAST_MATH=0 ]] || root=1e-20
    [[ $flags != *DONT_VECTORIZE ]] || first=0 low=3.78e-44 log=-92.1 root=1e-20
    echo "Eigen 3.4.0, g++ $(g++ -dumpfullversion) -O2 $flags, first and last: $got"
    known="exp(-inf) $first 0; exp(-100) $low 3.78e-44; log(1e-40) $log -92.1; sqrt(1e-40) $root 1e-20; exp(2) 7.39 7.39; "
    [[ $got == "$known" ]]
done
