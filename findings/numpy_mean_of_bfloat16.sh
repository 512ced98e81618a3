#!/usr/bin/env bash
# Expected: np.mean and np.sum of a bfloat16 array (ml_dtypes) add in float32 and round once, as np.mean does for
#   float16 and as the dot product of bfloat16 arrays does.
# What happens: they add in bfloat16, whose sum of ones stops at 256: the mean of 1000 ones is 0.256, a global average
#   pool over 28x28 of 0.1s is 0.041. No warning; `x @ x` of the same ones is 1000.
# Why it matters: weights and features come as bfloat16 from safetensors and ONNX; means, variances and pools of them
#   by NumPy are wrong by factors. Pass dtype=np.float32.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 ml_dtypes==0.6.0
"$dir/venv/bin/python" - <<'EOF'
import ml_dtypes
import numpy as np

print("numpy", np.__version__, "ml_dtypes", ml_dtypes.__version__)
ones = np.ones(1000, ml_dtypes.bfloat16)
print("1000 ones: sum", ones.sum(), "mean", ones.mean(), "dot", ones @ ones)
print("the same in float16: mean", ones.astype(np.float16).mean())
pooled = np.full((1, 28, 28, 4), 0.1, ml_dtypes.bfloat16).mean((1, 2))
print("global average pool of 28x28 0.1s:", pooled)
assert ones.sum() == 256 and ones.mean() < 0.26 and ones @ ones == 1000 and ones.mean(dtype=np.float32) == 1
assert ones.astype(np.float16).mean() == 1 and (pooled < 0.05).all()
EOF
