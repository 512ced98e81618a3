#!/usr/bin/env bash
# Expected: numpy.power(x, y) broadcasts y as every ufunc does: an exponent of shape (), (1,) or that of x, with 0.5
#   everywhere, gives the same. By IEEE 754 and C it is inf of -inf, and 0 of -0.0.
# What happens: an exponent that is broadcast is taken for a number, and 0.5 for the square root: NaN of -inf, -0.0 of
#   -0.0. An exponent for each value gives inf and 0. So do 0.25 and the like in any shape.
# Why it matters: ONNX's Pow and C's pow are the latter. A runtime that evaluates Pow by NumPy is right or wrong by the
#   shape of the exponent, and code tested with whole arrays changes its results where a scalar comes instead.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6
cat > "$dir/power.py" <<'EOF'
import math

import numpy as np

print("numpy", np.__version__)
np.seterr(invalid="ignore")
for dtype in np.float32, np.float64:
    x = np.array([-np.inf, -0.0, 4.0], dtype)
    for shape in (), (1,), (3,):
        roots = np.power(x, np.full(shape, 0.5, dtype))
        print(np.dtype(dtype), "exponent of shape", shape, roots)
        is_power = roots[0] == np.inf and not np.signbit(roots[1])
        is_root = np.isnan(roots[0]) and np.signbit(roots[1])
        assert is_power if shape == (3,) else is_root
    assert np.array_equal(np.power(x, dtype(0.25))[:2], [np.inf, 0.0])
assert math.pow(-math.inf, 0.5) == math.inf and math.copysign(1, math.pow(-0.0, 0.5)) == 1
EOF
"$dir/venv/bin/python" "$dir/power.py"
