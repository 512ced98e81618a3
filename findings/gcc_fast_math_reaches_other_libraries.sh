#!/usr/bin/env bash
# Expected: -ffast-math changes the code that is compiled with it. A shared library of one function without arithmetic
#   changes nothing for anyone.
# What happens: gcc 12 and clang 14 link crtfastmath.o into whatever is linked with -ffast-math, -Ofast or
#   -funsafe-math-optimizations; its constructor sets flush-to-zero and denormals-are-zero in the thread that loads the
#   library. From then on NumPy's 1e-40 · 1 is 0 in that thread and in every thread that it starts later; threads from
#   before keep theirs. Compiled with the flag and linked without it changes nothing, and so do the single flags like
#   -fassociative-math.
# Why it matters: one import of a plug-in or an extension changes results of other libraries, by the order of imports,
#   and a pool's threads differ by when they were made. Compare np.float32(1e-40) * 1 before and after an import. Keep
#   the flag out of the link.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6
echo 'int seven(void) { return 7; }' > "$dir/seven.c"
cat > "$dir/load.py" <<'EOF'
import ctypes
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np


def product():
    return float((np.full(1, 1e-40, np.float32) * np.float32(1))[0])


with ThreadPoolExecutor(1) as older, ThreadPoolExecutor(1) as younger:
    before = older.submit(product).result(), product()
    assert ctypes.CDLL(sys.argv[1]).seven() == 7
    flushed = [number == 0 for number in (older.submit(product).result(), product(), younger.submit(product).result())]
assert 0 not in before
print("flushed in an older thread, this one, a younger one:", *flushed)
EOF
echo "gcc $(gcc -dumpfullversion), clang $(clang -dumpversion)"
nothing="flushed in an older thread, this one, a younger one: False False False"
flushes="flushed in an older thread, this one, a younger one: False True True"
for compiler in gcc clang; do
    for case in "-O3 / -O3 = $nothing" "-O3 -ffast-math / -O3 -ffast-math = $flushes" "-Ofast / -Ofast = $flushes" \
            "-O3 / -funsafe-math-optimizations = $flushes" "-O3 -ffast-math / -O3 = $nothing" \
            "-O3 / -fassociative-math -fno-signed-zeros -fno-trapping-math = $nothing"; do
        flags=${case%% = *} known=${case##* = }
        $compiler ${flags%% / *} -fPIC -c "$dir/seven.c" -o "$dir/seven.o"
        $compiler ${flags##* / } -shared "$dir/seven.o" -o "$dir/seven.so"
        got=$("$dir/venv/bin/python" "$dir/load.py" "$dir/seven.so")
        echo "$compiler, compiled with ${flags%% / *}, linked with ${flags##* / }: $got"
        [[ $got == "$known" ]]
    done
done
