#!/usr/bin/env bash
# Expected: Halide's exp of a large float32 is inf, at least with the target feature strict_float, which turns off what is
#   not IEEE; 1 / (1 + exp(-x)) is 0 for x = -inf, and log is the inverse.
# What happens: exp is inf from 88.8 to 1.48e9, and 0 from 2^31 · ln 2 on, for inf too: its power of two overflows. The
#   sigmoid of -3e9 and of -inf is 1. log of inf is 88.7 and of denormals -88.0 instead of -92 to -103; pow(inf, 0.5)
#   is 1.8e19. It is so with strict_float and without, in scalars and in vectors.
# Why it matters: -inf masks what a softmax or a gate must not see, and a gate that is 1 there opens. -1e9, the other
#   usual mask, is right. Clamp x to ±88 before exp, or mask behind the sigmoid.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 halide==21.0.0
"$dir/venv/bin/python" - <<'EOF'
from importlib.metadata import version

import halide as hl
import numpy as np

print("halide", version("halide"))
inf = np.inf
i, one = hl.Var("i"), hl.f32(1)


def run(function, values, target, lanes):
    """The function of the values, computed by Halide in vectors of so many lanes."""
    f, x = hl.Func(), hl.Buffer(np.array(values, np.float32))
    f[i] = function(x[i])
    if lanes > 1:
        f.vectorize(i, lanes)
    return np.array(f.realize([len(values)], hl.Target(target)))


for name, function, values, right, known in (
    ("exp", hl.exp, [1, 89, 1e9, 2e9, 1e38, inf, -1e38, -inf], [2.71828, inf, inf, inf, inf, inf, 0, 0],
     [2.71828, inf, inf, 0, 0, 0, 0, 0]),
    ("sigmoid", lambda x: one / (one + hl.exp(-x)), [-1, -89, -1e9, -2e9, -1e38, -inf, 1e38, inf],
     [0.26894, 0, 0, 0, 0, 0, 1, 1], [0.26894, 0, 0, 1, 1, 1, 1, 1]),
    ("log", hl.log, [1, 1e-37, 1e-40, 1e-44, 1e38, inf, 2, 0],
     [0, -85.19565, -92.1034, -101.314, 87.49823, inf, 0.69315, -inf],
     [0, -85.19565, -88.02122, -88.02967, 87.49823, 88.72284, 0.69315, -inf]),
    ("root by pow", lambda x: hl.pow(x, hl.f32(0.5)), [4, 1e38, inf, 0], [2, 1e19, inf, 0], [2, 1e19, 1.8446744e19, 0]),
):
    for target in ("host", "host-strict_float"):
        for lanes in (1, 4):
            got = run(function, values, target, lanes)
            assert np.allclose(got, known, rtol=1e-4, atol=1e-7)
    print(f"{name} of {values}: {got.tolist()}, right {right}")
EOF
