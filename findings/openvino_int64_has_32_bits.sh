#!/usr/bin/env bash
# Expected: int64 in a model is an integer of 64 bits: ONNX and PyTorch say so, and OpenVINO's result has the type i64.
# What happens: OpenVINO's CPU keeps the low 32 bits of each and computes with int32; the result is stretched to 64 bits
#   again. 100000² is 1410065408, twice 2^40 + 1 is 2, and 2^40 is below 1. Numbers are cut before the first operation.
#   Nothing is said. Within 32 bits all is right.
# Why it matters: sums of squared bytes of an image, hashes, time stamps and row numbers of large tables pass 2^31. An
#   index that was cut is often a valid one, of another row. Keep such numbers out of the network.
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


def low_bits(values):
    return np.asarray(values).astype(np.int32).astype(np.int64)


for body, values in (
    ("y = Add(x, x)", [7, -5]),
    ("y = Add(x, x)", [2**40 + 1, 3_000_000_000]),
    ("y = Mul(x, x)", [100_000, 70_000]),
    ("y = Sub(x, one)", [2**33, -(2**40)]),
    ("b = Less(x, one) y = Cast<to=7>(b)", [2**40, 3_000_000_000]),
):
    x = np.array(values)
    text = f'<ir_version: 9, opset_import: ["": 20]> g (int64[2] x) => (int64[2] y) <int64 one = {{1}}> {{{body}}}'
    file = parser.parse_model(text).SerializeToString()
    session = ort.InferenceSession(file, providers=["CPUExecutionProvider"])
    compiled = ov.Core().compile_model(ov.Core().read_model(file), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    right, got = session.run(None, {"x": x})[0], compiled([x])[0]
    print(f"{body} of {values}: ONNX Runtime {right}, OpenVINO {got}")
    cut = session.run(None, {"x": low_bits(x)})[0]
    assert got.dtype == np.int64 and np.array_equal(got, low_bits(cut))
    assert np.array_equal(got, right) == (max(values) < 10)
EOF
