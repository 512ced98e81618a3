#!/usr/bin/env bash
# Expected: flax.linen.avg_pool with padding="SAME" averages the pixels that a window really has, as Keras and
#   TensorFlow do, whose word SAME is.
# What happens: it counts the padding as zeros, as torch does; so does flax.nnx.avg_pool. On ones a 3×3 window at a
#   border gives 2/3, in a corner 4/9. Where the padding is uneven (a stride of 2 on an even size) only the last row and
#   column are touched. count_include_pad=False gives TensorFlow's values.
# Why it matters: Inception's networks average with SAME in every block; ported from Keras with the same layers, words
#   and weights they are wrong along the border, and the inner pixels agree.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 jax==0.10.2 flax==0.12.8 keras==3.15.1
KERAS_BACKEND=jax "$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
import flax
import jax.numpy as jnp
import keras
import numpy as np
from flax import linen, nnx

print("flax", flax.__version__, "keras", keras.__version__)
ones = jnp.ones((1, 6, 6, 1))
for stride, corner in ((1, (4, 6, 4)), (2, (9, 6, 4))):
    got = [np.asarray(pool(ones, (3, 3), (stride, stride), "SAME"))[0, ..., 0] for pool in (linen.avg_pool, nnx.avg_pool)]
    keras_ones = np.asarray(keras.ops.average_pool(ones, 3, stride, "same"))
    without = np.asarray(linen.avg_pool(ones, (3, 3), (stride, stride), "SAME", count_include_pad=False))
    first, side, last = got[0][0, 0], got[0][1, -1], got[0][-1, -1]
    print(f"stride {stride}, ones: first {first:.3f}, right side {side:.3f}, last {last:.3f}; Keras {keras_ones.min():.3f}")
    assert np.array_equal(*got) and np.allclose(keras_ones, 1) and np.allclose(without, 1)
    assert np.allclose([first, side, last], np.array(corner) / 9)
EOF
