#!/usr/bin/env bash
# Expected: the mean of a float16 array lies between its smallest and its largest value: NumPy, torch and JAX sum in
#   float32. The mean of four million float32 0.1s is 0.1.
# What happens: MLX on a CPU takes the sum in float16 and divides afterwards. A global average pool of a 112×112 map
#   of 6s is inf, and so is one of 0.1s over 1024×1024; mx.var is inf there and GroupNorm NaN. In float32 the sum is
#   naive: 0.0961 instead of 0.1. Its convolutions and products of float16 do sum in float32.
# Why it matters: the network computes in half precision up to its last pool and gives inf or NaN there, for large
#   images only. x.astype(mx.float32).mean() is right for maps of usual sizes.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 mlx==0.32.4 mlx-cpu==0.32.4
"$dir/venv/bin/python" - <<'EOF'
import mlx.core as mx
import numpy as np

mx.set_default_device(mx.cpu)
print("mlx", mx.__version__, "numpy", np.__version__)
for value, size in ((6, 56), (6, 112), (0.1, 1024)):
    maps = np.full((1, size, size, 4), value, np.float16)
    pooled, by_numpy = mx.mean(mx.array(maps), axis=(1, 2)), maps.mean((1, 2))
    first = pooled[0, 0].item()
    print(f"float16, {size}x{size} of {value}: mlx {first}, numpy {by_numpy[0, 0]}")
    assert pooled.dtype == mx.float16 and np.allclose(by_numpy, value, rtol=0.02)
    assert np.isinf(first) == (size > 56)
    assert np.isclose(mx.mean(mx.array(maps).astype(mx.float32), axis=(1, 2))[0, 0].item(), value, rtol=0.02)
ones = mx.ones((1, 1, 1, 70000), mx.float16)
conv = mx.conv2d(ones, ones / 2).item()
print("float16, convolution with 70000 halves:", conv)
assert conv == 35008  # 35000, rounded to float16
long = mx.mean(mx.full(4_000_000, 0.1)).item()
print("float32, mean of four million 0.1s:", long, "by numpy", np.full(4_000_000, 0.1, np.float32).mean())
assert long < 0.099
EOF
