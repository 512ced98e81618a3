#!/usr/bin/env bash
# Expected: JAX on a CPU computes float32 as NumPy does, denormal numbers too, unless somebody asks for flush-to-zero.
# What happens: everything that XLA compiles runs with flush-to-zero and denormals-are-zero on: 2e-38 * 0.5,
#   additions, convolutions and even the comparison 1e-38 > 0 take denormals for 0. The caller's own thread keeps its
#   mode, so NumPy beside it is exact, and a jitted function gives other values than the same function run on NumPy
#   arrays.
# Why it matters: JAX as the oracle of a convolution differs in small values (decayed or pruned weights, 1e-38 tails
#   of exp and sigmoid), and a zero count (x > 0) differs. Compare with an absolute tolerance of at least 1.2e-38 *
#   terms.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 jax==0.10.2 jaxlib==0.10.2
JAX_PLATFORMS=cpu "$dir/venv/bin/python" - <<'EOF'
import jax
import numpy as np

print("numpy", np.__version__, "jax", jax.__version__)
x = np.array([1e-38, 2e-38, 3e-38], np.float32)  # the first is denormal, and so are the first two halves
for name, function in {
    "x * 0.5": lambda x: x * np.float32(0.5),
    "x + x[0]": lambda x: x + x[0],
    "x > 0": lambda x: x > 0,
}.items():
    jitted, plain = np.asarray(jax.jit(function)(x)), function(x)
    print(f"{name}: jax {jitted}, numpy {plain}")
    assert plain.all() and not jitted[0]

image, weight = np.full((1, 4, 4, 8), 1e-39, np.float32), np.ones((1, 1, 8, 1), np.float32)
conv = jax.lax.conv_general_dilated(image, weight, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
print("1x1 convolution of 8 x 1e-39: jax", np.unique(conv), "numpy", np.unique(image @ weight[0, 0]))
assert not np.asarray(conv).any()
assert np.float32(1e-38) * np.float32(0.5) > 0  # this thread's own mode
EOF
