#!/usr/bin/env bash
# Expected: a provider for ONNX Runtime computes a float32 network in float32, on a CPU above all; one that stores weights
#   in float16 to save memory touches the weights alone and says so.
# What happens: onnxruntime-ggml stores the constant matrix of MatMul and Gemm in float16 by default, on the CPU too, and
#   then converts the *other* factor to float16 as well before it multiplies: images or features of 1e5 are inf, of 1e-9
#   are 0, and each product has an error of 2.4e-4. weights="f32" as an option gives float32 for both.
# Why it matters: sums before a normalisation, pixels times 65535 and squares pass 65504 in networks whose weights are all
#   near 1, so that a look at the weights tells nothing. A comparison of the engine's speed with float32 ones compares
#   two types.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.30.0 \
    onnxruntime-ggml==0.2.0
ORT_GGML_LOG=off "$dir/venv/bin/python" - "$dir/net.onnx" <<'EOF'
import sys

import numpy as np
import onnx
import onnxruntime as ort
import onnxruntime_ggml as ggml
from onnx import numpy_helper, parser

print("onnxruntime-ggml", ggml.version(), "onnxruntime", ort.__version__)
ort.set_default_logger_severity(4)
CHANNELS = 64


def run(operator, image, weight, **options):
    """The results of ONNX Runtime's CPU provider and of ggml for constant arrays."""
    text = f'<ir_version: 9, opset_import: ["": 17]> g (float[1,{CHANNELS}] x) => (float[1,4] y) {{y = {operator}(x, w)}}'
    model = parser.parse_model(text)
    model.graph.initializer.append(numpy_helper.from_array(np.full((CHANNELS, 4), weight, np.float32), "w"))
    onnx.save(model, sys.argv[1])
    cpu = ort.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
    sessions = cpu, ggml.InferenceSession(sys.argv[1], {"device": "cpu", **options})
    feeds = {"x": np.full((1, CHANNELS), image, np.float32)}
    return [session.run(None, feeds)[0][0, 0].item() for session in sessions]


for operator in ("MatMul", "Gemm"):
    for image, weight, known in ((1e5, 1, np.inf), (1, 1e5, np.inf), (1e-9, 1, 0), (1, 1e-9, 0), (1 + 2**-12, 1, 64)):
        right, got = run(operator, image, weight)
        _, exact = run(operator, image, weight, weights="f32")
        print(f"{operator}, {image:g} times {weight:g}: right {right:g}, ggml {got:g}, with weights=f32 {exact:g}")
        assert np.isclose(right, CHANNELS * image * weight) and got == known and np.isclose(exact, right, rtol=1e-6)
EOF
