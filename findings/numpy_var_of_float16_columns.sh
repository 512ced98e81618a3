#!/usr/bin/env bash
# Expected: np.mean of float16 sums in float32, as its documentation says, and np.var, np.std, np.average, np.nanmean
#   and np.einsum go with it: the variance of equal numbers is 0 and their weighted mean is the number.
# What happens: all but mean and median add in float16 along any axis but the innermost, where the sum of ones stops at
#   2048. For 10000 pixels of four channels of equal numbers the mean of ones over (0, 1) is 1, nanmean and average are
#   0.205, and var is 0.205 for ones and 3.28 for fours. einsum("ij,jk->ik") of 3000 ones is 2048, 3000 with
#   optimize=True or the second matrix transposed, and matmul is right. The same numbers with the channels first are
#   right in all: there NumPy adds pairwise.
# Why it matters: statistics of feature maps by channel (for a batch norm, for ranges of quantisation) are taken over
#   axes (0, 1, 2) of NHWC arrays, and half precision is what networks hand out. A map of 46 × 46 suffices. Say
#   dtype=np.float32, and give average float32 weights.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6
"$dir/venv/bin/python" - <<'EOF'
import numpy as np

print("numpy", np.__version__)
channels = np.arange(1, 5, dtype=np.float16)
last = np.tile(channels, (100, 100, 1))
first = np.ascontiguousarray(last.transpose(2, 0, 1))
weights = np.ones((100, 100), np.float16)
zeros = channels * 0
for name, function, right, kept in (
    ("mean", np.mean, channels, True),
    ("median", np.median, channels, True),
    ("nanmean", np.nanmean, channels, False),
    ("average", lambda x, axis: np.average(x, axis, weights), channels, False),
    ("var", np.var, zeros, False),
    ("std", np.std, zeros, False),
    ("var, dtype=float32", lambda x, axis: np.var(x, axis, np.float32), zeros, True),
):
    got, turned = function(last, (0, 1)), function(first, (1, 2))
    print(f"{name} by channel: channels last {got.round(3)}, channels first {turned.round(3)}")
    assert np.allclose(turned, right, atol=0.01) and np.allclose(got, right, atol=0.01) == kept
a, b = np.ones((2, 3000), np.float16), np.ones((3000, 2), np.float16)
products = {
    "a @ b": a @ b,
    "einsum ij,jk->ik": np.einsum("ij,jk->ik", a, b),
    "optimize=True": np.einsum("ij,jk->ik", a, b, optimize=True),
    "einsum ij,kj->ik": np.einsum("ij,kj->ik", a, np.ascontiguousarray(b.T)),
}
print({name: float(value[0, 0]) for name, value in products.items()})
assert [value[0, 0] for value in products.values()] == [3000, 2048, 3000, 3000]
EOF
