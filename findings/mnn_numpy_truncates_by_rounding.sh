#!/usr/bin/env bash
# Expected: MNN.numpy, whose functions have the names and arguments of NumPy's, gives NumPy's values or says that it has
#   no such function, as it does for median, flip and others.
# What happens: its trunc and fix round: 0.7 is 1, -1.5 is -2. rint and around take halves away from zero, 0.5 is 1.
#   divide of int32 is the whole part, fmod of int32 has the divisor's sign while mod of float32 has the dividend's;
#   copysign multiplies by the sign; argmin of int32 passes over negative numbers, unless all are; cbrt of a negative
#   number is NaN.
# Why it matters: MNN's users write what comes before and after a network in it, since a phone has no NumPy: a pixel's
#   place from a fraction, a box's cell, the best of quantised scores. Use floor for positive numbers, and casts.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 mnn==3.6.1
"$dir/venv/bin/python" - <<'EOF'
import warnings

import MNN
import MNN.numpy as mnp
import numpy as np

warnings.simplefilter("ignore")
print("mnn", MNN.version(), "numpy", np.__version__)
fractions = np.array([-2.5, -1.5, -0.7, 0.5, 0.7], np.float32)
integers, floats = np.array([-7, 7], np.int32), np.array([-7, 7], np.float32)
for name, arrays, known in (
    ("floor", [fractions], None),
    ("trunc", [fractions], [-3, -2, -1, 1, 1]),
    ("fix", [fractions], [-3, -2, -1, 1, 1]),
    ("rint", [fractions], [-3, -2, -1, 1, 1]),
    ("floor_divide", [integers, integers * 0 + 2], None),
    ("divide", [integers, integers * 0 + 2], [-3, 3]),
    ("fmod", [integers, integers * 0 + 2], [1, 1]),
    ("mod", [integers, integers * 0 + 2], None),
    ("mod", [floats, floats * 0 + 2], [-1, 1]),
    ("copysign", [floats, floats * 0 - 1], [7, -7]),
    ("cbrt", [floats], [np.nan, 1.912931]),
    ("argmax", [np.array([5, 4, -9, 2], np.int32)], None),
    ("argmin", [np.array([5, 4, -9, 2], np.int32)], 3),
    ("argmin", [np.array([-1, -2, -3], np.int32)], 0),
):
    right = getattr(np, name)(*arrays)
    got = getattr(mnp, name)(*(mnp.array(array) for array in arrays))
    got = np.array(got.read() if hasattr(got, "read") else got)
    given = ", ".join(f"{array.dtype} {array}" for array in arrays)
    print(f"{name} of {given}: {got.round(3)}, NumPy {np.round(right, 3)}")
    assert np.allclose(got, right if known is None else known, equal_nan=True)
    assert (known is None) == np.allclose(got, right, equal_nan=True)
EOF
