#!/usr/bin/env bash
# Expected: a comparison with NaN is false, but for "not equal": IEEE 754 says so, and NumPy, PyTorch and ONNX Runtime
#   do so, on every CPU.
# What happens: on OpenVINO's CPU Greater and GreaterOrEqual of a NaN on either side are true with SSE4.1 and with
#   AVX-512, for every value of an array, and false with AVX2. Less, LessOrEqual and Equal are false with each. So x > 1
#   and 1 < x differ, and so do two machines. ONEDNN_MAX_CPU_ISA chooses the instructions here.
# Why it matters: x > threshold makes masks, counts what was found and chooses in a where: a NaN that others leave out
#   is taken for a hit, on one machine and not on the next. Write Less with the operands exchanged.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 \
    openvino==2026.4.1
cat > "$dir/compare.py" <<'EOF'
import sys
from importlib.metadata import version

import numpy as np
import onnxruntime as ort
import openvino as ov
from onnx import parser

instructions = sys.argv[1]
print(*(f"{name} {version(name)}" for name in ("openvino", "onnxruntime")), "with", instructions)
nan, one = (np.full(19, value, np.float32) for value in (np.nan, 1))

for name in ("Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal"):
    graph = f"g (float[19] x, float[19] y) => (bool[19] z) {{z = {name}(x, y)}}"
    file = parser.parse_model(f'<ir_version: 9, opset_import: ["": 20]> {graph}').SerializeToString()
    session = ort.InferenceSession(file, providers=["CPUExecutionProvider"])
    compiled = ov.Core().compile_model(ov.Core().read_model(file), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = name.startswith("Greater") and instructions != "AVX2"
    for x, y in ((nan, one), (one, nan), (nan, nan)):
        right, got = session.run(None, {"x": x, "y": y})[0], compiled({"x": x, "y": y})[0]
        print(f"{name}({x[0]}, {y[0]}): ONNX Runtime {right[0]}, OpenVINO {got[0]}")
        assert not right.any() and (got == found).all()
EOF
for case in "SSE41 sse4_1" "AVX2 avx2" "AVX512_CORE avx512dq"; do
    instructions=${case% *}
    grep -qw "${case#* }" /proc/cpuinfo || { echo "this CPU has no $instructions"; continue; }
    ONEDNN_MAX_CPU_ISA=$instructions "$dir/venv/bin/python" "$dir/compare.py" "$instructions"
done
