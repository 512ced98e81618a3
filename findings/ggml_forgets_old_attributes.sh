#!/usr/bin/env bash
# Expected: a provider for ONNX Runtime reads a node by the opset of its file: before opset 11 the bounds of Clip, before
#   13 the sizes of Split are attributes, later they are inputs. One that knows the later form alone refuses the others.
# What happens: onnxruntime-ggml claims these nodes and finds no inputs: Clip gives x itself, without bounds, and Split
#   equal parts whatever its sizes are: 2 and 4 channels become 3 and 3. Slice and TopK of the old form do raise, and
#   ReduceSum, Unsqueeze and Squeeze are read in both forms.
# Why it matters: MobileNet's ReLU6 is a Clip with attributes in every file of the exporters of 2018 to 2020, and the
#   first layers of most images never reach 6: a few classes change. Convert the file to opset 13 first.
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
image = np.arange(-4, 14, 0.5, np.float32).reshape(1, 6, 3, 2)


def run(body, opset, **constants):
    """The results of ONNX Runtime's CPU provider and of ggml, None where it raises."""
    text = f'<ir_version: 7, opset_import: ["": {opset}]> g (float[1,6,3,2] x) => (float y) {{{body}}}'
    model = parser.parse_model(text)
    model.graph.output[0].type.tensor_type.ClearField("shape")
    model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in constants.items())
    onnx.save(model, sys.argv[1])
    right = ort.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"]).run(None, {"x": image})[0]
    try:
        return right, ggml.InferenceSession(sys.argv[1]).run(None, {"x": image})[0]
    except Exception:
        return right, None


def same(one, other):
    return one.shape == other.shape and bool((one == other).all())


sizes, low, high = np.array([2, 4]), np.array(0, np.float32), np.array(6, np.float32)
for body, opset, constants, known in (
    ("y = Clip<min=0.0, max=6.0>(x)", 10, {}, image),
    ("y = Clip(x, low, high)", 13, {"low": low, "high": high}, image.clip(0, 6)),
    ("a, b = Split<axis=1, split=[2, 4]>(x) y = Neg(a)", 11, {}, -image[:, :3]),
    ("a, b = Split<axis=1>(x, sizes) y = Neg(a)", 13, {"sizes": sizes}, -image[:, :2]),
    ("y = ReduceSum<axes=[1]>(x)", 11, {}, image.sum(1, keepdims=True)),
    ("y = Slice<axes=[1], starts=[1], ends=[3]>(x)", 9, {}, None),
):
    right, got = run(body, opset, **constants)
    seen = "raises" if got is None else "right" if same(got, right) else f"{got.shape}, {got.min():g} to {got.max():g}"
    print(f"opset {opset}, {body}: right {right.shape}, {right.min():g} to {right.max():g}; ggml: {seen}")
    assert got is known is None or same(got, known)
EOF
