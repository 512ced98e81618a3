#!/usr/bin/env bash
# Expected: a maximum over an image is the same whether a file writes it as GlobalMaxPool or, as exporters do, as
#   ReduceMax; and a NaN among the values is either kept or passed over, wherever it stands.
# What happens: ONNX Runtime's ReduceMax over the last axis gives NaN where the first value is NaN and passes over any
#   other; its GlobalMaxPool passes over a NaN in any of the same three places.
# Why it matters: a NaN of a layer before is lost or kept by its place in the row and by the spelling of the file, so
#   this engine can be no oracle for NaN in reductions, and "no NaN in the result" says nothing of the layers before.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
"$dir/venv/bin/python" - <<'EOF'
import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper

print("onnxruntime", ort.__version__)
x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, 1, None]) for name in "xy")
opset = [helper.make_opsetid("", 17)]


def maximum(node, values):
    model = helper.make_model(helper.make_graph([node], "g", [x], [y]), opset_imports=opset, ir_version=9)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": values.reshape(1, 1, 1, -1)})[0].item()


COUNT = 3  # fewer than a vector has: the same code on every machine
kept = {}
for node in (
    helper.make_node("ReduceMax", ["x"], ["y"], axes=[3], keepdims=1),
    helper.make_node("GlobalMaxPool", ["x"], ["y"]),
):
    for place in range(COUNT):
        values = np.arange(1, COUNT + 1, dtype=np.float32)
        values[place] = np.nan
        got = maximum(node, values)
        print(f"{node.op_type} of 1 to {COUNT}, NaN at {place}: {got}")
        if np.isnan(got):
            kept.setdefault(node.op_type, []).append(place)
assert kept == {"ReduceMax": [0]}, kept
EOF
