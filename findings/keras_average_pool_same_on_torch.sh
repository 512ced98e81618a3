#!/usr/bin/env bash
# Expected: keras.ops.average_pool with padding "same" gives the same values on every backend: the average of the pixels
#   that a window really has, as TensorFlow defines it.
# What happens: where the padding is uneven (a 3×3 window of stride 2 on an even size, a 4×4 on an odd one) the torch backend
#   pads with copies of the border and averages those too; JAX divides by the pixels that are there. Where the padding
#   is even both agree.
# Why it matters: a model's outputs change with KERAS_BACKEND, by as much as the values themselves at the border, and
#   most image sizes are even. Max pools are not touched, so the fault looks like one of the weights.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 jax==0.10.2 keras==3.15.1
cat >"$dir/pools.py" <<'EOF'
import sys

import keras
import numpy as np

images = {size: np.arange(size * size, dtype=np.float32).reshape(1, size, size, 1) ** 2 for size in (6, 7)}
np.savez(sys.argv[1], version=keras.__version__, **{
    f"{size} {window}": np.array(keras.ops.convert_to_numpy(keras.ops.average_pool(x, window, 2, "same")))
    for size, x in images.items() for window in (3, 4)
})
EOF
for backend in torch jax; do
    KERAS_BACKEND=$backend "$dir/venv/bin/python" "$dir/pools.py" "$dir/$backend.npz" 2>/dev/null
done
"$dir/venv/bin/python" - "$dir" <<'EOF'
import sys

import numpy as np

torch, jax = (np.load(f"{sys.argv[1]}/{name}.npz") for name in ("torch", "jax"))
print("keras", torch["version"])


def right(size, window):
    """The averages of the pixels that each window has; the odd pixel of the padding comes last."""
    x, outputs = np.arange(size * size, dtype=float).reshape(size, size) ** 2, -(-size // 2)
    before = max((outputs - 1) * 2 + window - size, 0) // 2
    spans = [slice(max(i * 2 - before, 0), i * 2 - before + window) for i in range(outputs)]
    return np.array([[x[rows, columns].mean() for columns in spans] for rows in spans])


same = {}
for case in ("6 3", "6 4", "7 3", "7 4"):
    wanted, (ours, theirs) = right(*map(int, case.split())), (torch[case][0, ..., 0], jax[case][0, ..., 0])
    assert np.allclose(theirs, wanted)
    same[case] = np.allclose(ours, wanted)
    print(f"size and window {case}: last value {wanted[-1, -1]:.2f}, on jax {theirs[-1, -1]:.2f}, on torch {ours[-1, -1]:.2f}")
assert same == {"6 3": False, "6 4": True, "7 3": True, "7 4": False}
EOF
