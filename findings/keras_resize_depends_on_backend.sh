#!/usr/bin/env bash
# Expected: keras.ops.image.resize gives the same pixels on every backend, but for rounding; all of them name
#   "bicubic" and "nearest", and Keras defines its own centres.
# What happens: cubics are three: JAX's with −0.5, torch's with −0.75, and OpenVINO's −0.5 with the edge repeated where
#   JAX leaves pixels out. OpenVINO ignores antialias=True, and its "nearest" takes other pixels when it shrinks: 2, 4, 7
#   of eight where the others take 1, 4, 6.
# Why it matters: preprocessing layers and upsampling blocks are built of it; a network that was trained on one backend
#   sees other images on the next, off by up to 2 % of the step at an edge, or by a whole pixel.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 jax==0.10.2 keras==3.15.1 \
  openvino==2026.4.1
cat >"$dir/resize.py" <<'EOF'
import sys

import keras
import numpy as np

row = np.arange(8, dtype=np.float32).reshape(1, 1, 8, 1)
calls = {"nearest": ("nearest", 3, False), "linear": ("bilinear", 12, False), "cubic": ("bicubic", 12, False),
         "cubic, shrunk": ("bicubic", 3, False), "cubic, antialiased": ("bicubic", 3, True)}
np.savez(sys.argv[1], version=keras.__version__, **{
    name: np.array(keras.ops.convert_to_numpy(
        keras.ops.image.resize(row, (1, size), interpolation=kind, antialias=antialias))).ravel()
    for name, (kind, size, antialias) in calls.items()
})
EOF
for backend in jax torch openvino; do
    KERAS_BACKEND=$backend "$dir/venv/bin/python" "$dir/resize.py" "$dir/$backend.npz" 2> "$dir/log" ||
        { cat "$dir/log"; exit 1; }
done
"$dir/venv/bin/python" - "$dir" <<'EOF'
import sys

import numpy as np

seen = {name: np.load(f"{sys.argv[1]}/{name}.npz") for name in ("jax", "torch", "openvino")}
print("keras", seen["jax"]["version"])
for call in ("nearest", "linear", "cubic", "cubic, shrunk", "cubic, antialiased"):
    for backend, results in seen.items():
        print(f"{call}, {backend}: {results[call][:3].round(4)}")
jax, torch, openvino = seen.values()
assert all(np.allclose(jax["linear"], other["linear"], atol=1e-5) for other in (torch, openvino))
assert [r["nearest"].tolist() for r in seen.values()] == [[1, 4, 6], [1, 4, 6], [2, 4, 7]]
cubics = [r["cubic"][0] for r in seen.values()]
assert min(abs(a - b) for i, a in enumerate(cubics) for b in cubics[:i]) > 0.005
assert np.allclose(jax["cubic, antialiased"], torch["cubic, antialiased"], atol=1e-4)
assert np.array_equal(openvino["cubic, antialiased"], openvino["cubic, shrunk"])
EOF
