#!/usr/bin/env bash
# Expected: ncnn.Mat(array) takes a NumPy view through the buffer protocol, strides included, copying where it must,
#   or refuses it.
# What happens: it takes the view's shape and the first element's address and reads the memory in order. A transposed
#   image (NHWC to the channels-first form that ncnn wants), a crop, every second row: the right shape, other numbers,
#   no error.
# Why it matters: `ncnn.Mat(x.transpose(2, 0, 1))` is the natural line of code for an image, and networks answer with
#   plausible nonsense. Pass np.ascontiguousarray(...) and keep that array alive.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 ncnn==1.0.20261020
"$dir/venv/bin/python" - <<'EOF'
import ncnn
import numpy as np

print("numpy", np.__version__, "ncnn", ncnn.__version__)
x = np.arange(8 * 8 * 4, dtype=np.float32).reshape(8, 8, 4)  # NHWC, one image
views = {"contiguous": x, "transposed to CHW": x.transpose(2, 0, 1), "every second row": x[::2], "2-D, .T": x[0].T}
for name, view in views.items():
    got = np.array(ncnn.Mat(view))
    contiguous = np.ascontiguousarray(view)  # a name, so that it lives as long as the Mat, which holds no reference
    copied = np.array(ncnn.Mat(contiguous))
    print(f"{name}: shape {got.shape}, equal to the view: {np.array_equal(got, view)}")
    assert got.shape == view.shape and np.array_equal(got, view) == (name == "contiguous")
    assert np.array_equal(copied, view)
EOF
