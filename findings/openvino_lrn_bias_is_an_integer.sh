#!/usr/bin/env bash
# Expected: the bias of a local response normalisation is the real number that the model gives: AlexNet's paper has
#   k = 2, Caffe has 1, and nothing says that 1.5 is not allowed.
# What happens: OpenVINO's CPU plug-in keeps the bias as an integer: 1.5 computes as 1, 2.7 as 2 and 0.5 as 0, without a
#   word. The file and the model in memory keep the real number.
# Why it matters: results are off by a fifth of the largest value, and with 0 for the bias dark pixels divide by almost
#   nothing. Tests with the usual 1 or 2 show nothing.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 openvino==2026.4.1
"$dir/venv/bin/python" - <<'EOF'
import numpy as np
import openvino as ov
from openvino import opset13 as ops

SIZE, ALPHA, BETA = 5, 0.3, 0.75
print("openvino", ov.__version__)
x = np.random.default_rng(0).standard_normal((1, 8, 4, 4)).astype(np.float32)


def right(bias):
    squares = np.pad(x.astype(float) ** 2, ((0, 0), (2, 2), (0, 0), (0, 0)))
    return x / (bias + ALPHA / SIZE * sum(squares[:, i : i + 8] for i in range(SIZE))) ** BETA


def computed(bias):
    image = ops.parameter(x.shape, ov.Type.f32)
    model = ov.Model([ops.lrn(image, np.array([1]), ALPHA, BETA, bias, SIZE)], [image])
    hints = {"INFERENCE_PRECISION_HINT": "f32"}
    return ov.Core().compile_model(model, "CPU", hints)(x)[0]


for bias in (1.0, 2.0, 1.5, 2.7, 0.5):
    y = computed(bias)
    is_right, is_truncated = (np.allclose(y, right(b), rtol=1e-4, atol=1e-5) for b in (bias, float(int(bias))))
    print(f"bias {bias}: as given {is_right}, as {int(bias)} {is_truncated}, largest error {abs(y - right(bias)).max():.2g}")
    assert is_truncated and is_right == bias.is_integer()
EOF
