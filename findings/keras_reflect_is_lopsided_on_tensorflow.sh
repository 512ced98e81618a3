#!/usr/bin/env bash
# Expected: fill_mode="reflect" of Keras's map_coordinates repeats the pixel at the edge, (d c b a | a b c d | d c b a),
#   as the documentation draws it and SciPy does, at both ends and with every backend.
# What happens: on TensorFlow it takes the absolute value of a place and then repeats at the far end: index -1 is b and
#   not a, and all before it are one pixel off. The far end is right. On PyTorch and on JAX both ends are SciPy's.
# Why it matters: "reflect" is what elastic_transform takes by default, on map_coordinates. Weights trained with one
#   backend see other borders with the next, on the left and on top only. Pad the image first.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 scipy==1.17.1 keras==3.15.1 \
    tensorflow==2.21.0 jax==0.10.2
cat > "$dir/reflect.py" <<'EOF'
import keras
import numpy as np
from keras import ops
from scipy import ndimage

backend = keras.backend.backend()
print(f"keras {keras.__version__} on {backend}")
row = np.float32([1, 2, 3, 4])
for order in (0, 1):
    for places in (np.arange(-4, 8, dtype=np.float32), np.arange(-3.75, 7, 0.5, dtype=np.float32)):
        got = ops.convert_to_numpy(ops.image.map_coordinates(row, places[None], order=order, fill_mode="reflect"))
        right = ndimage.map_coordinates(row, places[None], order=order, mode="reflect")
        turned = ndimage.map_coordinates(row, abs(places)[None], order=order, mode="reflect")
        print(f"order {order} from {places[0]:g}: {got[:4]}, to {places[-1]:g}: {got[-4:]};", end=" ")
        print(f"SciPy {right[:4]}, {right[-4:]}")
        assert np.allclose(got, turned if backend == "tensorflow" else right)
        assert not np.allclose(right[:3], turned[:3])
EOF
for backend in tensorflow jax; do
    KERAS_BACKEND=$backend "$dir/venv/bin/python" "$dir/reflect.py" 2> "$dir/log" || { cat "$dir/log"; exit 1; }
done
