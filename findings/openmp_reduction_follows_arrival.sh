#!/usr/bin/env bash
# Expected: a prange sum with schedule="static" and a fixed num_threads adds the same numbers in the same order at
#   each call, so its bits are the same.
# What happens: the parts are fixed, but libgomp adds them up in the order in which the threads *finish*. Here the
#   threads are delayed on purpose: the same loop over the same three numbers gives 1.0 or 0.0.
# Why it matters: float sums (an average pool, a norm's statistics, a loss) by `s += x` in prange, or by OpenMP's
#   reduction(+:s), change from call to call on a busy machine, which no test on a quiet one shows. Write the parts
#   into an array by part, and add them up in order after the loop.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check cython==3.3.1 setuptools==80.9.0
cd "$dir"
cat > total.pyx <<'EOF'
# cython: language_level=3, boundscheck=False
from cython.parallel import prange
from posix.unistd cimport usleep


def total(float[::1] x, int[::1] delay):
    cdef float s = 0
    cdef int i
    for i in prange(x.shape[0], nogil=True, schedule="static", num_threads=3):
        usleep(delay[i])
        s += x[i]
    return s
EOF
cat > setup.py <<'EOF'
from Cython.Build import cythonize
from setuptools import Extension, setup

openmp = {"extra_compile_args": ["-fopenmp"], "extra_link_args": ["-fopenmp"]}
setup(ext_modules=cythonize(Extension("total", ["total.pyx"], **openmp)))
EOF
venv/bin/python setup.py --quiet build_ext --inplace > build.log 2>&1 || { cat build.log; exit 1; }
gcc --version | head -n 1
OMP_DYNAMIC=false OMP_THREAD_LIMIT=8 venv/bin/python - <<'EOF'
from array import array

import Cython
from total import total

print("Cython", Cython.__version__)
x = array("f", [1e8, -1e8, 1])
seen = []
for order in ([0, 1, 2], [2, 1, 0]):
    seen.append(total(x, array("i", [200_000 * place for place in order])))
    print(f"parts {list(x)} finish in the order {order}: sum {seen[-1]}")
assert seen == [1.0, 0.0]
EOF
