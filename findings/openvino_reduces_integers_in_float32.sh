#!/usr/bin/env bash
# Expected: sums, maxima and minima of int32 are exact while they fit, as in ONNX Runtime and NumPy; a maximum is one of
#   the values. OpenVINO's result has the type i32.
# What happens: OpenVINO's CPU reduces integers as float32: the maximum of 16777217 and 16777219 is 16777220, and 2^24
#   and 1 add up to 2^24. Clip, Div and Mod go by way of float32 too: 0 clipped from below at 16777217 becomes 16777216,
#   and 16777217 % 7 is 1 and not 2. Add, Mul and Max of two arrays are exact.
# Why it matters: sums of bytes over a large image, indices into flat arrays and labels packed into one integer pass
#   2^24; the largest index may then be none of those that were there. The type says that nothing can be lost.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 \
    openvino==2026.4.1
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
from importlib.metadata import version

import numpy as np
import onnxruntime as ort
import openvino as ov
from onnx import parser

print(*(f"{name} {version(name)}" for name in ("openvino", "onnxruntime")))
LARGE = 2**24

for body, values, known in (
    ("y = ReduceMax(x)", [LARGE + 1, LARGE + 3], [LARGE + 4]),
    ("y = ReduceMin(x)", [LARGE + 1, LARGE + 3], [LARGE]),
    ("y = ReduceSum(x)", [LARGE, 1], [LARGE]),
    ("y = ReduceSumSquare(x)", [4099, 4097], [33587208]),
    ("y = Clip(x, floor)", [0, LARGE + 3], [LARGE, LARGE + 3]),
    ("y = Mod(x, seven)", [LARGE + 1], [1]),
    ("y = Div(x, seven)", [2**31 - 1], [306783392]),
    ("y = Add(x, x)", [LARGE + 1], None),
    ("y = Mul(x, x)", [4099], None),
    ("y = Max(x, floor)", [0, LARGE + 3], None),
    ("y = ReduceMax(x)", [1000, 2000], None),
):
    constants = f"int32 floor = {{{LARGE + 1}}}, int32 seven = {{7}}"
    types = f"(int32[{len(values)}] x) => (int32[n] y)"
    text = f'<ir_version: 9, opset_import: ["": 20]> g {types} <{constants}> {{{body}}}'
    file, x = parser.parse_model(text).SerializeToString(), np.array(values, np.int32)
    session = ort.InferenceSession(file, providers=["CPUExecutionProvider"])
    compiled = ov.Core().compile_model(ov.Core().read_model(file), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    right, got = session.run(None, {"x": x})[0], compiled([x])[0]
    print(f"{body} of {values}: ONNX Runtime {right}, OpenVINO {got}")
    assert got.dtype == np.int32 and np.array_equal(got, right if known is None else known)
    assert np.array_equal(got, right) == (known is None)
EOF
