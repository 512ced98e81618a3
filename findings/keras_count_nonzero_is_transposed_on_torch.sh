#!/usr/bin/env bash
# Expected: keras.ops.count_nonzero(x, axis) is numpy.count_nonzero's, as its documentation says: axes that are left
#   keep their order, with every backend.
# What happens: with PyTorch Keras transposes the result: of 2 × 7 × 9 × 4 along axis 1 it is 4 × 9 × 2, where JAX and
#   NumPy give 2 × 9 × 4. keras.ops.sum(x != 0, axis) is right.
# Why it matters: where the axes left are of one size, a square map, the shape is right and the counts stand at mirrored
#   places. Counts of nonzero values say which channels and weights are pruned and which padding is masked. Sum x != 0
#   instead.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 keras==3.15.1 torch==2.13.0 jax==0.10.2
cat > "$dir/count.py" <<'EOF'
import keras
import numpy as np
from keras import ops

print("keras", keras.__version__, "on", keras.backend.backend())
for shape, axis in (((2, 7, 9, 4), 1), ((3, 5, 5), 0), ((4, 6), 1), ((3, 5, 5), (1, 2))):
    x = np.random.default_rng(0).integers(0, 2, shape).astype(np.float32)
    right, kept = np.count_nonzero(x, axis), x.ndim - np.size(axis)
    got = ops.convert_to_numpy(ops.count_nonzero(ops.convert_to_tensor(x), axis=axis))
    summed = ops.convert_to_numpy(ops.sum(ops.cast(ops.convert_to_tensor(x) != 0, "int32"), axis=axis))
    transposed = keras.backend.backend() == "torch" and kept > 1
    print(f"{shape} along {axis}: {got.shape}, NumPy's {right.shape}, equal {np.array_equal(got, right)}")
    assert np.array_equal(got, right.T if transposed else right) and np.array_equal(summed, right)
    assert np.array_equal(got, right) != transposed
EOF
for backend in torch jax; do
    KERAS_BACKEND=$backend "$dir/venv/bin/python" "$dir/count.py" 2> "$dir/log" || { cat "$dir/log"; exit 1; }
done
