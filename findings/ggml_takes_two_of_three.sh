#!/usr/bin/env bash
# Expected: ONNX's Max and Min take any number of tensors; a provider for ONNX Runtime that knows two of them only leaves
#   other nodes to the CPU provider, as onnxruntime-ggml does with Sum and Mean.
# What happens: onnxruntime-ggml claims every Max and Min and computes the first two tensors: Max(1, 2, 3) is 2. The
#   third and later ones are read by nobody. No warning.
# Why it matters: maxout layers, fusions of several scales and clamps that were written as one Max of three have such
#   nodes. Sizes are right, and where the first two are the larger ones so are the values. Write Max(Max(a, b), c).
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.30.0 \
    onnxruntime-ggml==0.2.0
ORT_GGML_LOG=error "$dir/venv/bin/python" - "$dir/net.onnx" <<'EOF'
import sys

import numpy as np
import onnx
import onnxruntime as ort
import onnxruntime_ggml as ggml
from onnx import parser

print("onnxruntime-ggml", ggml.version(), "onnxruntime", ort.__version__)
ort.set_default_logger_severity(4)


def run(operator, values):
    """The results of ONNX Runtime's CPU provider and of ggml for constant maps of these values."""
    names = "abcd"[: len(values)]
    inputs = ", ".join(f"float[1,2,4,4] {name}" for name in names)
    text = f'<ir_version: 9, opset_import: ["": 17]> g ({inputs}) => (float[1,2,4,4] y) {{y = {operator}({", ".join(names)})}}'
    onnx.save(parser.parse_model(text), sys.argv[1])
    feeds = {name: np.full((1, 2, 4, 4), value, np.float32) for name, value in zip(names, values)}
    sessions = ort.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"]), ggml.InferenceSession(sys.argv[1])
    return [session.run(None, feeds)[0].ravel()[0].item() for session in sessions]


for operator, values, right, known in (
    ("Max", (1, 2), 2, 2),
    ("Max", (1, 2, 3), 3, 2),
    ("Max", (3, 2, 1), 3, 3),
    ("Max", (1, 2, 3, 4), 4, 2),
    ("Min", (3, 2, 1), 1, 2),
    ("Sum", (1, 2, 3), 6, 6),
    ("Mean", (1, 2, 3), 2, 2),
):
    cpu, got = run(operator, values)
    print(f"{operator}{values}: CPU provider {cpu:g}, ggml {got:g}")
    assert (cpu, got) == (right, known)
EOF
