#!/usr/bin/env bash
# Expected: Celu of a negative x is alpha · (exp(x / alpha) - 1), as ONNX and PyTorch define it: it falls to -alpha, and
#   its slope at 0 is 1 from both sides, which is what it was made for.
# What happens: tract computes exp(x / alpha) - 1: with alpha = 2 every negative value is half of what it should be, and
#   with 0.5 twice. With alpha = 1, which is the default, nothing is seen. Elu has its factor.
# Why it matters: a network with another alpha gives results that are off by its factor for half of its values, without
#   a word. Write alpha · Elu(x / alpha), which is the same function.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 \
    tract==0.23.9
"$dir/venv/bin/python" - "$dir/net.onnx" <<'EOF'
import sys

import numpy as np
import onnx
import onnxruntime as ort
import tract
from onnx import numpy_helper, parser

print("tract", tract.version(), "onnxruntime", ort.__version__)
x = np.array([-5, -1, -0.5, 0, 2], np.float32)


def run(body, alpha):
    """The results of ONNX Runtime and of tract."""
    text = f'<ir_version: 9, opset_import: ["": 17]> g (float[5] x) => (float[5] y) {{{body}}}'
    model = parser.parse_model(text)
    if "factor" in body:
        model.graph.initializer.append(numpy_helper.from_array(np.float32(alpha), "factor"))
    onnx.save(model, sys.argv[1])
    right = ort.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
    return right, tract.onnx().load(sys.argv[1]).into_model().into_runnable().run([x])[0].to_numpy()


for alpha in (0.5, 1.0, 2.0):
    right, got = run(f"y = Celu<alpha={alpha}>(x)", alpha)
    print(f"Celu, alpha {alpha}: right {right.round(3)}, tract {got.round(3)}")
    assert np.allclose(right, np.where(x > 0, x, alpha * np.expm1(x / alpha)), atol=1e-5)
    assert np.allclose(got, np.where(x > 0, x, np.expm1(x / alpha)), atol=1e-5)
    _, got = run("t = Div(x, factor) e = Elu(t) y = Mul(e, factor)", alpha)
    assert np.allclose(got, right, atol=1e-5)
    right, got = run(f"y = Elu<alpha={alpha}>(x)", alpha)
    assert np.allclose(right, got, atol=1e-5)
EOF
