#!/usr/bin/env bash
# Expected: onnxscript's optimizer may make a Pad the padding of a convolution where both put the same value there. A
#   ConvInteger subtracts x_zero_point from the image and pads with what is zero then: with the zero point itself.
# What happens: the rule for ConvInteger is the rule for Conv: Pad with the byte 0 becomes the convolution's padding,
#   whatever the zero point is. A border of 0 - 100 becomes one of 0. A Pad with the zero point, which would be right,
#   stays as it is. Without a zero point, or with 0, the rule is right.
# Why it matters: a map with both signs has its zero point in the middle of the bytes; a border of byte 0 is then as
#   negative as can be, and the optimized file has plain zeros there. The middle of the result, shapes and types are
#   right. Whoever joins the two must compare Pad's value with the zero point, not with 0.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxscript==0.7.2 \
    onnxruntime==1.32.0
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
from importlib.metadata import version

import numpy as np
import onnx
import onnxruntime as ort
from onnx import numpy_helper, parser
from onnx.reference import ReferenceEvaluator
from onnxscript import optimizer

print(*(f"{name} {version(name)}" for name in ("onnxscript", "onnx", "onnxruntime")))
image = np.arange(100, 116, dtype=np.uint8).reshape(1, 1, 4, 4)


def run(model):
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    result = session.run(None, {"x": image})[0]
    assert np.array_equal(result, ReferenceEvaluator(model).run(None, {"x": image})[0])
    return result[0, 0]


for zero_point, value, joined, same in ((100, 0, True, False), (100, 100, False, True), (0, 0, True, True)):
    text = """<ir_version: 9, opset_import: ["": 20]> g (uint8[1,1,4,4] x) => (int32[1,1,4,4] y)
        {p = Pad(x, pads, value) y = ConvInteger(p, w, zero_point)}"""
    model = parser.parse_model(text)
    for name, constant in (
        ("pads", np.array([0, 0, 1, 1, 0, 0, 1, 1])),
        ("value", np.uint8(value)),
        ("w", np.ones((1, 1, 3, 3), np.uint8)),
        ("zero_point", np.uint8(zero_point)),
    ):
        model.graph.initializer.append(numpy_helper.from_array(constant, name))
    optimized = optimizer.optimize(onnx.shape_inference.infer_shapes(model))
    before, after, nodes = run(model), run(optimized), [node.op_type for node in optimized.graph.node]
    print(f"zero point {zero_point}, padded with {value}: first row {before[0]}, as {nodes} {after[0]}")
    padded = np.pad(image[0, 0].astype(int), 1, constant_values=value) - zero_point
    assert np.array_equal(before, np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).sum((2, 3)))
    assert (nodes == ["ConvInteger"]) == joined and np.array_equal(before, after) == same
    assert np.array_equal(before[1:3, 1:3], after[1:3, 1:3])
EOF
