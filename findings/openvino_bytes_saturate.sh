#!/usr/bin/env bash
# Expected: arithmetic of bytes wraps around, in PyTorch and NumPy, and in ONNX Runtime for an ONNX file: 200 + 100 is
#   44 and 0 - 1 is 255 in uint8, 16 · 16 is 0 in int8. An engine that takes such a model gives the same.
# What happens: OpenVINO's CPU saturates them: 255, 0 and 127, for a model of ONNX as for one of PyTorch, and says
#   nothing. Integers of 16 and 32 bits wrap as elsewhere, so the rule is one of bytes alone.
# Why it matters: a difference of two frames, a checksum or a mask made of bytes gives other numbers. A sum of bytes
#   that overflows by mistake looks well in OpenVINO and is wrong where the network was trained, or the other way round.
#   Convert to int32 or float32 before the first sum: both agree then.
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
NUMPY = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply}

for dtype, x, y in (
    ("uint8", [200, 0, 16], [100, 1, 16]),
    ("int8", [100, -128, 16], [100, 1, 16]),
    ("uint16", [60000, 0, 256], [60000, 1, 256]),
    ("int16", [30000, -32768, 256], [30000, 1, 256]),
    ("int32", [2_000_000_000, -(2**31), 65536], [2_000_000_000, 1, 65536]),
):
    feeds = {"x": np.array(x, dtype), "y": np.array(y, dtype)}
    limits = np.iinfo(dtype)
    for name, function in NUMPY.items():
        types = f"({dtype}[3] x, {dtype}[3] y) => ({dtype}[3] z)"
        text = f'<ir_version: 9, opset_import: ["": 20]> g {types} {{z = {name}(x, y)}}'
        file = parser.parse_model(text).SerializeToString()
        session = ort.InferenceSession(file, providers=["CPUExecutionProvider"])
        compiled = ov.Core().compile_model(ov.Core().read_model(file), "CPU")
        right, got = function(feeds["x"], feeds["y"]), compiled(feeds)[0]
        print(f"{dtype} {name}: NumPy {right}, OpenVINO {got}")
        assert np.array_equal(session.run(None, feeds)[0], right) and got.dtype == right.dtype
        exact = function(feeds["x"].astype(np.int64), feeds["y"].astype(np.int64))
        assert np.array_equal(got, exact.clip(limits.min, limits.max) if limits.bits == 8 else right)
EOF
