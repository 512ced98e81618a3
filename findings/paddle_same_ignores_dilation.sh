#!/usr/bin/env bash
# Expected: padding="SAME" in Paddle pads a convolution so that stride 1 keeps the size; with dilation=2 a 3×3 kernel
#   then has 2 pixels of padding, as in TensorFlow. Or it refuses the pair.
# What happens: "SAME" sets the dilation to 1, silently: dilation=2 and 3 give the values of dilation=1. "VALID" and
#   padding in numbers keep the dilation. For transposed convolutions "SAME" drops it too, and gives 9 rows of 5 at
#   stride 2 where TensorFlow gives 10.
# Why it matters: DeepLab and other networks of dilated convolutions come from TensorFlow with SAME; the shapes are
#   right and the weights load, so only the values tell. Write the padding in numbers.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 paddlepaddle==3.3.1
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOS' || { cat "$dir/log"; exit 1; }
import numpy as np
import paddle
import paddle.nn.functional as F

print("paddlepaddle", paddle.__version__)
rng = np.random.default_rng(0)
image, weight = (paddle.to_tensor(rng.standard_normal((1, 1, n, n), np.float32)) for n in (9, 3))
plain = F.conv2d(image, weight, padding=1).numpy()
for dilation in (2, 3):
    right = F.conv2d(image, weight, padding=dilation, dilation=dilation).numpy()
    got = F.conv2d(image, weight, padding="SAME", dilation=dilation).numpy()
    valid = F.conv2d(image, weight, padding="VALID", dilation=dilation)
    print(f"dilation={dilation}: SAME is {abs(got - right).max():.2g} off, {abs(got - plain).max():.2g} from dilation 1")
    assert got.shape == right.shape and np.allclose(got, plain) and not np.allclose(got, right, atol=0.1)
    assert valid.shape[2] == 9 - 2 * dilation
small = image[:, :, :5, :5]
transposed = F.conv2d_transpose(small, weight, stride=2, padding="SAME")
dilated = F.conv2d_transpose(small, weight, padding="SAME", dilation=2).numpy()
print("transposed, stride 2: 5 rows become", transposed.shape[2])
assert transposed.shape[2] == 9
assert np.allclose(dilated, F.conv2d_transpose(small, weight, padding=1).numpy(), atol=1e-5)
EOS
