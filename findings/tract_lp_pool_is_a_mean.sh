#!/usr/bin/env bash
# Expected: ONNX's GlobalLpPool is the p-norm of a channel, (sum of |x|^p)^(1/p): 2 for four ones and p = 2, and never
#   negative. ONNX Runtime computes so.
# What happens: tract takes the mean of x^p: four ones are 1 for every p, and a map of 112 × 112 pixels comes out 112
#   times too small with p = 2. It takes no absolute value either: with an odd p a negative map is NaN, or -0.25 with p
#   = 1. Nothing is said.
# Why it matters: a constant factor behind the pool is lost in an argmax and moves every score and threshold; a norm
#   that divides a descriptor makes it one of another length. Write ReduceL2 or ReduceL1 over the pixels, which tract
#   has right.
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
from onnx import parser

print("tract", tract.version(), "onnxruntime", ort.__version__)


def run(body, x):
    """The results of ONNX Runtime and of tract."""
    text = f'<ir_version: 9, opset_import: ["": 17]> g (float[1,1,2,2] x) => (float[a,b,c,d] y) {{y = {body}}}'
    onnx.save(parser.parse_model(text), sys.argv[1])
    right = ort.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"]).run(None, {"x": x})[0].item()
    return right, tract.onnx().load(sys.argv[1]).into_model().into_runnable().run([x])[0].to_numpy().item()


for values in ([1, 1, 1, 1], [1, 2, 3, 4], [-1, -2, 1, 1]):
    x = np.array(values, np.float32).reshape(1, 1, 2, 2)
    for p in (1, 2, 3, 4):
        right, got = run(f"GlobalLpPool<p={p}>(x)", x)
        mean = (x**p).mean()
        print(f"{values}, p = {p}: right {right:.4f}, tract {got:.4f}")
        assert np.isclose(right, (abs(x) ** p).sum() ** (1 / p))
        assert np.isnan(got) if mean < 0 and p > 1 else np.isclose(got, mean if p == 1 else mean ** (1 / p))
    for name in ("ReduceL1", "ReduceL2"):
        right, got = run(f"{name}<axes=[2, 3]>(x)", x)
        assert np.isclose(right, got)
EOF
