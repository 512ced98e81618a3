#!/usr/bin/env bash
# Expected: numpy.maximum and numpy.max of a function that Pythran compiles hand a NaN on, whichever argument it is and
#   wherever it stands, as in NumPy. Pythran does not compile with -ffast-math unless it is told to.
# What happens: numpy.maximum(x, 0) keeps a NaN, numpy.maximum(0, x) makes 0 of it. numpy.max and numpy.min of an array
#   pass over every NaN, and argmax gives the place of the largest number; the maximum of nothing but NaN or -inf
#   is -3.4e38, and the argmax of nothing but -inf is -1. numpy.clip(x, 0, 6) keeps a NaN.
# Why it matters: a ReLU, a max pool and the range that quantisation takes from a map hide the NaN of a broken layer in
#   the compiled kernel and show it in the Python it was made of. Write x first, and test numpy.isnan(x).any().
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 pythran==0.19.0 gast==0.7.0 \
    beniget==0.5.0
cat > maxima.py <<'EOF'
import numpy as np


# pythran export maxima(float32[:])
def maxima(x):
    return np.maximum(x, 0), np.maximum(0, x), np.clip(x, 0, 6), np.max(x), np.min(x), np.argmax(x)
EOF
cp maxima.py plain.py
"$dir/venv/bin/pythran" maxima.py 2> "$dir/log" || { tail -5 "$dir/log"; exit 1; }
rm maxima.py
"$dir/venv/bin/python" - <<'EOF'
from importlib.metadata import version

import maxima
import numpy as np
import plain

print("pythran", version("pythran"))
nan, inf, LARGEST = np.nan, np.inf, np.finfo(np.float32).max
names = "maximum(x, 0)", "maximum(0, x)", "clip(x, 0, 6)", "max", "min", "argmax"
for x, known in (
    ([nan, -1, 2, 8], ([nan, 0, 2, 8], [0, 0, 2, 8], [nan, 0, 2, 6], 8, -1, 3)),
    ([-1, 8, nan, 2], ([0, 8, nan, 2], [0, 8, 0, 2], [0, 6, nan, 2], 8, -1, 1)),
    ([nan, nan], ([nan, nan], [0, 0], [nan, nan], -LARGEST, LARGEST, None)),
    ([-inf, -inf], ([0, 0], [0, 0], [0, 0], -LARGEST, -inf, -1)),
):
    x = np.array(x, np.float32)
    for name, right, got, value in zip(names, plain.maxima(x), maxima.maxima(x), known):
        if value is not None:
            print(f"{name} of {x}: {got}, NumPy {right}")
            assert np.array_equal(got, value, equal_nan=True)
            right_here = name in ("maximum(x, 0)", "clip(x, 0, 6)") or name in ("maximum(0, x)", "min") and x[0] == -inf
            assert right_here == np.array_equal(got, right, equal_nan=True)
EOF
